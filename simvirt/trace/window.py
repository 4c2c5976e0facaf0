"""Which part of which platform's run is traced, and into which file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from simvirt.errors import UnitError, UsageError
from simvirt.scenario.bounds import LATEST_NS
from simvirt.scenario.spec.experiment import RunSpec
from simvirt.scenario.spec.models import Scenario
from simvirt.units import parse_time, shown

ENDINGS: Final = (".json.gz", ".json")
LENGTH_NS: Final = 1_000_000_000
PARTS: Final = ("all", "control")
"""What a trace may be of: all that runs, or only what acts on it."""
WARMUP: Final = 5
"""One part in so many of a run comes before the trace, where neither its start nor a warm-up is stated: what is warm-up by default."""
FIELDS: Final[Mapping[str, str]] = {name: f"trace.{name}" for name in ("file", "start", "length", "platform", "of")}
"""Field of a trace -> what messages call it in Python."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A timeline to be written into a file, `.json.gz` or `.json`: from when (the end of the warm-up), for how long, of which platform.

    Times are texts with a unit. Without a platform it is of the first one; it is of the first replication. It is `of` all that runs, or
    of the `control` plane alone, and then of the whole run by default.
    """

    file: str | Path
    start: str | None = None
    length: str | None = None
    platform: str | None = None
    of: str = "all"


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a run of a platform, from an instant up to another one [ns], and the file for its trace; whether what runs is in it."""

    file: Path
    platform: str
    first: int
    last: int
    detail: bool = True

    @property
    def length(self) -> int:
        """How long it is [ns]."""
        return self.last - self.first


def window_of(trace: Trace | str | Path, scenario: Scenario, called: Mapping[str, str] = FIELDS) -> Window:
    """What a trace asks for; UsageError where that is impossible, in which fields are `called` so."""
    wanted = trace if isinstance(trace, Trace) else Trace(trace)
    run, detail = scenario.run, _detail(wanted.of, called["of"])
    start = _default_start(run, detail) if wanted.start is None else _time(wanted.start, called["start"], zero=True)
    if run.duration is not None and start >= run.duration:
        asked = in_words(start) if wanted.start is None else wanted.start
        raise UsageError(
            f"{called['start']}: expected an instant before the end of the run, which lasts {in_words(run.duration)}; got {asked}")
    length = (LENGTH_NS if detail else LATEST_NS - start) if wanted.length is None else _time(wanted.length, called["length"], zero=False)
    last = start + length
    if run.duration is not None and last > run.duration:
        if wanted.length is not None and not run.length_is_free:
            raise UsageError(
                f"{called['length']}: expected at most {in_words(run.duration - start)}, for the run lasts {in_words(run.duration)}"
                f" and the trace begins at {in_words(start)}; got {wanted.length}"
            )
        last = int(run.duration)
    return Window(_file(wanted.file, called["file"]), _platform(wanted.platform, scenario, called["platform"]), start, last, detail)


def in_words(ns: float) -> str:
    """A time or an instant in ns as seconds."""
    return f"{ns / 1e9:.6g} s"


def _detail(of: str, name: str) -> bool:
    """Whether what runs is traced."""
    if of not in PARTS:
        raise UsageError(f"{name}: expected {' or '.join(PARTS)}; got {shown(of)}")
    return of == PARTS[0]


def _default_start(run: RunSpec, detail: bool) -> int:
    """The end of the warm-up, as far as it is known before the run [ns]; the beginning where what runs is not traced."""
    if not detail:
        return 0
    if run.warmup is not None:
        return int(run.warmup)
    return int(run.duration) // WARMUP if run.duration is not None else 0


def _time(text: str, name: str, zero: bool) -> int:
    """A time in whole ns."""
    try:
        return round(parse_time(text, zero=zero))
    except UnitError as error:
        raise UsageError(f"{name}: {error}") from None


def _file(file: str | Path, name: str) -> Path:
    """A file that can hold a trace."""
    path = Path(file)
    if not path.name.endswith(ENDINGS) or path.name in ENDINGS:
        raise UsageError(f"{name}: expected a file that ends in {' or '.join(ENDINGS)}, for example trace.json.gz; got {shown(str(file))}")
    if path.is_dir():
        raise UsageError(f"{name}: {path} is a folder; expected a file, for example {path / 'trace.json.gz'}")
    if not path.parent.is_dir():
        raise UsageError(f"{name}: {path}: there is no folder {path.parent}; make it first, or name one that is there")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{name}: {path}: no permission to write it")
    return path


def _platform(name: str | None, scenario: Scenario, called: str) -> str:
    """A platform of the scenario; the first one where none is named."""
    names = [platform.name for platform in scenario.platforms]
    if name is None or name in names:
        return name or names[0]
    close = get_close_matches(name, names, n=1)
    guess = f'; did you mean "{close[0]}"?' if close else ""
    raise UsageError(f"{called}: expected a platform of the scenario, one of {', '.join(names)}; got {shown(name)}{guess}")

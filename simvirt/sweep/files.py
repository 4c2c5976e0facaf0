"""A sweep as it is written: its file, or a scenario with axes from the command line."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from simvirt.errors import Issue, ScenarioError, UsageError
from simvirt.scenario import Scenario, Source, source
from simvirt.scenario.reading.files import NoText, read_text
from simvirt.scenario.reading.reader import read
from simvirt.scenario.reading.tree import plain
from simvirt.scenario.spec.base import unknown_key
from simvirt.sweep.axes import Axis, axis_of, varied
from simvirt.sweep.designs import Design, count, design_of
from simvirt.units import UnitError, parse_time, shown

KEYS: Final = ("simvirt", "name", "scenario", "set", "axes", "design", "seed", "maximum", "limit")
EXAMPLE: Final = "simvirt: 1, name: rates, scenario: ../web.yaml, axes: {workload.open.rate: 100/s..1000/s:4}"


@dataclass(frozen=True, slots=True)
class Sweep:
    """A base scenario and what differs between its cells.

    `sets` hold for all cells; `seed` draws the points of a design, not the demands, which are those of the scenario's seed in every cell;
    with `maximum` each cell looks for maximum throughputs; `limit_s` is the longest that a cell may take [s].
    """

    name: str
    base: Source
    axes: tuple[Axis, ...]
    sets: tuple[str, ...] = ()
    design: Design = field(default_factory=Design)
    seed: int = 1
    maximum: bool = False
    limit_s: float | None = None

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return count(self.design, self.axes)

    @property
    def scenario(self) -> Scenario:
        """The scenario of no cell: the base with what holds for all of them."""
        return self.base.scenario(self.sets)

    @property
    def digest(self) -> str:
        """SHA-256 of all that the results depend on, the base with its files included."""
        axes = [[axis.paths, axis.levels, None if axis.span is None else astuple(axis.span)] for axis in self.axes]
        design = [self.design.kind, self.design.cells, self.seed, self.maximum]
        parts = [self.scenario.digest, design, axes]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def load(
    path: str | os.PathLike[str], vary: Sequence[str] = (), sets: Sequence[str] = (), design: Any = None, limit_s: float | None = None,
    maximum: bool = False,
) -> Sweep:
    """A sweep from its file, or of a scenario over the axes `vary` (`services.web.threads=8..64:4`).

    ScenarioError for a file that is wrong, UsageError for what is said beside it.
    """
    given = _read(os.fspath(path))
    if "axes" not in given and "scenario" not in given:
        given = {"scenario": os.path.basename(path), "name": given.get("name") or Path(path).stem}
    made = _made(os.fspath(path), given, vary, sets)
    if design is not None or limit_s is not None or maximum:
        made = _replaced(made, design, limit_s, maximum)
    if not made.axes:
        raise UsageError(f"{path}: a scenario, not a sweep: say what varies, for example --vary services.web.deploy.replicas=1..16")
    _check(made)
    return made


def _read(path: str) -> Mapping[str, Any]:
    """The plain content of a sweep's file."""
    try:
        node, issues = read(read_text(path), path)
    except NoText as error:
        raise ScenarioError([Issue(path, error.line, error.column, "", str(error))]) from None
    if issues:
        raise ScenarioError(issues)
    content = plain(node, lambda _, scalar: scalar.value) if node is not None else None
    if not isinstance(content, Mapping):
        raise ScenarioError([Issue(path, 1, 1, "", f"expected a sweep, for example {EXAMPLE}; got {shown(content)}")])
    return content


def _made(path: str, given: Mapping[str, Any], vary: Sequence[str], sets: Sequence[str]) -> Sweep:
    """A sweep from what its file says; ScenarioError with the first mistake of each key."""
    issues = [Issue(path, None, None, key, unknown_key(key, KEYS)) for key in given if key not in KEYS]
    found: dict[str, Any] = {}
    for name, maker in (("axes", _axes), ("set", _sets), ("design", design_of), ("limit", _limit), ("seed", _seed)):
        try:
            found[name] = maker(given.get(name))
        except (UsageError, UnitError) as error:
            issues.append(Issue(path, None, None, "", str(error)))
    if not isinstance(given.get("scenario"), str):
        issues.append(Issue(path, None, None, "scenario", f"expected the file of the base scenario; got {shown(given.get('scenario'))}"))
    if issues:
        raise ScenarioError(issues)
    base = os.path.join(os.path.dirname(path), given["scenario"])
    axes = tuple(found["axes"]) + tuple(varied(text) for text in vary)
    _check_once(axes)
    return Sweep(
        str(given.get("name") or Path(path).stem), source(base), axes, (*found["set"], *sets), found["design"], found["seed"],
        bool(given.get("maximum")), found["limit"],
    )


def _replaced(made: Sweep, design: Any, limit_s: float | None, maximum: bool) -> Sweep:
    """A sweep with what the command line says over what its file says."""
    return replace(
        made, design=made.design if design is None else design_of(design), maximum=maximum or made.maximum,
        limit_s=made.limit_s if limit_s is None else limit_s,
    )


def _axes(given: Any) -> list[Axis]:
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise UsageError(f"axes: expected a mapping, for example {{workload.open.rate: 100/s..1000/s:4}}; got {shown(given)}")
    return [axis_of(str(name), values) for name, values in given.items()]


def _sets(given: Any) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise UsageError(f"set: expected a mapping, for example {{run.duration: 20s}}; got {shown(given)}")
    return [f"{path}={value if isinstance(value, str) else json.dumps(value)}" for path, value in given.items()]


def _limit(given: Any) -> float | None:
    return None if given is None else parse_time(given, zero=False) / 1e9


def _seed(given: Any) -> int:
    if given is None:
        return 1
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise UsageError(f"seed: expected a whole number, for example 1; got {shown(given)}")
    return given


def _check_once(axes: Sequence[Axis]) -> None:
    """UsageError where two axes set the same leaf."""
    seen: dict[str, str] = {}
    for axis in axes:
        for path in axis.paths:
            if path in seen:
                raise UsageError(f"{path}: two axes set it, {seen[path]} and {axis.name}")
            seen[path] = axis.name


def _check(made: Sweep) -> None:
    """ScenarioError where the base is wrong, or an axis is with each of its levels; UsageError where the design is."""
    _ = made.cells, made.scenario
    issues = [issue for axis in made.axes for issue in _wrong(made, axis)]
    if issues:
        raise ScenarioError(issues)


def _wrong(made: Sweep, axis: Axis) -> tuple[Issue, ...]:
    """What is wrong with the first level of an axis, where no level of it makes a scenario; other levels may do so in a cell only."""
    found: tuple[Issue, ...] = ()
    for level in axis.levels or (axis.level(0.0), axis.level(1.0 - 1e-9)):
        try:
            made.base.scenario([*made.sets, *(f"{path}={value}" for path, value in axis.overrides(level))])
        except ScenarioError as error:
            found = found or error.issues
        else:
            return ()
    return found

"""A sweep as it is written: its file, or a scenario with axes from the command line."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from simvirt.errors import Issue, ScenarioError, UsageError
from simvirt.runs.admission import catalog_of
from simvirt.scenario import Scenario, Source, source
from simvirt.scenario.reading.reader import read_file
from simvirt.scenario.reading.tree import Marks, dotted, plain
from simvirt.scenario.spec.base import unknown_key
from simvirt.sweep.axes import Axis, axis_of, varied
from simvirt.sweep.designs import Design, count, design_of
from simvirt.sweep.pareto import Objectives, objectives_of
from simvirt.units import UnitError, parse_ratio, parse_time, shown

KEYS: Final = ("simvirt", "name", "scenario", "set", "axes", "design", "seed", "maximum", "limit", "precision", "pareto")
EXAMPLE: Final = "simvirt: 1, name: rates, scenario: ../web.yaml, axes: {workload.open.rate: 100/s..1000/s:4}"


@dataclass(frozen=True, slots=True)
class Sweep:
    """A base scenario and what differs between its cells.

    `sets` hold for all cells; `seed` draws the points of a design, not the demands, which are those of the scenario's seed in every cell;
    with `maximum` each cell looks for maximum throughputs; `limit_s` is the longest that a cell may take [s]; `pareto` says in what
    cells are compared.
    """

    name: str
    base: Source
    axes: tuple[Axis, ...]
    sets: tuple[str, ...] = ()
    design: Design = field(default_factory=Design)
    seed: int = 1
    maximum: bool = False
    limit_s: float | None = None
    pareto: Objectives | None = None

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
    maximum: bool = False, precision: str | float | None = None, pareto: Any = None,
) -> Sweep:
    """A sweep from its file, or of a scenario over the axes `vary` (`services.web.threads=8..64:4`).

    With a `precision` (`2%`) each cell has as many replications as make its intervals so narrow.
    ScenarioError for a file that is wrong, UsageError for what is said beside it.
    """
    made = _made(_read(os.fspath(path)), vary, [*sets, *_precision(precision)])
    if design is not None or limit_s is not None or maximum:
        made = _replaced(made, design, limit_s, maximum)
    if pareto is not None:
        made = replace(made, pareto=objectives_of(pareto, made.axes))
    if not made.axes:
        raise UsageError(f"{path}: a scenario, not a sweep: say what varies, for example --vary services.web.deploy.replicas=1..16")
    _check(made)
    return made


@dataclass(frozen=True, slots=True)
class _Written:
    """What a sweep's file says, and where."""

    path: str
    content: Mapping[str, Any]
    marks: Marks = field(default_factory=Marks)

    def issue(self, message: str, *where: str, of_key: bool = False) -> Issue:
        """A mistake at a key of the file."""
        place = self.marks.place(where, of_key)
        line, column = (place.line, place.column) if place is not None else (None, None)
        return Issue(self.path, line, column, dotted(where) if of_key else "", message)


def _read(path: str) -> _Written:
    """What a sweep's file says; of a scenario's file, that it is the base of a sweep."""
    root = read_file(path)
    content = plain(root, lambda _, scalar: scalar.value) if root is not None else None
    if not isinstance(content, Mapping):
        raise ScenarioError([Issue(path, 1, 1, "", f"expected a sweep, for example {EXAMPLE}; got {shown(content)}")])
    if "axes" in content or "scenario" in content:
        return _Written(path, content, Marks(root))
    return _Written(path, {"simvirt": 1, "scenario": os.path.basename(path), "name": content.get("name") or Path(path).stem})


def _made(written: _Written, vary: Sequence[str], sets: Sequence[str]) -> Sweep:
    """A sweep from what its file says; ScenarioError with the mistakes of all keys."""
    given = written.content
    issues = [written.issue(unknown_key(key, KEYS), key, of_key=True) for key in given if key not in KEYS]
    found: dict[str, Any] = {}
    for key, maker in MAKERS.items():
        try:
            found[key] = maker(given.get(key))
        except (UsageError, UnitError) as error:
            issues.append(written.issue(str(error), key))
    axes = _axes(written, issues)
    if issues:
        raise ScenarioError(issues)
    axes += [varied(text) for text in vary]
    _check_once(axes)
    try:
        objectives = objectives_of(given.get("pareto"), axes)
    except UsageError as error:
        raise ScenarioError([written.issue(str(error), "pareto")]) from None
    base = source(os.path.join(os.path.dirname(written.path), found["scenario"]))
    name = str(given.get("name") or Path(written.path).stem)
    common = (*found["set"], *found["precision"], *sets)
    return Sweep(name, base, tuple(axes), common, found["design"], found["seed"], found["maximum"], found["limit"], objectives)


def _replaced(made: Sweep, design: Any, limit_s: float | None, maximum: bool) -> Sweep:
    """A sweep with what the command line says over what its file says."""
    return replace(
        made, design=made.design if design is None else design_of(design), maximum=maximum or made.maximum,
        limit_s=made.limit_s if limit_s is None else limit_s,
    )


def _axes(written: _Written, issues: list[Issue]) -> list[Axis]:
    """The axes of a file; notes what is wrong with each."""
    given, found = written.content.get("axes", {}), list[Axis]()
    if not isinstance(given, Mapping):
        example = "{workload.open.rate: 100/s..1000/s:4}"
        issues.append(written.issue(f"axes: expected a mapping, for example {example}; got {shown(given)}", "axes"))
        return found
    for name, values in given.items():
        try:
            found.append(axis_of(str(name), values))
        except UsageError as error:
            issues.append(written.issue(str(error), "axes", name))
    return found


def _version(given: Any) -> int:
    if given != 1:
        raise UsageError(f"simvirt: expected 1, the version of the language; got {shown(given)}")
    return 1


def _scenario(given: Any) -> str:
    if not isinstance(given, str):
        raise UsageError(f"scenario: expected the file of the base scenario, for example ../web.yaml; got {shown(given)}")
    return given


def _maximum(given: Any) -> bool:
    if given is not None and not isinstance(given, bool):
        raise UsageError(f"maximum: expected true or false; got {shown(given)}")
    return bool(given)


def _sets(given: Any) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise UsageError(f"set: expected a mapping, for example {{run.duration: 20s}}; got {shown(given)}")
    return [f"{path}={value if isinstance(value, str) else json.dumps(value)}" for path, value in given.items()]


def _limit(given: Any) -> float | None:
    return None if given is None else parse_time(given, zero=False) / 1e9


def _precision(given: Any) -> list[str]:
    if given is None:
        return []
    try:
        return [f"run.precision={parse_ratio(given, zero=False, one=False):g}"]
    except UnitError as error:
        raise UsageError(f"precision: {error}") from None


def _seed(given: Any) -> int:
    if given is None:
        return 1
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise UsageError(f"seed: expected a whole number, for example 1; got {shown(given)}")
    return given


MAKERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "simvirt": _version, "scenario": _scenario, "set": _sets, "design": design_of, "limit": _limit, "seed": _seed, "maximum": _maximum,
    "precision": _precision,
}
"""What each key but the name and the axes is made of."""


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
    _ = made.cells, catalog_of(made.scenario)
    issues = [issue for axis in made.axes for issue in _wrong(made, axis)]
    if issues:
        raise ScenarioError(issues)


def _wrong(made: Sweep, axis: Axis) -> tuple[Issue, ...]:
    """What is wrong with the first level of an axis, where no level of it makes a scenario; other levels may do so in a cell only."""
    found: tuple[Issue, ...] = ()
    for level in axis.levels or (axis.level(0.0), axis.level(1.0 - 1e-9)):
        try:
            catalog_of(made.base.scenario([*made.sets, *(f"{path}={value}" for path, value in axis.overrides(level))]))
        except ScenarioError as error:
            found = found or error.issues
        else:
            return ()
    return found

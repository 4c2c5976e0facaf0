"""The scenario with fitted demands: its own text with other numbers and a comment at each, else all of it written anew."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from simvirt.errors import ScenarioError
from simvirt.fit.scaling import times
from simvirt.result.fit_document import FitDocument
from simvirt.scenario import loads
from simvirt.scenario.graph import Name
from simvirt.scenario.reading.tree import Node, Path, Scalar, Table, find, plain
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.steps import CpuStep
from simvirt.scenario.walk import walk
from simvirt.units import parse_time

UNITS: Final = (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0))
ASSUMED: Final = re.compile(r"\s+# assumed: .*$")
"""What an import said of a guess, which is one no more."""
SCALED: Final = ("mean", "low", "high", "exponential")
"""Keys below a `cpu` whose value is a time."""
Change = tuple[Path, Scalar, str, str]
"""The path of a time, how it is written, what is to stand there, and the operation."""


def fitted_text(original: str, name: str, scenario: Scenario, document: FitDocument, files: Sequence[str]) -> str:
    """The scenario of a text that was read under a name, with the demands of a result."""
    head = "".join(f"# {_plain(line)}\n" for line in _head(document, files))
    factors = factors_of(document)
    text = _changed(original, name, scenario, factors, document)
    if text is not None and _same(text, name, times(scenario, factors)):
        return head + text
    whole = _assembled(scenario, factors)
    said = "".join(f"# {_plain(f'{key}: {_comment(document, key)}')}\n" for key in document.fitted)
    return f"{head}{said}{yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=120)}"


def factors_of(document: FitDocument) -> dict[Name, float]:
    """Fitted demands over stated ones."""
    found = {}
    for key, demand in document.fitted.items():
        service, _, operation = key.partition(".")
        assert demand.cpu_s.value is not None
        found[service, operation] = demand.cpu_s.value / demand.stated_s
    return found


def _head(document: FitDocument, files: Sequence[str]) -> Iterator[str]:
    yield (f"CPU demands fitted by simvirt fit {document.simvirt.version} to {document.points} points of "
           f"{', '.join(os.path.basename(os.path.normpath(file)) for file in files)}, measured on {document.platform}.")
    if document.hold_out is not None:
        out = document.hold_out
        yield f"Left-out points are predicted within {100 * out.median:.2g} % in the median, {100 * out.worst:.2g} % at worst."
    for name, why in document.failed.items():
        yield f"{name}: not fitted: {why}"
    yield f"Measure next: {document.next}."


def _comment(document: FitDocument, key: str) -> str:
    """Where a demand comes from."""
    found = document.fitted[key]
    low, high = found.cpu_s.low, found.cpu_s.high
    sure = "no interval" if low is None or high is None else f"95 %: {said_time(low * 1e9)} to {said_time(high * 1e9)}"
    together = f"; not told apart from {', '.join(found.together)}" if found.together else ""
    return f"fitted, {sure}; {100 * found.platform:.2g} % more on {document.platform}; was {said_time(found.stated_s * 1e9)}{together}"


def said_time(ns: float) -> str:
    """A time as a scenario writes it, with four digits."""
    unit, factor = next((each for each in UNITS if ns >= each[1]), UNITS[-1])
    return f"{float(f'{ns / factor:.4g}'):g}{unit}"


def _changed(text: str, name: str, scenario: Scenario, factors: Mapping[Name, float], document: FitDocument) -> str | None:
    """The text with other numbers; None where one does not stand in it as it was read, as in an included file."""
    lines = text.splitlines(keepends=True)
    comments: dict[int, list[str]] = {}
    changes = [(scalar.place, scalar.text, new, key) for _, scalar, new, key in _changes(scenario, factors)]
    for place, old, new, key in sorted(changes, key=lambda each: (each[0].line or 0, each[0].column or 0), reverse=True):
        line, column = (place.line or 0) - 1, (place.column or 1) - 1
        if place.file != name or line < 0 or lines[line][column : column + len(old)] != old:
            return None
        lines[line] = lines[line][:column] + new + lines[line][column + len(old):]
        said, comment = comments.setdefault(line, []), _comment(document, key)
        said[:0] = [] if comment in said else [comment]
    for line, said in comments.items():
        before = ASSUMED.sub("", lines[line].rstrip("\r\n"))
        lines[line] = f"{before}  # {_plain('; '.join(said))}\n"
    return "".join(lines)


def _assembled(scenario: Scenario, factors: Mapping[Name, float]) -> Any:
    """All that is written, in whatever files, with other numbers."""
    root = scenario._marks.root
    assert root is not None
    new = {path: said for path, _, said, _ in _changes(scenario, factors)}
    return plain(root, lambda path, scalar: new.get(path, scalar.value))


def _changes(scenario: Scenario, factors: Mapping[Name, float]) -> Iterator[Change]:
    """The times to be changed; those of values in a file are a scale."""
    for (service, operation), factor in factors.items():
        for visit in walk(scenario.services[service].operations[operation], ("services", service, "operations", operation)):
            if isinstance(visit.step, CpuStep):
                for path, scalar in _times(scenario, (*visit.path, "cpu")):
                    yield path, scalar, said_time(parse_time(scalar.value) * factor), f"{service}.{operation}"


def _times(scenario: Scenario, path: Path) -> Iterator[tuple[Path, Scalar]]:
    """The times that make a step's demand, with their paths."""
    root = scenario._marks.root
    found = None if root is None else find(root, path)
    return _below(found.node, found.path) if found is not None and found.complete else iter(())


def _below(node: Node, path: Path) -> Iterator[tuple[Path, Scalar]]:
    if isinstance(node, Scalar):
        yield path, node
    elif isinstance(node, Table):
        for key, entry in node.entries.items():
            if isinstance(entry.node, Table) or key in SCALED:
                yield from _below(entry.node, (*path, key))


def _same(text: str, name: str, wanted: Scenario) -> bool:
    """Whether a text is the scenario that is wanted, to the digits that are written."""
    try:
        found = loads(text, name)
    except ScenarioError:
        return False
    pairs = [(v.step.cpu.mean, w.step.cpu.mean) for service, spec in wanted.services.items() for key, steps in spec.operations.items()
             for v, w in zip(walk(found.services[service].operations[key]), walk(steps), strict=True)
             if isinstance(v.step, CpuStep) and isinstance(w.step, CpuStep)]
    return all(abs(one - two) <= 1e-3 * two + 1 for one, two in pairs)


def _plain(said: Any) -> str:
    """A text that stays on its line."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(said))

"""The report of `simvirt validate FILE`: how many cases of each kind are answered as expected, and each that is not."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from simvirt.report.blocks import Block, Cell, Data, Prose, Report, Table, Title, cells, titled
from simvirt.report.heading import counted, made_by
from simvirt.report.scored import share
from simvirt.result.rules_document import CaseResult, KindResult, RulesDocument

NAMED: Final = 3
"""Cases that are named of those that are not known for one reason, at most."""
LONGEST: Final = 60
"""Characters of a value that are shown."""


def report(document: RulesDocument) -> Report:
    """All that is said of rule cases."""
    return Report(document, tuple(_blocks(document)))


def _blocks(document: RulesDocument) -> Iterator[Block]:
    yield Title("Rules beside cases", (f"{document.file}, {made_by(document.simvirt)}",), level=1)
    yield Prose(sentence(document.cases), tone="lead")
    yield kinds(document.kinds)
    yield from titled("Different", different(document.cases))
    yield from titled("Known in part", unknown(document.cases, "part"))
    yield from titled("Not known", unknown(document.cases))
    yield from titled("Not looked at", overlooked(document.cases))
    yield Data(tuple(_data(document.cases)), ("kind", "function", "id", "verdict", "key"))


def sentence(cases: Sequence[CaseResult]) -> str:
    """How many cases are answered as expected: `149 of 150 cases are answered as expected, 1 otherwise.`"""
    counts = {verdict: sum(case.verdict == verdict for case in cases) for verdict in ("same", "part", "different", "unknown")}
    said = {"part": "in part", "different": "otherwise", "unknown": "not known"}
    parts = [f"{counts[verdict]} {words}" for verdict, words in said.items() if counts[verdict]]
    return ", ".join([f"{counts['same']} of {counted(len(cases), 'case')} answered as expected", *parts]) + "."


def kinds(found: Sequence[KindResult]) -> Table:
    """The score of each kind; how numbers are compared is said where any may differ."""
    near = any(kind.factor != 1.0 for kind in found)
    head = ("kind", "cases", "same", "in part", "different", "not known", *(("up to", "median error") if near else ()))
    return Table(head, tuple(cells(*_scored(kind, near)) for kind in found), figures=False)


def _scored(kind: KindResult, near: bool) -> Iterator[Any]:
    """The cells of a kind."""
    yield from (kind.kind, kind.cases, Cell(str(kind.same), "good" if kind.same == kind.cases else ""), kind.part)
    yield from (Cell(str(kind.different), "bad" if kind.different else ""), kind.unknown)
    if near:
        yield from ("exact", "") if kind.factor == 1.0 else (f"x {kind.factor:g}", share(kind.median_error))


def different(cases: Sequence[CaseResult]) -> Table:
    """The keys in which answers differ."""
    rows = [cells(case.id if first else "", part.key, shown(part.got), shown(part.expected))
            for case in cases for first, part in zip((True, *[False] * len(case.differences)), case.differences, strict=False)]
    return Table(("case", "key", "simvirt", "expected"), tuple(rows), (0, 1, 2, 3), names=2, folds=True)


def unknown(cases: Sequence[CaseResult], verdict: str = "unknown") -> Table:
    """Why cases, or parts of them, are not known, each reason once."""
    known = {case.kind for case in cases if case.verdict != "unknown"}
    return _reasons(((_rule(case, case.kind in known), case.reason), case.id) for case in cases if case.verdict == verdict)


def overlooked(cases: Sequence[CaseResult]) -> Table:
    """What is given and no rule looked at."""
    return _reasons(((_rule(case), ", ".join(case.overlooked)), case.id) for case in cases if case.overlooked)


def _rule(case: CaseResult, with_function: bool = True) -> str:
    """The kind of a case, and its function: `rollout: sequence`."""
    return f"{case.kind}: {case.function}" if case.function and with_function else case.kind


def _reasons(found: Iterator[tuple[tuple[str, str], str]]) -> Table:
    """Cases by rule and reason."""
    by: dict[tuple[str, str], list[str]] = {}
    for key, name in found:
        by.setdefault(key, []).append(name)
    rows = tuple(cells(rule, reason, _named(names)) for (rule, reason), names in by.items())
    return Table(("rule", "why", "cases"), rows, (0, 1, 2), folds=True)


def _named(names: Sequence[str]) -> str:
    """Some names, and how many others there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def shown(value: Any) -> str:
    """A value in short."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _data(cases: Sequence[CaseResult]) -> Iterator[dict[str, Any]]:
    """One row a case, of different ones one a key."""
    for case in cases:
        row = {"kind": case.kind, "function": case.function, "id": case.id, "verdict": case.verdict}
        if case.differences:
            yield from (row | {"key": part.key, "expected": shown(part.expected), "got": shown(part.got)} for part in case.differences)
        else:
            yield row | ({"reason": case.reason} if case.reason else {}) | ({} if case.error is None else {"error": case.error})

"""Cases held against simvirt's rules, as one document."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from simvirt.result import provenance
from simvirt.result.rules_document import CaseResult, Difference, KindResult, RulesDocument
from simvirt.validation.rules.cases import Case, Given
from simvirt.validation.rules.registry import RULES
from simvirt.validation.rules.rule import Answer, NotKnown, Rules, error_of, numbers

NO_RULES: Final = "simvirt has no rules of this kind"


def judge(cases: Sequence[Case], file: str, rules: Mapping[str, Rules] = RULES) -> RulesDocument:
    """What simvirt answers to each case, beside what is expected."""
    started = time.perf_counter()
    found = tuple(judged(case, rules.get(case.kind)) for case in cases)
    return RulesDocument(
        simvirt=provenance.program(), file=file, kinds=tuple(_kinds(found, rules)), cases=found, wall_s=time.perf_counter() - started
    )


def judged(case: Case, rules: Rules | None) -> CaseResult:
    """One case: whether the answer is what is expected, in the keys that are expected."""
    if rules is None:
        return _unknown(case, NO_RULES)
    given = case.inputs()
    try:
        answer = rules.answer(given)
    except NotKnown as reason:
        return _unknown(case, str(reason))
    lacking = [key for key in case.expected if key not in answer]
    if lacking:
        return _unknown(case, f"no answer to {', '.join(lacking)}")
    return _compared(case, rules, given, answer)


def _unknown(case: Case, reason: str) -> CaseResult:
    """A case that simvirt has no answer to."""
    return CaseResult(id=case.id, kind=case.kind, function=_function(case), source=case.source, verdict="unknown", reason=reason)


def _compared(case: Case, rules: Rules, given: Given, answer: Answer) -> CaseResult:
    """A case that simvirt has an answer to."""
    differences = tuple(
        Difference(key=key, expected=expected, got=_plain(answer[key]))
        for key, expected in case.expected.items() if not rules.agrees(key, expected, answer[key])
    )
    pairs = [] if rules.factor == 1.0 else [pair for key, value in case.expected.items() for pair in numbers(value, answer[key])]
    return CaseResult(
        id=case.id, kind=case.kind, function=_function(case), source=case.source, verdict="different" if differences else "same",
        differences=differences, overlooked=tuple(sorted(set(given.overlooked()))),
        error=max((error_of(*pair) for pair in pairs), default=None),
    )


def _function(case: Case) -> str:
    """The function that a case names, empty where it names none."""
    return str(case.given.get("function") or case.given.get("plugin") or "")


def _plain(value: Any) -> Any:
    """An answer as JSON takes it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _kinds(found: Iterable[CaseResult], rules: Mapping[str, Rules]) -> Iterable[KindResult]:
    """The score of each kind, in the order of the file."""
    by: dict[str, list[CaseResult]] = {}
    for case in found:
        by.setdefault(case.kind, []).append(case)
    for kind, cases in by.items():
        count = {verdict: sum(case.verdict == verdict for case in cases) for verdict in ("same", "different", "unknown")}
        errors = [case.error for case in cases if case.error is not None]
        yield KindResult(
            kind=kind, cases=len(cases), **count, factor=rules[kind].factor if kind in rules else 1.0,
            median_error=statistics.median(errors) if errors else None,
        )

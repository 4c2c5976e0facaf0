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
from simvirt.validation.rules.rule import Answer, Near, NotKnown, Open, Rules, answered, error_of, magnitudes, opened

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
    except NotKnown as error:
        return _unknown(case, str(error))
    answer = {key: answer.get(key, Open(f"no answer to {key}")) for key in case.expected}
    expected = answered(case.expected, answer)
    reason = "; ".join(opened(case.expected, answer))
    return _unknown(case, reason) if isinstance(expected, Open) else _compared(case, rules, given, expected, answer, reason)


def _unknown(case: Case, reason: str) -> CaseResult:
    """A case that simvirt has no answer to."""
    return CaseResult(id=case.id, kind=case.kind, function=_function(case), source=case.source, verdict="unknown", reason=reason)


def _compared(case: Case, rules: Rules, given: Given, expected: Mapping[str, Any], answer: Answer, reason: str) -> CaseResult:
    """A case that simvirt has an answer to, or to a part of it, which is then what is `expected`; the reason why not to the rest."""
    differences = tuple(
        Difference(key=key, expected=value, got=_plain(answer[key]))
        for key, value in expected.items() if not rules.agrees(key, value, answer[key])
    )
    errors = [error_of(*pair) for key, value in expected.items() for pair in magnitudes(value, answer[key])]
    return CaseResult(
        id=case.id, kind=case.kind, function=_function(case), source=case.source,
        verdict="different" if differences else "part" if reason else "same", reason=reason,
        differences=differences, overlooked=tuple(sorted(set(given.overlooked()))),
        error=max(errors, default=None), errors=tuple(errors),
    )


def _function(case: Case) -> str:
    """The function that a case names, empty where it names none."""
    return str(case.given.get("function") or case.given.get("plugin") or "")


def _plain(value: Any) -> Any:
    """An answer as JSON takes it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items() if not isinstance(inner, Open)}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return float(value) if isinstance(value, Near) else value


def _kinds(found: Iterable[CaseResult], rules: Mapping[str, Rules]) -> Iterable[KindResult]:
    """The score of each kind, in the order of the file."""
    by: dict[str, list[CaseResult]] = {}
    for case in found:
        by.setdefault(case.kind, []).append(case)
    for kind, cases in by.items():
        count = {verdict: sum(case.verdict == verdict for case in cases) for verdict in ("same", "part", "different", "unknown")}
        errors = [error for case in cases for error in case.errors]
        yield KindResult(
            kind=kind, cases=len(cases), **count, factor=rules[kind].factor if kind in rules else 1.0,
            median_error=statistics.median(errors) if errors else None,
        )

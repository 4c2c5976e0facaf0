"""The answer in a sentence: how many each platform holds, and what ends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simvirt.density.bounds import END
from simvirt.result.density_document import AnswerResult, CountedUnit
from simvirt.result.objective import UNDECIDED
from simvirt.result.resources import name_of


def sentence(unit: CountedUnit, answers: Mapping[str, AnswerResult], failed: Mapping[str, str]) -> str:
    """`kvm holds 683 replicas of web, ended by memory; docker 1,023, ended by bridge ports.`"""
    return f"{'; '.join([*_held(unit, answers), *(f'{name} has no answer' for name in failed)])}."


def _held(unit: CountedUnit, answers: Mapping[str, AnswerResult]) -> Iterator[str]:
    """What each platform holds, and why no more; the unit is named once."""
    for place, (name, answer) in enumerate(answers.items()):
        verb = " holds" if place == 0 else ""
        yield f"{name}{verb} {_number(answer)}{f' {_unit(unit, answer)}' if place == 0 else ''}, {_end(answer)}"


def _number(answer: AnswerResult) -> str:
    least = "at least " if answer.open_to is not None or answer.binding.resource == END else ""
    return f"{least}{answer.n:,}" if answer.n else "no"


def _unit(unit: CountedUnit, answer: AnswerResult) -> str:
    """What is counted, and on how many hosts."""
    many, hosts = "" if answer.n == 1 else "s", f" on {len(answer.hosts)} hosts" if answer.hosts else ""
    return f"instance{many}{hosts}" if unit.service is None else f"replica{many} of {unit.service}{hosts}"


def _end(answer: AnswerResult) -> str:
    """What n + 1 fails."""
    if answer.open_to is not None:
        return f"undecided up to {answer.open_to:,}"
    if answer.binding.resource == END:
        return "where density.max ends the search"
    beyond = next((point for point in answer.curve if point.n == answer.n + 1), None)
    doubt = f" ({answer.n + 1:,} undecided)" if beyond is not None and beyond.verdict == UNDECIDED else ""
    return f"ended by {name_of(answer.binding.resource)}{doubt}"

"""The answer in a sentence: which hosts carry the load, at what cost, with which replicas; or why none do."""

from __future__ import annotations

from collections.abc import Sequence

from simvirt.result.plan_document import AlternativeResult, Question
from simvirt.result.resources import name_of


def sentence(question: Question, alternatives: Sequence[AlternativeResult]) -> str:
    """`2 dell-r650-gold-6338 with docker carry 9,886/s with one lost, for 812 USD a month; memory is fullest, at 61 %.`"""
    best, load = alternatives[0], f"{question.load.peak_per_s:,.4g}/s"
    if not best.feasible or best.cost is None or best.binding is None:
        return f"Nothing carries {load}: {best.platform} on {best.host} does not, for {best.reason}{_others(alternatives)}."
    lost = f" with {question.survive} lost" if question.survive else ""
    several = "carries" if best.hosts == 1 else "carry"
    changed = [f"{name} has {s.planned:,} replicas instead of {s.stated:,}" for name, s in best.scaled.items()]
    cost = f"for {best.cost.month_usd:,.0f} USD a month"
    fullest = f"{name_of(best.binding.resource)} is fullest, at {best.binding.utilisation:.0%}"
    host = "inline host" + "s" * (best.hosts != 1) if best.host == "inline" else best.host
    return f"{best.hosts} {host} with {best.platform} {several} {load}{lost}, {cost}; {'; '.join([fullest, *changed])}."


def _others(alternatives: Sequence[AlternativeResult]) -> str:
    """How many more there are."""
    more = len(alternatives) - 1
    return f"; nor {'does' if more == 1 else 'do'} {more} other{'s' * (more > 1)}" if more else ""

"""Choosing under an uncertain load: what each choice costs beyond the best in hindsight, and the choice whose worst case is smallest.

*Model*: choices are a platform, a host model and a number of hosts; cases are levels of the load. A choice that has enough hosts
    at a level costs them and the energy of that load. One that lacks some has to buy them in a hurry: it costs what is needed at
    that level, and the premium on the hosts that were missing. Regret is that cost less the cheapest of all choices at that
    level.
*Ignores*: probabilities of the levels; what the shortfall costs until the missing hosts are there.
*Source*: Savage, The theory of statistical decision, J. Am. Stat. Assoc. 46 (1951): minimax regret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simvirt.plan.money import Terms, bill, evenly, host_year
from simvirt.result.plan_document import Choice, Minimax, Regret


@dataclass(frozen=True, slots=True)
class Need:
    """What an alternative needs at one level of the load: hosts, and the load in hosts of full load, at the mean and at peak."""

    hosts: int
    mean_load: float
    peak_load: float


@dataclass(frozen=True)
class Candidate:
    """An alternative with what it needs at each level; None where no number of hosts does."""

    platform: str
    host: str
    terms: Terms
    needs: Sequence[Need | None]


def cost(terms: Terms, need: Need, hosts: int, premium: float) -> float:
    """A year of a choice of `hosts` at a level [USD]: with the hosts that were missing bought in a hurry."""
    missing = max(need.hosts - hosts, 0)
    own = bill(terms, evenly(need.mean_load, hosts + missing), evenly(need.peak_load, hosts + missing))
    return own.year_usd + missing * premium * host_year(terms)


def table(candidates: Sequence[Candidate], levels: Sequence[float], premium: float) -> Regret | None:
    """Every choice with its cost, regret and missing hosts at each level, the smallest largest regret first.

    None where no alternative carries all levels.
    """
    able = [(c, [n for n in c.needs if n is not None]) for c in candidates if all(n is not None for n in c.needs)]
    options = [Option(c, needs, hosts) for c, needs in able for hosts in sorted({need.hosts for need in needs})]
    if not options:
        return None
    costs = [option.costs(premium) for option in options]
    best = tuple(map(min, *costs)) if len(costs) > 1 else costs[0]
    choices = sorted((option.choice(paid, best) for option, paid in zip(options, costs, strict=True)), key=_order)
    first = choices[0]
    minimax = Minimax(platform=first.platform, host=first.host, hosts=first.hosts, max_regret_usd=first.max_regret_usd)
    return Regret(levels=tuple(levels), premium=premium, best_usd=best, choices=tuple(choices), minimax=minimax)


def _order(choice: Choice) -> tuple[Any, ...]:
    """The smallest largest regret first."""
    return choice.max_regret_usd, choice.costs_usd, choice.platform, choice.host, choice.hosts


@dataclass(frozen=True)
class Option:
    """An alternative with a number of hosts, and what is needed at each level."""

    candidate: Candidate
    needs: Sequence[Need]
    hosts: int

    def costs(self, premium: float) -> tuple[float, ...]:
        """A year at each level [USD]."""
        return tuple(cost(self.candidate.terms, need, self.hosts, premium) for need in self.needs)

    def choice(self, costs: Sequence[float], best: Sequence[float]) -> Choice:
        """The option with its costs beside those of the best one at each level."""
        regrets = tuple(paid - least for paid, least in zip(costs, best, strict=True))
        return Choice(
            platform=self.candidate.platform, host=self.candidate.host, hosts=self.hosts, costs_usd=tuple(costs),
            missing_hosts=tuple(max(need.hosts - self.hosts, 0) for need in self.needs), regrets_usd=regrets, max_regret_usd=max(regrets),
        )

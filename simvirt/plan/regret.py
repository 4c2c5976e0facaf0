"""Choosing under an uncertain load: what each choice costs beyond the best in hindsight, and the choice whose worst case is smallest.

*Model*: choices are a platform, a host model and a number of hosts; cases are levels of the load. A choice that has enough hosts
    at a level costs them and the energy of that load. One that lacks some has to buy them in a hurry: it costs what is needed at
    that level, and the premium on the hosts that were missing. Regret is that cost less the cheapest of all choices at that
    level.
*Ignores*: probabilities of the levels; what the shortfall costs until the missing hosts are there.
*Source*: Savage, The theory of statistical decision, J. Am. Stat. Assoc. 46 (1951): minimax regret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simvirt.plan.money import Terms, bill, evenly, host_year


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


def table(candidates: Sequence[Candidate], levels: Sequence[float], premium: float) -> dict[str, Any] | None:
    """Every choice with its cost, regret and missing hosts at each level, the smallest largest regret first.

    None where no alternative carries all levels.
    """
    able = [(c, [n for n in c.needs if n is not None]) for c in candidates if all(n is not None for n in c.needs)]
    choices = [_choice(c, needs, hosts, premium) for c, needs in able for hosts in sorted({need.hosts for need in needs})]
    if not choices:
        return None
    best = [min(choice["costs_usd"][level] for choice in choices) for level in range(len(levels))]
    for choice in choices:
        choice["regrets_usd"] = [paid - least for paid, least in zip(choice["costs_usd"], best, strict=True)]
        choice["max_regret_usd"] = max(choice["regrets_usd"])
    choices.sort(key=lambda choice: tuple(choice[key] for key in ("max_regret_usd", "costs_usd", "platform", "host", "hosts")))
    minimax: Mapping[str, Any] = choices[0]
    named = {key: minimax[key] for key in ("platform", "host", "hosts", "max_regret_usd")}
    return {"levels": list(levels), "premium": premium, "best_usd": best, "choices": choices, "minimax": named}


def _choice(candidate: Candidate, needs: Sequence[Need], hosts: int, premium: float) -> dict[str, Any]:
    """One choice with its cost and its missing hosts at each level."""
    return {
        "platform": candidate.platform, "host": candidate.host, "hosts": hosts,
        "costs_usd": [cost(candidate.terms, need, hosts, premium) for need in needs],
        "missing_hosts": [max(need.hosts - hosts, 0) for need in needs],
    }

"""Guards of calls and of workloads for random scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from helpers.random_draws import Draws, Tree, time

MOST_BODIES = 6
"""Tries of all guarded calls of a scenario, multiplied: what is written for each request is as long."""


def guarded(draws: Draws, tree: Tree) -> None:
    """Guards some calls and some workloads."""
    left = MOST_BODIES
    for step in calls_of(tree["services"]):
        if draws.yes(0.5):
            guard = guard_of(draws, left >= 3)
            left = left // 3 if "retry" in guard or "hedge" in guard else left
            step |= guard
    loads = tree.get("workloads") or ({"": tree["workload"]} if "workload" in tree else {})
    for spec in loads.values():
        if not spec.get("local") and draws.yes(0.5):
            spec |= guard_of(draws, left >= 3)


def calls_of(part: Any) -> Iterator[Tree]:
    """Every step that calls, in all operations."""
    if isinstance(part, dict):
        if "call" in part:
            yield part
        part = list(part.values())
    for inner in part if isinstance(part, list) else ():
        yield from calls_of(inner)


def guard_of(draws: Draws, again: bool) -> Tree:
    """What guards a call; it may be sent more than once only where that is allowed."""
    limit = draws.choice([2e5, 3e6, 5e7, 1e9])
    found = draws.sometimes({
        "timeout": (0.6, lambda: time(limit)), "deadline": (0.3, lambda: time(limit * draws.between(1, 5))),
        "pool": (0.3, lambda: draws.choice([1, 3, {"connections": 2, "queue": draws.choice([0, 1, 50])}])),
        "breaker": (0.3, lambda: {"failures": draws.choice([1, 2, 10]), "open": time(draws.choice([1e6, 5e7, 2e9]))}),
        "retry": (0.4 if again else 0.0, lambda: retry(draws)),
    })
    if again and "retry" not in found and draws.yes(0.25):
        found["hedge"] = time(limit * draws.between(0.05, 0.9))
    if found.keys() & {"timeout", "deadline", "hedge"}:
        found |= draws.sometimes({"on_timeout": (0.5, lambda: draws.choice(["orphan", "cancel"]))})
    return found


def retry(draws: Draws) -> Tree:
    """How a call is sent again."""
    spec = {"attempts": draws.choice([2, 3])} | draws.sometimes({
        "backoff": (0.7, lambda: draws.choice([
            time(1e6), {"constant": time(3e5)}, {"exponential": time(5e5), "factor": draws.choice([1, 1.6, 3]), "max": time(2e6)},
        ])),
        "budget": (0.5, lambda: draws.choice(["20%", 0.1, {"ratio": "50%", "reserve": draws.choice(["0/s", "10/s"]), "window": time(1e9)}])),
    })
    return spec | (draws.sometimes({"jitter": (0.5, lambda: draws.choice(["none", "full", "equal"]))}) if "backoff" in spec else {})


def with_priorities(draws: Draws, tree: Tree) -> None:
    """Lets some requests come before others: of a workload, or of operations of its mix."""
    loads = tree.get("workloads") or ({"": tree["workload"]} if "workload" in tree else {})
    for spec in loads.values():
        if draws.yes(0.15):
            names = list(spec.get("mix", {}))
            spec["priority"] = {name: draws.choice([-1, 0, 5]) for name in names} if names and draws.yes(0.7) else draws.choice([0, 3])

"""Draws of numbers, and quantities as a scenario writes them: what the random scenarios are made of."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

US, MS, S = 1e3, 1e6, 1e9
"""Times [ns]."""
KIB, MIB, GIB = 2**10, 2**20, 2**30
"""Sizes [bytes]."""
DEMANDS: Final = "random-demands.csv"
"""File of an empirical distribution with a mean of 1 ms."""
Tree = dict[str, Any]


class Draws(random.Random):
    """A stream of random numbers of its own for each part of a scenario, so that a change to one part leaves the others as they were."""

    def __new__(cls, seed: int, part: str) -> Draws:
        return super().__new__(cls)

    def __init__(self, seed: int, part: str) -> None:
        super().__init__(f"{seed}/{part}")

    def yes(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability

    def between(self, low: float, high: float) -> float:
        """A number whose logarithm is uniform between those of `low` and `high`."""
        return float(low * (high / low) ** self.random())

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, small ones more often."""
        return min(int(self.between(low, high + 1)), high)

    def sometimes(self, makers: dict[str, tuple[float, Callable[[], Any]]]) -> Tree:
        """A mapping of those keys that are drawn, each with its probability and a maker of its value."""
        return {key: make() for key, (probability, make) in makers.items() if self.yes(probability)}

    def some(self, names: list[str], most: int) -> list[str]:
        """One to `most` different names."""
        return self.sample(names, min(self.whole(1, most), len(names)))


def time(ns: float) -> str:
    """A time with its unit."""
    for unit, size in (("ns", 1.0), ("us", US), ("ms", MS)):
        if ns < 1000 * size:
            return f"{max(ns, 1.0) / size:.4g}{unit}" if ns < 999 * size else time(1000 * size * 1.001)
    return f"{ns / S:.6g}s" if ns < 9e5 * S else f"{ns / S:.0f}s"


def size(count: float) -> str:
    """A size with its unit."""
    for unit, step in (("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if count >= step:
            return f"{count / step:.4g}{unit}" if count < 9999 * step else f"{count / step:.0f}{unit}"
    return f"{max(int(count), 1)}B"


def rate(per_s: float) -> str:
    """A rate with its unit."""
    return f"{per_s:.4g}/s" if 1e-3 < per_s < 1e4 else f"{per_s:.6f}/s"


def distribution(draws: Draws, mean: float) -> Any:
    """Any distribution of times with this mean [ns], most often one of low variance."""
    text, cv = time(mean), round(draws.between(0.1, 3), 2)
    kinds: list[Callable[[], Any]] = [
        lambda: text,
        lambda: {"exponential": text},
        lambda: {"exponential": {"mean": text}},
        lambda: {"lognormal": {"mean": text, "cv": cv}},
        lambda: {"gamma": {"mean": text, "cv": cv}},
        lambda: {"hyperexponential": {"mean": text, "cv": 1 + cv}},
        lambda: {"pareto": {"mean": text, "shape": round(draws.between(1.5, 20), 2)}},
        lambda: {"uniform": {"low": time(mean / 2), "high": time(mean * 1.5)}},
        lambda: {"uniform": {"low": "0s", "high": time(mean * 2)}},
        lambda: {"empirical": DEMANDS} if 0.5 * MS < mean < 2 * MS else {"empirical": {"file": DEMANDS, "column": "demand_ms", "scale": mean / MS}},
    ]
    return draws.choices(kinds, [4, 6, 1, 3, 2, 2, 1, 2, 1, 1])[0]()


def thinking(tree: Tree) -> Tree:
    """The scenario with clients who wait before they ask again: those of services that may turn them away."""
    def thought(spec: Tree) -> Tree:
        return spec | {"closed": {"think": "1ms"} | spec["closed"]} if "closed" in spec else spec
    several = {name: thought(spec) for name, spec in tree.get("workloads", {}).items()}
    return tree | ({"workloads": several} if several else {}) | ({"workload": thought(tree["workload"])} if "workload" in tree else {})

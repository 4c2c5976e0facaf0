"""Random workloads: a load of about so much of what the services can carry, from every kind of source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from helpers.random_draws import DEMANDS, S, Draws, Tree, distribution, rate, time
from helpers.random_services import FRONT, Cost, Drawn

ARRIVALS: Final = "random-arrivals.csv"
RATES: Final = "random-rates.csv"
NUMBERS: Final = "random-numbers.csv"
FAILED: Final = "random-failures.csv"
ROWS: Final = 400
SPANS_S: Final = {"quick_s": 0.1, "brisk_s": 1.0, "slow_s": 20.0, "idle_ms": 400.0}
"""Columns of instants of the arrivals -> seconds that they span."""
PIECES: Final = 20
LEVELS: Final = {"high_per_s": 2000.0, "rate_per_s": 100.0, "low_per_min": 5.0}
"""Columns of rates -> their mean per second."""
SMT_YIELD: Final = 0.6
"""Work of a hardware thread over that of a core for itself, roughly."""


def files() -> dict[str, str]:
    """The files that random scenarios name, and what is in them."""
    draws = Draws(0, "files")
    demands = [draws.expovariate(1.0) for _ in range(200)]
    shares = sorted(draws.random() for _ in range(ROWS))
    rows = (",".join([*(f"{share * span * (1000 if name.endswith('_ms') else 1):.6f}" for name, span in SPANS_S.items()),
                      f"{draws.expovariate(1.0):.4f}", f"{FRONT}.get", draws.choice([f"{FRONT}.get", f"{FRONT}.put"])]) for share in shares)
    levels = [draws.choice([0, 0.5, 1, 1, 1.5, 2]) for _ in range(PIECES)]
    pieces = [f"{n * 0.5:.1f}," + ",".join(f"{level * mean * (60 if name.endswith('_min') else 1):.3f}" for name, mean in LEVELS.items()) for n, level in enumerate(levels)]
    return {
        DEMANDS: "demand_ms,weight\n" + "".join(f"{value * 200 / sum(demands):.6f},{value * 100:.3f}\n" for value in demands),
        ARRIVALS: ",".join([*SPANS_S, "demand_ms", "op", "any_op"]) + "\n" + "".join(row + "\n" for row in rows),
        RATES: "time_s," + ",".join(LEVELS) + "\n" + "\n".join(pieces) + "\n",
        FAILED: "which,at_ms,down_ms\n" + "".join(f"host,{level * 20 + n:.3f},{level * 5 + 1:.3f}\n" for n, level in enumerate(levels)),
        NUMBERS: "".join(f"{n * 10},{level * 0.1:.3f}\n" for n, level in enumerate(levels)),
    }


@dataclass(frozen=True)
class Load:
    """A workload, its mean rate [per second], and how long its requests take to come [s], None where it may last."""

    workload: Tree
    per_s: float
    span: float | None = None


def mix(draws: Draws, drawn: Drawn) -> dict[str, float]:
    """Weights of some operations; always one of the front."""
    others = draws.some(list(drawn.costs), 3) if draws.yes(0.4) else []
    return {name: draws.choice([1, 1, 2, 9, 0.5]) for name in dict.fromkeys([f"{FRONT}.get", *others])}


def mean_cost(weights: Mapping[str, float], costs: Mapping[str, Cost]) -> Cost:
    """What a request of a mix takes on the average."""
    cost, total = Cost(), sum(weights.values())
    for name, weight in weights.items():
        cost.add(costs[name], weight / total)
    return cost


def capacity(drawn: Drawn, cost: Cost, cpus: int, smt: int) -> float:
    """Requests per second that all resources together carry, roughly."""
    full = cpus * (SMT_YIELD if smt > 1 else 1)
    bounds = [full * S / max(sum(cost.cpu.values()), 1000.0), 4 * S / max(cost.disk, 1.0), 1e9 / max(cost.bytes, 1.0)]
    for name, held in cost.held.items():
        spec = drawn.services[name]
        many, threads = replicas(spec), spec.get("threads", "unlimited")
        if isinstance(threads, int):
            bounds.append(many * threads * S / max(held, 1.0))
        if isinstance(spec.get("event_loops"), int):
            bounds.append(many * spec["event_loops"] * S / max(cost.cpu.get(name, 0.0), 1.0))
        bounds.append(many * _cpus(spec, full) * S / max(cost.cpu.get(name, 0.0), 1.0))
    return min(bounds)


def replicas(spec: Tree) -> int:
    """How many instances a service has."""
    return int(spec.get("scale", spec.get("deploy", {}).get("replicas", 1)))


def _cpus(spec: Tree, most: float) -> float:
    """CPUs that a replica may use, about."""
    limits = spec.get("deploy", {}).get("resources", {}).get("limits", {})
    return float(spec.get("cpus", limits.get("cpus", 1.0 if "cpu_quota" in spec else most)))


def load_level(draws: Draws) -> float:
    """Load over capacity: most often 0.1 to 1.3, sometimes nothing to speak of, or far too much."""
    return draws.choices([draws.uniform(0.1, 0.9), draws.uniform(0.9, 1.3), draws.between(0.001, 0.1), draws.uniform(1.3, 4)], [6, 3, 1, 1])[0]


def load(draws: Draws, per_s: float, response: float, ops: set[str], cpu: bool, most: float) -> Load:
    """A source of about so many requests per second; `response` is what one takes alone [ns], `most` what can be answered [per second]."""
    kinds = {"open": 6, "closed": 3, "trace": 1, "rates": 1}
    kind = draws.choices(list(kinds), list(kinds.values()))[0]
    if kind == "open":
        return Load({"open": opened(draws, per_s, 100 / per_s)}, per_s)
    if kind == "closed":
        return closed(draws, per_s, response, most)
    return trace(draws, per_s, ops, cpu) if kind == "trace" else rates(draws, per_s)


def opened(draws: Draws, per_s: float, cycle: float) -> Tree:
    """A constant rate, or one that changes within some `cycle` [s]."""
    kind = draws.choices(["rate", "piecewise", "diurnal", "mmpp"], [5, 2, 2, 2])[0]
    makers: dict[str, Callable[[], Any]] = {
        "rate": lambda: rate(per_s), "piecewise": lambda: pieces(draws, per_s, cycle), "mmpp": lambda: states(draws, per_s, cycle),
        "diurnal": lambda: {"mean": rate(per_s), "amplitude": draws.choice([0, "60%", 0.9, 1])} | draws.sometimes({
            "period": (0.9, lambda: time(cycle * S * draws.between(0.5, 3))), "peak": (0.4, lambda: time(cycle * S * draws.random()))}),
    }
    return {kind: makers[kind]()} | draws.sometimes({"arrivals": (0.25, lambda: draws.choice(["poisson", "deterministic"]))})


def pieces(draws: Draws, per_s: float, cycle: float) -> list[Tree]:
    """Rates in turn."""
    levels = [1.0] + [draws.choice([0, 0.3, 1, 2]) for _ in range(draws.randrange(4))]
    return [{"for": time(cycle * S * draws.between(0.1, 1)), "rate": rate(per_s * level) if level else "0/s"} for level in levels]


def states(draws: Draws, per_s: float, cycle: float) -> Tree:
    """Rates that switch at random."""
    levels = [0.5, 2.0] + [draws.choice([0, 1, 3])] * draws.randrange(2)
    return {"rates": [rate(per_s * level) if level else "0/s" for level in levels], "sojourn": [time(cycle * S * draws.between(0.02, 0.5)) for _ in levels]}


def closed(draws: Draws, per_s: float, response: float, most: float) -> Load:
    """Clients who think so long that they ask about so often; without time to think, some few."""
    if draws.yes(0.2):
        clients = draws.whole(1, 20)
        return Load({"closed": {"clients": clients}}, min(most, clients * S / max(response, 1000.0)))
    clients = draws.whole(1, 200)
    think = max(clients / per_s * S - response, 10_000.0)
    return Load({"closed": {"clients": clients, "think": distribution(draws, think)}}, min(most, clients * S / (think + response)))


def trace(draws: Draws, per_s: float, ops: set[str], cpu: bool) -> Load:
    """Arrivals of a file, those of its columns whose rate is the nearest; `cpu`: whether it may bring the demands."""
    at = min(SPANS_S, key=lambda name: max(ROWS / SPANS_S[name] / per_s, per_s * SPANS_S[name] / ROWS))
    spec: Tree = {"file": ARRIVALS, "at": at}
    names = ["op"] + (["any_op"] if f"{FRONT}.put" in ops else [])
    spec |= draws.sometimes({"operation": (0.5, lambda: draws.choice(names))}) | ({"cpu": "demand_ms"} if cpu and draws.yes(0.5) else {})
    return Load({"trace": spec}, ROWS / SPANS_S[at], SPANS_S[at])


def rates(draws: Draws, per_s: float) -> Load:
    """Rates of a file, with a header or without."""
    if 1e4 < per_s < 1e6 and draws.yes(0.8):
        spec: Tree = {"file": NUMBERS, "at": 0, "rate": 1, "unit": "us"}
        return Load({"rates": spec}, 1e5, 0.0002)
    column = min(LEVELS, key=lambda name: max(LEVELS[name] / per_s, per_s / LEVELS[name]))
    spec = {"file": RATES, "at": "time_s", "rate": column} if draws.yes(0.6) else {"file": NUMBERS, "at": 0, "rate": 1, "unit": "ms"}
    mean = 100.0 if spec["file"] == NUMBERS else LEVELS[column]
    return Load({"rates": spec | draws.sometimes({"arrivals": (0.3, lambda: "deterministic")})}, mean, PIECES * (0.01 if spec["file"] == NUMBERS else 0.5))

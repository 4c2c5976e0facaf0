"""A plan as the document that programs read: times in seconds, sizes in bytes, money in US dollars, ratios 0 to 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from simvirt.memory import Ledger, footprint, occupancy
from simvirt.memory.working_set import expected_loads
from simvirt.plan.money import Terms
from simvirt.plan.onehost import vms_for
from simvirt.plan.packing import Counts, patterns
from simvirt.plan.requirements import PROMISED, Stock, stocks
from simvirt.plan.simulation import System
from simvirt.plan.sizing import Case, carried
from simvirt.scenario.spec.models import PlanSpec

if TYPE_CHECKING:
    from simvirt.plan.study import Alternative, Plan


NO_OBJECTIVE: Final = (
    "the scenario has no objective: hosts are enough as soon as the load is stable; give it one, such as objective: {latency_p99: 100ms}"
)


def question(spec: PlanSpec, case: Case, terms: Terms) -> dict[str, Any]:
    """What was asked: the load, and under which conditions."""
    stated = case.rate_per_s
    mean = stated * spec.growth_factor
    return {
        "load": {
            "stated_per_s": stated, "growth": spec.growth, "years": spec.years, "growth_factor": spec.growth_factor,
            "peak_to_mean": spec.peak_to_mean, "mean_per_s": mean, "peak_per_s": mean * spec.peak_to_mean,
        },
        "survive": spec.survive, "headroom": spec.headroom, "memory_ratio": case.memory_ratio, "replicas": spec.replicas,
        "site": {
            "name": spec.site, "energy_price_usd_per_kwh": terms.energy_price, "pue": terms.pue,
            "round_trip_s": terms.site.round_trip_ns / 1e9,
        },
        "amortisation_years": spec.amortisation_years,
    }


def alternative(found: Alternative, rank: int) -> dict[str, Any]:
    """One alternative: how many hosts, what limits them, what they cost, what runs where."""
    sized, case = found.sizing, found.case
    document: dict[str, Any] = {
        "rank": rank, "platform": case.platform_spec.name, "host": case.host.name, "feasible": sized.feasible, "reason": sized.reason,
        "hosts": sized.hosts if sized.feasible else None, "speed": found.speed, "simulations": found.simulator.done,
        "replicas": sized.counts,
    }
    if not sized.feasible or sized.peak is None or found.bill is None or found.mean is None or sized.packing is None:
        return document
    counted, counted_at_mean = (_counted(case, sized.counts, factor) for factor in (found.factor, found.factor / case.plan.peak_to_mean))
    used = _used(case, sized.placed, sized.peak, counted)
    binding = max(used, key=lambda name: used[name])
    lost = None if sized.lost is None or sized.rest is None else _used(case, sized.rest, sized.lost, counted)
    return document | {
        "analytic_hosts": sized.analytic, "lower_bound": sized.packing.lower_bound, "packed_hosts": len(sized.packing.hosts),
        "proven": sized.packing.proven,
        "binding": {"resource": binding, "utilisation": used[binding]},
        "headroom": {"peak": 1 - used[binding], "lost": None if lost is None else 1 - max(lost.values())},
        "peak": _system(sized.peak, used), "mean": _system(found.mean, _used(case, sized.placed, found.mean, counted_at_mean)),
        "lost": None if lost is None or sized.lost is None else _system(sized.lost, lost),
        "cost": found.bill.document(), "placement": placement(found, sized.peak),
        "hosts_by_year": found.years,
    }


def _system(system: System, used: Mapping[str, float]) -> dict[str, Any]:
    """What the simulation says of all hosts together."""
    return {"latency_s": dict(system.latency_s), "objective": system.objective, "resources": dict(used), "stable": system.stable}


def _counted(case: Case, counts: Counts, factor: float) -> list[Stock]:
    """What replicas take of everything that is counted, at the load times `factor`."""
    return stocks(carried(case, counts, factor), case.catalog, case.platform, case.host)


def _used(case: Case, placed: tuple[Counts, ...], system: System, counted: list[Stock]) -> dict[str, float]:
    """How full the fullest host is in each resource, what is counted included."""
    full = {f"host.{stock.name}": max(_share(stock, pattern) for pattern in placed) for stock in counted}
    full[f"host.{PROMISED}"] /= case.memory_ratio
    return dict(system.resources) | full


def _share(stock: Stock, pattern: Counts) -> float:
    """What the replicas of one host take of a resource, over what there is."""
    return stock.fixed + sum(count * stock.each[name] for name, count in pattern.items())


def placement(found: Alternative, peak: System) -> list[dict[str, Any]]:
    """What runs where: each distinct load of a host, how many hosts have it, how full they are at peak."""
    case, counts, placed = found.case, found.sizing.counts, found.sizing.placed
    simulated = {tuple(sorted(host.pattern.items())): (load, host) for host, (load, _) in zip(peak.hosts, peak.loads, strict=True)}
    documents = []
    for pattern, hosts in patterns(placed):
        load, outcome = simulated[tuple(sorted(pattern.items()))]
        ledger = memory(case, counts, pattern, found.factor)
        documents.append({
            "hosts": hosts, "replicas": {name: pattern[name] for name in counts if pattern.get(name)}, "memory_bytes": ledger.demand,
            "promised_bytes": ledger.committed, "cpu": load, "disk": outcome.used("host.disk"), "nic": outcome.used("host.nic"),
        })
    return documents


def memory(case: Case, counts: Counts, pattern: Counts, factor: float) -> Ledger:
    """The memory of a host that carries `pattern`, at the load times `factor`."""
    whole = carried(case, counts, factor)
    here = {name: pattern.get(name, 0) for name in counts}
    platform = case.catalog.platform(vms_for(case, pattern))
    return footprint(occupancy(whole, case.catalog, platform, case.host, here, expected_loads(whole, case.host, counts)))


def warnings(plan: Plan) -> list[str]:
    """What makes the numbers less than they seem."""
    found = []
    if plan.scenario.objective is None:
        found.append(NO_OBJECTIVE)
    if plan.scenario.timeline:
        found.append("the timeline is left out: a plan is about a steady state")
    unproven = [a for a in plan.alternatives if a.sizing.packing is not None and not a.sizing.packing.proven]
    found += [f"{a.case.platform_spec.name} on {a.case.host.name}: fewer hosts may be possible, down to {a.sizing.packing.lower_bound}"
              for a in unproven if a.sizing.packing is not None]
    return found

"""A plan as a typed document: times in seconds, sizes in bytes, money in US dollars, ratios 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simvirt.catalog.resolve.economy import machine_of
from simvirt.memory import Ledger, footprint, occupancy
from simvirt.memory.working_set import expected_loads
from simvirt.plan.alternatives import Alternative
from simvirt.plan.money import Terms
from simvirt.plan.packing import Counts, patterns
from simvirt.plan.placed import vms_for
from simvirt.plan.requirements import PROMISED, Stock, stocks
from simvirt.plan.sentence import sentence
from simvirt.plan.simulation import System
from simvirt.plan.sizing import Case, carried, replicas
from simvirt.result import frames, provenance
from simvirt.result.displayed import Displayed
from simvirt.result.document import Verdict
from simvirt.result.limit_words import enough
from simvirt.result.plan_document import (
    AlternativeResult,
    Binding,
    Headroom,
    PlacementResult,
    PlanDocument,
    PlannedLoad,
    PlannedSite,
    Question,
    Regret,
    ScaledResult,
    SystemResult,
)
from simvirt.runs.admission import unknown_images, unknown_sockets
from simvirt.scenario.spec.models import PlanSpec, Scenario

NO_OBJECTIVE: Final = (
    "the scenario has no objective: hosts are enough as soon as the load is stable; give it one, such as objective: {latency_p99: 100ms}"
)


@dataclass(repr=False)
class Plan(Displayed):
    """The alternatives of a scenario, the best first; `typed()` is the document, `document()` its JSON."""

    scenario: Scenario
    spec: PlanSpec
    alternatives: list[Alternative]
    levels: list[float]
    regret: Regret | None
    wall_s: float

    @property
    def simulations(self) -> int:
        """How many times a placement was simulated, replications not counted."""
        return sum(a.simulator.done for a in self.alternatives)

    def typed(self) -> PlanDocument:
        """The plan as a typed document: times in seconds, sizes in bytes, money in US dollars, ratios 0 to 1."""
        uncertain: dict[str, Any] = {} if self.regret is None else {"regret": self.regret}
        asked = question(self.spec, self.alternatives[0].case, self.alternatives[0].terms)
        ranked = tuple(alternative(a, rank) for rank, a in enumerate(self.alternatives, 1))
        return PlanDocument(
            simvirt=provenance.program(),
            answer=sentence(asked, ranked),
            scenario=provenance.name_of(self.scenario),
            seed=self.scenario.run.seed,
            replications=self.scenario.run.replications,
            wall_s=self.wall_s,
            simulations=self.simulations,
            plan=asked,
            alternatives=ranked,
            assumptions=tuple(assumptions(self)),
            warnings=tuple(warnings(self)),
            **uncertain,
        )

    def document(self) -> dict[str, Any]:
        """The plan as the document that `--format json` prints."""
        return self.typed().document()

    def frame(self) -> frames.Frame:
        """One row an alternative, as columns of equal length."""
        return frames.of_plan(self.typed())

    def summary(self) -> str:
        """Which scenario, and the best alternative."""
        best = self.typed().alternatives[0]
        found = f"{best.hosts} x {best.host} with {best.platform}" if best.feasible else "no alternative suffices"
        return f"{self.scenario.name}: {found}"


def question(spec: PlanSpec, case: Case, terms: Terms) -> Question:
    """What was asked: the load, and under which conditions."""
    return Question(
        load=_load(spec, case.rate_per_s), survive=spec.survive, headroom=spec.headroom, memory_ratio=case.memory_ratio,
        replicas=spec.replicas, amortisation_years=spec.amortisation_years,
        site=PlannedSite(
            name=spec.site, energy_price_usd_per_kwh=terms.energy_price, pue=terms.pue, round_trip_s=terms.site.round_trip / 1e9
        ),
    )


def _load(spec: PlanSpec, stated: float) -> PlannedLoad:
    """The load that a plan is made for, and how it comes from the stated one [requests/s]."""
    mean = stated * spec.growth_factor
    return PlannedLoad(
        stated_per_s=stated, growth=spec.growth, years=spec.years, growth_factor=spec.growth_factor, peak_to_mean=spec.peak_to_mean,
        mean_per_s=mean, peak_per_s=mean * spec.peak_to_mean,
    )


def alternative(found: Alternative, rank: int) -> AlternativeResult:
    """One alternative: how many hosts, what limits them, what they cost, what runs where."""
    sized, case = found.sizing, found.case
    return AlternativeResult(
        rank=rank, platform=case.platform_spec.name, host=case.host.name, feasible=sized.feasible, reason=sized.reason,
        hosts=sized.hosts if sized.feasible else None, speed=found.speed, simulations=found.simulator.done, replicas=sized.counts,
        scaled=scaled(found) if sized.feasible else {}, failed=sized.failed,
        **_sized(found),
    )


def scaled(found: Alternative) -> dict[str, ScaledResult]:
    """Services with other replicas than stated: those that the load asks for, and what the objective asks for beyond them."""
    case, asked = found.case, replicas(found.case, found.factor)
    stated = {name: service.replicas for name, service in case.scenario.services.items()}
    return {
        name: ScaledResult(stated=stated[name], planned=count, reason="load" if count == asked[name] else "objective")
        for name, count in found.sizing.counts.items() if count != stated[name]
    }


def _sized(found: Alternative) -> dict[str, Any]:
    """What is known of an alternative that carries the load; nothing of another."""
    sized, case = found.sizing, found.case
    if not sized.feasible or sized.peak is None or found.bill is None or found.mean is None or sized.packing is None:
        return {}
    at_peak, at_mean = (_counted(case, sized.counts, factor) for factor in (found.factor, found.factor / case.plan.peak_to_mean))
    used = _used(case, sized.placed, sized.peak, at_peak)
    lost = None if sized.lost is None or sized.rest is None else _system(sized.lost, _used(case, sized.rest, sized.lost, at_peak))
    return {
        "analytic_hosts": sized.analytic, "lower_bound": sized.packing.lower_bound, "packed_hosts": len(sized.packing.hosts),
        "proven": sized.packing.proven, "binding": _binding(used), "headroom": _headroom(used, lost),
        "peak": _system(sized.peak, used), "mean": _system(found.mean, _used(case, sized.placed, found.mean, at_mean)), "lost": lost,
        "cost": found.bill.typed(), "placement": placement(found, sized.peak), "hosts_by_year": tuple(found.years),
    }


def _binding(used: Mapping[str, float]) -> Binding:
    """The fullest resource."""
    fullest = max(used, key=lambda name: used[name])
    return Binding(resource=fullest, utilisation=used[fullest])


def _headroom(used: Mapping[str, float], lost: SystemResult | None) -> Headroom:
    """What is free of the fullest resource, with all hosts and without those that are lost."""
    return Headroom(peak=1 - max(used.values()), lost=None if lost is None else 1 - max(lost.resources.values()))


def _system(system: System, used: Mapping[str, float]) -> SystemResult:
    """What the simulation says of all hosts together."""
    return SystemResult(latency_s=system.latency_s, objective=system.objective, resources=used, stable=system.stable)


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


def placement(found: Alternative, peak: System) -> tuple[PlacementResult, ...]:
    """What runs where: each distinct load of a host, how many hosts have it, how full they are at peak."""
    case, counts = found.case, found.sizing.counts
    simulated = {tuple(sorted(host.pattern.items())): (load, host) for host, (load, _) in zip(peak.hosts, peak.loads, strict=True)}
    results = []
    for pattern, hosts in patterns(found.sizing.placed):
        load, outcome = simulated[tuple(sorted(pattern.items()))]
        ledger = memory(case, counts, pattern, found.factor)
        results.append(PlacementResult(
            hosts=hosts, replicas={name: pattern[name] for name in counts if pattern.get(name)}, memory_bytes=ledger.demand,
            promised_bytes=ledger.committed, cpu=load, disk=outcome.used("host.disk"), nic=outcome.used("host.nic"),
        ))
    return tuple(results)


def memory(case: Case, counts: Counts, pattern: Counts, factor: float) -> Ledger:
    """The memory of a host that carries `pattern`, at the load times `factor`."""
    whole = carried(case, counts, factor)
    here = {name: pattern.get(name, 0) for name in counts}
    platform = case.catalog.platform(vms_for(case, pattern))
    return footprint(occupancy(whole, case.catalog, platform, case.host, here, expected_loads(whole, platform, case.host, counts)))


def assumptions(plan: Plan) -> Iterator[str]:
    """What was assumed where the scenario does not say it."""
    catalog = plan.alternatives[0].case.catalog
    yield from unknown_images(plan.scenario, catalog)
    yield from () if plan.spec.hosts else unknown_sockets(plan.scenario, catalog)


def assumed(case: Case) -> str | None:
    """Whose price and power an inline host has; None for a model of the catalogue."""
    if case.scenario.host.model is not None:
        return None
    host, name = case.host, machine_of(case.catalog, case.scenario.host, case.host)
    return (
        f"the inline host has the price and power of {name}, the server nearest to its {host.sockets * host.cores} cores, in proportion to "
        "them; state a model and its prices and power in the catalogue for better numbers"
    )


def undecided(limits: Sequence[Verdict]) -> str:
    """That some limits hold, but not for sure, and what would make that sure."""
    most = max(limits, key=lambda limit: math.inf if limit.longer is None else limit.longer)
    return f"the objective is met by the values, undecided by their intervals: {enough(most.longer, most.setting)}"


def left_out(scenario: Scenario) -> Iterator[str]:
    """What is said of hosts that are not there any more in a plan, for which other hosts are chosen."""
    if scenario.network is not None:
        yield "the network is left out: hosts of an answer stand at one switch that nobody waits for, and calls may take longer"
    placed = [name for name, service in scenario.services.items() if service.deploy.placement is not None]
    if placed:
        yield f"the placement of {', '.join(placed)} is left out: replicas stand where they fit, more hosts may be needed"
    if scenario.failures is not None and (scenario.failures.random or scenario.failures.trace is not None):
        yield "failures by chance are left out: survive says how many hosts may be lost"


def warnings(plan: Plan) -> list[str]:
    """What makes the numbers less than they seem."""
    found = list(dict.fromkeys(text for a in plan.alternatives if (text := assumed(a.case)) is not None))
    if plan.scenario.objective is None:
        found.append(NO_OBJECTIVE)
    if plan.scenario.timeline:
        found.append("the timeline is left out: a plan is about a steady state")
    if plan.scenario.adapts:
        found.append("autoscalers are left out: a plan says itself how many replicas and hosts there are")
    found += left_out(plan.scenario)
    found += [f"{a.case.platform_spec.name} on {a.case.host.name}: {undecided(a.undecided)}" for a in plan.alternatives if a.undecided]
    unproven = [a for a in plan.alternatives if a.sizing.packing is not None and not a.sizing.packing.proven]
    found += [f"{a.case.platform_spec.name} on {a.case.host.name}: fewer hosts may be possible, down to {a.sizing.packing.lower_bound}"
              for a in unproven if a.sizing.packing is not None]
    return found

"""All alternatives of a scenario's plan: each platform on each host model, sized, simulated, priced and ranked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from simvirt.catalog import Catalog
from simvirt.catalog.resolve import economy
from simvirt.errors import Issue, ScenarioError, SimulationError, UsageError
from simvirt.plan.alternatives import Alternative
from simvirt.plan.document import Plan
from simvirt.plan.enough import explained
from simvirt.plan.money import Terms
from simvirt.plan.regret import Candidate, Need
from simvirt.plan.regret import table as regret_of
from simvirt.plan.search import Sizing, size
from simvirt.plan.simulation import Simulator
from simvirt.plan.sizing import Case
from simvirt.runs.admission import catalog_of
from simvirt.runs.pool import at_a_time
from simvirt.scenario.spec.models import HostSpec, PlanSpec, PlatformSpec, Scenario
from simvirt.scenario.spec.procurement import DEFAULT
from simvirt.workload.processors import on_host

Told = Callable[[str], None]


def plan(scenario: Scenario, jobs: int = 1, tell: Told = lambda what: None) -> Plan:
    """Hosts for a scenario's load: every platform on every host model that its plan names, the cheapest first.

    `jobs` replications run at a time, 0 for one per CPU; it changes no number. `tell` is called with what is simulated.
    ScenarioError where the scenario does not fit the catalogue, or has no load that could be scaled; SimulationError where nothing could
    be simulated, while an alternative that could not be has its reason and leaves the others as they are.
    """
    started = time.perf_counter()
    _check(scenario)
    spec = scenario.plan or DEFAULT
    study = Study(scenario.fixed, catalog_of(scenario), spec, at_a_time(jobs), tell)
    found = [_alternative(study, host, platform) for host in _choices(scenario, spec) for platform in scenario.platforms]
    if all(a.sizing.failed for a in found):
        raise SimulationError("; ".join(dict.fromkeys(f"{a.case.platform_spec.name}: {a.sizing.reason}" for a in found)))
    levels = [] if spec.demand is None else sorted({spec.demand.low, 1.0, spec.demand.high})
    for alternative in found:
        alternative.needs = [_need(alternative, spec, study.factor * level) for level in levels]
    found.sort(key=lambda a: a.order)
    found[0].years = _years(found[0], spec)
    candidates = [Candidate(a.case.platform_spec.name, a.case.host.name, a.terms, a.needs) for a in found]
    table = regret_of(candidates, levels, spec.premium) if levels else None
    return Plan(scenario, spec, found, levels, table, time.perf_counter() - started)


def _check(scenario: Scenario) -> None:
    """ScenarioError where there is nothing to size for."""
    workload = scenario.workload
    path: tuple[str, ...] = ("workloads" if scenario.workloads else "workload",)
    message = ""
    if scenario.workloads:
        message = "a plan sizes for one workload, whose mix may have operations of all services; expected workload"
    elif workload is None:
        message = "a plan needs a load, for example workload: {open: {rate: 800/s}, mix: {web.GET /: 1}}"
    elif workload.trace is not None:
        message = "a plan scales the load; a trace cannot be scaled, expected open, closed or rates"
    elif workload.closed is not None and not workload.closed.think.mean:
        message = "a plan needs clients that think, for example think: 1s; without think time clients saturate any host"
    served = next((name for name, volume in scenario.volumes.items() if volume.host), None)
    if served is not None:
        path, message = ("volumes", served), "a plan puts other hosts in place of those that serve it; expected a local volume"
    if message:
        file, line, column = scenario.locate(path)
        raise ScenarioError([Issue(file, line, column, ".".join(path), message)])


@dataclass(frozen=True)
class Study:
    """What all alternatives have in common: the scenario, what is asked of its hosts, and how they are simulated."""

    scenario: Scenario
    catalog: Catalog
    spec: PlanSpec
    jobs: int
    tell: Told

    @property
    def factor(self) -> float:
        """Load at peak after growth, over the stated one."""
        return self.spec.growth_factor * self.spec.peak_to_mean


def _choices(scenario: Scenario, spec: PlanSpec) -> tuple[HostSpec, ...]:
    """The hosts to choose from: those of the plan, else one of each pool of the scenario."""
    return spec.hosts or tuple(pool.host for pool in scenario.pools.values())


def _alternative(study: Study, host: HostSpec, platform: PlatformSpec) -> Alternative:
    """One platform on one host model, sized for the load at peak and priced at its mean."""
    scenario, catalog, spec, factor = study.scenario, study.catalog, study.spec, study.factor
    speed = catalog.resolve_host(host).speed / catalog.resolve_host(scenario.first_host).speed
    moved = on_host(scenario, catalog, host).model_copy(update={"host": _scheduled(host, scenario.first_host)})
    case = Case.of(moved, catalog, spec, platform)
    terms = _terms(catalog, spec, host, case)
    simulator = Simulator(case, terms.site.round_trip, study.jobs, study.tell)
    found = Alternative(case, simulator, terms, _sized(simulator, factor), factor, speed)
    try:
        found.sizing = explained(simulator, factor, found.sizing)
        found.price(factor / spec.peak_to_mean)
    except Exception as error:
        found.sizing = _failed(error)
    return found


def _sized(simulator: Simulator, factor: float) -> Sizing:
    """The fewest hosts for the load times `factor`, or why there are none; a simulation that fails is a reason."""
    try:
        return size(simulator, factor)
    except (ScenarioError, UsageError):
        raise
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> Sizing:
    """What comes of a simulation that failed."""
    return Sizing({}, reason=f"it could not be simulated: {str(error) or type(error).__name__}", failed=True)


def _scheduled(host: HostSpec, stated: HostSpec) -> HostSpec:
    """A host model with the scheduler that the scenario states, unless it has its own."""
    return host if "scheduler" in host.model_fields_set else host.model_copy(update={"scheduler": stated.scheduler})


def _terms(catalog: Catalog, spec: PlanSpec, host: HostSpec, case: Case) -> Terms:
    """Price, power and site of a host model."""
    site = economy.site(catalog, spec.site)
    return Terms(
        economy.price(catalog, host, case.host), economy.power(catalog, host, case.host), site,
        site.energy_price if spec.energy_price is None else spec.energy_price, site.pue if spec.pue is None else spec.pue,
        spec.amortisation_years,
    )


def _need(alternative: Alternative, spec: PlanSpec, factor: float) -> Need | None:
    """What an alternative needs for the stated load times `factor`; the mean in proportion to the peak."""
    sized = _sized(alternative.simulator, factor)
    if not sized.feasible or sized.peak is None:
        return None
    peak = sum(load * number for load, number in sized.peak.loads)
    return Need(sized.hosts, peak / spec.peak_to_mean, peak)


def _years(alternative: Alternative, spec: PlanSpec) -> list[int | None]:
    """Hosts that the best alternative needs at the start of each year and at the end of the last; nothing without growth."""
    if not spec.growth or not spec.years or not alternative.sizing.feasible:
        return []
    found = []
    for year in range(int(spec.years) + 1):
        sized = _sized(alternative.simulator, (1 + spec.growth) ** year * spec.peak_to_mean)
        found.append(sized.hosts if sized.feasible else None)
    return found

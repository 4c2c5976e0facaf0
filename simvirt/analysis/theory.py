"""Which closed form a scenario must come out at, if any: the theory that a report prints beside the simulation.

Decided for bare metal and for the plainest systems only; a scenario with anything that a formula does not know has no prediction.
Times in a scenario are ns, here seconds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from simvirt.analysis.assumptions import broken
from simvirt.analysis.formulas import (
    Queue,
    UnstableError,
    jackson,
    machine_repair,
    machine_repair_quantile,
    md1,
    md1_quantile,
    mg1,
    mg1_ps,
    mg1_quantile,
    mm1_ps_quantile,
    mmc,
    mmc_quantile,
    tandem_quantile,
)
from simvirt.analysis.laws import NS_PER_S, CpuDemand, demand_of, mixture
from simvirt.scenario.graph import Name, name_of
from simvirt.scenario.spec.steps import AnyStep, CallStep, CpuStep, DelayStep

MOST_LOAD, MOST_CV, MOST_CLIENTS = 0.99, 5.0, 100_000  # beyond these the numeric forms are slow or coarse


@dataclass(frozen=True, slots=True)
class TheoryPrediction:
    """What a closed form says about a scenario on bare metal."""

    model: str  # in Kendall's notation
    latency_mean_s: float
    latency_p95_s: float | None  # None where no exact form is at hand
    assumptions: str  # one phrase
    utilisation: float  # of the servers in the formula
    throughput_per_s: float

    def document(self) -> dict[str, Any]:
        """The prediction as it stands in a result's JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class _Case:
    """A scenario in which nothing but plain services and one workload acts."""

    services: Mapping[str, Any]
    entries: Mapping[Name, float]  # (service, operation) -> share of the requests
    workload: Any
    cores: int
    smt: int
    policy: str


def applicable(scenario: Any, host: Any = None) -> TheoryPrediction | None:
    """The closed form that holds for a scenario on bare metal, or None.

    `host` is the catalogue's resolved entry (sockets, cores, smt); only a host described inline speaks for itself. An unstable load has
    no prediction, nor has a host whose CPUs sleep.
    """
    case = _case(scenario, host or scenario.host)
    if case is None:
        return None
    try:
        return _event_loop(case) or _one_service(case) or _two_tiers(case)
    except UnstableError:
        return None


def reason(scenario: Any, host: Any = None) -> str:
    """Why a scenario has no closed form, in one phrase."""
    host = host or scenario.host
    if scenario.workload is None:
        return "no requests arrive"
    return next(broken(scenario, host), "") or _formless(scenario, _cores(host))


def _formless(scenario: Any, cores: int) -> str:
    """Why no formula fits a scenario whose assumptions hold."""
    workload, entered = scenario.workload, {service for service, _ in _entries(scenario)}
    services = [scenario.services[name] for name in entered]
    steps = [step for service in services for steps in service.operations.values() for step in steps]
    threads = [getattr(service, "workers", service.threads) for service in scenario.services.values()]
    if workload.closed is None and _open_rate(workload) is None:
        return "arrivals are not Poisson with one rate"
    if len(entered) > 1:
        return f"requests enter at {len(entered)} services that share the CPUs"
    if not all(isinstance(count, int) for count in threads) or sum(count for count in threads if isinstance(count, int)) > cores:
        return f"threads share {cores} {'core' if cores == 1 else 'cores'} as the scheduler decides"
    if any(step.times != 1 or step.probability != 1 for step in steps):
        return "steps that repeat, or happen sometimes"
    if any(isinstance(step, CallStep) for step in steps):
        return "threads that are held while another service answers"
    if any(isinstance(step, DelayStep) for step in steps):
        return "threads that are held while a request waits"
    if workload.closed is None and _load(scenario, services[0]) >= 1:
        return "no steady state: more arrives than can be served"
    return "demands that are not exponential" if threads != [1] or workload.closed is not None else "demands without a finite variance"


def _load(scenario: Any, service: Any) -> float:
    """Load of the threads of a service of CPU steps."""
    shares = {operation: share for (_, operation), share in _entries(scenario).items()}
    work = sum(share * sum(s.cpu.mean or 0.0 for s in service.operations[name]) for name, share in shares.items()) / NS_PER_S
    return (_open_rate(scenario.workload) or 0.0) * float(work) / int(getattr(service, "workers", service.threads))


# -- reading the scenario -------------------------------------------------------------------------------------------------------


def _case(scenario: Any, host: Any) -> _Case | None:
    """The scenario as a plain case; None if something acts in it that no formula knows."""
    cores = _cores(host)
    if scenario.workload is None or not cores or any(broken(scenario, host)):
        return None
    entries = _entries(scenario)
    policy = getattr(scenario.host.own_scheduler, "policy", None) or "eevdf"
    return _Case(scenario.services, entries, scenario.workload, cores, host.smt or 1, str(policy)) if entries else None


def _cores(host: Any) -> int:
    """Cores of a host; 0 where a model has them, which are not known here."""
    return 0 if getattr(host, "model", None) else (host.cores or 0) * (host.sockets or 1)


def _entries(scenario: Any) -> dict[Name, float]:
    """The operations that requests enter at, with their shares; a scenario's only operation where there is no mix."""
    mix = {key: weight for key, weight in (scenario.workload.mix or {}).items() if weight > 0}
    if not mix:
        names = [(s, o) for s, service in scenario.services.items() for o in service.operations]
        return {names[0]: 1.0} if len(names) == 1 else {}
    total = sum(mix.values())
    return {name_of(key): weight / total for key, weight in mix.items()}


def _open_rate(workload: Any) -> float | None:
    """Rate of a Poisson stream, None for every other workload."""
    stream = workload.open
    return float(stream.rate) if stream is not None and stream.rate and stream.arrivals == "poisson" else None


# -- one service ----------------------------------------------------------------------------------------------------------------


def _one_service(case: _Case) -> TheoryPrediction | None:
    """One service without calls: a station with c servers, or a shared processor."""
    names = {service for service, _ in case.entries}
    if len(names) != 1:
        return None
    service = case.services[names.pop()]
    if getattr(service, "event_loops", None) is not None:
        return None
    demands = [(share, demand_of(service.operations[operation])) for (_, operation), share in case.entries.items()]
    known = [(share, d) for share, d in demands if d is not None]
    if len(known) < len(demands):
        return None
    shared = service.threads == "unlimited" and case.cores * case.smt == 1 and case.policy == "gps"
    if not shared and (not isinstance(service.threads, int) or service.threads > case.cores):
        return None
    return _station(case, mixture(known), None if shared else int(service.threads))


def _station(case: _Case, demand: CpuDemand, servers: int | None) -> TheoryPrediction | None:
    """The queue that a service is; `servers` None for processor sharing."""
    closed, rate = case.workload.closed, _open_rate(case.workload)
    if closed is not None:
        return _closed(demand, servers, closed.clients, closed.think.mean / NS_PER_S)
    if rate is None:
        return None
    if servers is None:
        return _sharing(rate, demand)
    return _markov(rate, demand, servers) if demand.exponential else _general(rate, demand, servers)


def _markov(rate: float, demand: CpuDemand, servers: int) -> TheoryPrediction:
    """M/M/1 or M/M/c."""
    queue, p95 = mmc(rate, demand.mean_s, servers), mmc_quantile(rate, demand.mean_s, servers, 0.95)
    name = "M/M/1" if servers == 1 else f"M/M/{servers}"
    noun = "a core" if servers == 1 else f"{servers} cores"
    return _prediction(name, rate, queue, p95, f"Poisson arrivals, exponential demands, one queue before {noun} of its own")


def _general(rate: float, demand: CpuDemand, servers: int) -> TheoryPrediction | None:
    """M/D/1 or M/G/1, first come first served."""
    if servers != 1 or not math.isfinite(demand.cv):
        return None
    if demand.cv == 0:
        p95 = md1_quantile(rate, demand.mean_s, 0.95) if rate * demand.mean_s <= MOST_LOAD else None
        words = "Poisson arrivals, constant demands, one thread with a core of its own"
        return _prediction("M/D/1", rate, md1(rate, demand.mean_s), p95, words)
    quick = demand.cdf is not None and rate * demand.mean_s <= MOST_LOAD and demand.cv <= MOST_CV
    p95_or_none = mg1_quantile(rate, demand.mean_s, demand.cdf, 0.95) if quick and demand.cdf else None
    words = f"Poisson arrivals, demands with a cv of {demand.cv:.3g}, one thread with a core of its own, first come first served"
    return _prediction("M/G/1", rate, mg1(rate, demand.mean_s, demand.cv), p95_or_none, words)


def _sharing(rate: float, demand: CpuDemand) -> TheoryPrediction:
    """M/G/1 processor sharing."""
    p95 = mm1_ps_quantile(rate, demand.mean_s, 0.95) if demand.exponential and rate * demand.mean_s <= MOST_LOAD else None
    name = "M/M/1-PS" if demand.exponential else "M/G/1-PS"
    words = "Poisson arrivals, all requests share one core equally at every instant"
    return _prediction(name, rate, mg1_ps(rate, demand.mean_s), p95, words)


def _closed(demand: CpuDemand, servers: int | None, clients: int, think_s: float) -> TheoryPrediction | None:
    """M/M/c//N; under processor sharing every distribution of demands has its means."""
    if clients > MOST_CLIENTS or (servers is not None and not demand.exponential):
        return None
    result = machine_repair(clients, think_s, demand.mean_s, servers or 1)
    p95 = machine_repair_quantile(clients, think_s, demand.mean_s, 0.95) if servers == 1 else None
    name = f"M/G/1//{clients}-PS" if servers is None else f"M/M/{servers}//{clients}"
    how = "one equally shared core" if servers is None else "exponential demands"
    words = f"{clients} clients that think and then wait for their response, {how}"
    return TheoryPrediction(name, result.response_s, p95, words, result.utilisation[0], result.throughput_per_s)


def _prediction(model: str, rate: float, queue: Queue, p95_s: float | None, assumptions: str) -> TheoryPrediction:
    """A prediction for an open stream, all of which leaves again."""
    return TheoryPrediction(model, queue.response_s, p95_s, assumptions, queue.utilisation, rate)


# -- an event loop --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Segments:
    """What an operation of CPU steps and delays is to an event loop: what it computes between waits, and how long it waits."""

    demands: tuple[CpuDemand, ...]
    delay_s: float
    constant: bool


def _event_loop(case: _Case) -> TheoryPrediction | None:
    """One service of event loops with a core each, whose operations compute and wait in turn: a queue among infinite servers.

    Source: Baskett, Chandy, Muntz, Palacios, "Open, closed, and mixed networks of queues with different classes of customers", J. ACM 22
    (1975): with exponential demands of one mean (type 1) and delays of any kind (type 3) each visit has the mean of M/M/c. Where all
    compute once, delays before it leave arrivals Poisson (Mirasol, Operations Research 11, 1963), and it is M/G/1.
    """
    names = {service for service, _ in case.entries}
    loops = getattr(case.services[next(iter(names))], "event_loops", None)
    if len(names) != 1 or not isinstance(loops, int) or loops > case.cores:
        return None
    found = [(share, _segments(case.services[service].operations[operation])) for (service, operation), share in case.entries.items()]
    known = [(share, segments) for share, segments in found if segments is not None]
    if len(known) < len(found):
        return None
    queue = _once(case, known, loops) if all(len(s.demands) == 1 for _, s in known) else _visits(case, known, loops)
    return None if queue is None else _delayed(queue, known)


def _segments(steps: Sequence[AnyStep]) -> _Segments | None:
    """What an operation computes between waits; None where it does anything but compute and wait, each step once."""
    if not all(isinstance(s, (CpuStep, DelayStep)) and s.times == 1 and s.probability == 1 for s in steps):
        return None
    demands = [demand_of(list(run)) for computes, run in groupby(steps, lambda s: isinstance(s, CpuStep)) if computes]
    known = tuple(d for d in demands if d is not None)
    delays = [s.delay for s in steps if isinstance(s, DelayStep)]
    if not known or len(known) < len(demands):
        return None
    return _Segments(known, sum(float(d.mean) for d in delays) / NS_PER_S, all(d.kind == "constant" for d in delays))


def _once(case: _Case, known: Sequence[tuple[float, _Segments]], loops: int) -> TheoryPrediction | None:
    """The queue before loops that each request visits once."""
    if case.workload.closed is not None:
        return _visits(case, known, loops)
    return _station(case, mixture([(share, s.demands[0]) for share, s in known]), loops)


def _visits(case: _Case, known: Sequence[tuple[float, _Segments]], loops: int) -> TheoryPrediction | None:
    """The queue before loops that requests visit several times, without the delays between; demands are exponential with one mean."""
    demands = [d for _, segments in known for d in segments.demands]
    mean, rate, closed = demands[0].mean_s, _open_rate(case.workload), case.workload.closed
    if any(not d.exponential or not math.isclose(d.mean_s, mean) for d in demands):
        return None
    visits = sum(share * len(segments.demands) for share, segments in known)
    if rate is not None:
        words = f"Poisson arrivals, exponential demands of one mean, {visits:.3g} visits to the event loop a request"
        return _prediction("BCMP network", rate, jackson(rate, [(visits, mean, loops)]), None, words)
    if closed is None or loops > 1 or closed.clients > MOST_CLIENTS:
        return None
    away = closed.think.mean / NS_PER_S + sum(share * segments.delay_s for share, segments in known)
    result = machine_repair(closed.clients, away, visits * mean)
    words = f"{closed.clients} clients that think and then wait, exponential demands of one mean before one event loop"
    return TheoryPrediction(f"M/M/1//{closed.clients}", result.response_s, None, words, result.utilisation[0], result.throughput_per_s)


def _delayed(queue: TheoryPrediction, known: Sequence[tuple[float, _Segments]]) -> TheoryPrediction:
    """The same with the delays of its requests; the p95 moves along where all have one constant delay."""
    delays = {segments.delay_s for _, segments in known}
    moved = queue.latency_p95_s is not None and len(delays) == 1 and all(segments.constant for _, segments in known)
    return replace(
        queue, latency_mean_s=queue.latency_mean_s + sum(share * segments.delay_s for share, segments in known),
        latency_p95_s=queue.latency_p95_s + delays.pop() if moved and queue.latency_p95_s is not None else None,
    )


# -- two tiers ------------------------------------------------------------------------------------------------------------------


def _two_tiers(case: _Case) -> TheoryPrediction | None:
    """An asynchronous front without CPU demand that calls bounded services with exponential demands: Jackson's product form."""
    rate = _open_rate(case.workload)
    if rate is None or len(case.entries) != 1:
        return None
    (front, operation), *_ = case.entries
    steps = case.services[front].operations[operation]
    calls = [s for s in steps if isinstance(s, CallStep)]
    if case.services[front].threads != "unlimited" or not calls or len(calls) < len(steps):
        return None
    stations = [_called(case, call) for call in calls]
    known = [s for s in stations if s is not None]
    called = {call.service for call in calls}
    if len(known) < len(calls) or len(called) < len(calls) or sum(s[2] for s in known) > case.cores:
        return None
    return _prediction("Jackson network", rate, jackson(rate, known), _tandem_p95(rate, known), _TWO_TIERS)


_TWO_TIERS = "Poisson arrivals, an asynchronous front without CPU demand, every called thread with a core of its own, exponential demands"


def _called(case: _Case, call: CallStep) -> tuple[float, float, int] | None:
    """(visits a request, mean service, servers) of a called service; None if it is no M/M/c station."""
    threads = case.services[call.service].threads
    demand = demand_of(case.services[call.service].operations[call.operation])
    if not isinstance(threads, int) or demand is None or not demand.exponential:
        return None
    return call.times * call.probability, demand.mean_s, int(threads)


def _tandem_p95(rate: float, stations: Sequence[tuple[float, float, int]]) -> float | None:
    """The p95 through at most two stations that are visited once each."""
    if len(stations) > 2 or any(visits != 1 for visits, _, _ in stations):
        return None
    queues = [(service, servers) for _, service, servers in stations]
    if len(queues) == 1:
        return mmc_quantile(rate, *queues[0], 0.95)
    return tandem_quantile(rate, queues[0], queues[1], 0.95)

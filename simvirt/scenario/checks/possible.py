"""Whether a scenario whose parts are right can be simulated as a whole: sizes, limits against the host, instants inside the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from simvirt.scenario.bounds import MOST_REPLICAS_IN_ALL, MOST_REQUESTS, MOST_THREADS
from simvirt.scenario.checks.deadlocks import deadlocks
from simvirt.scenario.checks.extent import beyond
from simvirt.scenario.checks.failures import failure_mistakes
from simvirt.scenario.checks.migration import moves_to_nowhere
from simvirt.scenario.checks.network import network_mistakes
from simvirt.scenario.checks.orchestration import beside_orchestrators
from simvirt.scenario.checks.placement import placement_mistakes
from simvirt.scenario.checks.volumes import volume_mistakes
from simvirt.scenario.fields import MOST_STEPS
from simvirt.scenario.graph import Name, callees_first, calls, name_of, reached, targets
from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.host import RESERVING
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.services import RESERVATION, ServiceSpec, cpus_path, memory_path, replicas_path
from simvirt.scenario.spec.steps import AnyStep, CallStep, CpuStep, DelayStep, DiskStep, FilesStep, LockStep, NetStep
from simvirt.scenario.walk import first_cpu_step, walk
from simvirt.units import format_size, format_time

SHORTEST_NS = 0.5
"""Delays below this are rounded to none [ns]."""
Mistake = tuple[Path, str]
"""The path of a value and the message about it."""


def impossibilities(scenario: Scenario) -> Iterator[Mistake]:
    """Everything that makes a scenario impossible to simulate."""
    yield from _sizes(scenario)
    for name, service in scenario.services.items():
        yield from on_no_host(scenario, partial(_against_host, name=name, service=service))
    yield from network_mistakes(scenario)
    yield from failure_mistakes(scenario)
    yield from volume_mistakes(scenario)
    yield from placement_mistakes(scenario)
    yield from _reservations(scenario)
    yield from on_no_host(scenario, _vms)
    yield from _counted(scenario)
    for check in (_warmup, _requests, _trace_demands, _endless_instant):
        yield from of_each_workload(scenario, check)
    yield from _steps(scenario)
    yield from _lock_scopes(scenario)
    yield from deadlocks(scenario)
    yield from beyond(scenario)
    yield from _tenants(scenario)
    yield from _subscribers(scenario)
    yield from _instance_load(scenario)
    for index, _ in enumerate(scenario.timeline):
        yield from _event(scenario, index)


def of_each_workload(scenario: Scenario, check: Callable[[Scenario], Iterator[Mistake]]) -> Iterator[Mistake]:
    """What a check finds for each workload, as if there were no other, where that is written."""
    for name, view in scenario.alone.items():
        yield from ((placed(path, name), message) for path, message in check(view))


def on_no_host(scenario: Scenario, check: Callable[[Scenario], Iterator[Mistake]]) -> Iterator[Mistake]:
    """What a check finds on a host of every pool: what one of them has room for is no mistake. Of several, the pool is named."""
    yield from best_of_pools({name: list(check(view)) for name, view in scenario.by_pool.items()})


def best_of_pools(found: Mapping[str, list[Mistake]]) -> list[Mistake]:
    """The mistakes on the hosts of the pool that has the fewest; with its name where there are others, which have some too."""
    pool = min(found, key=lambda name: len(found[name]))
    others = f"; those are hosts.{pool}, and no other hosts will do" if len(found) > 1 else ""
    return [(path, f"{message}{others}") for path, message in found[pool]]


def placed(path: Path, workload: str) -> Path:
    """Where something of one of several workloads is written."""
    return ("workloads", workload, *path[1:]) if workload and path[:1] == ("workload",) else path


def _counted(scenario: Scenario) -> Iterator[Mistake]:
    """A number of requests in all of which clients, who ask as often as they are answered, have no part of their own."""
    asking = [name for name, spec in scenario.workloads.items() if spec.closed is not None]
    if len(scenario.workloads) > 1 and asking and scenario.run.requests is not None:
        yield ("run", "requests"), (
            f"expected a duration, for example duration: 60s; how many of the requests are those of the clients of {asking[0]} "
            "beside other workloads is not known before")


def _sizes(scenario: Scenario) -> Iterator[Mistake]:
    """Replicas and threads of all services together."""
    replicas = sum(service.replicas for service in scenario.services.values())
    threads = sum(_threads(service) for service in scenario.services.values())
    if replicas > MOST_REPLICAS_IN_ALL:
        yield ("services",), f"expected at most {MOST_REPLICAS_IN_ALL} replicas in all; got {replicas}"
    if threads > MOST_THREADS:
        yield ("services",), f"expected at most {MOST_THREADS} threads in all, which fill some 10 GB; got {threads}"


def _threads(service: ServiceSpec) -> int:
    background = service.background.threads if service.background is not None else 0
    workers = service.workers if isinstance(service.workers, int) else 0
    return service.replicas * (workers + background)


def _against_host(scenario: Scenario, name: str, service: ServiceSpec) -> Iterator[Mistake]:
    """Limits of a service that its host cannot give."""
    path, host = ("services", name), scenario.host
    cpus = host.cpus
    if cpus is not None and service.cpu_limit is not None and service.cpu_limit > cpus:
        yield (*path, *cpus_path(service)), f"expected at most the {cpus} CPUs of the host; got {service.cpu_limit:g}"
    if cpus is not None and service.cpuset is not None and max(service.cpuset) >= cpus:
        yield (*path, "cpuset"), f"expected CPUs from 0 to {cpus - 1}, those of the host; got {max(service.cpuset)}"
    if host.memory is not None and service.memory_limit is not None and service.memory_limit > host.memory:
        yield (*path, *memory_path(service)), _too_much(host.memory, service.memory_limit)


def _reservations(scenario: Scenario) -> Iterator[Mistake]:
    """Reservations under a scheduler that has none, or of more CPUs than there are."""
    reserved = {name: s.cpu_reservation * s.replicas for name, s in scenario.services.items() if s.cpu_reservation is not None}
    without = [pool.scheduler.policy for pool in scenario.pools.values()
               if pool.scheduler.policy not in RESERVING and "scheduler" in pool.model_fields_set]
    each = [pool.cpus * pool.slots for pool in scenario.pools.values() if pool.cpus is not None]
    whose = "hosts" if scenario.several_hosts else "host"
    orchestrated = [platform.orchestrator is not None for platform in scenario.platforms]
    if any(orchestrated):
        return
    if reserved and without:
        yield ("services", next(iter(reserved)), *RESERVATION), f"{without[0]} has no reservations; expected the scheduler esxi or hyperv"
    elif len(each) == len(scenario.pools) and sum(reserved.values()) > sum(each):
        yield ("services", list(reserved)[-1], *RESERVATION), (
            f"expected at most the {sum(each)} CPUs of the {whose} in all reservations together; got {sum(reserved.values()):g}")


def _too_much(memory: int, asked: int) -> str:
    return f"expected at most the {format_size(memory)} of the host; got {format_size(asked)}"


def _vms(scenario: Scenario) -> Iterator[Mistake]:
    """VMs that are larger than the host."""
    memory = scenario.host.memory
    for index, platform in enumerate(scenario.platforms):
        if platform.vms is not None and memory is not None and platform.vms.memory > memory:
            yield ("platforms", index, "vms", "memory"), _too_much(memory, platform.vms.memory)


def _warmup(scenario: Scenario) -> Iterator[Mistake]:
    """A warm-up that does not end before the requests do."""
    stream, run = scenario.workload.open if scenario.workload is not None else None, scenario.run
    if stream is None or stream.rate is None or run.requests is None or run.warmup is None:
        return
    last = run.requests / stream.mean_rate * 1e9
    if run.warmup >= last:
        yield ("run", "warmup"), (
            f"expected less than the {format_time(last / 1e9)} in which {run.requests} requests come, "
            f"for example {format_time(last / 1e10)}")


def _requests(scenario: Scenario) -> Iterator[Mistake]:
    """More requests than can be simulated."""
    stream = scenario.workload.open if scenario.workload is not None else None
    if stream is None or scenario.run.duration is None:
        return
    requests = stream.mean_rate * scenario.run.duration / 1e9
    if requests > MOST_REQUESTS:
        yield ("run", "duration"), (
            f"expected at most {MOST_REQUESTS:.0e} requests in a replication; {stream.mean_rate:g}/s in "
            f"{format_time(scenario.run.duration / 1e9)} are {requests:.2g}")


def _steps_of(scenario: Scenario, name: Name) -> tuple[AnyStep, ...]:
    """The steps of an operation."""
    service, operation = name
    return scenario.services[service].operations[operation]


def _trace_demands(scenario: Scenario) -> Iterator[Mistake]:
    """A trace that brings demands for operations that have no cpu step of their own, or whose first one is a team's."""
    trace = scenario.workload.trace if scenario.workload is not None else None
    if trace is None or trace.cpu is None:
        return
    for name in scenario.mix:
        first = first_cpu_step(_steps_of(scenario, name_of(name)))
        if first is None:
            yield ("workload", "trace", "cpu"), f"{name} itself has no cpu step that could take the demand of a row"
        elif first.team is not None:
            yield ("workload", "trace", "cpu"), f"the demand of a row is one thread's; expected a first cpu step of {name} without a team"


def _lock_scopes(scenario: Scenario) -> Iterator[Mistake]:
    """A name for a lock of replicas and for one of kernels: they would be two locks."""
    seen: dict[str, tuple[str, str]] = {}
    for service, spec in scenario.services.items():
        for operation, steps in spec.operations.items():
            for visit in walk(steps, ("services", service, "operations", operation)):
                if isinstance(visit.step, LockStep):
                    lock, scope = visit.step.lock, visit.step.scope
                    first, where = seen.setdefault(lock, (scope, f"{service}.{operation}"))
                    if first != scope:
                        yield (*visit.path, "lock"), (
                            f"expected scope: {first}, as in {where}, or another name: a lock of a {scope} and one of a {first} are two; "
                            f'got "{lock}" with scope: {scope}')


def _endless_instant(scenario: Scenario) -> Iterator[Mistake]:
    """Clients that do not think and ask for nothing that takes time: they would continue forever at one instant."""
    closed = scenario.workload.closed if scenario.workload is not None else None
    if closed is None or closed.think.mean > 0:
        return
    yield from _turned_away_at_once(scenario, closed.clients)
    waited = calls(scenario, published=False)
    happening = {caller: [callee for callee, count in called.items() if count > 0] for caller, called in waited.items()}
    for name, weight in scenario.mix.items():
        if weight > 0 and not any(_takes_time(scenario, each) for each in reached(happening, [name_of(name)])):
            sentence = f"expected a time to think, for example think: 1s; {name} takes no time and its clients do not wait between requests"
            yield ("workload", "closed"), sentence


def _turned_away_at_once(scenario: Scenario, clients: int) -> Iterator[Mistake]:
    """Clients that do not think and are rejected where they ask: they would ask again at the same instant, forever."""
    path, think = ("workload", "closed"), "expected a time to think, for example think: 1s"
    entered = list(dict.fromkeys(name_of(name)[0] for name, weight in scenario.mix.items() if weight > 0))
    for name in entered:
        service = scenario.services[name]
        room = None if "unlimited" in (service.threads, service.queue) or service.threads == "cores" else (
            service.replicas * (int(service.threads) + int(service.queue)))
        if room is not None and room < clients and len(entered) == 1:
            yield path, f"{think}; {name} has room for {room} requests, and the other {clients - room} clients would ask again at once"
        if service.limit is not None:
            yield path, f"{think}; {name} has a limit that adapts, and clients beyond it would ask again at once"
    pool = scenario.workload.pool if scenario.workload is not None else None
    if scenario.workload is not None and scenario.workload.breaker is not None:
        yield path, f"{think}; clients that an open breaker refuses would ask again at once"
    elif pool is not None and pool.queue is not None and pool.connections + pool.queue < clients:
        room = pool.connections + pool.queue
        yield path, f"{think}; the pool has room for {room} of {clients} clients, the others would ask again at once"
    if entered and scenario.state is not None and scenario.state.instances == "none":
        what = f"{entered[0]} is not up at first (state.instances)"
        yield path, f"{think}; {what}, and clients that are turned away would ask again at once"
    for index, event in enumerate(scenario.timeline):
        if event.service in entered and not event.moves and (event.replica is None or scenario.services[event.service].replicas == 1):
            what = f"{event.service} is down at times (timeline.{index})"
            yield path, f"{think}; {what}, and clients that are turned away would ask again at once"
            return


def _takes_time(scenario: Scenario, name: Name) -> bool:
    """Whether an operation can take time, what it calls left out."""
    limit = scenario.services[name[0]].memory_limit
    sizes = (limit, *(pool.memory for pool in scenario.pools.values()))
    memory = min((size for size in sizes if size is not None), default=None)
    return any(_takes_time_itself(visit.step, memory) for visit in walk(_steps_of(scenario, name)) if visit.expected > 0)


def _takes_time_itself(step: AnyStep, memory: int | None) -> bool:
    """Whether a step can take time where so much memory can be a cache; None where that is not known [bytes]."""
    match step:
        case CpuStep():
            return step.cpu.mean > 0
        case DelayStep():
            return step.delay.mean > 0 if step.delay.kind != "constant" else step.delay.mean >= SHORTEST_NS
        case NetStep():
            return step.net.out + step.net.in_ > 0
        case DiskStep():
            cached = step.disk.working_set is not None and (memory is None or step.disk.working_set <= memory)
            return step.disk.hit < 1 and not cached and (step.disk.read is not None or step.disk.sync or step.disk.direct)
        case FilesStep():
            return sum(step.files.counts.values()) >= 1
    return False


def _steps(scenario: Scenario) -> Iterator[Mistake]:
    """Operations whose requests would take too many steps, calls and repetitions counted."""
    for (service, operation), count in step_counts(scenario).items():
        if count > MOST_STEPS:
            yield ("services", service, "operations", operation), (
                f"expected at most {MOST_STEPS} steps in a request, with all calls and times; got {min(count, 10**18)}")
    yield from of_each_workload(scenario, _tries)
    cpus = _most_cpus(scenario)
    for name, spec in scenario.services.items():
        count = sum(visit.times * _members(visit.step, cpus) for visit in walk(spec.startup))
        if count > MOST_STEPS:
            yield ("services", name, "startup"), f"expected at most {MOST_STEPS} steps in a start-up, with all times; got {count}"


def _tries(scenario: Scenario) -> Iterator[Mistake]:
    """Tries of a workload's requests that take too many steps together."""
    tries, counts = scenario.workload.tries if scenario.workload is not None else 1, step_counts(scenario)
    for name, weight in scenario.mix.items():
        if weight > 0 and tries > 1 and counts[name_of(name)] * tries > MOST_STEPS:
            yield ("workload", "retry"), (
                f"expected at most {MOST_STEPS} steps in all tries of a request; {name} has {counts[name_of(name)]} in each of {tries}")


def step_counts(scenario: Scenario) -> dict[Name, int]:
    """Steps that a request takes in each operation, with those of the operations that it calls; one for too many of these.

    A step of a team counts for each of its threads.
    """
    cpus = _most_cpus(scenario)
    counts: dict[Name, int] = {}
    for name in callees_first(calls(scenario)):
        steps = walk(_steps_of(scenario, name))
        counts[name] = sum(visit.times * (_members(visit.step, cpus) + _called(scenario, visit.step, counts)) for visit in steps)
    return counts


def _most_cpus(scenario: Scenario) -> int:
    """CPUs of the largest host, as far as they are known."""
    return max(pool.cpus or 1 for pool in scenario.pools.values())


def _members(step: AnyStep, cpus: int) -> int:
    """Threads that a step takes; those of a team that is as large as what it sees are taken as the host's CPUs."""
    if not isinstance(step, CpuStep) or step.team is None:
        return 1
    return step.team.threads if isinstance(step.team.threads, int) else cpus


def _called(scenario: Scenario, step: AnyStep, counts: dict[Name, int]) -> int:
    """Steps that a request takes in what a step calls or publishes, in all tries; `counts` has those of the operations called."""
    count = sum(counts[name] for name in targets(scenario, step)) * (step.tries if isinstance(step, CallStep) else 1)
    return count if count <= MOST_STEPS else 1


def _event(scenario: Scenario, index: int) -> Iterator[Mistake]:
    """An event of a replica that does not exist, or after the end."""
    event, path = scenario.timeline[index], ("timeline", index)
    yield from moves_to_nowhere(scenario, event, path)
    yield from beside_orchestrators(scenario, event, path)
    replicas = scenario.services[event.service].replicas if event.service in scenario.services else 1
    if event.replica is not None and event.drain is not None:
        yield (*path, "replica"), "has no effect, for drain is about a host"
    elif event.replica is not None and event.replica >= replicas:
        yield (*path, "replica"), f'expected a replica of "{event.service}" from 0 to {replicas - 1}; got {event.replica}'
    if scenario.run.duration is not None and event.at >= scenario.run.duration:
        end = format_time(scenario.run.duration / 1e9)
        yield (*path, "at"), f"expected an instant before the end of the run at {end}; got {format_time(event.at / 1e9)}"


def _tenants(scenario: Scenario) -> Iterator[Mistake]:
    """Replicas or clients that do not divide evenly among the tenants."""
    if scenario.tenants is None:
        return
    count = scenario.tenants.count
    for name, service in scenario.services.items():
        if scenario.is_own(name) and service.replicas % count:
            yield ("services", name, *replicas_path(service)), f"expected a multiple of the {count} tenants; got {service.replicas}"
    for name, view in scenario.alone.items():
        clients = view.workload.clients if view.workload is not None else 0
        if clients % count:
            yield placed(("workload", "closed", "clients"), name), f"expected a multiple of the {count} tenants; got {clients}"


def _subscribers(scenario: Scenario) -> Iterator[Mistake]:
    """Messages for services of which each tenant has replicas of its own."""
    for topic, spec in scenario.topics.items():
        for name in spec.subscribers:
            if scenario.is_own(name_of(name)[0]):
                yield ("topics", topic, "subscribers", name), (
                    "each tenant has replicas of its own of this service, and a line of messages is one for all; expected a service that "
                    "tenants share, for example tenants: {own: [web]}")


def _instance_load(scenario: Scenario) -> Iterator[Mistake]:
    """A load of each instance in the terms of another kind of workload."""
    load, workload = scenario.density.per_instance if scenario.density is not None else None, scenario.workload
    if load is None:
        return
    path = ("density", "per_instance")
    if scenario.workloads:
        yield path, "expected one workload, for example workload: {open: {rate: 20/s}}; density counts instances of one"
    elif workload is None:
        yield path, "the scenario has no workload that instances could share; expected one, for example open: {rate: 20/s}"
    elif load.rate is not None and workload.closed is not None:
        yield (*path, "rate"), "expected clients, for example {clients: 5}, because the workload has clients"
    elif load.clients is not None and workload.closed is None:
        yield (*path, "clients"), "expected a rate, for example {rate: 20/s}, because the workload has no clients"

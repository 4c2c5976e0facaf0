"""Whether requests could wait for each other for ever: for locks, or for threads that all wait for a lock.

*Model*: a request that holds a lock or a thread of a service, and asks for another, waits for those who hold that one. Locks must be
    taken in an order that forms no cycle. A cycle through the threads of a service needs as many requests as it has threads; clients
    that are fewer cannot form it, nor is anybody waited for who is rejected at once (`queue: 0`).
*Ignores*: cycles of threads alone: it takes a burst to fill all of them, and the run shows what becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Iterator

from simvirt.scenario.graph import Name, callees_first, calls, cycle
from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.steps import AnyStep, CallStep, LockStep, ParallelStep
from simvirt.scenario.walk import Visit, walk

Resource = tuple[str, str]
"""A lock: the service whose replicas have it, empty for one of kernels, and its name. The threads of a service: its name and `THREADS`."""
Edges = Mapping[tuple[Resource, Resource], Path]
"""What is asked for while something is held, with the path of a step that does so."""

THREADS = ""
"""In place of the name of a lock."""


def deadlocks(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """The first cycle of locks that are taken while another one is held, itself included, calls followed; or else of locks and threads."""
    held = dict(_under_locks(scenario))
    found = cycle({edge: path for edge, path in held.items() if THREADS not in (edge[0][1], edge[1][1])})
    if found is not None:
        own = found[0] == found[1]
        why = "its holder would wait for itself" if own else f"requests would wait for each other ({_in_words(found)})"
        yield held[found[0], found[1]], f"{why} for ever; expected locks that are always taken in one order, and each once at a time"
        return
    edges = dict(_in_threads(scenario)) | held
    threads = _cycle_of_lock(edges)
    if threads:
        yield edges[threads[0], threads[1]], (
            f"requests could wait for each other for ever ({_in_words(threads)}), once all threads wait for the lock; "
            "expected a call outside the lock, or threads: unlimited")


def _cycle_of_lock(edges: Edges) -> list[Resource]:
    """A shortest cycle through a lock, from the lock back to it; empty where there is none."""
    asked: dict[Resource, list[Resource]] = {}
    for holder, wanted in edges:
        asked.setdefault(holder, []).append(wanted)
    for lock in [holder for holder in asked if holder[1] != THREADS]:
        waiting, before = [lock], dict[Resource, Resource]()
        for holder in waiting:
            fresh = [wanted for wanted in asked.get(holder, ()) if wanted not in before]
            before |= dict.fromkeys(fresh, holder)
            waiting += [wanted for wanted in fresh if wanted != lock]
        if lock in before:
            return _back(lock, before)
    return []


def _back(lock: Resource, before: Mapping[Resource, Resource]) -> list[Resource]:
    """The way from a lock to itself."""
    way = [lock, before[lock]]
    while way[-1] != lock:
        way.append(before[way[-1]])
    return way[::-1]


def _under_locks(scenario: Scenario) -> Iterator[tuple[tuple[Resource, Resource], Path]]:
    """What is asked for while a lock is held."""
    taken, bounded = _taken(scenario), _bounded(scenario)
    for service, outer in _visits(scenario):
        if isinstance(outer.step, LockStep):
            for inner in walk(outer.step.hold, (*outer.path, "hold")):
                for wanted in _asked(service, inner, taken, bounded):
                    yield (_lock(service, outer.step), wanted), inner.path


def _in_threads(scenario: Scenario) -> Iterator[tuple[tuple[Resource, Resource], Path]]:
    """What is asked for while a thread is held, of those services whose threads are bounded."""
    taken, bounded = _taken(scenario), _bounded(scenario)
    for service, visit in _visits(scenario):
        if service in bounded:
            for wanted in _asked(service, visit, taken, bounded):
                yield ((service, THREADS), wanted), visit.path


def _visits(scenario: Scenario) -> Iterator[tuple[str, Visit]]:
    """All steps of operations, with the services that do them."""
    for service, spec in scenario.services.items():
        for name, steps in spec.operations.items():
            yield from ((service, visit) for visit in walk(steps, ("services", service, "operations", name)))


def _taken(scenario: Scenario) -> dict[Name, set[Resource]]:
    """The locks that each operation takes, and the threads of others that it asks for, itself or in what it calls."""
    found: dict[Name, set[Resource]] = {}
    bounded = _bounded(scenario)
    for service, operation in callees_first(calls(scenario)):
        visits = walk(scenario.services[service].operations[operation])
        found[service, operation] = {wanted for visit in visits for wanted in _asked(service, visit, found, bounded)}
    return found


def _asked(service: str, visit: Visit, taken: Mapping[Name, set[Resource]], bounded: set[str]) -> set[Resource]:
    """What a step asks for, with all that it calls."""
    step: AnyStep = visit.step
    if isinstance(step, LockStep):
        return {_lock(service, step)}
    if not isinstance(step, CallStep):
        return set()
    called = step.target[0]
    return taken[step.target] | ({(called, THREADS)} if called in bounded else set())


def _bounded(scenario: Scenario) -> set[str]:
    """The services whose threads requests may fill and then wait for."""
    return {name for name, spec in scenario.services.items()
            if spec.event_loops is None and spec.threads != "unlimited" and spec.queue != 0 and not _too_few(scenario, spec.threads)}


def _too_few(scenario: Scenario, threads: int | str) -> bool:
    """Whether all requests are those of fewer clients than a replica has threads, each of whom waits for an answer before it asks again."""
    loads = [view.workload for view in scenario.alone.values() if view.workload is not None]
    clients = [load.closed.clients for load in loads if load.closed is not None]
    if len(clients) < len(loads) or not isinstance(threads, int) or sum(clients) >= threads:
        return False
    return not any(isinstance(visit.step, ParallelStep) for _, visit in _visits(scenario))


def _lock(service: str, step: LockStep) -> Resource:
    return "" if step.scope == "kernel" else service, step.lock


def _in_words(found: list[Resource]) -> str:
    """A cycle by names."""
    return " -> ".join(f"threads of {service}" if name == THREADS else _name((service, name)) for service, name in found)


def _name(lock: Resource) -> str:
    return ".".join(part for part in lock if part)

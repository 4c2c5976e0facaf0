"""Whether requests could wait for each other's locks for ever: locks must be taken in an order that forms no cycle."""

from __future__ import annotations

from typing import Iterator

from simvirt.scenario.graph import Name, callees_first, calls, cycle
from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.steps import AnyStep, CallStep, LockStep
from simvirt.scenario.walk import Visit, walk

Lock = tuple[str, str]
"""The service whose replicas have it, empty for one of kernels, and its name."""


def deadlocks(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """The first lock of a cycle of locks that are taken while another one is held, itself included, calls followed."""
    edges = dict(_edges(scenario))
    found = cycle(edges)
    if found is not None:
        order = " -> ".join(_name(lock) for lock in found)
        own = found[0] == found[1]
        why = "its holder would wait for itself" if own else f"requests would wait for each other ({order})"
        yield edges[found[0], found[1]], f"{why} for ever; expected locks that are always taken in one order, and each once at a time"


def _edges(scenario: Scenario) -> Iterator[tuple[tuple[Lock, Lock], Path]]:
    """What is taken while something is held, with the path of the step that does so."""
    taken = _taken(scenario)
    for service, spec in scenario.services.items():
        for name, steps in spec.operations.items():
            for outer in walk(steps, ("services", service, "operations", name)):
                if isinstance(outer.step, LockStep):
                    for inner in walk(outer.step.hold, (*outer.path, "hold")):
                        for lock in _locks(service, inner, taken):
                            yield (_lock(service, outer.step), lock), inner.path


def _taken(scenario: Scenario) -> dict[Name, set[Lock]]:
    """The locks that each operation takes, itself or in what it calls."""
    found: dict[Name, set[Lock]] = {}
    for service, operation in callees_first(calls(scenario)):
        visits = walk(scenario.services[service].operations[operation])
        found[service, operation] = {lock for visit in visits for lock in _locks(service, visit, found)}
    return found


def _locks(service: str, visit: Visit, taken: dict[Name, set[Lock]]) -> set[Lock]:
    step: AnyStep = visit.step
    if isinstance(step, LockStep):
        return {_lock(service, step)}
    return taken[step.target] if isinstance(step, CallStep) else set()


def _lock(service: str, step: LockStep) -> Lock:
    return "" if step.scope == "kernel" else service, step.lock


def _name(lock: Lock) -> str:
    return ".".join(part for part in lock if part)

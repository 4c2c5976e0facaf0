"""Mesos with a framework like Marathon for each service: offers in rounds, the poorest framework first, tasks launched where they fit.

*Model*: once every allocation interval the agents' free resources are offered, to one framework that wants more at a time: they take
    turns in the order of their dominant shares. It takes the offers of a round in an order of chance, one task from each in turn, as long
    as they have room. What failed is given up at once, and the next task of the service is launched after a delay that grows with each
    failure in a row. A new version starts beside the old one, which ends slot by slot as new tasks are ready.
*Ignores*: filters of refused offers (within a round nothing else is asked for), roles, reservations of agents, health of deployments,
    launch tokens and the most tasks of an offer.
*Source*: Apache Mesos src/master/allocator/mesos/hierarchical.cpp (agents in random order, sorter of frameworks); mesosphere/marathon
    OfferMatcherManagerActor (offers are matched side by side, one instance a pass) and docs: backoffSeconds, backoffFactor,
    maxLaunchDelaySeconds, upgradeStrategy.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile

import numpy as np

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Action, Look, Pending, Remove, Seen, Start, Stop, Wanted
from simvirt.control.orchestrators.rules import missing, present, surplus
from simvirt.orchestration.restart import SECOND, backoff_of
from simvirt.placement import Asked, Hosts, asked_by, choose, reserved_by
from simvirt.placement.hosts import Mask
from simvirt.placement.offers import Framework, offered_first


def mesos(wanted: Wanted, seen: Seen, constants: OrchestratorEntry) -> Iterator[Action]:
    """Tasks too many, those that failed, those of an old version, and launches on the offers of a round."""
    hosts = seen.hosts.only(seen.able)
    failed = [task for task in seen.tasks if task.phase == "failed"]
    yield from (Remove(task.number, f"{task.cause}; launched anew") for task in failed)
    yield from surplus(wanted, seen)
    yield from _replaced(wanted, seen)
    empty = _launches(wanted, seen, {task.slot for task in failed})
    if not empty:
        return
    due = _next_offer(wanted, seen, constants)
    if due > seen.now:
        yield Look(due)
    else:
        yield from _launched(wanted, seen, constants, empty, hosts)


def _replaced(wanted: Wanted, seen: Seen) -> Iterator[Action]:
    """The end of old tasks in whose slots new ones are ready."""
    ready = {task.slot for task in seen.tasks if task.version == wanted.version.number and task.phase == "ready"}
    for task in present(seen):
        if task.version != wanted.version.number and task.slot in ready:
            yield Stop(task.number, "its successor is ready")


def _launches(wanted: Wanted, seen: Seen, failed: set[int]) -> list[int]:
    """Slots for which a task of the wanted version is to be launched."""
    there = {task.slot for task in present(seen) if task.version == wanted.version.number and task.phase != "failed"}
    empty = {*missing(wanted, seen), *(slot for slot in failed if slot < wanted.replicas), *range(wanted.replicas)}
    return sorted(empty - there)


def _next_offer(wanted: Wanted, seen: Seen, constants: OrchestratorEntry) -> int:
    """When the framework is offered resources: in its turn, and not before its launch delay is over [ns]."""
    interval = round(constants.sync or 1.0)
    turns = _turns(wanted, seen, constants)
    earliest = max(seen.now, _delayed_until(seen, constants))
    number = -(-earliest // interval)
    while number % len(turns) != turns.index(wanted.service):
        number += 1
    return int(number * interval)


def _turns(wanted: Wanted, seen: Seen, constants: OrchestratorEntry) -> list[str]:
    """The services that want more tasks, the one with the smallest dominant share first."""
    wants = {**seen.wants, wanted.service: wanted}
    counts = {name: sum(task.alive for task in seen.others.get(name, ())) for name in wants}
    open_to = [name for name, other in wants.items() if name == wanted.service or counts[name] < other.replicas]
    total = {name: float(seen.hosts.room_of(name).sum()) for name in ("cpu", "memory")}
    frameworks = [Framework(name, _holds(wants[name], counts[name], constants)) for name in open_to]
    return [frameworks[place].name for place in offered_first(frameworks, total)]


def _holds(wanted: Wanted, tasks: int, constants: OrchestratorEntry) -> dict[str, float]:
    """What the tasks of a service have reserved."""
    return {name: float(amount * tasks) for name, amount in reserved_by(wanted.version.spec, constants.reserves).items()}


def _delayed_until(seen: Seen, constants: OrchestratorEntry) -> int:
    """Until when launches wait after failures in a row, a long run between two of which begins anew [ns]."""
    reset = constants.backoff_reset
    short = list(takewhile(lambda failure: reset is None or failure.ran is None or failure.ran < reset, reversed(seen.failures)))
    if not short or not constants.backoff:
        return 0
    return short[0].at + round(backoff_of(constants).nth(len(short) - 1) * SECOND)


def _launched(wanted: Wanted, seen: Seen, constants: OrchestratorEntry, slots: list[int], hosts: Hosts) -> Iterator[Action]:
    """Launches on the offers that fit, one on each in turn, in the order in which they came; those that none takes wait."""
    asked = asked_by(wanted.service, wanted.version.spec, constants.reserves)
    for task in seen.tasks:
        if task.phase == "failed":
            hosts.remove(wanted.service, task.host, asked.reserves)
    order = np.random.default_rng([zlib.crc32(wanted.service.encode()), seen.now]).permutation(len(hosts.names))
    launched: Counter[int] = Counter()

    def next_in_turn(_hosts: Hosts, _asked: Asked, able: Mask) -> int:
        return int(min((host for host in order if able[host]), key=lambda host: launched[host]))

    for slot in slots:
        choice = choose(hosts, asked, next_in_turn)
        if choice.host is None:
            yield Pending(slot, choice.reason)
            return
        hosts.add(wanted.service, choice.host, asked.reserves)
        launched[choice.host] += 1
        yield Start(slot, wanted.version, choice.host, f"offer of {hosts.names[choice.host]}")

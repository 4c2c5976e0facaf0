"""A cluster of virtual machines: admission control, placement where most is left, restarts after failures of guests and of hosts.

*Model*: a new VM is powered on only if all VMs would still find a slot after the largest hosts that may fail were lost; it goes to the
    host with most of its scarcest resource left. A guest that failed is reset where it stood, so many times; VMs of a host that is lost
    are powered on elsewhere whatever admission control says, those of the highest priority first, else of the services written first.
*Ignores*: affinity rules of groups. Live migrations for balance are those of `balance.py`, where the entry says so.
*Source*: VMware vSphere Availability (HA admission control, slot policy, VM monitoring); vSphere Resource Management (DRS).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Action, Look, Pending, Remove, Restart, Seen, Start, Task, Wanted
from simvirt.control.orchestrators.rules import backoff_ns, missing, outdated, present, surplus
from simvirt.placement import POLICIES, Hosts, asked_by, choose, reserved_by
from simvirt.placement.slots import slot_policy

COUNTED = ("cpu", "memory")


def vm_cluster(wanted: Wanted, seen: Seen, constants: OrchestratorEntry) -> Iterator[Action]:
    """VMs too many, guests and hosts that failed, and VMs that are to be powered on."""
    hosts = seen.hosts.only(seen.able)
    lost = [task for task in present(seen) if task.phase == "failed" and not seen.able[task.host]]
    yield from surplus(wanted, seen)
    yield from outdated(wanted, seen)
    yield from (Remove(task.number, "its host is lost; powered on elsewhere") for task in lost)
    yield from _reset(wanted, seen, constants, lost)
    again = {slot for slot in (*seen.lost, *(task.slot for task in lost)) if slot < wanted.replicas}
    slots = sorted({*missing(wanted, seen), *again})
    if slots:
        yield from _powered_on(wanted, seen, constants, hosts, lost, again, slots)


def _reset(wanted: Wanted, seen: Seen, constants: OrchestratorEntry, lost: list[Task]) -> Iterator[Action]:
    """Resets of guests that failed, where they stand."""
    for task in seen.tasks:
        if task.phase != "failed" or task in lost or task.slot >= wanted.replicas:
            continue
        if constants.attempts is not None and task.restarts >= constants.attempts:
            continue
        due = task.since + backoff_ns(task, constants)
        yield Restart(task.number, f"{task.cause}; reset") if seen.now >= due else Look(due)


def _powered_on(
    wanted: Wanted, seen: Seen, constants: OrchestratorEntry, hosts: Hosts, lost: list[Task], again: set[int], slots: list[int],
) -> Iterator[Action]:
    """New VMs on hosts that have room, as far as they are admitted."""
    asked = asked_by(wanted.service, wanted.version.spec, constants.reserves)
    for task in lost:
        hosts.remove(wanted.service, task.host, asked.reserves)
    for placed, slot in enumerate(sorted(slots, key=lambda slot: slot not in again)):
        refusal = None if slot in again else refused(wanted, seen, constants, placed + 1)
        choice = choose(hosts, asked, POLICIES[constants.places])
        if refusal is not None or choice.host is None:
            yield Pending(slot, refusal or choice.reason)
            return
        hosts.add(wanted.service, choice.host, asked.reserves)
        yield Start(slot, wanted.version, choice.host, choice.reason)


def refused(wanted: Wanted, seen: Seen, constants: OrchestratorEntry, more: int) -> str | None:
    """Why so many more VMs of a service are not admitted; None where they are, or where nobody controls it."""
    if constants.survives is None:
        return None
    vms = [amounts for name, other in {**seen.wants, wanted.service: wanted}.items() for amounts in _vms(name, other, seen, constants)]
    vms += [_amounts(wanted, constants)] * more
    up = np.flatnonzero(np.asarray(seen.able, bool))
    rooms = [{name: float(seen.hosts.room_of(name)[host]) for name in COUNTED} for host in up]
    if not rooms or not any(any(each.values()) for each in vms):
        return None
    found = slot_policy(rooms, vms, constants.survives)
    if found.admitted:
        return None
    left = f"{found.left} slots for {len(vms)} VMs"
    return f"admission control: {left} after the loss of {constants.survives} of {len(up)} hosts"


def _vms(service: str, wanted: Wanted, seen: Seen, constants: OrchestratorEntry) -> list[dict[str, float]]:
    """What the VMs of a service that are powered on have reserved."""
    tasks = seen.tasks if service == wanted.service and service not in seen.others else seen.others.get(service, ())
    return [_amounts(wanted, constants)] * sum(task.phase != "failed" for task in tasks)


def _amounts(wanted: Wanted, constants: OrchestratorEntry) -> dict[str, float]:
    return {name: float(amount) for name, amount in reserved_by(wanted.version.spec, constants.reserves).items()}

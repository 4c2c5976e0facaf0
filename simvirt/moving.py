"""The verbs of the data plane that stop a VM, let it go on, and let it stand on another host; and what its requests lose by that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import simpy

from simvirt import kernel
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import Instance
from simvirt.lowering.lower import Lowered


class Movable:
    """The tables of a replication, as far as VMs stop, go on and move in them.

    Of a moved VM its own kernel, its instances and all that these are at stay as they are; what changes is the kernel below it: the CPUs
    that its vCPUs and the threads of its devices run on, the queues of its group there, the host whose disk and NIC it uses.
    """

    lowered: Lowered
    columns: dict[str, dict[str, Any]]
    clock: simpy.Environment
    _plane: Any
    _met: dict[int, dict[str, float]]  # of memory management, by instance
    _hindered: dict[int, Mapping[str, float]]  # because its VM moves

    # --- what requests meet --------------------------------------------------------------------------------------------

    def set_condition(self, table: str, row: int, **values: float) -> None:
        """How things stand with a host, its disk or what requests meet on an instance: columns that are the control plane's."""
        hindered: Mapping[str, float] = {}
        if table == "instances":
            self._met.setdefault(row, {}).update(values)
            hindered = self._hindered.get(row, {})
        for name, value in values.items():
            self.columns[table][name][row] = value + hindered.get(name, 0)

    def hinder(self, instance: int, spin: float = 0.0, stall: int = 0) -> None:
        """What a request meets on an instance beside that, because its VM moves: work, a wait [ns]."""
        self._hindered[instance] = {"spin": spin, "stall": stall}
        self.set_condition("instances", instance, **{"spin": 0.0, "stall": 0, **self._met.get(instance, {})})

    # --- time ----------------------------------------------------------------------------------------------------------

    def pause(self, machine: int) -> None:
        """Let the vCPUs of a VM have no more time."""
        kernel.freeze(self._plane, machine, int(self.clock.now))

    def resume(self, machine: int) -> None:
        """Let them have time again."""
        kernel.thaw(self._plane, machine, int(self.clock.now))

    # --- place ---------------------------------------------------------------------------------------------------------

    def host_of_machine(self, machine: int) -> int:
        """The host that a kernel stands on now."""
        return int(self.columns["machines"]["host"][machine])

    def is_at_rest(self, machine: int) -> bool:
        """Whether a paused VM could move: nothing of it runs or waits for a CPU of its host, or is at its disk."""
        parts, entities = self._parts(machine), self.columns["entities"]
        still = all(int(entities["state"][e]) == k.OFF and int(entities["delayed"][e]) == 0 for e in self._entities(machine, parts))
        group = self.lowered.arrangement.machines[machine].vm
        assert group is not None
        queues, rows = self.columns["queues"], self._queues(group.row)
        still &= all(int(of[q]) == 0 for of in (queues["entities"], queues["throttled"]) for q in rows)
        return still and all(int(entities["state"][q]) == k.OFF for q in rows) and not self._at_disk(machine, parts)

    def move(self, machine: int, host: int) -> None:
        """Let a VM that is paused and at rest stand on another host."""
        plan, columns = self.lowered.arrangement, self.columns
        parts, old = self._parts(machine), self.host_of_machine(machine)
        below, vm = plan.hosts[host].machine, plan.machines[machine].vm
        assert vm is not None
        self._hand_over_files(machine, parts, old, host)
        dom0 = plan.hosts[host].dom0
        for one in parts:
            columns["instances"]["machine"][one.row] = below if one.group is not None or dom0 is None else dom0.row
        for e in self._entities(machine, parts):
            self._restand(e, machine, below, parts)
        columns["machines"]["host"][machine] = host
        columns["groups"]["machine"][vm.row] = below
        self._requeue(vm.row, below)
        for c in self._cpus(machine):
            columns["cpus"]["host"][c] = host
            exits, wakes = self.lowered.wakes[plan.hosts[host].kind]
            columns["cpus"]["exit_work"][c], columns["cpus"]["wake_work"][c] = 0.0 if plan.machines[machine].polls_itself else exits, wakes

    def _parts(self, machine: int) -> list[Instance]:
        """The threads beside a VM that do the work of its devices."""
        guest = self.lowered.arrangement.machines[machine]
        found = {one.backend.row: one.backend for one in (guest.net, guest.disk) if one is not None and one.backend is not None}
        return [one for one in found.values() if one.machine != machine]

    def _cpus(self, machine: int) -> range:
        """CPUs of a kernel."""
        first = int(self.columns["machines"]["first_cpu"][machine])
        return range(first, first + int(self.columns["machines"]["cpus"][machine]))

    def _entities(self, machine: int, parts: list[Instance]) -> Iterator[int]:
        """The vCPUs of a VM, and all threads of its devices that there have been."""
        yield from (int(self.columns["cpus"]["vcpu"][c]) for c in self._cpus(machine))
        run, rows = self.columns["run"], {one.row for one in parts}
        first, fresh = int(run["first_thread"][0]), int(run["fresh_entity"][0])
        threads = np.asarray(self.columns["entities"]["instance"][first:fresh])
        yield from (first + int(at) for at in np.flatnonzero(np.isin(threads, list(rows))))

    def _queues(self, group: int) -> range:
        """The queues of a group on the CPUs of the kernel that it is in."""
        first = int(self.columns["groups"]["first_queue"][group])
        return range(first, first + len(self._cpus(int(self.columns["groups"]["machine"][group]))))

    def _restand(self, e: int, machine: int, below: int, parts: list[Instance]) -> None:
        """A vCPU or thread of a device begins anew on the CPUs of another kernel."""
        entities, instances = self.columns["entities"], self.columns["instances"]
        m = below if int(entities["carries"][e]) != k.NONE else int(instances["machine"][int(entities["instance"][e])])
        cpus = self._cpus(m)
        entities["machine"][e], entities["queue"][e] = m, k.NONE
        entities["cpu"][e] = cpus[e % len(cpus)]
        entities["pin"][e] = k.NONE
        for name in ("vruntime", "deadline", "lag", "relative", "credits", "credit_mark", "protect"):
            entities[name][e] = 0.0

    def _requeue(self, group: int, below: int) -> None:
        """The queues of a group are those on the CPUs of another kernel."""
        queues, policy = self.columns["queues"], self.lowered.arrangement.machines[below].scheduler
        for q, c in zip(self._queues(group), self._cpus(below), strict=False):
            queues["cpu"][q], queues["parent"][q] = c, c
            queues["policy"][q], queues["base_slice"][q] = policy.numbers[1], policy["base_slice"]

    # --- files ---------------------------------------------------------------------------------------------------------

    def _at_disk(self, machine: int, parts: list[Instance]) -> bool:
        """Whether something of a VM is at the disk of its host, its queue included."""
        frames, rows = self.columns["frames"], self._rows(machine, parts)
        at = np.flatnonzero((np.asarray(frames["kind"]) != k.NONE) & (np.asarray(frames["state"]) == k.DISK))
        return bool(np.isin(np.asarray(frames["instance"])[at], rows).any())

    def _rows(self, machine: int, parts: list[Instance]) -> list[int]:
        """The instances in a VM and beside it that its host's disk knows."""
        inside = [one.row for one in self.lowered.arrangement.instances if one.machine == machine]
        return [*inside, *(one.row for one in parts)]

    def _hand_over_files(self, machine: int, parts: list[Instance], old: int, new: int) -> None:
        """What the VM has written and the page cache has not yet is dirty on the other host; a flusher goes on for those who stay."""
        rows, instances, disks = self._rows(machine, parts), self.columns["instances"], self.columns["disks"]
        a, b = (int(self.columns["hosts"]["first_disk"][host]) for host in (old, new))
        flusher = int(disks["flusher"][a])
        if flusher != k.NONE and int(self.columns["frames"]["instance"][flusher]) in rows:
            self.columns["frames"]["instance"][flusher] = self.lowered.arrangement.hands[self.lowered.arrangement.hosts[old].machine].row
        for i in rows:
            size = float(instances["dirty"][i])
            if size > 0.0:
                _leave(instances, disks, i, a)
                _join(instances, disks, i, b)
                disks["dirty"][a] -= size
                disks["dirty"][b] += size


def _leave(instances: Mapping[str, Any], disks: Mapping[str, Any], i: int, d: int) -> None:
    """An instance's file is no more in the line of dirty ones of a disk."""
    before, after = int(instances["previous_dirty"][i]), int(instances["next_dirty"][i])
    if before == k.NONE:
        disks["first_dirty"][d] = after
    else:
        instances["next_dirty"][before] = after
    if after == k.NONE:
        disks["last_dirty"][d] = before
    else:
        instances["previous_dirty"][after] = before


def _join(instances: Mapping[str, Any], disks: Mapping[str, Any], i: int, d: int) -> None:
    """An instance's file is the youngest in the line of dirty ones of a disk."""
    last = int(disks["last_dirty"][d]) if int(disks["first_dirty"][d]) != k.NONE else k.NONE
    instances["next_dirty"][i], instances["previous_dirty"][i] = k.NONE, last
    if last == k.NONE:
        disks["first_dirty"][d] = i
    else:
        instances["next_dirty"][last] = i
    disks["last_dirty"][d] = i

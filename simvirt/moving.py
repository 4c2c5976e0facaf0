"""The verbs of the data plane that stop a VM, let it go on, and let it stand on another host; and what its requests lose by that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import simpy

from simvirt import kernel
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import Group, Instance, Place, row_of
from simvirt.lowering.lower import Lowered
from simvirt.memory.caching import Beneath

FRESH: Final = ("vruntime", "deadline", "lag", "relative", "credits", "credit_mark", "protect")
"""What something has of the queue in which it competed, and not in another one."""


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
    _lived: dict[int, tuple[int, int | None]]  # how long instances were up before, and since when they are [ns]

    # --- how long instances live ---------------------------------------------------------------------------------------

    def begins(self, instance: int) -> bool:
        """An instance is up from now on, unless it is."""
        before, since = self._lived.get(instance, (0, None))
        self._lived[instance] = before, int(self.clock.now) if since is None else since
        return True

    def ends(self, instance: int) -> None:
        """An instance is up no more."""
        before, since = self._lived.get(instance, (0, None))
        self._lived[instance] = before if since is None else before + int(self.clock.now) - since, None

    def lived(self, at: int) -> np.ndarray:
        """How long each instance has been up by an instant, since the start of the run [ns]."""
        found = np.zeros(len(self.lowered.arrangement.instances), np.int64)
        for row, (before, since) in self._lived.items():
            found[row] = before if since is None else before + at - since
        return found

    # --- what requests meet --------------------------------------------------------------------------------------------

    def set_condition(self, table: str, row: int, **values: float) -> None:
        """How things stand with a host, its disk or what requests meet on an instance: columns that are the control plane's."""
        hindered: Mapping[str, float] = {}
        if table == "instances":
            self._met.setdefault(row, {}).update(values)
            hindered = self._hindered.get(row, {})
        for name, value in values.items():
            self.columns[table][name][row] = value + hindered.get(name, 0)

    def set_misses(self, host: int, asked: int, ratio: float) -> None:
        """How often a page cache of a host does not serve what it is asked."""
        self.columns["misses"]["ratio"][host * int(self.columns["misses"]["asked"][0]) + asked] = ratio

    def withdraw(self, instance: int) -> None:
        """Let load balancing leave an instance out that has ended."""
        kernel.set_ready(self._plane, instance, 0, int(self.clock.now))

    def hinder(self, instance: int, spin: float = 0.0, stall: int = 0) -> None:
        """What a request meets on an instance beside that, because its VM moves: work, a wait [ns]."""
        self._hindered[instance] = {"spin": spin, "stall": stall}
        self.set_condition("instances", instance, **{"spin": 0.0, "stall": 0, **self._met.get(instance, {})})

    def set_quota(self, group: int, quota: int) -> None:
        """Give a group that has a quota another one in each of its periods [ns]."""
        kernel.set_quota(self._plane, group, quota, int(self.clock.now))

    # --- time ----------------------------------------------------------------------------------------------------------

    def pause(self, machine: int) -> None:
        """Let the vCPUs of a VM have no more time."""
        kernel.freeze(self._plane, machine, int(self.clock.now))

    def resume(self, machine: int) -> None:
        """Let them have time again."""
        kernel.thaw(self._plane, machine, int(self.clock.now))

    def is_idle(self, instance: int) -> bool:
        """Whether no request is under way on an instance."""
        return int(self.columns["instances"]["in_flight"][instance]) == 0

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
        self._take_page_cache(machine, old, host)
        dom0 = plan.hosts[host].dom0
        for one in parts:
            columns["instances"]["machine"][one.row] = below if one.group is not None or dom0 is None else dom0.row
        for e in self._entities(machine, parts):
            self._restand(e, machine, below, parts)
        columns["machines"]["host"][machine] = host
        self._rebind(vm.row, plan.hosts[old].machine, below)
        columns["groups"]["machine"][vm.row] = below
        self._requeue(vm.row, below)
        self._bind_to_cpus(vm, below)
        for c in self._cpus(machine):
            columns["cpus"]["host"][c] = host
            exits, wakes = self.lowered.wakes[plan.hosts[host].kind]
            columns["cpus"]["exit_work"][c], columns["cpus"]["wake_work"][c] = 0.0 if plan.machines[machine].polls_itself else exits, wakes

    # --- place of what is down -----------------------------------------------------------------------------------------

    def is_settled(self, instance: int) -> bool:
        """Whether nothing of an instance that is down goes on, so that it could stand elsewhere."""
        one, columns = self.lowered.arrangement.instances[instance], self.columns
        entities, queues = columns["entities"], columns["queues"]
        rows = () if one.group is None else self._queues(one.group.row)
        still = int(columns["instances"]["busy_threads"][instance]) == 0 and all(int(queues["throttled"][q]) == 0 for q in rows)
        return still and all(
            int(entities["state"][e]) == k.OFF and int(entities["delayed"][e]) == 0 for e in (*rows, *self._threads([instance])))

    def stand(self, instance: int, place: Place) -> None:
        """Let an instance that is down and settled stand in another kernel: it, its group with its queues, the threads of its paths.

        The arrangement says so from now on.
        """
        plan, columns = self.lowered.arrangement, self.columns
        one, below = plan.instances[instance], place.machine
        self._leave_files(instance, int(columns["machines"]["host"][one.machine]))
        beside = self._beside(one)
        for part in (one, *beside):
            moved = place if part is one else Place(below, place.group if part.group is not None else None)
            part.place = moved
            columns["instances"]["machine"][part.row], columns["instances"]["group"][part.row] = below, row_of(moved.group)
        columns["instances"]["net_device"][instance] = row_of(place.net)
        columns["instances"]["disk_device"][instance] = row_of(place.disk)
        shared = plan.nic_queues.get(int(columns["machines"]["host"][below]))
        if place.net is not None and shared is not None:
            columns["devices"]["backend"][place.net.row] = shared.row
        columns["instances"]["receiver"][instance] = row_of(plan.receivers.get(below))
        if place.group is not None:
            plan.groups[place.group.row] = place.group
            columns["groups"]["machine"][place.group.row] = below
            self._requeue(place.group.row, below)
            self._bind_to_cpus(place.group, below)
        for e in self._threads([part.row for part in (one, *beside)]):
            self._restand(e, below, below, [])

    def _beside(self, one: Instance) -> list[Instance]:
        """The threads of an instance's network path that are there for it alone, in the same kernel."""
        plan = self.lowered.arrangement
        backend = one.place.net.backend if one.place.net is not None else None
        found = [part for part in (backend, plan.beside.get(one.row)) if part is not None and part.machine == one.machine]
        return [part for part in found if part.row not in {shared.row for shared in plan.nic_queues.values()}]

    def _bind_to_cpus(self, group: Group, below: int) -> None:
        """The CPUs of a group's cpuset are those of a kernel."""
        groups, first = self.columns["groups"], int(self.columns["machines"]["first_cpu"][below])
        for at, cpu in enumerate(group.fence.cpuset[: int(groups["mask_cpus"][group.row])]):
            groups["masks"][int(groups["first_mask"][group.row]) + at] = first + cpu

    def _threads(self, rows: list[int]) -> list[int]:
        """All threads of instances that there have been."""
        run = self.columns["run"]
        first, fresh = int(run["first_thread"][0]), int(run["fresh_entity"][0])
        threads = np.asarray(self.columns["entities"]["instance"][first:fresh])
        return [first + int(at) for at in np.flatnonzero(np.isin(threads, rows))]

    def _leave_files(self, instance: int, host: int) -> None:
        """What an instance has written and the page cache has not yet stays on the host; its daemon's name is on it from now on."""
        instances, disks = self.columns["instances"], self.columns["disks"]
        size, d = float(instances["dirty"][instance]), int(self.columns["hosts"]["first_disk"][host])
        plan = self.lowered.arrangement
        heir = plan.hands[plan.hosts[host].machine].row
        flusher = int(disks["flusher"][d])
        if flusher != k.NONE and int(self.columns["frames"]["instance"][flusher]) == instance:
            self.columns["frames"]["instance"][flusher] = heir
        if size > 0.0:
            _leave(instances, disks, instance, d)
            instances["dirty"][instance] = 0.0
            if float(instances["dirty"][heir]) == 0.0:
                instances["dirty_since"][heir] = instances["dirty_since"][instance]
                _join(instances, disks, heir, d)
            instances["dirty"][heir] = float(instances["dirty"][heir]) + size

    # --- parts ---------------------------------------------------------------------------------------------------------

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
        yield from self._threads([one.row for one in parts])

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
        for name in FRESH:
            entities[name][e] = 0.0

    def _rebind(self, group: int, old: int, below: int) -> None:
        """CPUs that a VM is bound to are those of the same numbers on the other host; it is bound to none where none of them is there."""
        groups, theirs, mine = self.columns["groups"], self._cpus(below), self._cpus(old)
        first, count = int(groups["first_mask"][group]), int(groups["mask_cpus"][group])
        numbers = [int(groups["masks"][first + at]) - mine.start for at in range(count)]
        kept = [theirs[number] for number in numbers if number < len(theirs)]
        for at, cpu in enumerate(kept):
            groups["masks"][first + at] = cpu
        groups["mask_cpus"][group] = len(kept)

    def _requeue(self, group: int, below: int) -> None:
        """The queues of a group are those on the CPUs of another kernel."""
        queues, policy, entities = self.columns["queues"], self.lowered.arrangement.machines[below].scheduler, self.columns["entities"]
        for q, c in zip(self._queues(group), self._cpus(below), strict=False):
            queues["cpu"][q], queues["parent"][q] = c, c
            entities["cpu"][q], entities["queue"][q] = c, k.NONE
            for name in FRESH:
                entities[name][q] = 0.0
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

    def _take_page_cache(self, machine: int, old: int, new: int) -> None:
        """A VM's page cache is in its memory: what its services read is missing there as often as before, where none of them stands yet."""
        misses, hosts = self.columns["misses"], self.columns["machines"]["host"]
        mine, asked = {one.service for one in self.lowered.arrangement.instances if one.machine == machine}, int(misses["asked"][0])
        there = {one.service for one in self.lowered.arrangement.instances if one.machine != machine and int(hosts[one.machine]) == new}
        for key, at in self.lowered.asks.items():
            service = key.key[0] if isinstance(key, Beneath) else key[0]
            if service in mine - there:
                misses["ratio"][new * asked + at] = misses["ratio"][old * asked + at]

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

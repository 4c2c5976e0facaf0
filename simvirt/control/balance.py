"""The balance of a cluster of VMs: at every look what they demand, what an orchestrator has moved for that, and its moves carried out.

*Model*: a VM demands the CPU time that its instances used since the look before and that its vCPUs waited for, and of its memory what is
    in use with a share of the rest that it has touched. VMs that are up and stand still in one place take part, each with one task.
    What a move takes is the work of its migrator with the VM's pages, and how long it goes on their bytes over the slowest link.
*Ignores*: that demands are measured late; VMs that several replicas share.
*Source*: F. Denneman, DRS and memory balancing in non-overcommitted clusters, 2012 (active memory, 25 % of what is idle).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from simvirt.control.lifecycle import Process
from simvirt.control.migrate import Migrations, migrations_of
from simvirt.control.moves import S, box_of, sizes_of, writable
from simvirt.control.orchestrate import Orchestration
from simvirt.control.orchestrators.balance import Balanced, balance
from simvirt.control.orchestrators.interface import Move, Task
from simvirt.gauges import cpu_time, steal
from simvirt.kernel import constants as k
from simvirt.memory.boxes import Box
from simvirt.memory.host_memory import HostMemory
from simvirt.migration.writes import PAGE
from simvirt.orchestration.balancing import Cluster, memory_demand
from simvirt.placement import asked_by

Numbers = np.ndarray


@dataclass
class Balancing:
    """The balance of a cluster: what each kernel has demanded up to the last look [ns], by its row, and when that was [ns]."""

    orchestration: Orchestration
    migrations: Migrations
    at: int = 0
    before: Numbers = field(default_factory=lambda: np.zeros(0))

    def every(self) -> Process:
        """Look in every interval."""
        orchestration = self.orchestration
        self.before = self._demanded()
        while True:
            yield orchestration.cluster.clock.timeout(round(orchestration.entry.balance or 0))
            now = self._demanded()
            for service, move in self._moves((now - self.before) / (orchestration.now - self.at)):
                orchestration.carry_out(service, [move])
            self.at, self.before = orchestration.now, now

    def _moves(self, demand: Numbers) -> Iterator[tuple[str, Move]]:
        """The moves of a look, each with the service of its task; kernels have demanded so many CPUs."""
        tasks = dict(self._tasks())
        if len(tasks) > 0:
            balanced = self._balanced(tasks, demand)
            by_number = {task.number: task.service for task in balanced.tasks}
            for move in balance(balanced, self.orchestration.entry):
                yield by_number[move.task], move

    def _tasks(self) -> Iterator[tuple[int, Task]]:
        """VMs that take part, by the row of their kernel, with their tasks."""
        cluster, ledger = self.orchestration.cluster, self.orchestration.ledger
        for of in ledger.services.values():
            for number, task in of.tasks.items():
                machine = cluster.instance(of.rows[number]).machine
                if task.phase == "ready" and ledger.able[task.host] and self.migrations.may_move(machine):
                    yield machine, task

    def _balanced(self, tasks: dict[int, Task], demand: Numbers) -> Balanced:
        """What is to be balanced."""
        orchestration, entry = self.orchestration, self.migrations.entry
        ledger = orchestration.ledger
        boxes = self._boxes(tasks)
        sent = np.array([sizes_of(boxes[machine], entry)[1] for machine in tasks])
        cluster = Cluster(
            np.array([demand[list(tasks)], [self._memory(boxes[machine]) for machine in tasks]]),
            np.array([ledger.hosts.cpus, ledger.hosts.memory], np.float64), np.array([task.host for task in tasks.values()]),
            np.asarray(ledger.able, bool), sent / PAGE * (entry.scan + entry.send + entry.receive) / S,
            (entry.setup + entry.handover) / S + sent / self.migrations.bandwidth)
        asked = [asked_by(task.service, ledger[task.service].wanted.version.spec, orchestration.entry.reserves) for task in tasks.values()]
        return Balanced(cluster, list(tasks.values()), asked, ledger.hosts.only(ledger.able))

    def _boxes(self, tasks: dict[int, Task]) -> dict[int, Box]:
        """The memory of VMs that take part."""
        cluster, ledger, known = self.orchestration.cluster, self.orchestration.ledger, dict[int, HostMemory]()
        return {machine: box_of(cluster, ledger.row_of(task), known) for machine, task in tasks.items()}

    def _memory(self, box: Box) -> float:
        """Memory that a VM demands [bytes]."""
        assert box.guest is not None
        touched = box.guest.backed
        return memory_demand(min(writable(box), touched), touched, float(self.orchestration.entry.idle or 0.0))

    def _demanded(self) -> Numbers:
        """CPU time that each kernel's instances have used, and its vCPUs have waited for [ns]."""
        plane, now = self.orchestration.cluster.plane, self.orchestration.now
        machine = plane.read("instances", "machine")
        placed = machine != k.NONE
        found = np.bincount(machine[placed], cpu_time(plane, now)[placed], len(plane.read("machines", "host")))
        of_cpu, waited = plane.read("cpus", "vcpu"), steal(plane, now)
        vcpus = of_cpu != k.NONE
        rows = of_cpu[vcpus] - int(plane.read("run", "first_vcpu")[0])
        return found + np.bincount(plane.read("cpus", "machine")[vcpus], waited[rows], found.size)


def follow_balance(orchestration: Orchestration) -> None:
    """Let the VMs of an orchestrator that balances them be balanced."""
    if orchestration.entry.balance is not None and (migrations := migrations_of(orchestration.cluster)) is not None:
        orchestration.cluster.clock.process(Balancing(orchestration, migrations).every())

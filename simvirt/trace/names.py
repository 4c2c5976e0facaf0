"""What the tracks of a trace are called, and in which process each is: of a host, of VMs, of replicas."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

import numpy as np

from simvirt.kernel import constants as k
from simvirt.lowering.arrange import INTERNAL, IO_SERVICE, Instance, Machine
from simvirt.lowering.lower import Lowered
from simvirt.plane import DataPlane
from simvirt.trace.writer import Track

PCPUS: Final = 10_001
REQUESTS: Final = 10_002
DEVICES: Final = 10_003
MEMORY: Final = 10_004
CONTROL: Final = 10_005
LIVES: Final = 10_006
MOVES: Final = 10_007
FIRST: Final = 10_010
"""Numbers of processes of a trace; those of VMs follow from `FIRST` on, and those of replicas after them.

Large ones, because viewers take the track that has the number of its process for something else.
"""
NIC_DIRECTIONS: Final = ("out", "in")
KINDS: Final = {k.BRANCH: "branch", k.BACKGROUND: "background", k.WORK: "performed work", k.WRITE_BACK: "write-back", k.ATTEMPT: "try"}
"""Name of a frame that is of no operation."""


class Names:
    """Processes, tracks and slices of one platform's run."""

    def __init__(self, plane: DataPlane) -> None:
        lowered = plane.lowered
        self.lowered: Lowered = lowered
        self.instances: list[Instance] = lowered.arrangement.instances
        self.machines: list[Machine] = lowered.arrangement.machines
        self.hosts = [host.site.named.name for host in lowered.arrangement.hosts]
        self.guests = {machine.row: self._guest(machine) for machine in self.machines if machine.vm is not None}
        self.first_instance = FIRST + len(self.machines)
        self.first_thread = int(plane.read("run", "first_thread")[0])
        self.first_vcpu = int(plane.read("run", "first_vcpu")[0])
        self.machine_of = plane.read("cpus", "machine").tolist()
        self.carries = plane.read("entities", "carries")[: self.first_thread].tolist()
        self.first_cpu = [0, *np.cumsum([machine.cpus for machine in self.machines]).tolist()]
        self.starts = [start for start, _ in lowered.places]
        self.threads: dict[int, tuple[int, int]] = {}  # entity: instance, number
        self.counted: dict[int, int] = {}  # instance: threads seen
        self.plane = plane

    def _guest(self, machine: Machine) -> str:
        """Name of a VM: of its only replica, else by its number."""
        if any(host.dom0 is machine for host in self.lowered.arrangement.hosts):
            return "domain 0"
        inside = [i for i in self.instances if i.machine == machine.row and i.service not in INTERNAL]
        return f"VM {self.replica(inside[0].row)}" if len(inside) == 1 else f"VM {machine.row}"

    def replica(self, instance: int) -> str:
        """Name of a replica, or of what else runs threads."""
        found = self.instances[instance]
        if found.service not in INTERNAL:
            return f"{found.service}-{found.replica}"
        if found.service == IO_SERVICE:
            return f"{self._device(found)} of {self.guests[found.replica]}"
        what = found.service.strip("()")
        return f"{what} of {self.guests[found.replica]}" if found.replica in self.guests else what

    def _device(self, backend: Instance) -> str:
        """What a backend serves: a VM's network, its disk, or both."""
        guest = self.machines[backend.replica]
        devices = {"network": guest.net, "disk": guest.disk}
        served = [name for name, device in devices.items() if device is not None and device.backend is backend]
        return " and ".join([*served, "I/O"]).replace(" and I/O", " I/O")

    def process(self, number: int) -> str:
        """Name of a process."""
        fixed = {
            PCPUS: "pCPUs", REQUESTS: "requests", DEVICES: "devices", MEMORY: "memory", CONTROL: "control plane", LIVES: "instances",
            MOVES: "moves of VMs",
        }
        if number in fixed:
            return fixed[number]
        if number < self.first_instance:
            return f"vCPUs of {self.guests[number - FIRST]}"
        return f"threads of {self.replica(number - self.first_instance)}"

    def cpu(self, c: int) -> Track:
        """The track of a pCPU or vCPU."""
        machine = self.machine_of[c]
        number = c - self.first_cpu[machine]
        if machine not in self.guests:
            of = f"{self.hosts[self.machines[machine].host]} " if len(self.hosts) > 1 else ""
            return Track(PCPUS, c + 1, f"{of}pCPU {number}")
        return Track(FIRST + machine, number + 1, f"vCPU {number}")

    def device(self, host: int, name: str) -> str:
        """Name of a device of a host: `disk`, of one of several hosts `node[0] disk`."""
        return f"{self.hosts[host]} {name}" if len(self.hosts) > 1 else name

    def shared(self, machine: int) -> str:
        """Name of the counter of CPUs that a machine's threads share out: of a host among several by its name, of a VM by its number."""
        name = "CPUs shared out"
        if machine not in self.guests:
            return self.device(self.machines[machine].host, name)
        return f"{name} {machine + 1}"

    def link(self, row: int) -> str:
        """Name of a direction of a link: of a host's NIC, or of a link of the network by its ends."""
        host, direction = divmod(row, len(NIC_DIRECTIONS))
        if host < len(self.hosts):
            return self.device(host, f"NIC {NIC_DIRECTIONS[direction]}")
        link = self.lowered.topology.links[row]
        return f"{link.source} > {link.to}"

    def thread(self, entity: int) -> Track:
        """The track of a thread; threads of a replica are numbered as they are seen."""
        instance, number = self._numbered(entity)
        return Track(self.first_instance + instance, number, f"thread {number}")

    def _numbered(self, entity: int) -> tuple[int, int]:
        if entity not in self.threads:
            instance = int(self.plane.columns["entities"]["instance"][entity])
            self.counted[instance] = self.counted.get(instance, 0) + 1
            self.threads[entity] = instance, self.counted[instance]
        return self.threads[entity]

    def runs(self, entity: int) -> tuple[str, str]:
        """Who has a CPU: a vCPU of a VM, or a replica and a thread of it."""
        if entity < self.first_thread:
            v = self.carries[entity]
            return self.guests[self.machine_of[v]], f"vCPU {v - self.first_cpu[self.machine_of[v]]}"
        instance, number = self._numbered(entity)
        return self.replica(instance), f"thread {number}"

    def call(self, kind: int, instance: int, pc: int, category: int) -> str:
        """What a frame does: an operation, or what its kind says."""
        if kind == k.REQUEST:
            return self.lowered.classes[category].operation
        if kind in KINDS:
            return KINDS[kind]
        name = self.lowered.places[bisect_right(self.starts, pc) - 1][1] if pc >= 0 else ""
        return name or (self.instances[instance].service.strip("()") if instance != k.NONE else "call")

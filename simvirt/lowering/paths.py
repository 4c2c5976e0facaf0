"""What a platform's network and disk paths add to a step, as instructions: work, kicks, latency, a backend's work, interrupts."""

import math
from collections.abc import Mapping, Set

from simvirt.catalog.entries.software import DeviceEntry
from simvirt.catalog.records import HostEntry, Platform, PlatformCosts
from simvirt.kernel import constants as k
from simvirt.lowering.instructions import Instruction
from simvirt.lowering.splitting import Split, split
from simvirt.scenario.spec.workload import CONNECTING

Rows = list[Instruction]
OUT, IN = 0, 1  # directions of the NIC: links of a host, by their roles
THREADS = ("vhost", "io-thread", "vmm", "dom0")
"""Backends that are threads."""


def has_thread(device: DeviceEntry) -> bool:
    """Whether a device has a backend that computes."""
    return device.backend in THREADS


class Routes:
    """Which path a message between two services takes.

    *Model*: where all replicas of both are in one VM, messages stay in it and meet only what containers add; else they pass the
        devices of their VMs.
    *Ignores*: replicas of two services that share one of several VMs: their messages pass its device.
    """

    def __init__(self, outer: "Paths", inner: "Paths", mounts: "Paths", machines: Mapping[str, Set[int]], guests: Set[int]) -> None:
        self.outer, self.inner, self.mounts, self.machines, self.guests = outer, inner, mounts, machines, guests

    def between(self, caller: str, callee: str) -> "Paths":
        """The path of a call and its answer."""
        places = self.machines[caller] | self.machines[callee]
        return self.inner if len(places) == 1 and places <= self.guests else self.outer


class Paths:
    """The paths of one platform; outside VMs they cost work and latency in the instance only."""

    def __init__(self, platform: Platform, costs: PlatformCosts, host: HostEntry) -> None:
        vm = platform.hypervisors[-1] if platform.hypervisors else None
        self.costs, self.host = costs, host
        self.net = vm.net if vm is not None else None
        self.disk = vm.disk if vm is not None else None
        self.guest = vm.guest if vm is not None else None

    def of(self, service: str) -> "Paths":
        """The path to the replicas of a service."""
        return self

    @property
    def hop(self) -> float:
        """Time that the platform adds to the way from and to a client [ns]."""
        return self.costs.latency_ns["packet_in"] + self.costs.latency_ns["packet_out"]

    # --- network -------------------------------------------------------------------------------------------------------

    def arrive(self, rows: Rows, answers: bool) -> None:
        """A request comes in; the wake-up for its answer is decided with its own, its work too where the answer is a message of its own."""
        self.passage(rows, received=1, wake=self.wake("packet_in", "packet_out"))
        self.take(rows, 1)
        self.extra_work(rows, self.costs.cpu_ns["packet_out"] * answers)

    def connect(self, rows: Rows) -> None:
        """A client opens a connection before its request and closes it after the answer.

        *Model*: three more packets each way (RFC 9293, figures 6 and 12), of which the first two are waited for, and the host's work.
        """
        self.passage(rows, received=CONNECTING, sent=CONNECTING, wake=self.wake("packet_in", "packet_out"))
        self.take(rows, CONNECTING)
        self.extra_work(rows, CONNECTING * self.costs.cpu_ns["packet_out"])
        self.set_up(rows)

    def set_up(self, rows: Rows) -> None:
        """What a kernel computes for a connection on any platform."""
        rows.append(Instruction(k.OP_CPU, amount=self.host.connection_ns, own=self.host.connection_ns))

    def depart(self, rows: Rows) -> None:
        """The answer goes out; what it costs the instance is paid when the request comes in."""
        self.passage(rows, sent=1)

    def leave_for(self, rows: Rows) -> None:
        """A request goes to another service: its hop, and that of the answer."""
        self.extra_work(rows, self.costs.cpu_ns["packet_out"])
        hops, wake = 2 * self.costs.latency_ns["call_hop"], self.wake("packet_out", "packet_in")
        if self.net is None:
            self.pause(rows, hops, k.NETWORK)
        else:
            self.passage(rows, sent=1, answers=1, latency=hops, wake=wake)

    def come_back(self, rows: Rows) -> None:
        """The answer of another service comes in."""
        self.take(rows, 1)

    def leave_with(self, rows: Rows, out: int, back: int, behind: bool = False) -> None:
        """A request with so many bytes goes to a server elsewhere, and an answer will come: the work of sending, both hops.

        `behind`: nobody computes for it in the instance, as a worker of its kernel sends it.
        """
        costs, sent, received = self.costs, self.segments(out), self.segments(back)
        told, tells = (self.host.nic.acknowledgements(size) for size in (out, back))
        if not behind:
            self.extra_work(rows, (sent + tells) * costs.cpu_ns["packet_out"] + out / 1024 * costs.cpu_ns["kib_out"])
        hops, wake = 2 * costs.latency_ns["call_hop"], self.wake("packet_out", "packet_in")
        work = out / 1024 * costs.host_cpu_ns["kib_out"] + back / 1024 * costs.host_cpu_ns["kib_in"]
        if self.net is None:
            self.pause(rows, hops, k.NETWORK)
        else:
            self.passage(rows, sent=sent + tells, answers=received + told, latency=hops, wake=wake, work=work)

    def take_answer(self, rows: Rows, out: int, back: int) -> None:
        """The answer of a server elsewhere comes in, and what acknowledges the request."""
        self.take(rows, self.host.nic.acknowledgements(out) + self.segments(back), back)

    def transfer(self, rows: Rows, out: int, in_: int) -> None:
        """Payload crosses the NIC, segment by segment.

        One kick for all that go out, for the backend does not fall asleep in between; how many interrupts those take that come in
        follows from the time that they take and from moderation. Nobody waits for acknowledgements, which the other side sends.
        """
        costs, sent, received = self.costs, self.segments(out), self.segments(in_)
        told, tells = (self.host.nic.acknowledgements(size) for size in (out, in_))
        self.extra_work(rows, (sent + tells) * costs.cpu_ns["packet_out"] + out / 1024 * costs.cpu_ns["kib_out"])
        self.passage(rows, sent=sent, answers=told, work=out / 1024 * costs.host_cpu_ns["kib_out"])
        self.carry(rows, OUT, out)
        if told:
            self.take(rows, told)
        self.passage(rows, received=received, sent=tells, work=in_ / 1024 * costs.host_cpu_ns["kib_in"])
        self.carry(rows, IN, in_)
        self.take(rows, received, in_)

    def carry(self, rows: Rows, link: int, amount: int) -> None:
        """Bytes on a link of the NIC."""
        if amount > 0:
            rows.append(Instruction(k.OP_NET, target=link, amount=self.on_wire(amount)))

    def on_wire(self, amount: int) -> float:
        """Bytes that a payload takes on the wire."""
        return self.host.nic.wire_bytes(amount)

    def message(self) -> float:
        """Bytes that a call or its answer takes on the wire: a frame."""
        return self.on_wire(1)

    def segments(self, size: int) -> int:
        """Packets of a payload."""
        return math.ceil(size / self.host.nic.segment)

    @property
    def poll(self) -> float:
        """How long the instance's kernel handles a packet that has come in, from the device to its socket [ns]."""
        return self.host.receive_ns + self.costs.cpu_ns["packet_in"]

    def spared_for(self, n: int, work: float) -> float:
        """Time after an interrupt in which another is not needed, where n packets take a work beyond that of plain ones [ns]."""
        moderation = 0.0 if self.net is None else self.net.moderation or 0.0
        return max(moderation, self.costs.interrupt_ns["packet_in"] + self.poll + work / n)

    def moderated(self, n: int, size: int) -> int:
        """Interrupts of n segments that come in a row at the speed of the NIC."""
        work = size / 1024 * self.costs.cpu_ns["kib_in"]
        return min(n, 1 + int(size * 8e9 / self.host.nic.bandwidth / self.spared_for(n, work))) if n else 0

    def wake(self, *operations: str) -> float:
        """Latency until a sleeping backend runs [ns]."""
        return math.fsum(self.costs.wake_ns[op] for op in operations)

    def passage(
        self, rows: Rows, *, sent: int = 0, received: int = 0, answers: int = 0, latency: float = 0.0, wake: float = 0.0, work: float = 0.0
    ) -> None:
        """Packets go through the backend of the network path: one kick for those sent, one for the buffers of those received."""
        if self.net is None or sent + received + answers == 0:
            return
        costs = self.costs
        out, back = costs.host_cpu_ns["packet_out"], costs.host_cpu_ns["packet_in"]
        kick, notify = (part["packet_out"] * (sent > 0) + part["packet_in"] * (received > 0) for part in (costs.kick_ns, costs.notify_ns))
        completed = costs.interrupt_ns["packet_out"]
        row = Instruction(k.OP_IO, target=k.NET, flag=k.NETWORK, amount=latency, wake=wake, operations=sent)
        row.work = work + sent * out + (received + answers) * back if has_thread(self.net) else 0.0
        row.kicks, row.kick, row.notify, row.irqs = int(kick + notify > 0), kick, notify, int(received > 0)
        row.host_wake = costs.host_wake_ns["packet_out"] * (sent > 0) + costs.host_wake_ns["packet_in"] * (received + answers > 0)
        rows.append(row)
        if sent and completed + costs.host_interrupt_ns["packet_out"] > 0:
            rows.append(self.interrupts(k.NET, 1, completed, costs.host_interrupt_ns["packet_out"]))

    def take(self, rows: Rows, packets: int, size: int = 0) -> None:
        """Packets received, which interrupt the instance; its kernel handles them then, outside VMs when the instance computes next."""
        costs, due = self.costs, self.moderated(packets, size) if size else packets
        received = packets * costs.cpu_ns["packet_in"] + size / 1024 * costs.cpu_ns["kib_in"]
        if self.net is None:
            self.extra_work(rows, received)
        elif packets:
            rows.append(self.interrupts(k.NET, due, costs.interrupt_ns["packet_in"], costs.host_interrupt_ns["packet_in"]))
            rows[-1].operations, rows[-1].received = packets, received

    def interrupts(self, device: int, due: int, work: float, raising: float) -> Instruction:
        """Interrupts of a device, where they cost anything."""
        row = Instruction(k.OP_BELL, target=device, interrupts=due if work + raising > 0 else 0, interrupt=work)
        row.host_interrupt = raising if self.has_thread(device) else 0.0
        return row

    def has_thread(self, device: int) -> bool:
        """Whether the path to the network or the disk has a backend that computes."""
        entry = self.net if device == k.NET else self.disk
        return entry is not None and has_thread(entry)

    # --- disk ----------------------------------------------------------------------------------------------------------

    @property
    def caches_writes(self) -> bool:
        """Whether the host's page cache takes the writes of the VM."""
        return self.disk is not None and self.disk.cache in ("writeback", "unsafe")

    @property
    def writes_back(self) -> bool:
        """Whether a flush of the VM has the host write what the VM wrote before."""
        return self.disk is not None and self.disk.cache == "writeback"

    @property
    def flushes(self) -> bool:
        """Whether a flush of the VM reaches the drive."""
        return self.disk is None or self.disk.cache != "unsafe"

    @property
    def caches_reads(self) -> bool:
        """Whether the host's page cache has what the VM reads."""
        return self.disk is not None and self.disk.cache != "none"

    @property
    def writes_through(self) -> bool:
        """Whether each write of the VM waits until it is durable."""
        return self.disk is not None and self.disk.cache == "writethrough"

    def split(self, size: int, write: bool) -> Split:
        """What a request of a guest to its disk becomes."""
        return split(self.disk, self.guest, size, write)

    def use_disk(
        self, rows: Rows, operations: list[str], payload: str, size: int, access: Instruction, waited: bool,
        found: Instruction | None = None,
    ) -> Rows:
        """A request to the disk; the instructions of its write-back, where the path makes that more than an access nobody waits for.

        `found`: what leaves the access out where a cache of the host has the data of a path that leads to files.
        """
        kib, costs, parts = size / 1024, self.costs, self.split(size, "disk_write" in operations)
        repeated = (parts.requests - 1) * costs.cpu_ns[operations[0]]
        self.extra_work(rows, math.fsum(costs.cpu_ns[op] for op in operations) + repeated + kib * costs.cpu_ns[payload])
        latency = math.fsum(costs.latency_ns[op] for op in operations)
        if self.disk is None:
            self.pause(rows, latency, k.DISK)
            rows.extend(_unless(found, access, len(rows)))
            return []
        work = kib * costs.backend_ns(payload) + self.repeated(operations[0], parts)
        interrupted = 1 if self.disk.suppresses else parts.requests
        asked, done = self.request(self.disk, operations, work, latency), self.completion(operations, interrupted)
        if self.disk.serial:
            asked.held, asked.found = access, found
            path = [asked, done]
        else:
            path = [asked, *_unless(found, access, len(rows) + 1), done]
        if waited or not (latency or asked.wake or asked.work or asked.held or done.owes):
            rows.extend(path)
            return []
        access.flag = 1
        return [*path, Instruction(k.OP_RETURN)]

    def repeated(self, operation: str, parts: Split) -> float:
        """Work of the backend for all requests but the first that one was split into; at the drive, for those that wait for it again."""
        return (parts.requests - 1) * self.costs.host_cpu_ns[operation] + (len(parts.waits) - 1) * self.costs.drive_ns[operation]

    def request(self, device: DeviceEntry, operations: list[str], work: float, latency: float) -> Instruction:
        """The way of a request to the disk's backend."""
        costs, n = self.costs, len(operations)
        row = Instruction(k.OP_IO, target=k.BLOCK, flag=k.DISK, amount=latency, wake=self.wake(*operations), operations=n)
        row.work = math.fsum(costs.backend_ns(op) for op in operations) + work if has_thread(device) else 0.0
        row.kick, row.notify = (math.fsum(part[op] for op in operations) / n for part in (costs.kick_ns, costs.notify_ns))
        row.kicks = n if row.kick + row.notify > 0 else 0
        row.host_wake = math.fsum(costs.host_wake_ns[op] for op in operations)
        return row

    def completion(self, operations: list[str], requests: int) -> Instruction:
        """The interrupts of a request to the disk, so many for what was split."""
        every = [*operations[:1] * requests, *operations[1:]]
        n = len(every)
        work, raising = (math.fsum(part[op] for op in every) / n for part in (self.costs.interrupt_ns, self.costs.host_interrupt_ns))
        return self.interrupts(k.BLOCK, n, work, raising)

    # --- both ----------------------------------------------------------------------------------------------------------

    def extra_work(self, rows: Rows, work: float) -> None:
        """CPU work that exists because of the platform."""
        if work > 0:
            rows.append(Instruction(k.OP_CPU, fixed=work, added=True))

    def pause(self, rows: Rows, time: float, state: int) -> None:
        """Time that passes without CPU."""
        if time > 0:
            rows.append(Instruction(k.OP_DELAY, amount=time, flag=state))


def _unless(found: Instruction | None, access: Instruction, at: int) -> Rows:
    """An access, left out where it is found elsewhere, from place `at` of a body on."""
    if found is None:
        return [access]
    found.target = at + 2
    return [found, access]

"""What the network path of a container adds to a step: work of the instance, of receive softirqs, of a stack in user space or a proxy."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Final

from simvirt.catalog.entries.software import NETWORK_THREADS, DeviceEntry, Direction, Frames, Tracking
from simvirt.catalog.records import HostEntry, Platform, PlatformCosts, work_ns
from simvirt.kernel import constants as k
from simvirt.lowering.instructions import Instruction, taking
from simvirt.lowering.paths import IN, OUT, Paths, Rows
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.steps import NetStep
from simvirt.scenario.spec.workload import CONNECTING
from simvirt.scenario.walk import walk

CONNTRACK: Final = "nf_conntrack_lock"
"""The lock of a kernel under which connections are entered in its table. Source: Linux before 3.15, net/netfilter/nf_conntrack_core.c."""
SPINNING: Final = 1e9
"""For how long a spin lock of the kernel is waited for before anything else is done [ns]: for ever, as such holds go."""
FRAMES_AN_ACK = 2
"""Frames that a receiver acknowledges together where nothing joins them. Source: RFC 5681, section 4.2."""


def network_path(platform: Platform) -> DeviceEntry | None:
    """The network path of the containers of a platform; None on bare metal and in VMs, whose devices are their own."""
    return platform.runtimes[-1].net if platform.runtimes and not platform.hypervisors else None


def locks_connections(scenario: Scenario, platform: Platform) -> bool:
    """Whether new connections are entered under a lock of the kernel."""
    path = network_path(platform)
    tracking = path.tracking if path is not None else None
    return tracking is not None and tracking.locked is not None and opens_connections(scenario)


def opens_connections(scenario: Scenario) -> bool:
    """Whether each request of some client comes over a connection of its own."""
    return any(view.workload is not None and view.workload.connection == "new" for view in scenario.alone.values())


def has_network_threads(scenario: Scenario, platform: Platform, host: HostEntry) -> bool:
    """Whether something that passes the network of processes or containers is handled by threads beside their own."""
    if platform.hypervisors or host.nic.queues is not None:
        return not platform.hypervisors
    path = network_path(platform)
    if path is None or path.backend not in NETWORK_THREADS:
        return False
    return any(cost.host_cpu is not None for cost in path.costs.values()) or receives_frames(scenario, host)


def received_beside(scenario: Scenario, platform: Platform, host: HostEntry) -> frozenset[str]:
    """Services whose lone packets another CPU receives while their workers compute: fewer workers than CPUs, not limited below them."""
    path = network_path(platform)
    if path is None or path.backend != "softirq" or host.nic.queues is not None or path.costs["packet_in"].cpu is None:
        return frozenset()
    if scenario.loaded and all(view.workload is not None and view.workload.local for view in scenario.alone.values()):
        return frozenset()
    few = {name: count for name, service in scenario.services.items() if isinstance(count := service.workers, int) and count < host.pcpus}
    return frozenset(name for name, count in few.items() if (scenario.services[name].cpu_limit or count) >= count)


def receives_frames(scenario: Scenario, host: HostEntry) -> bool:
    """Whether a step receives more than a frame over the network."""
    steps = (visit.step for service in scenario.services.values() for operation in service.operations.values() for visit in walk(operation))
    return any(isinstance(step, NetStep) and host.nic.frames(step.net.in_) > 1 for step in steps)


@dataclass(frozen=True)
class Shared:
    """Work [ns]: of the instance, of the threads of its path, and that of those threads which a host without the path would do too."""

    instance: float = 0.0
    threads: float = 0.0
    host: float = 0.0

    def __add__(self, other: Shared) -> Shared:
        return Shared(self.instance + other.instance, self.threads + other.threads, self.host + other.host)

    def __mul__(self, times: int) -> Shared:
        return Shared(self.instance * times, self.threads * times, self.host * times)


class ContainerPaths(Paths):
    """The network path of processes and containers on a host's own kernel.

    *Model*: a lone packet is received in the time of the thread that it is for, unless its path has threads of its own or the NIC has
        few receive queues; where a service has fewer workers than the host has CPUs, another CPU receives it while they compute. A payload
        of several frames is received by softirqs, and what a path in user space does is done by its threads.
        A payload is as many packets as segments, each of which its receiver acknowledges; in directions in which segmentation or
        aggregation is lost, as frames, of which it acknowledges every second one. Headers of the path take their bytes on the
        wire and out of each frame.
    *Ignores*: batches of a poll, and that few frames are joined where many flows share a queue; retransmission after a ring overflows.
    *Source*: Linux net/core/dev.c (netif_rx, backlog of a CPU), Documentation/networking/scaling.rst, net/ipv4/udp_offload.c.
    """

    def __init__(
        self, platform: Platform, costs: PlatformCosts, host: HostEntry, threads: bool, lock: int,
        beside: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(platform, costs, host)
        path = network_path(platform)
        self.tracking = path.tracking if path is not None else None
        self.frames = path.frames if path is not None and path.frames is not None else Frames()
        self.in_kernel = path is None or path.backend not in ("netstack", "proxy")
        self.threads, self.lock = threads, lock
        self.queued = host.nic.queues is not None
        self.beside, self.service = beside, ""

    def of(self, service: str) -> ContainerPaths:
        """The path to the replicas of a service."""
        found = copy(self)
        found.service = service
        return found

    # --- what passes ---------------------------------------------------------------------------------------------------

    def arrive(self, rows: Rows, answers: bool) -> None:
        """A request comes in, and what its answer costs the instance is paid."""
        taken, sent = self.packet("in"), self.packet("out")
        self.visit(rows, taken, "packet_in")
        if self.service in self.beside and taken.instance > 0:
            rows.append(Instruction(k.OP_BELL, target=k.NET, received=taken.instance))
            taken = Shared()
        self.extra_work(rows, taken.instance + sent.instance * answers)

    def connect(self, rows: Rows) -> None:
        """A client opens a connection before its request and closes it after the answer."""
        packets = (self.packet("in") + self.packet("out")) * CONNECTING
        self.visit(rows, packets, "packet_in")
        self.extra_work(rows, packets.instance)
        if self.tracking is not None:
            self.track(rows, self.tracking)
        self.set_up(rows)

    def track(self, rows: Rows, tracking: Tracking) -> None:
        """The work of the path for a connection, the part of it first that is done under a lock of the kernel."""
        locked = work_ns(tracking.locked, self.host) if tracking.locked is not None else 0.0
        if locked > 0:
            rows += taking(self.lock, k.KERNEL_LOCK, SPINNING, self.host.thread_switch_ns, len(rows))
            rows += [Instruction(k.OP_CPU, fixed=locked), Instruction(k.OP_UNLOCK)]
        self.extra_work(rows, max(work_ns(tracking.work, self.host) - locked, 0.0))

    def depart(self, rows: Rows) -> None:
        """The answer goes out."""
        self.visit(rows, self.packet("out"), "packet_out")

    def leave_for(self, rows: Rows) -> None:
        """A request goes to another service: its hop, and that of the answer."""
        both = self.packet("out") + self.packet("in")
        self.extra_work(rows, both.instance)
        self.pause(rows, 2 * self.costs.latency_ns["call_hop"], k.NETWORK)
        self.visit(rows, both, "packet_in")

    def come_back(self, rows: Rows) -> None:
        """The answer of another service comes in; what it takes was paid with the request."""

    def transfer(self, rows: Rows, out: int, in_: int) -> None:
        """Payload crosses the NIC: what is sent in the time of its thread, what is received by those that receive."""
        sent, taken = self.payload("out", out), self.payload("in", in_)
        if self.threads and self.host.nic.frames(in_) > 1:
            taken = Shared(0.0, taken.threads + taken.instance, taken.host)
        self.extra_work(rows, sent.instance + taken.instance)
        self.visit(rows, sent, "packet_out")
        self.carry(rows, OUT, out)
        self.carry(rows, IN, in_)
        self.visit(rows, taken, "packet_in")

    def on_wire(self, amount: int) -> float:
        """Bytes that a payload takes on the wire, the headers of the path among them."""
        return self.host.nic.wire_bytes(amount, *self.framing)

    def visit(self, rows: Rows, shared: Shared, operation: str) -> None:
        """The threads of the path work; where they sleep they are woken first."""
        if self.threads and shared.threads + shared.host > 0:
            row = Instruction(k.OP_IO, target=k.NET, flag=k.NETWORK, wake=self.costs.wake_ns[operation], operations=1)
            row.work, row.own = shared.threads, shared.host
            rows.append(row)

    # --- what it costs -------------------------------------------------------------------------------------------------

    def packet(self, direction: Direction) -> Shared:
        """Work of a packet."""
        operation = f"packet_{direction}"
        own, threads = self.costs.cpu_ns[operation], self.costs.host_cpu_ns[operation]
        if self.queued and direction == "in":
            return Shared(0.0, own + threads, self.host.receive_ns)
        return Shared(own, threads)

    def payload(self, direction: Direction, size: int) -> Shared:
        """Work of a payload."""
        if size == 0:
            return Shared()
        frames, kib = self.host.nic.frames(size, *self.framing), size / 1024
        loses, other = self.loses(direction), self.packet("out" if direction == "in" else "in")
        packets = self.packet(direction) * (frames if loses else self.segments(size))
        packets += other * (frames // FRAMES_AN_ACK if loses else self.host.nic.acknowledgements(size))
        rest = kib * self.costs.cpu_ns[f"kib_{direction}"] + frames * self.frame_ns(direction)
        return packets + Shared(rest, kib * self.costs.host_cpu_ns[f"kib_{direction}"])

    @property
    def framing(self) -> tuple[float, float | None]:
        """Bytes that the path adds to each frame, and its own MTU."""
        return self.frames.headers or 0.0, self.frames.mtu

    def loses(self, direction: Direction) -> bool:
        """Whether frames of a direction are handled one by one."""
        tunnel = direction in self.frames.tunnel and not self.host.nic.tunnels
        return self.host.whole_frames or direction in self.frames.lost or tunnel

    def frame_ns(self, direction: Direction) -> float:
        """Work for each frame beyond that of packets [ns]: of the kernel's whole stack, or of joining and cutting frames."""
        if self.in_kernel and self.loses(direction):
            return self.host.receive_ns
        cut = self.frames.frame_in if direction == "in" else None if self.host.nic.tunnels else self.frames.frame_out
        return work_ns(cut, self.host) if cut is not None else 0.0

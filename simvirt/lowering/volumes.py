"""Steps that use a volume elsewhere: what the client computes, the request and its answer on the network, what servers do.

*Model*: the kernel that runs a service (the host's for containers, the guest's in a VM) is the client; servers run on their hosts' own
    kernels, or in the domain that owns the devices there. A read that the client's page cache has not goes to the server and its disk.
    A write that is waited for is answered when the server's disk has it, after a flush where that is asked for; where a driver
    replicates, its first server writes on its own disk and sends to the others at once, and answers after the last. What is
    not waited for is gathered by the client into the largest requests, so that a write of b bytes sends one of B with probability b / B.
*Ignores*: operations on files (they stay local), close-to-open revalidation, read-ahead, locks, caches of servers for reads, multipath,
    recovery of replicas, memory of servers, that servers of one host share its file system's journal.
*Source*: RFC 8881, section 10.3; RFC 7143; Weil et al., Ceph, OSDI 2006, section 5; Linux fs/nfs/write.c (a write that goes out alone is
    sent as FILE_SYNC), fs/nfs/direct.c.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.entries.volumes import SideSpec, VolumeDriverEntry
from simvirt.catalog.records import HostEntry
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import STORAGE_SERVICE, Arrangement, Instance, Place
from simvirt.lowering.disk_steps import DiskSteps
from simvirt.lowering.instructions import Instruction
from simvirt.lowering.paths import Routes
from simvirt.lowering.splitting import Split
from simvirt.lowering.text import Written
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.network import named
from simvirt.scenario.spec.steps import DiskSpec
from simvirt.scenario.spec.volumes import LOCAL
from simvirt.workload.draws import CHANCE, CHOICE, Variables

REPLICAS: Final = 3
"""Hosts that have each piece of a volume where nothing else is said; Ceph's osd_pool_default_size."""
Rows = list[Instruction]


@dataclass(frozen=True)
class Volume:
    """A volume with its driver and its servers, whose rows follow each other."""

    driver: VolumeDriverEntry
    servers: tuple[Instance, ...]
    replicas: int

    @property
    def first(self) -> int:
        """Row of its first server."""
        return self.servers[0].row

    def requests(self, size: int) -> int:
        """Requests that data is divided into."""
        return max(math.ceil(size / self.driver.request), 1)


def add_servers(plan: Arrangement, scenario: Scenario, catalog: Catalog) -> dict[str, Volume]:
    """Let hosts serve the volumes that lie elsewhere; those volumes by name."""
    rows = {host.site.named.name: host.row for host in plan.hosts}
    found = {}
    for name, spec in scenario.volumes.items():
        hosts = [rows[host] for end in spec.host for host in named(end, rows)]
        if spec.driver != LOCAL and hosts:
            driver = catalog.typed("volume_drivers", spec.driver, VolumeDriverEntry)
            servers = tuple(_add_server(plan, host, driver, number) for number, host in enumerate(hosts))
            found[name] = Volume(driver, servers, min(spec.replicas or REPLICAS, len(hosts)) if driver.replicates else 1)
    return found


def _add_server(plan: Arrangement, row: int, driver: VolumeDriverEntry, number: int) -> Instance:
    """What serves a volume on a host: threads of its own kernel, or of the domain that owns its devices.

    Those of a server that replicates turn to other requests while they wait, or servers that wait for each other would wait for ever.
    """
    host = plan.hosts[row]
    place = Place(host.machine if host.dom0 is None else host.dom0.row)
    threads = "unlimited" if driver.threads is None else int(driver.threads)
    return plan.add_instance(STORAGE_SERVICE, number, place, threads, loops=driver.replicates and driver.threads is not None)


def work_ns(side: SideSpec, operation: str, requests: int, size: int, host: HostEntry) -> float:
    """What a side computes for data that goes in so many requests [ns]."""
    cycles = requests * float(getattr(side, operation) or 0.0) + size * float(side.byte)
    return cycles / host.speed * 1e9


class VolumeSteps(DiskSteps):
    """Writes what volumes elsewhere do for steps on one kind of host."""

    scenario: Scenario
    routes: Routes
    volumes: dict[str, Volume]
    for_each_kind: Callable[[Callable[[VolumeSteps], int], Variables], list[Written]]
    chained: Callable[[list[Written], Variables], list[int]]

    def disk_or_volume(self, rows: Rows, service: str, disk: DiskSpec, variables: Variables) -> None:
        """A step on the disk of the host, or on a volume of the service."""
        mounted = self.scenario.services[service].volumes
        name = disk.volume or (mounted[0] if mounted else None)
        if name not in self.volumes:
            self.disk(rows, service, disk, variables)
            return
        skip = self.page_cache(service, disk, variables)
        if skip is not None:
            rows.append(skip)
        self._use(rows, service, disk, self.volumes[name], variables)
        if skip is not None:
            skip.target = len(rows)

    def _use(self, rows: Rows, service: str, disk: DiskSpec, volume: Volume, variables: Variables) -> None:
        """A read, or a write that is waited for or not, with what the container's own software does for it."""
        operation = "read" if disk.read is not None else "write"
        own, kib = self.routes.inner.costs, disk.size / 1024
        self.paths.extra_work(rows, own.cpu_ns[f"disk_{operation}"] + kib * own.cpu_ns["kib_read" if disk.read else "kib_written"])
        self.paths.pause(rows, own.latency_ns[f"disk_{operation}"], k.DISK)
        if disk.read is not None or disk.sync or disk.direct:
            self._exchange(rows, service, disk, volume, operation, variables)
        else:
            self._leave_behind(rows, service, disk, volume, variables)
        if disk.sync and volume.driver.durable == "asked":
            self._exchange(rows, service, disk, volume, "flush", variables)

    def _exchange(self, rows: Rows, service: str, disk: DiskSpec, volume: Volume, operation: str, variables: Variables) -> None:
        """One request and its answer, which the thread waits for."""
        driver, size = volume.driver, 0 if operation == "flush" else disk.size
        requests = volume.requests(size)
        computed = work_ns(driver.client, operation, requests, size, self.host)
        rows.append(Instruction(k.OP_CPU, amount=computed, own=computed))
        headers = requests * driver.headers
        out, back = (headers, headers + size) if operation == "read" else (headers + size, headers)
        durable = driver.durable != "asked" and operation == "write"
        body = self._served(service, disk, volume, operation, size, durable, variables)
        self.routes.mounts.leave_with(rows, out, back)
        rows.append(self._asking(volume, body, out, back, variables))
        self.routes.mounts.take_answer(rows, out, back)

    def _leave_behind(self, rows: Rows, service: str, disk: DiskSpec, volume: Volume, variables: Variables) -> None:
        """What the client's page cache takes and gathers: a part of a largest request, which nobody waits for."""
        driver = volume.driver
        whole, rest = divmod(disk.size, driver.request)
        computed = work_ns(driver.client, "write", 0, disk.size, self.host)
        computed += disk.size / driver.request * work_ns(driver.client, "write", 1, 0, self.host)
        rows.append(Instruction(k.OP_CPU, amount=computed, own=computed))
        for _ in range(whole):
            self._send_behind(rows, service, disk, volume, variables)
        if rest:
            skip = Instruction(k.OP_SKIP, column=variables.column(family=CHANCE), amount=rest / driver.request, local=True)
            rows.append(skip)
            self._send_behind(rows, service, disk, volume, variables)
            skip.target = len(rows)

    def _send_behind(self, rows: Rows, service: str, disk: DiskSpec, volume: Volume, variables: Variables) -> None:
        """One largest request that nobody waits for."""
        driver = volume.driver
        body = self._served(service, disk, volume, "write", driver.request, driver.durable == "always", variables, behind=True)
        sent: Rows = []
        out = driver.request + driver.headers
        self.routes.mounts.leave_with(sent, out, driver.headers, behind=True)
        sent += [self._asking(volume, body, out, driver.headers, variables), Instruction(k.OP_RETURN)]
        rows.append(Instruction(k.OP_DETACH, entry=self.program.place(sent), flag=1))

    def _asking(self, volume: Volume, body: int, out: int, back: int, variables: Variables, after: int = 0) -> Instruction:
        """A request to a server: any of several, or the one so many after that which asks."""
        drawn = variables.column(family=CHOICE) if len(volume.servers) > 1 and not after else k.NONE
        there, here = self.host.nic.wire_bytes(out), self.host.nic.wire_bytes(back)
        return Instruction(
            k.OP_ASK, target=volume.first, entry=len(volume.servers), beyond=body, column=drawn, flag=after, amount=there, fixed=here)

    # --- servers -------------------------------------------------------------------------------------------------------

    def _served(
        self, service: str, disk: DiskSpec, volume: Volume, operation: str, size: int, durable: bool, variables: Variables,
        behind: bool = False,
    ) -> int:
        """What a server does on every kind of host; its first row on the first kind."""
        key = (id(variables), id(disk), service, operation, behind, variables.place())

        def write(writer: VolumeSteps) -> int:
            return writer._serve(service, disk, volume, operation, size, durable, variables, behind)

        if key not in self.text.calls:
            self.text.calls[key] = self.for_each_kind(write, variables)
        return self.chained(self.text.calls[key], variables)[0]

    def _serve(
        self, service: str, disk: DiskSpec, volume: Volume, operation: str, size: int, durable: bool, variables: Variables, behind: bool,
    ) -> int:
        """What a server on this kind of host does for a request: compute, and its disk; write to others where it replicates."""
        computed = work_ns(volume.driver.server, operation, volume.requests(size), size, self.host)
        rows = [Instruction(k.OP_CPU, amount=computed, own=computed)] if computed else []
        access = self._access(volume, operation, size, durable, behind, variables)
        others = volume.replicas - 1 if operation == "write" else 0
        if others and access is not None:
            self._replicate(rows, service, disk, volume, size, access, others, variables)
        elif access is not None:
            rows.append(access)
        return self.program.place([*rows, Instruction(k.OP_RETURN)])

    def _replicate(
        self, rows: Rows, service: str, disk: DiskSpec, volume: Volume, size: int, access: Instruction, others: int, variables: Variables,
    ) -> None:
        """Write on the own disk and to the next servers, all at once."""
        starts = [self.program.place([access, Instruction(k.OP_RETURN)])]
        for after in range(1, others + 1):
            body = self._copied(service, disk, volume, size, after, variables)
            asking = self._asking(volume, body, volume.driver.headers + size, volume.driver.headers, variables, after)
            starts.append(self.program.place([asking, Instruction(k.OP_RETURN)]))
        rows.append(Instruction(k.OP_FORK, target=len(self.program.branches), entry=len(starts)))
        self.program.branches += starts

    def _copied(self, service: str, disk: DiskSpec, volume: Volume, size: int, after: int, variables: Variables) -> int:
        """What the server of a further replica does on every kind of host; its first row on the first kind."""
        key = (id(variables), id(disk), service, "replica", after, variables.place())

        def write(writer: VolumeSteps) -> int:
            computed = work_ns(volume.driver.server, "write", volume.requests(size), size, writer.host)
            access = writer._access(volume, "write", size, True, False, variables)
            assert access is not None
            return writer.program.place([Instruction(k.OP_CPU, amount=computed, own=computed), access, Instruction(k.OP_RETURN)])

        if key not in self.text.calls:
            self.text.calls[key] = self.for_each_kind(write, variables)
        return self.chained(self.text.calls[key], variables)[0]

    def _access(
        self, volume: Volume, operation: str, size: int, durable: bool, behind: bool, variables: Variables,
    ) -> Instruction | None:
        """What the server's disk does: a read, a write, a write with a flush, a flush alone; or its page cache has it."""
        device = self.host.disk
        if operation == "flush":
            return Instruction(k.OP_DISK, fixed=float(device.flush_latency)) if device.flush_latency > 0 else None
        if behind and volume.driver.caches and not durable:
            return Instruction(k.OP_DISK, flag=1, ratio=float(size))
        write = operation == "write"
        flush = device.flush_latency if durable else 0.0
        parts = Split(1, (size,))
        row = self.waited_for(parts, write, flush)
        self.vary(row, parts, write, flush, variables)
        return row

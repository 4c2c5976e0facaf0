"""Steps that use the disk or files, as instructions."""

from __future__ import annotations

import math
from functools import partial

from simvirt.catalog.records import HostEntry
from simvirt.catalog.resolve.files import FileCosts, disk_accesses
from simvirt.kernel import constants as k
from simvirt.lowering.files import often, work_and_requests
from simvirt.lowering.instructions import Instruction, Program
from simvirt.lowering.paths import Paths
from simvirt.lowering.splitting import Split
from simvirt.lowering.text import Text
from simvirt.memory.caching import Beneath, Key
from simvirt.memory.working_set import data_set
from simvirt.scenario.spec.distributions import Lognormal
from simvirt.scenario.spec.files import FilesSpec
from simvirt.scenario.spec.steps import DiskSpec
from simvirt.workload.draws import ACCESS, CHANCE, FILES, Variables


class DiskSteps:
    """Writes what the disk, its page caches and files do for steps on one kind of host."""

    host: HostEntry
    paths: Paths
    file_costs: FileCosts
    text: Text
    program: Program

    def page_cache(self, service: str, disk: DiskSpec, variables: Variables) -> Instruction | None:
        """What leaves a read out where the page cache serves it: at a stated ratio, or as far as the cache holds the working set.

        Data that no operation reads, as a start-up may, is not in the cache.
        """
        asks = (service, data_set(disk)) if disk.working_set is not None else None
        if disk.read is None or (disk.hit == 0 and asks is None):
            return None
        row = Instruction(k.OP_SKIP, column=variables.column(family=CHANCE), amount=1.0 - disk.hit, local=True)
        return row if asks is None else self.asking(row, asks)

    def asking(self, row: Instruction, asks: Key | Beneath) -> Instruction:
        """An instruction that asks a page cache, whose ratio of hits is that of its host."""
        row.asked = self.text.asks.setdefault(asks, len(self.text.asks))
        return row

    def beneath(self, service: str, disk: DiskSpec, variables: Variables) -> Instruction | None:
        """What leaves the access to the drive out where the host's page cache has what a guest's has not."""
        if disk.working_set is None or not self.paths.caches_reads:
            return None
        asks = Beneath((service, data_set(disk)))
        return self.asking(Instruction(k.OP_SKIP, column=variables.column(family=CHANCE), local=True), asks)

    def disk(self, rows: list[Instruction], service: str, disk: DiskSpec, variables: Variables) -> None:
        """Read unless the page cache has it; write and wait for the device, perhaps for a flush, or leave it to write-back.

        Where the page cache is that of the host of a shared directory, what it has is asked for nevertheless.
        """
        skip = self.page_cache(service, disk, variables)
        kept = self.file_costs.keep_data
        if skip is not None and kept:
            rows.append(skip)
        if disk.read is not None:
            operations, payload = ["disk_read"], "kib_read"
        else:
            operations, payload = ["disk_write", "disk_flush"] if disk.sync else ["disk_write"], "kib_written"
        waited = disk.read is not None or disk.sync or disk.direct
        flushed = disk.sync and self.paths.flushes
        access = self.access(disk, waited and (disk.read is not None or flushed or not self.paths.caches_writes), variables)
        beneath = self.beneath(service, disk, variables) if kept else skip
        written_back = self.paths.use_disk(rows, operations, payload, disk.size, access, waited, beneath)
        if written_back:
            rows.append(Instruction(k.OP_DETACH, entry=self.program.place(written_back)))
        if skip is not None and kept:
            skip.target = len(rows)

    def files(self, rows: list[Instruction], service: str, spec: FilesSpec, variables: Variables) -> None:
        """Work and requests of operations on files, then what they read from the disk and write to it; of a share, as the host does it."""
        work, chance = self.file_costs.work(spec), partial(variables.column, family=FILES)
        work_and_requests(rows, work.own_ns, work.added_ns, work.served, chance)
        for count, fields in disk_accesses(work):
            disk = DiskSpec.model_validate(fields)

            def act(rows: list[Instruction], disk: DiskSpec = disk) -> None:
                if work.local:
                    self.disk(rows, service, disk, variables)
                else:
                    rows.append(self.access(disk, disk.read is not None or disk.sync, variables))

            often(rows, count, chance, act)

    def access(self, disk: DiskSpec, waited: bool, variables: Variables) -> Instruction:
        """What the drive does for a step: its latency varies where somebody waits for it."""
        device, write = self.host.disk, disk.read is None
        flush = device.flush_latency if (disk.sync and self.paths.flushes) or (write and self.paths.writes_through) else 0.0
        parts = self.paths.split(disk.size, write)
        row = self.waited_for(parts, write, flush)
        row.flag, row.ratio = int(not waited), float(disk.size)
        if disk.sync and self.paths.writes_back:
            row.flag = k.FLUSHES
        if waited:
            self.vary(row, parts, write, flush, variables)
        return row

    def vary(self, row: Instruction, parts: Split, write: bool, flush_ns: float, variables: Variables) -> None:
        """Let the latency of an access vary as the drive's does."""
        device, n = self.host.disk, len(parts.waits)
        if device.cv(write) > 0:
            latency = Lognormal.model_construct(mean=n * device.latency_ns(write), cv=device.cv(write) / math.sqrt(n))
            row.column = variables.column(latency, ACCESS)
            row.fixed = parts.longer_ns(device, write) + flush_ns - row.amount

    def plain_access(self, size: int, write: bool) -> Instruction:
        """What the drive does for a request that nothing splits."""
        return self.waited_for(Split(1, (size,)), write, 0.0)

    def waited_for(self, parts: Split, write: bool, flush_ns: float) -> Instruction:
        """What the drive does: its path for the size, then the rest of its latency."""
        device = self.host.disk
        passage = float(round(parts.passage_ns(device, write)))
        alone = float(round(len(parts.waits) * device.latency_ns(write) + parts.longer_ns(device, write) + flush_ns))
        return Instruction(k.OP_DISK, amount=passage, fixed=max(alone - passage, 0.0))

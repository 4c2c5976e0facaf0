"""Work that starts and manages instances, as instructions: compute, read, write, wait; how much of each is the performer's to say.

*Model*: reads come in pieces of the read-ahead window, one after another; writes are left to the page cache, or wait for the drive,
    whose cache is flushed once at their end. What is left of a whole number of pieces is one smaller piece. Behind a VM's disk each
    piece takes the way of a request of the guest.
    What a guest computes until it is ready was measured under hardware assistance: another technique makes it longer by what it adds
    to common software beyond that.
*Ignores*: that the drive reads ahead while what has come is worked on; the variation of single accesses, of which there are many.
*Source*: Linux mm/readahead.c, block/blk-settings.c (VM_READAHEAD_PAGES: 128 KiB).
"""

from __future__ import annotations

from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.images import GENERIC
from simvirt.catalog.records import HostEntry, Platform
from simvirt.catalog.resolve.layers import software_costs
from simvirt.kernel import constants as k
from simvirt.lowering.gathering import gathered
from simvirt.lowering.instructions import Instruction
from simvirt.lowering.program import NO_DEMAND, Writer
from simvirt.lowering.splitting import Split
from simvirt.workload.draws import Variables

PIECES: Final = (131072, 65536, 16384, 4096)
"""Sizes of accesses that are waited for [bytes]: of all but the last, and of that."""
GATHERED: Final = (2**20, 131072, 16384, 4096)
"""The same of writes that a page cache gathers before it writes them back. Source: Linux fs/fs-writeback.c, block/blk-settings.c."""
APART_NS: Final = 1.0
"""Time between two such writes of a guest: an event may start only so many accesses."""
ASSISTED: Final = "kvm"
"""The platform that stands for hardware assistance."""
NOTHING: Final = (0,) * len(PIECES)


def pieces(size: int, sizes: tuple[int, ...] = PIECES) -> tuple[int, ...]:
    """How many accesses of each of some sizes an amount takes [bytes]: whole ones, then the smallest that holds the rest."""
    if not size:
        return NOTHING
    whole, rest = divmod(size, sizes[0])
    counts = [whole, *(0 for _ in sizes[1:])]
    if rest:
        counts[max(at for at, piece in enumerate(sizes) if piece >= rest)] += 1
    return tuple(counts)


def amounts(cpu: float, read: int, write: int, sync: bool, wait: float, piece: int = 0, flushes: int = 0) -> tuple[float, ...]:
    """The draws of an errand of management: work and wait [ns], bytes to read, and to write in either way.

    Reads at random come in the largest of `PIECES` within `piece`; `flushes` are small writes that wait for a flush each.
    """
    left, waited = (NOTHING, pieces(write)) if sync else (pieces(write, GATHERED), NOTHING)
    return (cpu, *(scattered(read, piece) if piece else pieces(read)), *left, *waited, float(flushes + (sync and write > 0)), wait)


def scattered(size: int, piece: int) -> tuple[int, ...]:
    """How many accesses of each of `PIECES` an amount takes that is read at random [bytes], all of one size."""
    at = next((at for at, one in enumerate(PIECES) if one <= piece), len(PIECES) - 1)
    return tuple(-(-size // PIECES[at]) if at == place else 0 for place in range(len(PIECES)))


def native_work(writer: Writer, variables: Variables) -> int:
    """What an instance does whose disk is the host's; its first row."""
    return _work(writer, variables, False)


def guest_work(writer: Writer, variables: Variables, slower: float) -> int:
    """What an instance does behind the disk of a VM, in which CPU work takes so much of itself longer; its first row."""
    return _work(writer, variables, True, slower)


def beyond_assistance(catalog: Catalog, platform: Platform, host: HostEntry) -> float:
    """What a platform adds to each unit of common software's CPU work, beyond what hardware assistance adds to it."""
    profile = catalog.named_profile(GENERIC)

    def added(one: Platform) -> float:
        return software_costs(catalog.platform_costs(one, host), one, host, profile).added(list(profile.rates.items()))

    return max(added(platform) - added(catalog.named_platform(ASSISTED)), 0.0)


def _work(writer: Writer, variables: Variables, inside: bool, slower: float = 0.0) -> int:
    """All of it, each part as often as its draw says."""
    rows = [Instruction(k.OP_CPU, column=variables.column(NO_DEMAND), ratio=slower)]
    for write, waited in ((False, True), (True, False), (True, True)):
        for size in PIECES if waited else GATHERED:
            _repeated(rows, writer, variables, size, write, waited, inside)
    _flushed(rows, writer, variables, inside)
    rows += [Instruction(k.OP_DELAY, column=variables.column(NO_DEMAND), flag=k.DELAY), Instruction(k.OP_RETURN)]
    return writer.program.place(gathered(rows))


def _repeated(
    rows: list[Instruction], writer: Writer, variables: Variables, size: int, write: bool, waited: bool, inside: bool, flush: bool = False,
) -> None:
    """An access as often as a draw says."""
    repeat = Instruction(k.OP_REPEAT, column=variables.column(NO_DEMAND), local=True)
    rows.append(repeat)
    first = len(rows)
    _access(rows, writer, size, write, waited, inside, flush)
    rows.append(Instruction(k.OP_AGAIN, target=first, local=True))
    repeat.target = len(rows)


def _flushed(rows: list[Instruction], writer: Writer, variables: Variables, inside: bool) -> None:
    """A last small write that waits for a flush of the drive, as often as a draw says."""
    _repeated(rows, writer, variables, PIECES[-1], True, True, inside, True)


def _access(rows: list[Instruction], writer: Writer, size: int, write: bool, waited: bool, inside: bool, flush: bool) -> None:
    """An access to the drive, or a write that the page cache takes."""
    flush_ns = writer.host.disk.flush_latency if flush and (writer.paths.flushes or not inside) else 0.0
    if not inside:
        row = writer.waited_for(Split(1, (size,)), write, flush_ns)
        row.flag, row.ratio = int(not waited), float(size)
        rows.append(row)
        return
    access = writer.waited_for(writer.paths.split(size, write), write, flush_ns)
    access.flag, access.ratio = int(not waited), float(size)
    operations = ["disk_write" if write else "disk_read", *(["disk_flush"] if flush else [])]
    kept = writer.paths.use_disk(rows, operations, "kib_written" if write else "kib_read", size, access, waited)
    if kept:
        rows.append(Instruction(k.OP_DETACH, entry=writer.program.place(kept)))
        rows.append(Instruction(k.OP_DELAY, amount=APART_NS, flag=k.DELAY))

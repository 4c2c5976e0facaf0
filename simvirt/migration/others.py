"""The other ways to move a running guest: stop and copy, post-copy, checkpoint and restore.

*Model*: stop-and-copy sends everything while the guest stands still. Post-copy sends its registers and devices, and lets it run at the
    other side, to which its memory follows; a page that it touches before it has come is fetched over the network at once, while
    the touching vCPU waits. A checkpoint of a container is written to a disk, copied, and read again; all the time it is frozen.
*Ignores*: neighbours of a page that are fetched with it; pages that come by themselves in the order in which they are needed.
*Source*: M. Hines, K. Gopalan, Post-copy based live virtual machine migration using adaptive pre-paging and dynamic self-ballooning,
    VEE 2009; QEMU docs/devel/migration/postcopy; CRIU documentation (dump, restore, live migration).
"""

from __future__ import annotations

from dataclasses import dataclass

from simvirt.migration.writes import PAGE


@dataclass(frozen=True)
class PostCopy:
    """A post-copy migration [s]: until the guest runs at the other side, until all its memory is there; pages fetched, their waits."""

    downtime: float
    total: float
    faults: float
    waited: float


def stop_and_copy(size: float, bandwidth: float, handover: float = 0.0) -> float:
    """How long a guest stands still whose memory is sent at once [s]."""
    return size / bandwidth + handover


def missing(sent: float, size: float) -> float:
    """The share of a memory that has not come yet."""
    return max(1.0 - sent / size, 0.0) if size > 0 else 0.0


def fault_time(round_trip: float, bandwidth: float, handling: float) -> float:
    """How long a vCPU waits for a page from the other side [s]: the request, the page, what both kernels do about it."""
    return round_trip + PAGE / bandwidth + handling


def post_copy(size: float, state: float, touched: float, bandwidth: float, fault: float, handover: float = 0.0) -> PostCopy:
    """A post-copy migration of a memory, with a state of registers and devices [bytes], of a guest that touches pages [per second].

    While the memory comes at an even rate the share that is missing falls from one to nothing, half of it on average.
    """
    downtime, coming = state / bandwidth + handover, size / bandwidth
    faults = min(touched * coming / 2.0, size / PAGE)
    return PostCopy(downtime, downtime + coming, faults, faults * fault)


@dataclass(frozen=True)
class Checkpoint:
    """The parts of a checkpoint and restore [s]; the processes stand still through all of them."""

    freeze: float
    dump: float
    copy: float
    restore: float

    @property
    def downtime(self) -> float:
        """All of it."""
        return self.freeze + self.dump + self.copy + self.restore


def checkpoint(size: float, write: float, bandwidth: float, read: float, freeze: float = 0.0) -> Checkpoint:
    """A checkpoint of so many bytes, by what disks write and read, and the network carries, per second."""
    return Checkpoint(freeze, size / write, size / bandwidth, size / read)

"""How a guest splits a request to its disk that has more pieces of memory than its device takes at a time.

*Model*: a buffer lies in pieces of physical memory of the guest's `piece`, and a request of the device consists of at most
    `segments` of them; a larger one is split into several, which are sent together and waited for together. Each is work of the
    guest's block layer and of the backend. One kick and one interrupt serve all, but each has its interrupt where the device does
    not suppress them, for the backend keeps pace with the guest that sends them. Where the page cache of the host lies in between,
    what lies side by side is found, dirtied and read together (`kib_*`), and the first of several reads brings what it asks for;
    the second follows on it, whereupon the cache reads ahead: all that is left, at least a window; the others find their data
    there. Elsewhere the drive gets all of them side by side.
*Ignores*: how adjacent pieces happen to lie (32 requests and one were seen for the same size), merging of requests, that a queue
    holds only so many; the growth of the window over small requests.
*Source*: Linux drivers/block/virtio_blk.c, virtblk_probe: one segment without VIRTIO_BLK_F_SEG_MAX; block/blk-merge.c,
    bio_split_rw; mm/readahead.c, ondemand_readahead, get_init_ra_size (what follows on the last request and is larger than a quarter
    of the window reads a whole one), 128 KiB by default (include/linux/mm.h, VM_READAHEAD_PAGES).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simvirt.catalog.entries.hardware import DiskEntry
from simvirt.catalog.entries.software import DeviceEntry, GuestEntry

READ_AHEAD = 128 * 1024


@dataclass(frozen=True, slots=True)
class Split:
    """Requests that one of `size` bytes becomes; the sizes of those that its backend has to wait for at the drive, one after the other."""

    requests: int
    waits: tuple[int, ...]

    def passage_ns(self, drive: DiskEntry, write: bool) -> float:
        """Time for which they keep the drive's path from others."""
        together = self.requests if len(self.waits) == 1 else 1
        return max(math.fsum(drive.passage_ns(size, write) for size in self.waits), together * drive.passage_ns(0, write))

    def longer_ns(self, drive: DiskEntry, write: bool) -> float:
        """How much longer they take at the drive than as many of 4 KiB."""
        return math.fsum(drive.longer_ns(size, write) for size in self.waits)


def split(device: DeviceEntry | None, guest: GuestEntry | None, size: int, write: bool) -> Split:
    """What a request to the disk of a VM, or of a host where there is no device, becomes."""
    if device is None or device.segments is None or guest is None or guest.piece is None:
        return Split(1, (size,))
    requests = math.ceil(math.ceil(size / guest.piece) / device.segments)
    if requests == 1 or write or device.cache == "none":
        return Split(requests, (size,))
    first = math.ceil(size / requests)
    return Split(requests, (first, max(size - first, READ_AHEAD)))

"""The memory of a host and everything in it: sums over its boxes, its page caches, and the ledger of who holds what."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from simvirt.catalog.entries.capacity import ReclaimEntry
from simvirt.memory.boxes import Box, Census, Replica, census, follow_guest, image_files
from simvirt.memory.ledger import Ledger, settle
from simvirt.memory.working_set import Load


@dataclass(frozen=True, slots=True)
class PageCache:
    """A page cache, or `copies` that are alike: the replicas that read through it, and the bytes for data in it."""

    name: str
    readers: Census
    size: float
    copies: int = 1


@dataclass
class HostMemory:
    """The memory of a host [bytes]: `kernel` is reserved, `text` is of all monitors, `pool` for compressed pages.

    `fenced` says that limits of cgroups hold, `shares_files` that containers share file pages, on the host as in
    guests, `caches_disks` that its page cache holds what VMs read from their disks.
    """

    capacity: float
    kernel: float
    boxes: list[Box]
    costs: ReclaimEntry
    swap: float = 0.0
    pool: float = 0.0
    auto_balloon: bool = False
    fenced: bool = True
    shares_files: bool = True
    text: float = 0.0
    scanned: float = 0.0
    merging: bool = False
    swappiness: float = 0.0
    caches_disks: bool = False
    data: float = 0.0
    written: float = 0.0
    gone: float = 0.0  # swapped out or compressed, kept beside the boxes so that nobody has to add them up
    packed: float = 0.0

    @property
    def replicas(self) -> list[Replica]:
        """All replicas, box by box."""
        return [replica for box in self.boxes for replica in box.replicas]

    @property
    def on_host(self) -> Census:
        """Live replicas on the host's own kernel."""
        return census((one, one.copies * box.copies) for box in self.boxes if box.guest is None for one in box.replicas)

    @property
    def reserve(self) -> float:
        """Free memory that the kernel keeps: its high watermark [bytes].

        Source: Linux mm/page_alloc.c, calculate_min_free_kbytes: 4 sqrt(kB of memory), at most 256 MiB; the high mark
            is 1.5 of it.
        """
        return 1.5 * min(256.0 * 2**20, 1024 * 4 * math.sqrt(self.capacity / 1024))

    @property
    def files(self) -> float:
        """File pages of the replicas on the host's own kernel, one copy where they are shared [bytes]."""
        return image_files(self.on_host, self.shares_files)

    @property
    def spared(self) -> float:
        """What is there once for several: file pages on the host's kernel, text of monitors, merged pages [bytes]."""
        copies = sum(float(replica.needs.files) * n for replica, n in self.on_host.values())
        vms = sum(box.copies for box in self.boxes if box.guest is not None and box.live)
        merged = sum(box.merged * box.copies for box in self.boxes)
        return max(0.0, copies - self.files) + self.text * max(0, vms - 1) + merged

    @property
    def resident(self) -> float:
        """Everything that is in memory, the page cache's data aside [bytes]."""
        boxes = sum((box.resident + box.beside) * box.copies for box in self.boxes)
        return self.kernel + self.text + self.files + boxes + self.compressed

    @property
    def compressed(self) -> float:
        """Memory that compressed pages take [bytes]."""
        return self.packed / self.costs.compression

    @property
    def excess(self) -> float:
        """What has to go [bytes]; below 0: what is free beyond the reserve."""
        return self.resident + self.reserve - self.capacity

    @property
    def spared_by_swap(self) -> float:
        """Memory that is free because pages are swapped out or compressed [bytes]."""
        return self.gone - self.compressed

    @property
    def swap_left(self) -> float:
        """Swap space that is free; a compressed page has its place there too [bytes]."""
        return max(0.0, self.swap - self.gone)

    def add_up(self) -> None:
        """Add up what is swapped out and compressed in all boxes."""
        self.packed = sum(box.packed for box in self.boxes)
        self.gone = self.packed + sum(box.out for box in self.boxes)

    def follow_data(self) -> None:
        """Find out what page caches could keep: the images in guests, data on the host and in each guest."""
        for box in self.boxes:
            for replica in box.replicas if box.guest is None else ():
                replica.gone = box.absent / max(1, replica.copies)
            if box.guest is not None:
                box.guest.written = _written(box.inside)
                box.guest.data, box.guest.files = _cacheable(box.inside), image_files(box.inside, self.shares_files)
        disks = sum(box.read * box.copies for box in self.boxes) if self.caches_disks else 0.0
        self.data, self.written = _cacheable(self.on_host) + disks, _written(self.on_host)

    def page_caches(self) -> Iterator[PageCache]:
        """The page caches that replicas read through: the host's has what is free there, a guest's what it has room for."""
        if all(box.guest is None for box in self.boxes):
            yield PageCache("host", self.on_host, max(0.0, -self.excess))
        for box in self.boxes:
            if box.guest is not None and box.live:
                yield PageCache(box.name, box.inside, box.cached_data, box.copies)

    @property
    def beneath(self) -> float | None:
        """Room of the host's page cache for what VMs read from their disks; None where those do not pass it [bytes]."""
        return max(0.0, -self.excess) if self.caches_disks else None

    def rest_at(self, loads: Mapping[str, Load]) -> Ledger:
        """Let every replica that lives have the mean load of its service; who holds the host's memory then."""
        for one in self.replicas:
            mean = loads.get(one.service, one.load)
            one.load = replace(one.load, connections=mean.connections, requests=mean.requests)
        self.follow_data()
        for box in self.boxes:
            follow_guest(box)
            box.forget()
        self.add_up()
        return self.ledger()

    def ledger(self) -> Ledger:
        """Who holds the host's memory now."""
        parts = {"kernel": self.kernel + self.compressed, "vmm": self.text, "page_cache": self.files}
        homeless, moved = 0.0, self.swap_left
        for box in self.boxes:
            if box.live:
                homeless += box.homeless * box.copies
                moved += box.moved * box.copies
                for part, amount in box.split().items():
                    parts[part] = parts.get(part, 0.0) + amount * box.copies
        promised = sum(box.promised * box.copies for box in self.boxes if box.live)
        data = min(self.data + self.written, max(0.0, -self.excess))
        return settle(round(self.capacity), parts, swapped=homeless, swap=moved, shared=self.spared, committed=promised, data=data)


def _cacheable(there: Census) -> float:
    """Data that the replicas on one kernel may keep in its page cache [bytes]."""
    return sum(replica.cacheable(n) for replica, n in there.values())


def _written(there: Census) -> float:
    """What the replicas on one kernel have written through its page cache [bytes]."""
    return sum(replica.written * n for replica, n in there.values())

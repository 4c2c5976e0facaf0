"""Memory as operators see it: what memory.current, docker stats, the kubelet and free say of replicas and of the host.

*Model*: a page cache has the data that is read repeatedly, then what was written, as far as there is room. Pages that are used again
    are active: images, data while all of it has room, of data that has not the part that the kernel keeps on its active list, and
    what was appended in pieces smaller than a page. The working set is what is in use less inactive file pages.
*Ignores*: that files of an image are charged to the container that touched them first (each has an equal part); slab; what a cgroup
    of a pod has beside its containers.
*Source*: Linux Documentation/admin-guide/cgroup-v2.rst (memory.current, memory.stat); mm/vmscan.c, inactive_list_is_low; mm/swap.c,
    folio_mark_accessed; Docker CLI, calculateMemUsageUnixNoCache; cAdvisor, setMemoryStats; kubelet, node-pressure eviction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass

from simvirt.memory.boxes import Box, Census, Replica, image_files
from simvirt.memory.host_memory import HostMemory


@dataclass(frozen=True, slots=True)
class Seen:
    """Memory of a replica as its kernel accounts for it [bytes]; `file` is its part of the page cache."""

    anonymous: float
    tmpfs: float
    file: float
    active: float
    dirty: float
    swapped: float

    @property
    def usage(self) -> float:
        """All that is charged to it: memory.current."""
        return self.anonymous + self.tmpfs + self.file

    @property
    def working_set(self) -> float:
        """What is in use less inactive file pages, as the kubelet and docker stats have it."""
        return self.usage - (self.file - self.active)

    def document(self) -> dict[str, float]:
        """The sizes with their unit in the key, as results have them."""
        names = ("usage", "working_set", "anonymous", "tmpfs", "file", "dirty", "swapped")
        return {f"{name}_bytes": float(getattr(self, name)) for name in names}


@dataclass(frozen=True, slots=True)
class Pages:
    """What a page cache holds beyond images [bytes], and the ratios of the wanted data and written pages that are in it."""

    data: float
    written: float
    kept_data: float
    kept_written: float
    all_fits: bool

    @property
    def active_part(self) -> float:
        """Ratio of the cached data that is on the active list.

        *Source*: Linux mm/vmscan.c, inactive_list_is_low: active to inactive up to sqrt(10 x GiB of file pages), 1 below a GiB.
        """
        if self.all_fits:
            return 1.0
        ratio = max(1, math.isqrt(10 * int((self.data + self.written) / 2**30)))
        return ratio / (1.0 + ratio)


def pages(there: Census, room: float) -> Pages:
    """What the page cache of a kernel holds in so much room."""
    wanted = sum(replica.cacheable(n) for replica, n in there.values())
    written = sum(replica.written * n for replica, n in there.values())
    data = min(wanted, max(0.0, room))
    kept = min(written, max(0.0, room - data))
    everything = sum(replica.data * n for replica, n in there.values())
    return Pages(data, kept, data / wanted if wanted > 0 else 0.0, kept / written if written > 0 else 0.0, data >= everything)


def seen(*memories: tuple[HostMemory, int]) -> dict[str, Seen]:
    """The mean replica of each service over hosts, so many of each."""
    found: dict[str, list[tuple[Seen, int]]] = {}
    for memory, hosts in memories:
        for replica, n, one in _each(memory):
            found.setdefault(replica.service, []).append((one, n * hosts))
    return {name: _mean(those) for name, those in found.items()}


def _each(memory: HostMemory) -> Iterator[tuple[Replica, int, Seen]]:
    """Each live replica, how many are like it, and what is seen of it."""
    on_host = memory.on_host
    cache, images = pages(on_host, -memory.excess), _image_parts(on_host, memory.shares_files)
    for box in memory.boxes:
        inside = box.inside
        if box.guest is not None:
            cache, images = pages(inside, box.cached_data), _image_parts(inside, memory.shares_files)
        for replica in box.replicas:
            if replica.live:
                yield replica, replica.copies * box.copies, _of(replica, box, cache, images.get(replica.service, 0.0))


def _of(replica: Replica, box: Box, cache: Pages, image: float) -> Seen:
    """What is seen of a replica; what is swapped out is taken from all of a box alike."""
    out = box.absent if box.guest is None else box.guest.swapped
    gone = min(1.0, out / box.anonymous) if box.anonymous > 0 else 0.0
    data, written = replica.cacheable(1) * cache.kept_data, replica.written * cache.kept_written
    written = min(written, max(0.0, replica.limit - (replica.anonymous - replica.gone) - data))
    active = image + data * cache.active_part + (written if replica.needs.appended else 0.0)
    tmpfs, own = replica.tmpfs * (1.0 - gone), (replica.anonymous - replica.tmpfs) * (1.0 - gone)
    return Seen(own, tmpfs, image + data + written, active, min(replica.dirty, written), replica.anonymous * gone)


def _image_parts(there: Census, shared: bool) -> dict[str, float]:
    """Each replica's equal part of the files of its image, by service."""
    users: dict[str, int] = {}
    for replica, n in there.values():
        users[replica.image] = users.get(replica.image, 0) + n
    each = {replica.image: image_files({replica.image: (replica, users[replica.image])}, shared) for replica, _ in there.values()}
    return {name: each[replica.image] / users[replica.image] for name, (replica, _) in there.items()}


def _mean(those: list[tuple[Seen, int]]) -> Seen:
    """The mean of some, weighted by their numbers."""
    total = sum(n for _, n in those)
    columns = zip(*(astuple(one) for one, _ in those), strict=True)
    return Seen(*(sum(value * n for value, (_, n) in zip(column, those, strict=True)) / total for column in columns))


def available(memory: HostMemory) -> float:
    """Memory of the host less its working set: memory.available of the kubelet [bytes]."""
    cache = pages(memory.on_host, -memory.excess)
    appended = sum(one.written * n for one, n in memory.on_host.values() if one.needs.appended)
    active = cache.data * cache.active_part + min(cache.written, appended)
    return max(0.0, memory.capacity - memory.resident - active)


def working_sets(memory: HostMemory) -> dict[int, float]:
    """Working set of each live replica, by its row: of one in a VM of its own what of that is in memory, else with its shim [bytes]."""
    alone = {one.row: box for box in memory.boxes if box.guest is not None and box.machine is None for one in box.replicas}
    shims = {one.row: box.runtime for box in memory.boxes for one in box.replicas}
    return {
        one.row: alone[one.row].resident + alone[one.row].beside if one.row in alone else found.working_set + shims[one.row]
        for one, _, found in _each(memory)}


def working_set(memory: HostMemory, box: Box) -> float:
    """Working set of a pod: of a container as its kernel has it, of a VM what of it is in memory [bytes]."""
    if box.guest is not None:
        return box.resident + box.beside
    own = {id(replica): one for replica, _, one in _each(memory)}
    return box.shims + sum(own[id(replica)].working_set for replica in box.replicas if id(replica) in own)


"""Reclaim: what a host does when memory runs short, in the order in which it does it.

*Model*: the page cache gives way first, because it is what is left. Then balloons are inflated, where VMs have them: the VM whose memory
    is cheapest gives first, idle memory being dearer to hold. Then pages are compressed, while the pool has room, and swapped out, from
    every box in proportion to what is above its reservation. Then the OOM killer takes the box with the largest score. KSM merges
    pages that are alike once it has seen all memory of VMs twice. A guest that lacks memory gets it back from its balloon first.
*Ignores*: NUMA, memory.min, the order of LRU lists beyond hot and cold, swap read-ahead.
*Source*: Waldspurger, Memory Resource Management in VMware ESX Server, OSDI 2002, sections 3 to 6; Linux mm/vmscan.c, mm/oom_kill.c,
    mm/ksm.c, Documentation/admin-guide/mm/zswap.rst.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from simvirt.catalog.records import ReclaimEntry
from simvirt.memory.boxes import PAGE, Box, Tenant, follow_guest
from simvirt.memory.ledger import Ledger, settle
from simvirt.memory.working_set import Load

LEAST_BYTES = 1.0  # below which nothing is moved
BALLOON_STEPS = 16  # parts in which balloons take what is short, so that several VMs share it


@dataclass(frozen=True, slots=True)
class Kill:
    """A decision of an OOM killer: who, and why in words."""

    tenants: tuple[Tenant, ...]
    why: str


@dataclass
class Moved:
    """Bytes that one step moved, and whom it killed."""

    swapped_out: float = 0.0
    packed: float = 0.0
    inflated: float = 0.0
    kills: list[Kill] = field(default_factory=list)


@dataclass
class HostMemory:
    """The memory of a host and everything in it [bytes]. `kernel` is reserved, `pool` what compressed pages may take, `swap` the space."""

    capacity: float
    kernel: float
    boxes: list[Box]
    costs: ReclaimEntry
    swap: float = 0.0
    pool: float = 0.0
    auto_balloon: bool = False
    fenced: bool = True
    image_files: Mapping[str, tuple[float, bool]] = field(default_factory=dict)
    text: float = 0.0
    scanned: float = 0.0
    merging: bool = False
    data: float = 0.0
    images: Mapping[str, str] = field(default_factory=dict)
    gone: float = 0.0  # swapped out or compressed, kept beside the boxes so that nobody has to add them up
    packed: float = 0.0

    @property
    def reserve(self) -> float:
        """Free memory that the kernel keeps: its high watermark [bytes].

        Source: Linux mm/page_alloc.c, calculate_min_free_kbytes: 4 sqrt(kB of memory), at most 256 MiB; the high mark is 1.5 of it.
        """
        return 1.5 * min(256.0 * 2**20, 1024 * 4 * math.sqrt(self.capacity / 1024))

    @property
    def files(self) -> float:
        """File pages of the replicas on the host's own kernel, one copy where they are shared [bytes]."""
        if not self.image_files:
            return 0.0
        live: dict[str, int] = {}
        for box in self.boxes:
            for tenant in box.tenants:
                if tenant.live and box.guest is None:
                    live[tenant.service] = live.get(tenant.service, 0) + 1
        groups: dict[str, float] = {}
        for service, n in live.items():
            size, shared = self.image_files[service]
            key = self.images.get(service, service)
            groups[key] = max(groups.get(key, 0.0), size) if shared else groups.get(key, 0.0) + size * n
        return sum(groups.values())

    @property
    def spared(self) -> float:
        """What is there once for several: file pages of images on the host's own kernel, the text of monitors [bytes]."""
        live = [tenant.service for box in self.boxes for tenant in box.tenants if tenant.live]
        copies = sum(self.image_files[service][0] for service in live) if self.image_files else 0.0
        vms = sum(box.live for box in self.boxes if box.guest is not None)
        return max(0.0, copies - self.files) + self.text * max(0, vms - 1)

    @property
    def resident(self) -> float:
        """Everything that is in memory, the page cache's data aside [bytes]."""
        boxes = sum(box.resident + box.monitor for box in self.boxes)
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
    def swap_left(self) -> float:
        """Swap space that is free; a compressed page has its place there too [bytes]."""
        return max(0.0, self.swap - self.gone)

    # --- a step ----------------------------------------------------------------------------------------------------------

    def step(self) -> Moved:
        """React to what the boxes need now."""
        moved = Moved()
        self._add_up()
        for box in self.boxes:
            lacking = follow_guest(box)
            if lacking > LEAST_BYTES and self.auto_balloon:
                lacking = deflate_on_oom(box, lacking)
            if lacking > LEAST_BYTES:
                moved.kills.append(guest_kill(box, lacking))
            elif box.guest is None:
                self._fence(box, moved)
            else:
                moved.kills += fenced_in(box)
        self._merge()
        for box in self.boxes:
            forget(box)
        self._add_up()
        if self.auto_balloon:
            self._balloon(moved)
            self._add_up()
        self._evict(moved)
        if self.excess - self.reserve > LEAST_BYTES:
            moved.kills += self._kill(moved)
        return moved

    def _add_up(self) -> None:
        """What is swapped out and compressed in all boxes."""
        self.packed = sum(box.packed for box in self.boxes)
        self.gone = self.packed + sum(box.out for box in self.boxes)

    def _fence(self, box: Box, moved: Moved) -> None:
        """A container beyond its limits: reclaim down to memory.high, kill beyond memory.max with nowhere to put the rest."""
        for tenant in box.tenants:
            if not tenant.live or not self.fenced:
                continue
            bound = min(tenant.limit, tenant.high)
            room = min(tenant.swap_most, box.absent + self.swap_left)
            goal = min(max(0.0, tenant.anonymous - bound), room)
            if goal > box.absent + LEAST_BYTES:
                self._put_out(box, goal - box.absent, moved)
            if tenant.anonymous - box.absent > tenant.limit + LEAST_BYTES:
                why = f"{size(tenant.anonymous - box.absent)} exceed memory.max {size(tenant.limit)}"
                moved.kills.append(Kill((tenant,), why))

    def _merge(self) -> None:
        """What KSM has merged: all that is alike in guests of a kind but one, once it has seen everything twice.

        *Model*: merged share = scanned bytes over bytes to scan, less the first pass, which only notes checksums; 0 to 1.
        """
        if not self.merging:
            return
        vms = [box for box in self.boxes if box.guest is not None and box.live]
        total = sum(box.wanted for box in vms)
        share = min(1.0, max(0.0, self.scanned / total - 1.0)) if total > 0 else 0.0
        spared = (len(vms) - 1) / len(vms) if vms else 0.0
        for box in vms:
            box.merged = share * spared * alike(box)

    def _balloon(self, moved: Moved) -> None:
        """Inflate balloons while memory is short, a part at a time from whoever is cheapest; deflate them while there is plenty."""
        if self.excess < 0:
            return self._deflate()
        step = self.excess / BALLOON_STEPS
        for _ in range(2 * BALLOON_STEPS):
            vms = [box for box in self.boxes if box.live and room_for_balloon(box, self.costs.balloon_most) > LEAST_BYTES]
            if self.excess <= LEAST_BYTES or not vms:
                return None
            moved.inflated += inflate(min(vms, key=lambda box: price(box, self.costs.idle_tax)), step, self.costs.balloon_most)
        return None

    def _deflate(self) -> None:
        """Give half of what is free back to the VMs with balloons, in proportion."""
        held = sum(box.guest.balloon for box in self.boxes if box.guest is not None)
        share = min(1.0, -self.excess / 2 / held) if held > 0 else 0.0
        for box in self.boxes:
            if box.guest is not None and share > 0:
                box.guest.balloon -= share * box.guest.balloon
                follow_guest(box)

    def _evict(self, moved: Moved) -> None:
        """Compress and swap out what is too much, from each box in proportion to what reclaim may take of it; reservations last."""
        for reserved in (True, False):
            short = self.excess
            if short <= LEAST_BYTES or self.swap <= 0:
                return
            free = {id(box): max(0.0, box.resident - (box.protected if reserved else 0.0)) for box in self.boxes}
            total = sum(free.values())
            for box in self.boxes:
                if total > 0:
                    self._put_out(box, min(1.0, short / total) * free[id(box)], moved)

    def _put_out(self, box: Box, amount: float, moved: Moved) -> None:
        """Take some bytes of a box out of memory: into the pool of compressed pages, else to swap."""
        gain = 1.0 - 1.0 / self.costs.compression
        room = max(0.0, self.pool - self.compressed) * self.costs.compression
        packed = min(amount / gain, room, self.swap_left, box.resident) if gain > 0 else 0.0
        box.packed += packed
        moved.packed += packed
        self.packed += packed
        self.gone += packed
        rest = max(0.0, min(amount - packed * gain, self.swap_left, box.resident))
        box.out += rest
        moved.swapped_out += rest
        self.gone += rest

    def _kill(self, moved: Moved) -> list[Kill]:
        """The OOM killer of the host: the box with the largest score."""
        gone = {id(tenant) for kill in moved.kills for tenant in kill.tenants}
        live = [box for box in self.boxes if box.live and not any(id(tenant) in gone for tenant in box.tenants)]
        scores = [(self.score(box), -at, box) for at, box in enumerate(live) if self.score(box) > 0]
        if not scores:
            return []
        _, _, box = max(scores, key=lambda row: row[:2])
        why = f"the host lacks {size(self.excess - self.reserve)}; {size(box.resident + box.monitor)} had the largest score"
        return [Kill(tuple(tenant for tenant in box.tenants if tenant.live), why)]

    def score(self, box: Box) -> float:
        """Badness of a box: resident and swapped memory with page tables, and the bias in thousandths of all memory [bytes].

        Source: Linux mm/oom_kill.c, oom_badness.
        """
        bias = max((tenant.bias for tenant in box.tenants if tenant.live), default=0)
        if bias == -1000:
            return 0.0
        return box.resident + box.absent + box.monitor + bias / 1000 * (self.capacity + self.swap)

    # --- what comes of it ---------------------------------------------------------------------------------------------------

    def ledger_at(self, loads: Mapping[str, Load]) -> Ledger:
        """Who holds the host's memory when every replica that lives has the mean load of its service."""
        for box in self.boxes:
            for tenant in box.tenants:
                mean = loads.get(tenant.service, tenant.load)
                tenant.load = replace(tenant.load, connections=mean.connections, requests=mean.requests)
            follow_guest(box)
            forget(box)
        self._add_up()
        return self.ledger()

    def ledger(self) -> Ledger:
        """Who holds the host's memory now."""
        parts = dict.fromkeys(("application", "guest_os", "held", "page_cache", "vmm", "runtime"), 0.0)
        inside = 0.0
        for box in (box for box in self.boxes if box.live):
            for part, amount in split(box).items():
                parts[part] += amount
            inside += box.absent + (box.guest.swapped if box.guest is not None else 0.0)
        parts["kernel"] = self.kernel + self.compressed
        parts["vmm"] += self.text
        parts["page_cache"] += self.files
        shared = self.spared + sum(box.merged for box in self.boxes)
        promised = sum(promised_to(box) for box in self.boxes)
        committed = promised if math.isfinite(promised) else 0.0
        return settle(round(self.capacity), parts, swapped=inside, shared=shared, committed=committed, data=self.data)


def alike(box: Box) -> float:
    """Bytes of a VM that other guests of its kind have too."""
    if box.guest is None:
        return 0.0
    own = max(0.0, box.wanted - box.anonymous)
    return min(box.wanted, box.guest.same * own + sum(tenant.needs.same * tenant.anonymous for tenant in box.tenants))


def price(box: Box, tax: float) -> float:
    """Shares of a VM for each page, idle ones counted dearer: the VM with the lowest price gives memory first.

    Source: Waldspurger, OSDI 2002, section 5.2: rho = S / (P (f + k (1 - f))), k = 1 / (1 - tax); shares as the VM's size.
    """
    assert box.guest is not None
    pages = max(box.resident, float(PAGE))
    active = min(1.0, (sum(tenant.hot for tenant in box.tenants) + box.guest.os) / pages)
    return box.guest.size / (pages * (active + (1.0 - active) / (1.0 - tax)))


def deflate_on_oom(box: Box, lacking: float) -> float:
    """A balloon gives back what its guest lacks before the guest kills; what is still lacking [bytes].

    Source: Virtual I/O Device (VIRTIO) 1.2, section 5.5.3, VIRTIO_BALLOON_F_DEFLATE_ON_OOM.
    """
    assert box.guest is not None
    box.guest.balloon -= min(box.guest.balloon, lacking)
    return follow_guest(box)


def room_for_balloon(box: Box, most: float) -> float:
    """What a VM's balloon may still take: a share of its memory, and no more than its guest can do without [bytes]."""
    guest = box.guest
    if guest is None:
        return 0.0
    return min(most * guest.size - guest.balloon, guest.usable - max(0.0, box.used - guest.swap))


def inflate(box: Box, amount: float, most: float) -> float:
    """Inflate a VM's balloon until the host has so much more, as far as it goes; by how much it was inflated [bytes]."""
    assert box.guest is not None
    untouched = max(0.0, box.guest.usable - box.wanted)
    take = min(room_for_balloon(box, most), amount + untouched)
    box.guest.balloon += take
    follow_guest(box)
    forget(box)
    return take


def forget(box: Box) -> None:
    """Memory that a box needs no more is neither swapped out nor compressed nor merged."""
    for name in ("merged", "out", "packed"):
        setattr(box, name, min(getattr(box, name), box.wanted))
    box.out -= min(box.out, max(0.0, box.merged + box.absent - box.wanted))
    box.packed -= min(box.packed, max(0.0, box.merged + box.absent - box.wanted))


def promised_to(box: Box) -> float:
    """What a VM may take with its monitor, or the limits of a container [bytes]."""
    if box.guest is None:
        return min(tenant.limit for tenant in box.tenants)
    return box.guest.size * (1.0 + box.per_memory) + box.vmm


def split(box: Box) -> dict[str, float]:
    """The bytes of a box by holder, merged ones taken off in proportion; what is swapped out is among them."""
    parts = {"application": box.anonymous, "runtime": box.shims, "vmm": box.monitor}
    if box.guest is None:
        return parts
    cache = box.cache
    held = max(0.0, box.wanted - (box.used - box.guest.swapped) - cache)
    parts |= {"guest_os": box.guest.os, "page_cache": cache, "held": held}
    holders = ("application", "guest_os", "page_cache", "held")
    total = sum(parts[name] for name in holders)
    kept = 1.0 - box.merged / total if total > 0 else 1.0
    return parts | {name: parts[name] * kept for name in holders}


def guest_kill(box: Box, lacking: float) -> Kill:
    """The OOM killer of a guest: its largest tenant; the others and other VMs do not notice."""
    victim = max((tenant for tenant in box.tenants if tenant.live), key=lambda tenant: (tenant.anonymous, -tenant.row))
    assert box.guest is not None
    return Kill((victim,), f"the guest of {size(box.guest.usable)} lacks {size(lacking)}; {size(victim.anonymous)} was its largest process")


def fenced_in(box: Box) -> list[Kill]:
    """Containers of a guest beyond their limits that may not swap so much, or find no room in the guest's swap space."""
    assert box.guest is not None
    left, kills = box.guest.swap, []
    for tenant in (tenant for tenant in box.tenants if tenant.beyond > 0):
        room = min(tenant.swap_most, left)
        if tenant.beyond > room + LEAST_BYTES:
            kills.append(Kill((tenant,), f"{size(tenant.anonymous - room)} exceed memory.max {size(tenant.limit)}"))
        left -= min(room, tenant.beyond)
    return kills


def size(amount: float) -> str:
    """Bytes in words."""
    return f"{amount / 2**30:.2f} GiB" if amount >= 2**30 else f"{amount / 2**20:.1f} MiB"


def killed(kills: Iterable[Kill]) -> list[Tenant]:
    """Everybody whom some kills end."""
    return [tenant for kill in kills for tenant in kill.tenants]

"""What the host's memory management tells apart: boxes. A container, a process, a VM with all that is in it is one.

*Model*: a container's memory is that of its replica; a VM keeps what it once touched, up to its size less its
    balloon, and its guest swaps within itself. What KSM has merged is not there, what is swapped out or compressed is
    not resident.
*Source*: Linux Documentation/admin-guide/cgroup-v2.rst; Waldspurger, Memory Resource Management in VMware ESX Server,
    OSDI 2002.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from simvirt.memory.working_set import Load, Needs

UNBOUNDED = float("inf")


@dataclass
class Replica:
    """A replica, or `copies` that are alike: what each needs, its load now, and the limits of its cgroup [bytes]."""

    name: str
    row: int
    service: str
    needs: Needs
    image: str = ""
    limit: float = UNBOUNDED
    high: float = UNBOUNDED
    low: float = 0.0
    swap_most: float = UNBOUNDED
    bias: int = 0
    live: bool = True
    load: Load = field(default_factory=Load)
    copies: int = 1
    gone: float = 0.0  # of one, swapped out by the host
    request: float = 0.0
    dirty: float = 0.0  # what it has written and its kernel has not

    @property
    def anonymous(self) -> float:
        """Anonymous memory of one now [bytes]."""
        return self.needs.anonymous(self.load) if self.live else 0.0

    @property
    def beyond(self) -> float:
        """Anonymous memory of one beyond memory.max [bytes]."""
        return max(0.0, self.anonymous - self.limit)

    @property
    def pressed(self) -> float:
        """Anonymous memory of one beyond memory.high or memory.max, which its kernel puts out as far as it can [bytes]."""
        return max(0.0, self.anonymous - min(self.limit, self.high))

    @property
    def hot(self) -> float:
        """Part of it that requests keep touching [bytes]."""
        return self.needs.hot * (self.anonymous - self.tmpfs)

    @property
    def tmpfs(self) -> float:
        """Files that it keeps in memory [bytes]."""
        return self.needs.tmpfs(self.load) if self.live else 0.0

    @property
    def written(self) -> float:
        """What it has written through its page cache since it started [bytes]."""
        return self.needs.written * self.load.answered if self.live else 0.0

    @property
    def data(self) -> float:
        """What it reads from its disk repeatedly [bytes]."""
        return float(sum(part.bytes for part in self.needs.data))

    @property
    def cold(self) -> float:
        """Anonymous memory that requests do not keep touching [bytes]."""
        return max(0.0, self.anonymous - self.hot)

    def cacheable(self, n: int) -> float:
        """Data that n of them on one kernel may keep in its page cache: all of it, or what their limits leave [bytes].

        Source: Linux Documentation/admin-guide/cgroup-v2.rst: page cache is charged to the cgroup that first touches
            it.
        """
        room = n * max(0.0, self.limit - (self.anonymous - self.gone))
        return min(self.data, room) if self.data > 0 and self.limit < UNBOUNDED else self.data


Census = Mapping[str, tuple[Replica, int]]
"""The live replicas on a kernel: of each service one of them, and their number."""


@dataclass
class Guest:
    """A VM's own part of a box [bytes]: `size` as promised, `os` with daemons, `file_cache` and `boot` of the guest's entry.

    `between` is what the levels between the host and the VM take, which lies outside of its size; `structs` the part of `os` that
    describes the VM's own pages; `same` and `same_files` ratios of the rest of it and of file pages that other guests have too.
    """

    size: float
    os: float
    file_cache: float
    boot: float
    same: float
    swap: float
    between: float = 0.0
    files: float = 0.0
    data: float = 0.0
    written: float = 0.0
    preallocated: bool = False
    reports: bool = False
    same_files: float = 0.0
    structs: float = 0.0
    swappiness: float = 0.0
    touched: float = 0.0
    balloon: float = 0.0
    swapped: float = 0.0

    @property
    def usable(self) -> float:
        """Memory that the balloon leaves the guest [bytes]."""
        return self.size - self.balloon

    @property
    def backed(self) -> float:
        """What of the guest's memory the host has to back [bytes]."""
        return min(self.touched, self.usable)


@dataclass
class Box:
    """A container, a process or a VM, or `copies` that are alike: replicas, what runs them, what is not resident [bytes].

    `runtime` is what its shims take inside of it, `around` those of a container that a VM is in, `vmm` its monitors'
    own memory, `per_memory` the page tables for each resident byte, `promised` what it may take by its size or its
    limit; `machine` is the row of the kernel of a VM that replicas come to and leave.
    """

    name: str
    replicas: list[Replica]
    guest: Guest | None = None
    runtime: float = 0.0
    around: float = 0.0
    vmm: float = 0.0
    per_memory: float = 0.0
    promised: float = 0.0
    copies: int = 1
    out: float = 0.0
    packed: float = 0.0
    merged: float = 0.0
    machine: int | None = None

    @property
    def live(self) -> bool:
        """Whether anything of it runs; a VM that holds no replica does."""
        return not self.replicas or any(replica.live for replica in self.replicas)

    @property
    def inside(self) -> Census:
        """The live replicas in one of it."""
        return census((replica, replica.copies) for replica in self.replicas)

    @property
    def anonymous(self) -> float:
        """Anonymous memory of its replicas [bytes]."""
        return sum(replica.anonymous * replica.copies for replica in self.replicas)

    @property
    def beyond(self) -> float:
        """What its replicas need beyond limits of their own [bytes]."""
        return sum(replica.beyond * replica.copies for replica in self.replicas)

    @property
    def hot(self) -> float:
        """Memory that requests keep touching [bytes]."""
        return sum(replica.hot * replica.copies for replica in self.replicas)

    @property
    def cold(self) -> float:
        """Memory of it that neither requests nor a guest's system keep touching [bytes]."""
        return max(0.0, self.wanted - self.hot - self.shims - (self.guest.os if self.guest is not None else 0.0))

    @property
    def read(self) -> float:
        """What a VM reads from its disk repeatedly, of each service once for each of its replicas [bytes]."""
        return sum(replica.data * replica.copies for replica in self.replicas if replica.live) if self.guest is not None else 0.0

    @property
    def shims(self) -> float:
        """Runtime memory of the replicas that live [bytes]."""
        return self.runtime * sum(replica.live * replica.copies for replica in self.replicas)

    @property
    def used(self) -> float:
        """What a guest's system, its replicas and their runtime use, swapped out or not [bytes]."""
        return self.anonymous + self.shims + (self.guest.os if self.guest is not None else 0.0)

    @property
    def cache(self) -> float:
        """File pages that a guest keeps: as many as it has room for, and no more than there are [bytes]."""
        if self.guest is None:
            return 0.0
        room = self.guest.usable - (self.used - self.guest.swapped)
        return max(0.0, min(room, self.guest.file_cache + self.guest.files + self.guest.data + self.guest.written))

    @property
    def cached_data(self) -> float:
        """Data in a guest's page cache [bytes]."""
        return max(0.0, self.cache - self.guest.file_cache - self.guest.files) if self.guest is not None else 0.0

    @property
    def wanted(self) -> float:
        """What the host has to back for it, were nothing merged or swapped out by the host [bytes]."""
        if not self.live:
            return 0.0
        return self.anonymous + self.shims if self.guest is None else self.guest.backed + self.guest.between

    @property
    def resident(self) -> float:
        """What of it is in the host's memory [bytes]."""
        return max(0.0, self.wanted - self.merged - self.out - self.packed)

    @property
    def monitor(self) -> float:
        """Its monitors, page tables included [bytes]."""
        return self.vmm + (self.per_memory * self.guest.backed if self.guest is not None else 0.0) if self.live else 0.0

    @property
    def beside(self) -> float:
        """What runs it and lies outside of it: monitors, and the shims of a container that a VM is in [bytes]."""
        return self.monitor + self.around if self.live else 0.0

    @property
    def protected(self) -> float:
        """What reclaim leaves alone while there is other memory: memory.low of its replicas [bytes]."""
        return sum(replica.low for replica in self.replicas if replica.live)

    @property
    def absent(self) -> float:
        """What is swapped out or compressed [bytes]."""
        return self.out + self.packed

    @property
    def homeless(self) -> float:
        """What has no place in memory: swapped out, or beyond limits or the size of the guest [bytes]."""
        if self.guest is None:
            return max(self.absent, self.beyond)
        return self.absent + max(self.guest.swapped, self.used - self.guest.usable, self.beyond)

    @property
    def moved(self) -> float:
        """What swap space of the host or of its guest holds, or what is compressed [bytes]."""
        return self.absent + (0.0 if self.guest is None else self.guest.swapped)

    def forget(self) -> None:
        """Let go of what is needed no more: it is neither swapped out nor compressed nor merged."""
        if self.merged == self.out == self.packed == 0.0:
            return
        wanted = self.wanted
        self.merged, self.out, self.packed = min(self.merged, wanted), min(self.out, wanted), min(self.packed, wanted)
        self.out -= min(self.out, max(0.0, self.merged + self.absent - wanted))
        self.packed -= min(self.packed, max(0.0, self.merged + self.absent - wanted))

    def split(self) -> dict[str, float]:
        """Its bytes by holder, merged ones taken off in proportion; what is swapped out is among them."""
        parts = {"application": self.anonymous, "runtime": self.shims + self.around, "vmm": self.monitor}
        if self.guest is None:
            return parts
        cache = self.cache
        held = max(0.0, self.guest.backed - (self.used - self.guest.swapped) - cache)
        parts |= {"guest_os": self.guest.os + self.guest.between, "page_cache": cache, "held": held}
        holders = ("application", "guest_os", "page_cache", "held")
        total = sum(parts[name] for name in holders)
        kept = 1.0 - self.merged / total if total > 0 else 1.0
        return parts | {name: parts[name] * kept for name in holders}


def census(replicas: Iterable[tuple[Replica, int]]) -> Census:
    """The live ones of some replicas, each with the number of those like it."""
    found: dict[str, tuple[Replica, int]] = {}
    for replica, copies in replicas:
        if replica.live:
            first, n = found.get(replica.service, (replica, 0))
            found[replica.service] = first, n + copies
    return found


def image_files(there: Census, shared: bool) -> float:
    """File pages of the images of replicas on one kernel, each image once where containers share them [bytes]."""
    images: dict[str, float] = {}
    for replica, n in there.values():
        files, known = float(replica.needs.files), images.get(replica.image, 0.0)
        images[replica.image] = max(known, files) if shared else known + files * n
    return sum(images.values())


def leaning_on(short: float, data: float, swappiness: float) -> float:
    """What a kernel takes from applications for data that is read repeatedly, when so much is short for both [bytes].

    *Model*: both lists are scanned in the ratio swappiness : 200 - swappiness, and give way in that ratio where pages of neither come
        back more often; pages that are touched again stay. Only what is short of such data counts: what is read once is dropped first.
    *Ignores*: that costs of pages that come back shift the ratio; how long it takes: a kernel that has been up for long has done it.
    *Source*: Linux mm/vmscan.c, get_scan_count; Documentation/admin-guide/sysctl/vm.rst, swappiness.
    """
    return swappiness / 200.0 * max(0.0, min(short, data))


def follow_guest(box: Box) -> float:
    """Let a guest react to its replicas and its balloon; what it lacks beyond its swap space [bytes]."""
    guest = box.guest
    if guest is None:
        return 0.0
    if not box.live:
        guest.touched = guest.swapped = 0.0
        return 0.0
    over = box.used - guest.usable
    pressed = sum(replica.pressed * replica.copies for replica in box.replicas)
    leaning = leaning_on(over + guest.file_cache + guest.files + guest.data, guest.data, guest.swappiness)
    cold = sum(replica.cold * replica.copies for replica in box.replicas)
    guest.swapped = min(max(0.0, over, pressed, min(leaning, cold)), guest.swap)
    in_use = box.used - guest.swapped + box.cache
    if guest.preallocated:
        guest.touched = guest.usable
    elif guest.reports:
        guest.touched = min(guest.usable, in_use)
    else:
        guest.touched = min(guest.usable, max(guest.touched, in_use + guest.boot))
    return max(0.0, over - guest.swap)

"""What the host's memory management tells apart: boxes. A container or process is one, a VM with all that is in it is another.

*Model*: a container's memory is that of its replica; a VM keeps what it once touched, up to its size less its balloon, and its guest
    swaps within itself. What KSM has merged is not there, what is swapped out or compressed is not resident.
*Source*: Linux Documentation/admin-guide/cgroup-v2.rst; Waldspurger, Memory Resource Management in VMware ESX Server, OSDI 2002.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simvirt.memory.working_set import Load, Needs

PAGE = 4096
UNBOUNDED = float("inf")


@dataclass
class Tenant:
    """A replica: what it needs, its load now, and the limits of its cgroup [bytes]."""

    name: str
    row: int
    service: str
    needs: Needs
    limit: float = UNBOUNDED
    high: float = UNBOUNDED
    low: float = 0.0
    swap_most: float = UNBOUNDED
    bias: int = 0
    live: bool = True
    load: Load = field(default_factory=Load)

    @property
    def anonymous(self) -> float:
        """Anonymous memory now [bytes]."""
        return self.needs.anonymous(self.load) if self.live else 0.0

    @property
    def beyond(self) -> float:
        """Anonymous memory beyond memory.max [bytes]."""
        return max(0.0, self.anonymous - self.limit)

    @property
    def hot(self) -> float:
        """Part of it that requests keep touching [bytes]."""
        return self.needs.hot * self.anonymous


@dataclass
class Guest:
    """A VM's own part of a box [bytes]: `size` as promised, `os` with daemons, `file_cache` and `boot` as the guest's entry has them."""

    size: float
    os: float
    file_cache: float
    boot: float
    same: float
    swap: float
    files: float = 0.0
    data: float = 0.0
    preallocated: bool = False
    reports: bool = False
    touched: float = 0.0
    balloon: float = 0.0
    swapped: float = 0.0

    @property
    def usable(self) -> float:
        """Memory that the balloon leaves the guest [bytes]."""
        return self.size - self.balloon


@dataclass
class Box:
    """A container, a process or a VM: its tenants, what runs it, and what of it is not resident [bytes].

    `runtime` is what its shims take inside of it, `vmm` its monitor's own memory, `per_memory` the page tables for each resident byte.
    """

    name: str
    tenants: list[Tenant]
    guest: Guest | None = None
    runtime: float = 0.0
    vmm: float = 0.0
    per_memory: float = 0.0
    shares_files: bool = True
    out: float = 0.0
    packed: float = 0.0
    merged: float = 0.0

    @property
    def live(self) -> bool:
        """Whether anything of it runs."""
        return any(tenant.live for tenant in self.tenants)

    @property
    def anonymous(self) -> float:
        """Anonymous memory of its tenants [bytes]."""
        return sum(tenant.anonymous for tenant in self.tenants)

    @property
    def beyond(self) -> float:
        """What its tenants need beyond limits of their own [bytes]."""
        return sum(tenant.beyond for tenant in self.tenants)

    @property
    def shims(self) -> float:
        """Runtime memory of the tenants that live [bytes]."""
        return self.runtime * sum(tenant.live for tenant in self.tenants)

    @property
    def used(self) -> float:
        """What a guest's system, its tenants and their runtime use, swapped out or not [bytes]."""
        return self.anonymous + self.shims + (self.guest.os if self.guest is not None else 0.0)

    @property
    def cache(self) -> float:
        """File pages that a guest keeps: as many as it has room for, and no more than there are [bytes]."""
        if self.guest is None:
            return 0.0
        room = self.guest.usable - (self.used - self.guest.swapped)
        return max(0.0, min(room, self.guest.file_cache + self.guest.files + self.guest.data))

    @property
    def cached_data(self) -> float:
        """Data in a guest's page cache [bytes]."""
        return max(0.0, self.cache - self.guest.file_cache - self.guest.files) if self.guest is not None else 0.0

    @property
    def wanted(self) -> float:
        """What the host has to back for it, were nothing merged or swapped out by the host [bytes]."""
        if not self.live:
            return 0.0
        if self.guest is None:
            return self.anonymous + self.shims
        return min(self.guest.touched, self.guest.usable)

    @property
    def resident(self) -> float:
        """What of it is in the host's memory [bytes]."""
        return max(0.0, self.wanted - self.merged - self.out - self.packed)

    @property
    def monitor(self) -> float:
        """Its monitor, page tables included [bytes]."""
        return self.vmm + self.per_memory * self.wanted if self.live else 0.0

    @property
    def protected(self) -> float:
        """What reclaim leaves alone while there is other memory: memory.low of its tenants [bytes]."""
        return sum(tenant.low for tenant in self.tenants if tenant.live)

    @property
    def absent(self) -> float:
        """What is swapped out or compressed [bytes]."""
        return self.out + self.packed

    @property
    def hot_absent(self) -> float:
        """Share of the memory that requests touch which is not resident.

        *Model*: a kernel that sees its processes evicts what is cold first; a host cannot know what is cold in a guest, so that hot
            pages are as likely to be gone as others.
        """
        hot = sum(tenant.hot for tenant in self.tenants)
        if hot <= 0:
            return 0.0
        if self.guest is None:
            return min(1.0, max(0.0, self.absent - (self.anonymous - hot)) / hot)
        return min(1.0, self.absent / max(self.wanted, 1.0))

    @property
    def hot_swapped(self) -> float:
        """Share of the hot memory that the guest itself has swapped out."""
        hot = sum(tenant.hot for tenant in self.tenants)
        if self.guest is None or hot <= 0:
            return 0.0
        return min(1.0, max(0.0, self.guest.swapped - (self.anonymous - hot)) / hot)


def follow_guest(box: Box) -> float:
    """Let a guest react to its tenants and its balloon; what it lacks beyond its swap space [bytes]."""
    guest = box.guest
    if guest is None:
        return 0.0
    if not box.live:
        guest.touched = guest.swapped = 0.0
        return 0.0
    over = box.used - guest.usable
    guest.swapped = min(max(0.0, over, box.beyond), guest.swap)
    in_use = box.used - guest.swapped + box.cache
    if guest.preallocated:
        guest.touched = guest.usable
    elif guest.reports:
        guest.touched = min(guest.usable, in_use)
    else:
        guest.touched = min(guest.usable, max(guest.touched, in_use + guest.boot))
    return max(0.0, over - guest.swap)

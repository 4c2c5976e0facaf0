"""Classes of software as they meet in shared hardware and kernels, and the sockets where they meet."""

import math
from dataclasses import astuple, dataclass

import numpy as np

from simvirt.catalog.records import HostEntry, Platform, ProfileEntry
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import Arrangement
from simvirt.lowering.rows import Columns, blank, fill
from simvirt.lowering.topology import remote_share, socket_of


@dataclass(frozen=True)
class SoftwareClass:
    """One row of the table of classes."""

    steady: float = 1.0
    stall: float = 0.0
    traffic: float = 0.0
    footprint: float = 0.0
    reuses: int = 0
    smt_share: float = 0.5
    kernel_share: float = 0.0
    shootdowns: float = 0.0

    @property
    def uses_memory(self) -> bool:
        """Whether it takes part in the memory or the cache of a socket."""
        return self.stall > 0 or self.traffic > 0 or self.footprint > 0


@dataclass(frozen=True)
class Sharing:
    """All classes, the class of each instance, and whether any of them matters."""

    classes: list[SoftwareClass]
    of_instance: list[int]
    acts: bool


def sharing(plan: Arrangement, platform: Platform, host: HostEntry, profiles: dict[str, ProfileEntry], added: dict[str, float]) -> Sharing:
    """Classes of a plan; `added` is the platform's work per unit of a service's own. The fluid scheduler knows no hardware threads."""
    neutral = SoftwareClass(smt_share=host.smt_yield / 2)
    rows: dict[SoftwareClass, int] = {neutral: 0}
    found = []
    for instance in plan.instances:
        kind = neutral
        if instance.service in profiles:
            machine = plan.machines[instance.machine]
            remote = remote_share(host, platform, machine.cpus, machine.pins) if machine.vm is not None else 0.0
            kind = software_class(profiles[instance.service], host, remote, added[instance.service])
        found.append(rows.setdefault(kind, len(rows)))
    return Sharing(list(rows), found, len(rows) > 1 and plan.machines[0].scheduler.policy != "gps")


def software_class(profile: ProfileEntry, host: HostEntry, remote: float, added: float) -> SoftwareClass:
    """A profile on a host, with a share of remote accesses and with the platform's work per unit of its own.

    *Model*: a remote access takes `remote_latency` times as long; data that are spread over the sockets anyway are no farther in a VM.
        What the platform adds computes and does not wait for memory, so that its part of the time shrinks where memory is slow. A program
        that claims more than the cache streams through it: it fills all of it, and has no hits to lose.
    """
    stall = profile.stall or 0.0
    llc, family = host.family.llc_bytes or 0, host.family
    claim = float(profile.llc_bytes or 0)
    reuses = 0 < claim <= llc
    alone = math.sqrt(llc) if reuses else 1.0
    farther, anyway = (family.remote_latency or 1.0) - 1.0, profile.remote_share or 0.0
    longer = (1.0 + max(remote, anyway) * farther) / (1.0 + anyway * farther)
    return SoftwareClass(
        steady=(1.0 - stall + added) / (1.0 + added), stall=stall * longer / alone / (1.0 + added),
        traffic=(profile.memory_bandwidth or 0.0) / 1e9 / alone / (1.0 + added), footprint=min(claim, llc),
        reuses=int(reuses),
        smt_share=(host.smt_yield if profile.smt_yield is None or host.smt == 1 else profile.smt_yield) / 2,
        kernel_share=profile.kernel_share or 0.0, shootdowns=(profile.shootdowns or 0.0) / 1e9,
    )


def class_table(found: Sharing) -> Columns:
    """The classes as columns."""
    names = list(SoftwareClass.__dataclass_fields__)
    values = zip(*(astuple(kind) for kind in found.classes), strict=True)
    return fill(blank(t.Classes, rows=len(found.classes)), **dict(zip(names, values, strict=True)))


def socket_table(found: Sharing, host: HostEntry) -> Columns:
    """The sockets, with the hardware threads of each."""
    members = sorted(range(host.pcpus), key=lambda cpu: (socket_of(host, cpu), cpu))
    each, n = host.pcpus // host.sockets, host.sockets
    uses = found.acts and any(kind.uses_memory for kind in found.classes)
    floor = math.sqrt(host.family.llc_bytes) if host.family.llc_bytes else 1.0
    return fill(
        blank(t.Sockets, rows=n, members=host.pcpus, load=n * len(found.classes), classes=1),
        shared=[int(uses)] * n, bandwidth=[(host.family.memory_bandwidth or 0.0) / 1e9] * n, llc=[host.family.llc_bytes or 0] * n,
        floor=[floor] * n, misses=[floor] * n, latency=[1.0] * n, first_member=np.arange(n) * each, member_count=[each] * n,
        classes=[len(found.classes)], members=members,
    )


def most(found: Sharing, plan: Arrangement, name: str) -> list[float]:
    """For each machine the largest value of a class that may run there; 0 where classes do not act."""
    values = [0.0] * len(plan.machines)
    for instance, row in zip(plan.instances, found.of_instance, strict=True):
        values[instance.machine] = max(values[instance.machine], getattr(found.classes[row], name))
    return values if found.acts else [0.0] * len(values)

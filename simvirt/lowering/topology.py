"""Which hardware threads belong together, which vCPUs are pinned to which, and how far a guest reaches over sockets."""

import math

from simvirt.catalog.records import HostEntry, Platform


def socket_of(host: HostEntry, cpu: int) -> int:
    """Socket of a hardware thread: cores are numbered socket by socket, second threads after all first ones, as Linux numbers them."""
    return cpu % (host.sockets * host.cores) // host.cores


def cores_of(host: HostEntry, cpus: tuple[int, ...]) -> set[int]:
    """Cores of some hardware threads."""
    return {cpu % (host.sockets * host.cores) for cpu in cpus}


def pin_order(host: HostEntry, wanted: int, cpuset: tuple[int, ...] = ()) -> list[int]:
    """Hardware threads in the order in which vCPUs are pinned: socket by socket, core by core.

    Where all vCPUs that are wanted have a core each, they get one; else the threads of a core come side by side.
    """
    cores = host.sockets * host.cores
    order = [core + cores * thread for core in range(cores) for thread in range(host.smt)]
    if wanted <= cores:
        order.sort()
    return [cpu for cpu in order if not cpuset or cpu in cpuset]


def pins(host: HostEntry, vcpus: int, used: int, wanted: int, cpuset: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Hardware threads of a VM's vCPUs where `used` of all wanted have been pinned before: the next in order, then from the start again."""
    order = pin_order(host, wanted, cpuset)
    return tuple(order[(used + i) % len(order)] for i in range(vcpus))


def siblings(host: HostEntry, pinned: tuple[int, ...]) -> list[int | None]:
    """For each vCPU the next one of those that are pinned to threads of its core, each to one of its own; a ring."""
    cores = host.sockets * host.cores
    by_core: dict[int, list[int]] = {}
    for vcpu, cpu in enumerate(pinned):
        by_core.setdefault(cpu % cores, []).append(vcpu)
    rings = [ring for ring in by_core.values() if 2 <= len(ring) <= host.smt]
    following = {vcpu: other for ring in rings for vcpu, other in zip(ring, ring[1:] + ring[:1], strict=True)}
    return [following.get(vcpu) for vcpu in range(len(pinned))]


def remote_share(host: HostEntry, platform: Platform, vcpus: int, pinned: tuple[int, ...]) -> float:
    """Share of a guest's memory accesses that go to another socket: 1 - 1 / sockets that it spans, 0 where it sees and keeps its place.

    *Model*: a guest that does not see the sockets, or whose vCPUs wander, uses the memory of all sockets that it spans from each of them.
    *Ignores*: automatic NUMA balancing of the host, and that a VM which fits into one socket may straddle two.
    *Source*: Felter et al., IBM RC25482 (2014), section III: the untuned VM that spans two sockets, pinned with its topology exposed.
    """
    if platform.pin and platform.topology == "exposed":
        return 0.0
    spanned = len({socket_of(host, cpu) for cpu in pinned}) if pinned else math.ceil(vcpus / (host.cores * host.smt))
    return 1.0 - 1.0 / min(max(spanned, 1), host.sockets)

"""What stands where: hosts, their VMs, and the replicas on each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from simvirt.lowering.arrange import INTERNAL, Arrangement
from simvirt.result.run_document import HostLayout, VmLayout


def layout_of(plan: Arrangement) -> tuple[HostLayout, ...]:
    """The hosts of an arrangement, with VMs that are alike together."""
    return tuple(
        HostLayout(
            model=host.entry.name, sockets=host.entry.sockets, cores=host.entry.cores, smt=host.entry.smt, memory_bytes=host.entry.memory,
            replicas=_replicas(plan, host.machine), vms=tuple(_vms(plan, host.row)))
        for host in plan.hosts)


def _replicas(plan: Arrangement, machine: int) -> dict[str, int]:
    """Replicas that one kernel schedules, by service."""
    return dict(Counter(one.service for one in plan.instances if one.machine == machine and one.service not in INTERNAL))


def _vms(plan: Arrangement, host: int) -> Iterator[VmLayout]:
    """The VMs of a host: as many vCPUs and the same replicas are alike."""
    found = [(one.cpus, _replicas(plan, one.row)) for one in plan.machines if one.host == host and one.vm is not None]
    alike = Counter((vcpus, tuple(sorted(replicas.items()))) for vcpus, replicas in found if replicas)
    for (vcpus, replicas), count in alike.items():
        yield VmLayout(count=count, vcpus=vcpus, replicas=dict(replicas))

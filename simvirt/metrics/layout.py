"""What stands where: hosts, their VMs, and the replicas on each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from simvirt.lowering.arrange import INTERNAL, Arrangement, Host, Machine
from simvirt.result.run_document import HostLayout, VmLayout


def layout_of(plan: Arrangement) -> tuple[HostLayout, ...]:
    """The hosts of an arrangement, with VMs that are alike together; their names where there are several."""
    inside = _replicas(plan)
    return tuple(
        HostLayout(
            **(_named(host) if len(plan.hosts) > 1 else {}),
            model=host.entry.name, sockets=host.entry.sockets, cores=host.entry.cores, smt=host.entry.smt, memory_bytes=host.entry.memory,
            replicas=inside[host.machine], vms=tuple(_vms(plan.guests_of(host), inside)))
        for host in plan.hosts)


def _named(host: Host) -> dict[str, Any]:
    """What a host is called, and where it stands."""
    named = host.site.named
    return {"name": named.name, "zone": named.zone} if named.zone is not None else {"name": named.name}


def _replicas(plan: Arrangement) -> list[dict[str, int]]:
    """Replicas that each kernel schedules, by service."""
    found: list[Counter[str]] = [Counter() for _ in plan.machines]
    for one in plan.instances:
        if one.service not in INTERNAL:
            found[one.machine][one.service] += 1
    return [dict(counts) for counts in found]


def _vms(guests: Sequence[Machine], inside: Sequence[dict[str, int]]) -> Iterator[VmLayout]:
    """The VMs of a host: as many vCPUs and the same replicas are alike."""
    found = [(one.cpus, inside[one.row]) for one in guests]
    alike = Counter((vcpus, tuple(sorted(replicas.items()))) for vcpus, replicas in found if replicas)
    for (vcpus, replicas), count in alike.items():
        yield VmLayout(count=count, vcpus=vcpus, replicas=dict(replicas))

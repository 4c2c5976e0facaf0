"""From counts to a prediction: what the operations of a guest cost on a platform of the catalogue, beside what its exits would.

*Model.* The guest's own time is an instruction a cycle of the host. The performance model charges each operation what the platform's
entry says; the exits that were counted cost a round trip of the host's processor family each.
*Ignores.* That exits of RISC-V are not those of x86: which operations leave, and how often, transfers; what one costs is of the
catalogue's processors. Latencies of sleeping and waiting are not overhead of the CPU.
*Source.* Adams and Agesen, A Comparison of Software and Hardware Techniques for x86 Virtualization, ASPLOS 2006: overhead is what each
operation costs, times how often it happens.
"""

from __future__ import annotations

from simvirt.catalog import Catalog
from simvirt.catalog.records import HostEntry, PlatformCosts, S
from simvirt.emulation.operations import DEVICES, exits_by_operation, performed
from simvirt.result.emulation_document import EmulationCost, EmulationDocument, OperationCost
from simvirt.scenario.spec.models import HostSpec


def charged(document: EmulationDocument, platform: str, model: str) -> EmulationCost:
    """What a run would cost on a platform on a host; ScenarioError where the catalogue has no such platform or host."""
    costs, host = costs_on(platform, model)
    own = document.instructions / host.clock_hz
    rows = tuple(rows_of(document, costs, host))
    return EmulationCost(
        platform=platform, host=model, own_s=own, operations=rows,
        exit_s=exit_seconds(host),
        overhead=sum(row.charged_s for row in rows) / own if own else None,
        overhead_of_exits=sum(row.exits_s for row in rows) / own if own and document.exits else None,
    )


def costs_on(platform: str, model: str) -> tuple[PlatformCosts, HostEntry]:
    """What operations cost on a platform on a host, and the host; ScenarioError where the catalogue has no such platform or host."""
    catalog, host = Catalog({}), host_of(model)
    return catalog.platform_costs(catalog.named_platform(platform), host), host


def host_of(model: str) -> HostEntry:
    """A host of the catalogue; ScenarioError where it has none of this name."""
    return Catalog({}).resolve_host(HostSpec(model=model))


def exit_seconds(host: HostEntry) -> float:
    """A round trip between guest and hypervisor."""
    return host.family.vm_exit / host.clock_hz


def rows_of(document: EmulationDocument, costs: PlatformCosts, host: HostEntry) -> list[OperationCost]:
    """A row for each operation that the guest performed or left for; those that cost most come first."""
    counts, exits = performed(document), exits_by_operation(document.exits)
    found = [
        OperationCost(
            operation=name, count=counts.get(name, 0), exits=exits.get(name, 0),
            charged_s=counts.get(name, 0) * each_ns(costs, name) / S, exits_s=exits.get(name, 0) * exit_seconds(host),
        )
        for name in (*counts, DEVICES) if counts.get(name, 0) or exits.get(name, 0)
    ]
    return sorted(found, key=lambda row: (-max(row.charged_s, row.exits_s), row.operation))


def each_ns(costs: PlatformCosts, operation: str) -> float:
    """CPU time that one operation costs more than on the host's own kernel; 0 for what is none of the CPU."""
    return costs.cpu_ns[operation] - costs.spared_ns[operation] if operation in costs.cpu_ns else 0.0

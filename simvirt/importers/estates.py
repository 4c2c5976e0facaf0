"""A scenario from an inventory of virtual machines: hosts, one service for each machine, load as it was seen, and a plan for new hosts.

*Model*: a machine is a service with as many threads as vCPUs and requests of the catalogue's `burst` of CPU time, as many a second as
keep as many CPUs busy as the machine used; where nothing says how many that are, the share `busy` of its vCPUs. Its size is its limit of
CPUs and memory, also as a container.
*Ignores*: who calls whom; disks and networks but for their paths; usage that changes over the day.
*Source*: the inventory; `assumed` of the catalogue's demands. Utilization law: Denning and Buzen 1978.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simvirt.catalog import Catalog
from simvirt.catalog.entries.demands import AssumedSpec, DemandEntry
from simvirt.catalog.images import GENERIC
from simvirt.importers import values
from simvirt.importers.application import Note
from simvirt.importers.checking import check
from simvirt.importers.inventory import Inventory, Machine, common, pooled
from simvirt.importers.writing import comment, commented, flow, left_out
from simvirt.scenario.fields import word
from simvirt.units import UnitError


@dataclass(frozen=True, slots=True)
class Estate:
    """A scenario's text, and how many of its values are assumed."""

    text: str
    assumed: int


def estate(inventory: Inventory) -> Estate:
    """The scenario of an inventory."""
    assumed = Catalog.load(None).typed("demands", GENERIC, DemandEntry).assumed
    assert assumed is not None
    _rename(inventory.machines)
    inventory.left_out += [
        Note(machine.place, machine.name, "it runs Windows, and is no container of a Linux host; docker shows its load alone")
        for machine in inventory.machines if "windows" in machine.system.lower()
    ]
    setting = common(inventory.machines, inventory.left_out)
    lines = [*_head(inventory), *_hosts(inventory, assumed), *_platforms(inventory, setting), "services:"]
    for machine in inventory.machines:
        lines += _service(machine, assumed)
    lines += [*_load(inventory, assumed), *_foot(inventory)]
    text = "\n".join(lines) + "\n"
    check(text, inventory.files[0], {machine.name: machine.place for machine in inventory.machines})
    return Estate(text, sum("# assumed" in line for line in lines))


def _rename(machines: list[Machine]) -> None:
    """Gives each machine a name that a service may have, and no two the same."""
    taken: set[str] = set()
    for number, machine in enumerate(machines, 1):
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", machine.name).strip("-")[:80]
        try:
            plain = word(plain)
        except UnitError:
            plain = f"vm-{number}"
        machine.name = plain if plain not in taken else f"{plain}-{number}"
        taken.add(machine.name)


def _head(inventory: Inventory) -> Iterator[str]:
    """What it is, and what to do with it."""
    files = ", ".join(os.path.basename(file) for file in inventory.files)
    unseen = sum(machine.cpu_used is None for machine in inventory.machines)
    yield f"# Imported from {comment(files)} ({inventory.kind}): {len(inventory.machines)} VMs on {len(inventory.hosts)} hosts."
    yield "# `simvirt plan` says how many new hosts carry them, as VMs and as containers of the same limits: put the hosts that may be"
    yield "# bought into plan.hosts. The CPU time used is that of the moment of the export; plan.peak_to_mean says how much higher peaks."
    if unseen:
        yield f"# Measure these first: the CPU usage of {unseen} of {len(inventory.machines)} VMs, which is assumed."
    yield "simvirt: 1"
    yield f"name: {flow(comment(inventory.name)[:100] or 'estate')}"


def _hosts(inventory: Inventory, assumed: AssumedSpec) -> Iterator[str]:
    """The hosts that there are; one with room for all machines where nothing says which."""
    if not inventory.hosts:
        cores = max(int(assumed.cores), _power_of_two(sum(machine.vcpus for machine in inventory.machines)))
        memory = max(int(assumed.memory), _power_of_two(sum(machine.memory for machine in inventory.machines) / assumed.used))
        size = flow({"cores": cores, "memory": values.said_size(memory)})
        yield commented(f"host: {size}", "assumed: room for all VMs; no file says what it is")
        return
    yield "hosts:"
    for pool, host, names in pooled(inventory.hosts):
        clock = {"clock": f"{host.clock / 1e9:g}GHz"} if host.clock else {}
        each = {"sockets": host.sockets, "cores": host.cores, "smt": host.smt}
        said = flow({"count": len(names), **each, **clock, "memory": values.said_size(host.memory)})
        what = f"{host.title}: " if host.title else ""
        yield commented(f"  {pool}: {said}", f"{what}{', '.join(names[:8])}{' ...' if names[8:] else ''}")


def _platforms(inventory: Inventory, setting: dict[str, Any]) -> Iterator[str]:
    """As it is, and as containers."""
    name = inventory.platform
    vms = flow({"name": f"{name}-as-is", "stack": [name], **setting}) if setting else name
    yield f"platforms: [{vms}, docker]"


def _service(machine: Machine, assumed: AssumedSpec) -> Iterator[str]:
    """One machine."""
    system = f", {machine.system}" if machine.system else ""
    yield commented(f"  {machine.name}:", f"{os.path.basename(machine.place.file)}:{machine.place.line or 1}{system}")
    limit = f": {machine.cpu_limit:g} of {machine.vcpus} vCPUs" if machine.cpu_limit is not None else ""
    yield commented(f"    cpus: {min(machine.cpu_limit or machine.vcpus, machine.vcpus):g}", f"its vCPUs{limit}")
    yield f"    mem_limit: {values.said_size(machine.memory)}"
    if machine.memory_used:
        yield commented(f"    memory: {{base: {values.said_size(min(machine.memory_used, machine.memory))}}}", "what it used")
    reserved = {"cpus": machine.cpu_reserved, "memory": values.said_size(machine.memory_reserved) if machine.memory_reserved else None}
    if found := {key: value for key, value in reserved.items() if value}:
        yield f"    deploy: {flow({'resources': {'reservations': found}})}"
    for key, value in machine.keys.items():
        yield f"    {key}: {flow(value)}"
    yield f"    threads: {machine.vcpus}"
    work = f"{{work: [{{cpu: {{exponential: {values.said_time(assumed.burst * 1e-9)}}}}}]}}"
    yield commented(f"    operations: {work}", "assumed: no file says what it does")


def _load(inventory: Inventory, assumed: AssumedSpec) -> Iterator[str]:
    """Requests that keep as many CPUs busy as were."""
    rates = {machine.name: _busy(machine, assumed) / (assumed.burst * 1e-9) for machine in inventory.machines}
    yield "workload:"
    yield commented(f"  open: {{rate: {sum(rates.values()):.6g}/s}}", "CPU time used over that of a request")
    yield "  mix:"
    for machine in inventory.machines:
        busy = _busy(machine, assumed)
        why = f"{busy:.3g} CPUs busy"
        if machine.cpu_used is None:
            why = f"assumed: {why}, {100 * assumed.busy:g} % of its vCPUs"
        yield commented(f"    {machine.name}.work: {rates[machine.name]:.6g}", why)
    yield commented(f"objective: {{latency_p99: {values.said_time(assumed.objective * 1e-9)}}}", "assumed: no file says what users expect")
    yield "plan: {replicas: stated, survive: 1 host}"
    yield "run: {duration: 1min, replications: 3, seed: 1}"


def _busy(machine: Machine, assumed: AssumedSpec) -> float:
    """CPUs that a machine keeps busy; nothing at all is taken as very little, as a scenario needs a load."""
    most = min(machine.cpu_limit or machine.vcpus, machine.vcpus)
    return min(max(assumed.busy * most if machine.cpu_used is None else machine.cpu_used, 1e-4), 0.99 * most)


def _foot(inventory: Inventory) -> Iterator[str]:
    """What was left out."""
    if inventory.left_out:
        yield from ("", "# Left out:")
        yield from left_out(inventory.left_out)


def _power_of_two(value: float) -> int:
    return 1 << max(int(-(-value // 1)) - 1, 0).bit_length()



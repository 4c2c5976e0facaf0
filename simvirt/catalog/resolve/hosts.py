"""From a scenario's host to a resolved one: catalogue model, inline fields laid over it, anonymous devices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from simvirt.catalog.entries.hardware import CpuSpec, DiskModelSpec, FamilySpec, HostModelSpec, NicModelSpec
from simvirt.catalog.images import GENERIC
from simvirt.catalog.problems import Path
from simvirt.catalog.records import CpuFamily, Cstate, HostEntry
from simvirt.catalog.resolve.peripherals import DiskEntry, NicEntry
from simvirt.catalog.sourced import Sourced
from simvirt.catalog.store import Store
from simvirt.scenario.spec.models import HostSpec
from simvirt.units import UnitError, parse_bandwidth

OPTIONAL_OF_DISKS: Final = ("read_iops", "write_iops", "read_stream", "write_stream", "read_cv", "write_cv")


def resolve_host(store: Store, spec: HostSpec) -> HostEntry:
    """The model of `spec` (the generic host where it names none) with its inline fields laid over it."""
    base = host_model(store, spec.model or GENERIC)
    base = replace(base, cstates=_cstates(store, base, spec.max_cstate, ("host", "max_cstate")))
    given = {
        "sockets": spec.sockets, "cores": spec.cores, "smt": spec.smt, "clock_hz": spec.clock, "memory": spec.memory,
        "disk": None if spec.disk is None else disk(store, spec.disk),
        "nic": None if spec.nic is None else nic(store, spec.nic),
        "measured_entry_ns": spec.kernel_entry, "mitigated": None if spec.mitigations is None else spec.mitigations == "auto",
    }
    inline = {field: value for field, value in given.items() if value is not None}
    return replace(base, name=spec.model or "inline", **_lone_threads({"smt": base.smt, **inline}))


def _lone_threads(fields: dict[str, Any]) -> dict[str, Any]:
    """A core with one thread has no sibling to share with."""
    return {**fields, "smt_yield": 1.0} if fields["smt"] == 1 else fields


def _cstates(store: Store, host: HostEntry, deepest: str | None, path: Path) -> tuple[Cstate, ...]:
    """Idle states down to the deepest one allowed, those of the model where nothing is said.

    ScenarioError at `path` where there is none of that name.
    """
    states = host.family.cstates
    if deepest is None:
        return host.cstates
    if deepest == "none":
        return ()
    names = [state.name for state in states]
    if deepest not in names:
        store.fail(path, "idle states", deepest, ("none", *names))
    return states[: names.index(deepest) + 1]


def host_model(store: Store, name: str, path: Path = ("host", "model")) -> HostEntry:
    """A host model of the catalogue; ScenarioError at `path` where it does not exist."""
    model = store.typed("hosts", name, HostModelSpec, path)
    cpu = store.typed("cpus", model.cpu, CpuSpec)
    family = _stepping(cpu_family(store, cpu.family), cpu)
    generic = store.typed("hosts", GENERIC, HostModelSpec)
    tick, system = model.tick or generic.tick, model.system_memory or generic.system_memory
    assert tick is not None and system is not None
    entry = HostEntry(
        name=name, sockets=model.sockets, cores=cpu.cores, smt=cpu.smt, clock_hz=cpu.clock, memory=model.memory,
        disk=disk(store, model.disk), nic=nic(store, model.nic), smt_yield=family.smt_yield, tick_ns=tick.value, family=family,
        system_memory=int(system.value), mitigated=model.mitigations == "auto",
        measured_entry_ns=model.kernel_entry.value if model.kernel_entry else None,
    )
    return replace(entry, cstates=_cstates(store, entry, model.max_cstate, path))


def _stepping(family: CpuFamily, cpu: CpuSpec) -> CpuFamily:
    """A family as a processor model has it, whose stepping may need other mitigations."""
    if cpu.mitigated_entry is None:
        return family
    entry = cpu.mitigated_entry.value
    return replace(family, mitigated_entry=entry, kernel_entry=min(family.kernel_entry, entry))


def cpu_family(store: Store, name: str) -> CpuFamily:
    """A processor family of the catalogue; ScenarioError where it does not exist."""
    spec = store.typed("families", name, FamilySpec)
    return CpuFamily(
        name=name, smt_yield=spec.smt_yield.value, vm_exit=spec.vm_exit.value, nested_vm_exit=spec.nested_vm_exit.value,
        native_walk=spec.native_walk.value, nested_walk=spec.nested_walk.value,
        kernel_entry=spec.kernel_entry.value, mitigated_entry=spec.mitigated_entry.value,
        memory_bandwidth=spec.memory_bandwidth.value if spec.memory_bandwidth else None,
        memory_latency_ns=spec.memory_latency.value if spec.memory_latency else None,
        llc_bytes=int(spec.llc.value) if spec.llc else None, remote_latency=spec.remote_latency.value if spec.remote_latency else None,
        work_per_cycle=spec.work_per_cycle.value,
        huge_reach=spec.huge_reach.value if spec.huge_reach else None,
        cstates=tuple(Cstate(name, state.residency.value, state.exit.value) for name, state in spec.cstates.items()),
    )


def disk(store: Store, name: str, path: Path = ("host", "disk")) -> DiskEntry:
    """A block device of the catalogue; ScenarioError at `path` where it does not exist."""
    spec = store.typed("disks", name, DiskModelSpec, path)
    return DiskEntry(
        name=name, channels=int(spec.channels.value), read_latency_ns=spec.read_latency.value, write_latency_ns=spec.write_latency.value,
        flush_latency_ns=spec.flush_latency.value, read_bytes_per_s=spec.read_throughput.value,
        write_bytes_per_s=spec.write_throughput.value, size=int(spec.size.value) if spec.size else None,
        medium=spec.medium, **{name: _known(getattr(spec, name)) for name in OPTIONAL_OF_DISKS},
    )


def _known(number: Sourced | None) -> float:
    """A number, 0 where it is not told."""
    return 0.0 if number is None else number.value


def nic(store: Store, name: str | float, path: Path = ("host", "nic")) -> NicEntry:
    """A NIC of the catalogue by name, or an anonymous one by its bandwidth (`25Gbps`, or bits per second).

    ScenarioError at `path` where a name is neither.
    """
    bandwidth = _bandwidth(name)
    entry = GENERIC if bandwidth is not None else str(name)
    spec = store.typed("nics", entry, NicModelSpec, path)
    return NicEntry(
        name=str(name) if isinstance(name, str) else f"{name / 1e9:g}Gbps",
        bits_per_s=spec.bandwidth if bandwidth is None else bandwidth,
        mtu=int(spec.mtu.value), segment_bytes=int(spec.segment.value),
    )


def _bandwidth(name: str | float) -> float | None:
    """Bits per second where `name` is a bandwidth; None where it is a word."""
    if not isinstance(name, str):
        return float(name)
    try:
        return float(parse_bandwidth(name))
    except UnitError:
        return None

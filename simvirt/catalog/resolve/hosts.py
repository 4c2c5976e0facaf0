"""From a scenario's host to a resolved one: catalogue model, inline fields laid over it, anonymous devices."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

from simvirt.catalog.entries.hardware import CpuFamily, CpuSpec, Cstate, DiskEntry, HostModelSpec, NicEntry
from simvirt.catalog.images import GENERIC
from simvirt.catalog.problems import Path
from simvirt.catalog.records import HostEntry
from simvirt.catalog.store import Store
from simvirt.scenario.spec.models import HostSpec
from simvirt.units import UnitError, parse_bandwidth

SIZES: Final = (
    "dell-t340-e-2224", "entry-xeon-e-2278g", "dell-r740-gold-6132", "dell-r650-gold-6338", "dell-r760-8480", "dell-r7625-epyc-9654",
)
"""Servers of 4 to 192 cores that speak for hosts which are described inline: for their price and power, caches and memory bandwidth."""


def resolve_host(store: Store, spec: HostSpec, path: Path = ("host",)) -> HostEntry:
    """The model of `spec` with its inline fields laid over it; where it names none the generic host, with sockets of its size.

    ScenarioError below `path` where model, disk, NIC or idle state do not exist.
    """
    base = host_model(store, spec.model or GENERIC, (*path, "model"))
    base = replace(base, cstates=_cstates(store, base, spec.max_cstate, (*path, "max_cstate")))
    given = {
        "sockets": spec.sockets, "cores": spec.cores, "smt": spec.smt, "clock_hz": spec.clock, "memory": spec.memory,
        "disk": None if spec.disk is None else store.typed("disks", spec.disk, DiskEntry, (*path, "disk")),
        "nic": _set_up(base.nic if spec.nic is None else nic(store, spec.nic, (*path, "nic")), spec),
        "whole_frames": spec.offloads == "none",
        "measured_entry_ns": spec.kernel_entry, "switching": None if spec.switching is None else spec.switching == "auto",
        "mitigated": None if spec.mitigations is None else spec.mitigations == "auto",
    }
    inline = {field: value for field, value in given.items() if value is not None}
    host = replace(base, name=spec.model or "inline", **_lone_threads({"smt": base.smt, **inline}))
    return host if spec.model is not None else replace(host, family=_of_size(store, host))


def _set_up(device: NicEntry, spec: HostSpec) -> NicEntry:
    """A NIC with the offloads and the receive queues that a scenario states."""
    queues = device.queues if spec.receive_queues is None else spec.receive_queues
    tunnels = device.tunnels and spec.offloads not in ("no-tunnels", "none")
    segment = min(device.segment, device.mtu) if spec.offloads == "none" else device.segment
    return device.model_copy(update={"queues": queues, "tunnels": tunnels, "segment": segment})


def socket_like(store: Store, cores: int) -> HostEntry:
    """The server of `SIZES` whose sockets are nearest to so many cores."""
    return min((host_model(store, name) for name in SIZES), key=lambda model: abs(math.log(model.cores / cores)))


def _of_size(store: Store, host: HostEntry) -> CpuFamily:
    """The family of an inline host with the cache and memory bandwidth of a socket of its size.

    *Model*: those of the server whose sockets are nearest in cores, in proportion to the cores; never less than the family's own.
    """
    model = socket_like(store, host.cores)
    share, theirs, own = host.cores / model.cores, model.family, host.family
    return own.model_copy(update={
        "llc": max(own.llc or 0, round((theirs.llc or 0) * share)),
        "memory_bandwidth": max(own.memory_bandwidth or 0.0, (theirs.memory_bandwidth or 0.0) * share),
        "remote_bandwidth": max(own.remote_bandwidth or 0.0, (theirs.remote_bandwidth or 0.0) * share),
    })


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
    if deepest not in states:
        store.fail(path, "idle states", deepest, ("none", *states))
    return tuple(states.values())[: list(states).index(deepest) + 1]


def host_model(store: Store, name: str, path: Path = ("host", "model")) -> HostEntry:
    """A host model of the catalogue; ScenarioError at `path` where it does not exist."""
    model = store.typed("hosts", name, HostModelSpec, path)
    cpu = store.typed("cpus", model.cpu, CpuSpec)
    family = _stepping(store.typed("families", cpu.family, CpuFamily), cpu)
    generic = store.typed("hosts", GENERIC, HostModelSpec)
    tick = model.tick or generic.tick
    system = generic.system_memory if model.system_memory is None else model.system_memory
    receive = generic.receive if model.receive is None else model.receive
    switch = generic.thread_switch if model.thread_switch is None else model.thread_switch
    connection = generic.connection if model.connection is None else model.connection
    assert tick is not None and system is not None and receive is not None and switch is not None and connection is not None
    entry = HostEntry(
        name=name, sockets=model.sockets, cores=cpu.cores, smt=cpu.smt, clock_hz=cpu.clock, memory=model.memory,
        disk=store.typed("disks", model.disk, DiskEntry), nic=nic(store, model.nic), smt_yield=family.smt_yield, tick_ns=tick,
        receive_ns=receive, thread_switch_ns=switch, connection_ns=connection, family=family, system_memory=system,
        mitigated=model.mitigations == "auto", measured_entry_ns=model.kernel_entry,
    )
    return replace(entry, cstates=_cstates(store, entry, model.max_cstate, path))


def _stepping(family: CpuFamily, cpu: CpuSpec) -> CpuFamily:
    """A family as a processor model has it, whose stepping may need other mitigations."""
    if cpu.mitigated_entry is None:
        return family
    entry = cpu.mitigated_entry
    return family.model_copy(update={"mitigated_entry": entry, "kernel_entry": min(family.kernel_entry, entry)})


def nic(store: Store, name: str | float, path: Path = ("host", "nic")) -> NicEntry:
    """A NIC of the catalogue by name, or an anonymous one by its bandwidth (`25Gbps`, or bits per second).

    ScenarioError at `path` where a name is neither.
    """
    bandwidth = _bandwidth(name)
    if bandwidth is None:
        return store.typed("nics", str(name), NicEntry, path)
    anonymous = store.typed("nics", GENERIC, NicEntry).model_copy(update={"bandwidth": bandwidth})
    return anonymous.named(name if isinstance(name, str) else f"{name / 1e9:g}Gbps")


def _bandwidth(name: str | float) -> float | None:
    """Bits per second where `name` is a bandwidth; None where it is a word."""
    if not isinstance(name, str):
        return float(name)
    try:
        return float(parse_bandwidth(name))
    except UnitError:
        return None

"""VMs that cost nothing but what a test states of their devices."""

from __future__ import annotations

from typing import Any

from helpers.support import COMPILED, replications, scenario, service

from simvirt.catalog import OPERATIONS
from simvirt.metrics.outcome import Outcome
from simvirt.scenario.spec.models import Scenario

SPAN = 10 if COMPILED else 0.5  # seconds
NET, DISK = ("packet_in", "packet_out", "kib_in", "kib_out", "call_hop"), ("disk_read", "disk_write", "disk_flush", "kib_read", "kib_written")


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def costs(operations: tuple[str, ...], **given: dict[str, str]) -> dict[str, Any]:
    """Costs of some operations, nothing for the others."""
    nothing = {operation: {"none": "made up for a test"} for operation in operations}
    return nothing | {name: {part: number(value) for part, value in parts.items()} for name, parts in given.items()}


def world(
    rate: float | None = None, *, steps: list[Any] | None = None, net: dict[str, Any] | None = None, disk: dict[str, Any] | None = None, clients: int = 1,
    services: int = 1, seconds: float = SPAN, idle: dict[str, str] | None = None, guest_polls: str = "0ns", **hypervisor: Any,
) -> Scenario:
    """Services in VMs that cost nothing but what the test states: paths to the network and to the disk, fields of the hypervisor."""
    free = {operation: {"none": "made up for a test"} for operation in OPERATIONS if operation not in (*NET, *DISK)}
    if idle is not None:
        free["idle_wakeup"] = {part: number(value) for part, value in idle.items()}
    catalog = {
        "guests": {"idle": {"like": "linux", "background_duty": number(0), "idle_poll": number(guest_polls)}},
        "devices": {
            "my-net": {"like": "vhost-net", "moderation": number("0ns"), "costs": costs(NET)} | (net or {}),
            "my-disk": {"like": "virtio-blk", "moderation": number("0ns"), "costs": costs(DISK)} | (disk or {}),
        },
        "hypervisors": {"mine": {"like": "kvm", "guest": "idle", "net": "my-net", "disk": "my-disk", "halt_poll": number("0ns"), "costs": free} | hypervisor},
    }
    names = [f"s{n}" for n in range(services)]
    workload = {"open": {"rate": f"{rate}/s"}} if rate is not None else {"closed": {"clients": clients}}
    return scenario(
        {name: service(*(steps or [{"delay": "1us"}]), threads="unlimited", cpus=1) for name in names}, workload | {"mix": {f"{name}.job": 1 for name in names}},
        {"duration": f"{seconds}s", "warmup": "0s"}, platforms=[{"name": "x", "stack": ["mine"]}], catalog=catalog, host={"cores": 8, "disk": "nvme"},
    )


def outcome(**given: Any) -> Outcome:
    """One replication."""
    found = replications(world(**given))[0]
    assert set(found.checks.values()) == {"ok"}, found.checks
    return found

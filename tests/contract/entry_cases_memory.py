"""Cases of catalogue entries: memory, disk space and limits."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import BARE
from field_cases_memory import FULL, MERGING, SEARCHING, SWAPPING
from helpers.fields import CHANGES, FALLS, RISES, Case, patched

from simvirt.catalog.loader import shipped

LEDGER: Final = "memory/ledger/"
SMALL: Final = patched(BARE, {"run/requests": 200, "services/server/image": "mine", "services/server/scale": 2, "services/server/mem_limit": "1GiB", "catalog": {"footprints": {"mine": {"like": "generic"}}}})
VMS: Final = patched(SMALL, {
    "host": {"model": "mine"}, "platforms": [{"name": "x", "stack": ["mine"]}],
    "catalog/hosts": {"mine": {"like": "generic"}}, "catalog/guests": {"mine": {"like": "linux"}}, "catalog/hypervisors": {"mine": {"like": "kvm", "guest": "mine"}},
})
"""A VM for each of two replicas."""
LARGE: Final = patched(VMS, {"services/server/mem_limit": "3GiB"})
CONTAINERS: Final = patched(SMALL, {"platforms": [{"name": "x", "stack": ["mine"]}], "catalog/runtimes": {"mine": {"like": "docker"}}})
SCARCE: Final = patched(CONTAINERS, {"catalog/limits": {"mine": {"title": "made up", "source": "made up for a test", "resource": "tickets", "of": ["container"], "capacity": {"value": 100, "source": "made up for a test"}, "per_instance": {"value": 2, "source": "made up for a test"}}}})
"""Containers that take two tickets each."""
TAKEN: Final = "limits/tickets/demand"


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def entry(kind: str, field: str, value: Any, read: str, moves: str, base: dict[str, Any] = VMS) -> Case:
    """A case of one field of the entry `mine`."""
    return Case(f"{kind}.{field}", base, {}, {f"catalog/{kind}/mine/{field}": value}, read, moves)


SHIPPED: Final = dict(shipped("reclaim")["generic"])
MINE_OF_SWAPPING: Final[dict[str, Any]] = {
    "services/server/image": "mine", "catalog": {"footprints": {"mine": {"like": "generic"}}},
    "services/server/memory": {"base": "2GiB"},
}
BALLOONING: Final = patched(FULL, {"platforms/0/balloon": "auto"})
UNEQUAL: Final = patched(BALLOONING, {"host/swap": None, "platforms/0/guest_swap": "2GiB", "services/idle": {"memory": {"base": "700MiB", "hot": 0}, "mem_limit": "2GiB", "background": {"threads": 1, "duty": 0.1}}})
"""Busy VMs beside a large idle one."""


def under(field: str, value: Any, read: str, moves: str, base: dict[str, Any]) -> Case:
    """A case of the host's memory management."""
    return Case(f"reclaim.{field}", base, {}, {"catalog/reclaim/generic": SHIPPED | {field: value}}, read, moves)


LOGGING: Final = patched(BARE, {
    "host/disk": "hdd", "services/server/operations/job": [{"cpu": "1ms"}, {"disk": {"write": "200B"}}],
    "run": {"duration": "40s", "replications": 1, "seed": 1, "warmup": "0s"},
})
"""Lines of a log, which the page cache gathers."""


MANAGED: Final = (
    under("swap_fault", number("1ms"), "breakdown_s/cpu", RISES, SWAPPING),
    under("unpack", number("1ms"), "breakdown_s/cpu", RISES, patched(SWAPPING, {"host/zswap": 0.5})),
    under("evict", number("1ms"), "cpu/utilisation", RISES, SWAPPING),
    under("scan", number("100us"), "memory/reclaim/scanned_bytes", FALLS, MERGING),
    under("unshare", number("5ms"), "breakdown_s/cpu", RISES, patched(MERGING, {"services/server/image": "mine", "catalog": {"footprints": {"mine": {"like": "generic", "same": number(0.9)}}}})),
    under("inflate", number("1ms"), "cpu/utilisation", RISES, BALLOONING),
    under("cluster", number("4KiB"), "bottleneck/resources/host.disk", RISES, SWAPPING),
    under("compression", number(1.1), "breakdown_s/disk", RISES, patched(SWAPPING, {"host/zswap": 0.3})),
    under("balloon_most", number(0.01), "memory/reclaim/ballooned_bytes", FALLS, BALLOONING),
    under("idle_tax", number(0), "breakdown_s/disk", RISES, UNEQUAL),
    under("swappiness", number(0), LEDGER + "swapped_bytes", FALLS, SEARCHING),
    under("dirty_expiry", number("5s"), "bottleneck/resources/host.disk", RISES, LOGGING),
    under("flush_interval", number("50s"), "bottleneck/resources/host.disk", FALLS, LOGGING),
    under("dirty_background", number(1e-9), "bottleneck/resources/host.disk", RISES, LOGGING),
    under("dirty_most", number(1e-9), "breakdown_s/disk", CHANGES, LOGGING),
    under("write_chunk", number("4KiB"), "bottleneck/resources/host.disk", RISES, LOGGING),
)
CASES: Final = (
    *MANAGED,
    entry("footprints", "hot", number(0.1), "breakdown_s/disk", FALLS, patched(SWAPPING, MINE_OF_SWAPPING)),
    entry("footprints", "touch", number("40MB"), "breakdown_s/disk", RISES, patched(SWAPPING, MINE_OF_SWAPPING)),
    entry("footprints", "same", number(0.9), LEDGER + "shared_bytes", RISES, patched(MERGING, {"services/server/image": "mine", "catalog/footprints": {"mine": {"like": "generic"}}})),
    Case("guests.same", patched(MERGING, {"platforms": [{"name": "x", "stack": ["mine"]}], "catalog": {"guests": {"mine": {"like": "linux"}}, "hypervisors": {"mine": {"like": "kvm", "guest": "mine"}}}}), {}, {"catalog/guests/mine/same": number(0.1)}, LEDGER + "shared_bytes", FALLS),
    Case("guests.same_files", patched(MERGING, {"platforms": [{"name": "x", "stack": ["mine"]}], "catalog": {"guests": {"mine": {"like": "linux"}}, "hypervisors": {"mine": {"like": "kvm", "guest": "mine"}}}}), {}, {"catalog/guests/mine/same_files": number(0.1)}, LEDGER + "shared_bytes", FALLS),
    entry("hosts", "system_memory", number("2GiB"), LEDGER + "kernel_bytes", RISES),
    Case("disks.size", patched(VMS, {"catalog/disks": {"mine": {"like": "nvme"}}, "catalog/hosts/mine/disk": "mine"}), {}, {"catalog/disks/mine/size": number("4TB")}, "limits/disk.space/capacity", RISES),
    entry("hypervisors", "vmm_memory", number("1GiB"), LEDGER + "vmm_bytes", RISES),
    entry("hypervisors", "vmm_shared", number("1GiB"), LEDGER + "vmm_bytes", RISES),
    entry("hypervisors", "vmm_shared", number("1GiB"), LEDGER + "shared_bytes", RISES),
    entry("hypervisors", "vmm_per_vcpu", number("1GiB"), LEDGER + "vmm_bytes", RISES),
    entry("hypervisors", "vmm_per_memory", number(0.1), LEDGER + "vmm_bytes", RISES),
    entry("hypervisors", "video_memory", number("64MiB"), LEDGER + "vmm_bytes", RISES),
    entry("hypervisors", "host_memory", number("300MiB"), LEDGER + "kernel_bytes", RISES),
    entry("hypervisors", "preallocated", True, LEDGER + "held_bytes", RISES),
    entry("runtimes", "shim_memory", number("1GiB"), LEDGER + "runtime_bytes", RISES, CONTAINERS),
    entry("runtimes", "kernel_memory", number("1GiB"), LEDGER + "runtime_bytes", RISES, CONTAINERS),
    entry("runtimes", "daemon_memory", number("1GiB"), LEDGER + "kernel_bytes", RISES, CONTAINERS),
    entry("runtimes", "shares_files", False, LEDGER + "page_cache_bytes", RISES, CONTAINERS),
    entry("runtimes", "shares_files", False, LEDGER + "shared_bytes", FALLS, CONTAINERS),
    entry("guests", "memory", number("1GiB"), LEDGER + "guest_os_bytes", RISES),
    entry("guests", "page_structs", number(0.1), LEDGER + "guest_os_bytes", RISES),
    entry("guests", "bounce_buffer", number("512MiB"), LEDGER + "guest_os_bytes", RISES, LARGE),
    entry("guests", "file_cache", number("500MiB"), LEDGER + "page_cache_bytes", RISES),
    entry("guests", "boot_memory", number("500MiB"), LEDGER + "held_bytes", RISES),
    entry("footprints", "base", number("400MiB"), LEDGER + "application_bytes", RISES, CONTAINERS),
    entry("footprints", "per_connection", number("400MiB"), LEDGER + "application_bytes", RISES, CONTAINERS),
    entry("footprints", "files", number("400MiB"), LEDGER + "page_cache_bytes", RISES, CONTAINERS),
    entry("footprints", "disk", number("4GiB"), "limits/disk.space/demand", RISES, CONTAINERS),
    entry("footprints", "writable", number("4GiB"), "limits/disk.space/demand", RISES, CONTAINERS),
    Case("limits.nets", SCARCE, {"catalog/limits/mine/nets": ["host-network"]}, {"catalog/limits/mine/nets": ["bridge-nat"]}, "limits/tickets/demand", "changes"),
    Case("limits.except_nets", SCARCE, {"catalog/limits/mine/except_nets": ["bridge-nat"]}, {}, "limits/tickets/demand", "changes"),
    Case("limits.resource", SCARCE, {"catalog/limits/mine/resource": "places"}, {}, TAKEN, "changes"),
    entry("limits", "of", ["vm"], TAKEN, "changes", SCARCE),
    entry("limits", "layers", ["docker"], TAKEN, "changes", SCARCE),
    entry("limits", "capacity", number(200), "limits/tickets/capacity", RISES, SCARCE),
    Case("limits.per_core", patched(SCARCE, {"host/cores": 4}), {}, {"catalog/limits/mine/per_core": True}, "limits/tickets/capacity", RISES),
    entry("limits", "fixed", number(7), TAKEN, RISES, SCARCE),
    entry("limits", "per_instance", number(7), TAKEN, RISES, SCARCE),
    entry("limits", "per_thread", number(7), TAKEN, RISES, SCARCE),
    entry("limits", "per_connection", number(7), TAKEN, RISES, SCARCE),
    Case("limits.per_vcpu", patched(VMS, {"catalog/limits": {"mine": SCARCE["catalog"]["limits"]["mine"] | {"of": ["vm"]}}}), {}, {"catalog/limits/mine/per_vcpu": number(7)}, TAKEN, RISES),
)

"""Cases: what is done when memory runs short."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Final

from helpers.field_bases import BARE, REQUESTS
from helpers.fields import ABSENT, FALLS, RISES, Case, patched

SERVER: Final = "services/server/"
RECLAIM: Final = "memory/reclaim/"
LEDGER: Final = "memory/ledger/"
DISK: Final = "breakdown_s/disk"
SWAPPING: Final = patched(BARE, {
    "host": {"cores": 4, "memory": "2GiB", "swap": "8GiB", "disk": "sata-ssd"}, "platforms": ["docker"], "run/requests": REQUESTS // 2,
    "services/server": {"threads": 8, "scale": 2, "memory": {"base": "1200MiB", "hot": 0.9, "touch": "400KB"}, "operations": {"job": [{"cpu": {"exponential": "4ms"}}]}},
})
"""Two containers that need 2.4 GiB on a host of 2 GiB."""
BESIDE: Final = patched(SWAPPING, {SERVER + "scale": 1, "services/batch": {"memory": {"base": "1200MiB"}, "background": {"threads": 1, "duty": 0.1}}})
"""The same, one of them without requests."""
VMS: Final = patched(SWAPPING, {"platforms": [{"name": "kvm"}], "host/memory": "4GiB", SERVER + "memory/base": "700MiB", SERVER + "mem_limit": "1GiB", SERVER + "scale": 3})
"""Three VMs that need a little less than the host has."""
FULL: Final = patched(VMS, {"host/memory": "3GiB"})
"""The same on a host that is too small."""
FAST: Final = {"pages_to_scan": 20_000}
MERGING: Final = patched(VMS, {"host/ksm": FAST, "host/cores": 8})
LEAKING: Final = patched(SWAPPING, {"host/swap": ABSENT, SERVER + "mem_limit": "200MiB", SERVER + "memory": {"base": "100MiB", "growth": "4MiB"}})
"""Containers that need more with every request, until they are killed."""
LIMITED: Final = patched(SWAPPING, {"host/memory": "8GiB", SERVER + "mem_limit": "1GiB"})
"""Containers that need more than they may use."""
SEARCHING: Final = patched(SWAPPING, {
    "host/memory": "8GiB", SERVER + "memory": {"base": "2GiB", "hot": 0.5, "touch": "40KB"},
    SERVER + "operations/job": [{"cpu": "1ms"}, {"disk": {"read": "8KiB", "working_set": "12GiB"}}],
})
"""Containers with room for themselves, and not for all the data that they read."""
SOFT: Final = {"memory_available": "1MiB", "soft": "2MiB", "grace": "200ms", "every": "100ms"}
"""A hard threshold that nobody crosses, and a soft one."""
CROWDED_NODE: Final = patched(SWAPPING, {"host/swap": ABSENT, "host/memory": "3GiB", SERVER + "memory/base": "1000MiB"})
"""Two pods that leave little of 3 GiB."""
ON_VM_DISKS: Final = patched(SEARCHING, {"platforms": [{"name": "kvm"}], SERVER + "mem_limit": "2500MiB"})

CASES: Final = (
    Case("HostSpec.swappiness", SEARCHING, {"host/swappiness": 0}, {"host/swappiness": 100}, LEDGER + "swapped_bytes", RISES),
    Case("HostSpec.swappiness", SEARCHING, {"host/swappiness": 1}, {}, LEDGER + "page_cache_bytes", RISES),
    Case("ServiceSpec.tmpfs", LIMITED, {SERVER + "memory/base": "900MiB"}, {SERVER + "memory/base": "900MiB", SERVER + "tmpfs": "200MiB"}, LEDGER + "swapped_bytes", RISES),
    Case("TmpfsSpec.used", LIMITED, {SERVER + "tmpfs": "1MiB"}, {SERVER + "tmpfs": "50MiB"}, "services/server/memory/tmpfs_bytes", RISES),
    Case("TmpfsSpec.growth", LEAKING, {SERVER + "memory/growth": "0B"}, {SERVER + "memory/growth": "0B", SERVER + "tmpfs": {"growth": "4MiB"}}, RECLAIM + "oom_kills", RISES),
    Case("TmpfsSpec.size", LEAKING, {SERVER + "memory/growth": "0B", SERVER + "tmpfs": {"growth": "4MiB"}}, {SERVER + "memory/growth": "0B", SERVER + "tmpfs": {"growth": "4MiB", "size": "50MiB"}}, RECLAIM + "oom_kills", FALLS),
    Case("HostSpec.eviction", CROWDED_NODE, {}, {"host/eviction": "500MiB"}, RECLAIM + "evictions", RISES),
    Case("EvictionSpec.memory_available", CROWDED_NODE, {"host/eviction": "1MiB"}, {"host/eviction": "500MiB"}, RECLAIM + "evictions", RISES),
    Case("EvictionSpec.soft", CROWDED_NODE, {"host/eviction": SOFT}, {"host/eviction": SOFT | {"soft": "2500MiB"}}, RECLAIM + "evictions", RISES),
    Case("EvictionSpec.grace", CROWDED_NODE, {"host/eviction": SOFT | {"soft": "2500MiB"}}, {"host/eviction": SOFT | {"soft": "2500MiB", "grace": "1h"}}, RECLAIM + "evictions", FALLS),
    Case("EvictionSpec.minimum_reclaim", CROWDED_NODE, {"host/eviction": "500MiB"}, {"host/eviction": {"memory_available": "500MiB", "every": "100ms", "minimum_reclaim": "2500MiB"}}, RECLAIM + "evictions", RISES),
    Case("EvictionSpec.transition", patched(CROWDED_NODE, {"platforms": [{"name": "k8s", "orchestrator": "kubernetes", "stack": ["containerd"]}], "run": {"duration": "10s", "replications": 1, "warmup": "0s"}}),
         {"host/eviction": {"memory_available": "700MiB", "every": "100ms", "transition": "0s"}},
         {"host/eviction": {"memory_available": "700MiB", "every": "100ms", "transition": "1h"}}, RECLAIM + "evictions", FALLS),
    Case("EvictionSpec.every", CROWDED_NODE, {"host/eviction": {"memory_available": "2GiB", "every": "100ms"}}, {"host/eviction": {"memory_available": "2GiB", "every": "1h"}}, RECLAIM + "evictions", FALLS),
    Case("PlatformSpec.disk_cache", ON_VM_DISKS, {}, {"platforms/0/disk_cache": "writethrough"}, LEDGER + "page_cache_bytes", RISES),
    Case("PlatformSpec.disk_cache", patched(ON_VM_DISKS, {"host/swap": ABSENT}), {}, {"platforms/0/disk_cache": "writethrough"}, DISK, FALLS),
    Case("PlatformSpec.disk_cache", patched(ON_VM_DISKS, {SERVER + "operations/job": [{"disk": {"write": "8KiB", "direct": True}}]}), {"platforms/0/disk_cache": "writethrough"}, {"platforms/0/disk_cache": "writeback"}, DISK, FALLS),
    Case("PlatformSpec.disk_cache", patched(ON_VM_DISKS, {SERVER + "operations/job": [{"disk": {"write": "8KiB", "sync": True}}]}), {"platforms/0/disk_cache": "writeback"}, {"platforms/0/disk_cache": "unsafe"}, DISK, FALLS),
    Case("HostSpec.swap", SWAPPING, {"host/swap": ABSENT}, {}, RECLAIM + "swapped_out_bytes", RISES),
    Case("HostSpec.swap", SWAPPING, {"host/swap": ABSENT}, {}, RECLAIM + "oom_kills", FALLS),
    Case("HostSpec.zswap", SWAPPING, {}, {"host/zswap": 0.5}, DISK, FALLS),
    Case("HostSpec.ksm", VMS, {}, {"host/ksm": FAST}, LEDGER + "shared_bytes", RISES),
    Case("KsmSpec.pages_to_scan", MERGING, {"host/ksm/pages_to_scan": 100}, {}, RECLAIM + "scanned_bytes", RISES),
    Case("KsmSpec.since", VMS, {"host/ksm": {}}, {"host/ksm": {"since": "1d"}}, LEDGER + "shared_bytes", RISES),
    Case("KsmSpec.sleep", MERGING, {}, {"host/ksm/sleep": "2s"}, RECLAIM + "scanned_bytes", FALLS),
    Case("HostSpec.memory_ratio", VMS, {"host/memory_ratio": 1}, {"host/memory_ratio": 1.5}, "limits/memory.committed/capacity", RISES),
    Case("PlatformSpec.balloon", FULL, {}, {"platforms/0/balloon": "auto"}, RECLAIM + "ballooned_bytes", RISES),
    Case("PlatformSpec.balloon", VMS, {}, {"platforms/0/balloon": "256MiB"}, LEDGER + "free_bytes", RISES),
    Case("PlatformSpec.free_page_reporting", VMS, {}, {"platforms/0/free_page_reporting": True}, LEDGER + "held_bytes", FALLS),
    Case("PlatformSpec.guest_swap", patched(VMS, {SERVER + "mem_limit": "600MiB"}), {}, {"platforms/0/guest_swap": "1GiB"}, RECLAIM + "oom_kills", FALLS),
    Case("ServiceSpec.mem_reservation", BESIDE, {}, {SERVER + "mem_reservation": "1200MiB"}, DISK, FALLS),
    Case("ServiceSpec.mem_high", patched(LIMITED, {SERVER + "mem_limit": ABSENT}), {}, {SERVER + "mem_high": "800MiB"}, LEDGER + "swapped_bytes", RISES),
    Case("ServiceSpec.mem_high", patched(LIMITED, {SERVER + "mem_limit": ABSENT, "host/swap": ABSENT}), {}, {SERVER + "mem_high": "1190MiB"}, "breakdown_s/delay", RISES),
    Case("ServiceSpec.memswap_limit", LIMITED, {}, {SERVER + "memswap_limit": "1100MiB"}, RECLAIM + "oom_kills", RISES),
    Case("ServiceSpec.oom_score_adj", patched(BESIDE, {"host/swap": ABSENT}), {}, {SERVER + "oom_score_adj": -500}, "rejected", FALLS),
    Case("ServiceSpec.restart", LEAKING, {}, {SERVER + "restart": "always"}, "rejected", FALLS),
    Case("MemorySpec.hot", SWAPPING, {SERVER + "memory/hot": 0.3}, {}, DISK, RISES),
    Case("MemorySpec.touch", SWAPPING, {SERVER + "memory/touch": "40KB"}, {}, DISK, RISES),
    Case("MemorySpec.growth", LEAKING, {SERVER + "memory/growth": "0B"}, {}, RECLAIM + "oom_kills", RISES),
    Case("MemorySpec.heap", LEAKING, {}, {SERVER + "memory/heap": "50MiB"}, RECLAIM + "oom_kills", FALLS),
)

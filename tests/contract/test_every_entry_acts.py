"""Every field of a catalogue entry acts: changing it moves an output in the documented direction. A field without a case fails here."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import entry_cases_files
import entry_cases_images
import entry_cases_memory
import entry_cases_plan
import entry_cases_startups
import field_cases_autoscale
import field_cases_machines
import field_cases_migration
import field_cases_orchestration
import field_cases_vertical
import field_cases_workload_kinds
import entry_cases_volumes
import pytest
from helpers.field_bases import BARE, CROWDED, KVM
from helpers.fields import CHANGES, FALLS, RISES, Case, moved, output, patched, result

from simvirt.catalog import OPERATIONS, RATE_OPERATIONS, Catalog
from simvirt.catalog.entries.costs import PARTS, acting_parts
from simvirt.catalog.entries.software import KINDS
from simvirt.catalog.operations import DISK_OPERATIONS, NET_OPERATIONS, TECHNIQUE_OPERATIONS
from simvirt.errors import ScenarioError
from simvirt.scenario.spec.models import PlatformSpec

TOLD: Final = {"title", "source", "type", "isolation", "model", "format", "virtual"}
"""Fields that say what an entry is: they appear where the catalogue is shown, no number follows from them."""


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def mine(kind: str, like: str, **changes: Any) -> dict[str, Any]:
    """The patch of an entry called `mine`: another one with changes."""
    return {f"catalog/{kind}/mine": {"like": like} | changes}


ALL_STEPS: Final = [
    {"cpu": "1ms", "ops": dict.fromkeys(RATE_OPERATIONS, 10)}, {"disk": {"read": "64KiB"}}, {"disk": {"write": "64KiB", "sync": True}},
    {"net": {"in": "256KiB", "out": "256KiB"}}, {"call": "db.query"},
]
RICH: Final = patched(BARE, {
    "host": {"model": "mine"}, "platforms": [{"name": "x", "stack": ["mine"]}], "services/server/threads": 4, "services/server/operations/job": ALL_STEPS,
    "services/db": {"image": "mine", "threads": 4, "operations": {"query": [{"cpu": "1ms"}]}}, "run/requests": 500,
    "catalog": {
        "hosts": {"mine": {"like": "generic", "cpu": "mine", "disk": "mine", "nic": "mine"}}, "cpus": {"mine": {"like": "generic-x86-2.6", "cores": 2, "family": "mine"}},
        "families": {"mine": {"like": "generic-x86"}}, "disks": {"mine": {"like": "nvme"}}, "nics": {"mine": {"like": "1gbe"}}, "guests": {"mine": {"like": "linux"}},
        "techniques": {"mine": {"like": "nested-paging"}}, "devices": {"my-net": {"like": "vhost-net"}, "my-disk": {"like": "virtio-blk"}},
        "hypervisors": {"mine": {"like": "kvm", "guest": "mine", "technique": "mine", "net": "my-net", "disk": "my-disk"}},
        "profiles": {"mine": {"like": "nginx-static"}}, "images": {"mine": {"like": "nginx", "aliases": [], "profile": "mine"}},
    },
})
"""A VM per service in which everything comes from entries called `mine`."""
CONTAINERS: Final = patched(RICH, {
    "catalog/hypervisors": {}, "catalog/devices": {"my-net": {"like": "bridge-nat"}, "my-disk": {"like": "volume"}}, "catalog/techniques": {"mine": {"like": "none"}},
    "catalog/runtimes": {"mine": {"like": "docker", "technique": "mine", "net": "my-net", "disk": "my-disk"}},
})
TUNNEL: Final = patched(CONTAINERS, {
    "catalog/nics/mine": {"like": "100gbe"}, "catalog/devices/my-net": {"like": "vxlan-overlay"}, "services/server/threads": "unlimited", "host": {"model": "mine", "cores": 8},
    "services/server/operations/job": [{"cpu": "20us"}, {"net": {"in": "64KiB", "out": "64KiB"}}], "services/db": {"operations": {"query": [{"cpu": "1ms"}]}},
})
"""Containers that send and receive 64 KiB through a tunnel."""
CONNECTING: Final = patched(CONTAINERS, {"workload/connection": "new", "services/server/threads": "unlimited", "host": {"model": "mine", "cores": 8}, "services/server/operations/job": [{"cpu": "20us"}]})
"""Containers to which each request opens a connection."""
ENTERING: Final = patched(CONTAINERS, {"catalog/techniques/mine": {"like": "none", "costs": {"timer": {"cpu": number("9 entries")}}}})
"""Containers whose timers enter the host's kernel nine times more."""
UNMITIGATED: Final = patched(ENTERING, {"host/mitigations": "off"})
TAKING_TURNS: Final = patched(CROWDED, {
    "host": {"model": "mine"}, "services/server/profile": "generic", "services/hog/profile": "generic",
    "catalog": {"hosts": {"mine": {"like": "generic", "cpu": "mine"}}, "cpus": {"mine": {"like": "generic-x86-2.6", "cores": 1, "family": "mine"}}, "families": {"mine": {"like": "generic-x86"}}},
})
"""Two processes that take turns on one core."""
SIBLINGS: Final = patched(BARE, {
    "host": {"model": "mine"}, "services/batch": {"background": {"threads": 4}}, "run": {"duration": "1s", "replications": 1, "warmup": "0s"}, "workload/open/rate": "1/s",
    "catalog": {"hosts": {"mine": {"like": "generic", "cpu": "mine"}}, "cpus": {"mine": {"like": "generic-x86-2.6", "cores": 2, "smt": 2, "family": "mine"}}, "families": {"mine": {"like": "generic-x86"}}},
})
BESIDE_HOG: Final = patched(CROWDED, {"host": {"model": "mine"}, "platforms": [{"name": "x", "stack": ["mine"]}], "services/server/threads": 4, "services/server/cpus": 1, "services/hog/cpus": 1,
                                      "catalog": RICH["catalog"] | {"cpus": {"mine": {"like": "generic-x86-2.6", "cores": 1, "smt": 1}}}})
"""VMs on one core."""
REJECTING: Final = patched(BARE, {
    "host": {"model": "mine"}, "catalog": {"hosts": {"mine": {"like": "generic"}}}, "services/server/queue": 4, "workload/open/rate": "20000/s",
    "run": {"duration": "1s", "replications": 1, "warmup": "0s"},
})
"""A load of which most is rejected."""
WAITING_IN_LINE: Final = patched(BARE, {
    "host": {"model": "mine"}, "catalog": {"hosts": {"mine": {"like": "generic"}}}, "services/server/threads": 8,
    "services/server/operations/job": [{"lock": "log", "hold": [{"cpu": "1ms"}]}], "workload/open/rate": "600/s",
})
"""Threads that sleep in line for a lock."""


def bursting(field: str, value: Any, read: str, moves: str, more: dict[str, Any] | None = None) -> Case:
    """A case of what a burstable instance earns and keeps; its VM needs 0.6 CPUs."""
    mine = {"like": "t3.nano", **(more or {})}
    platform = {"name": "x", "stack": ["kvm"], "credits": "mine"}
    base = patched(BARE, {"platforms": [platform], "catalog": {"burstable": {"mine": mine}}, "run": {"duration": "20s", "replications": 1, "warmup": "0s"}})
    return Case(f"burstable.{field}", base, {}, {f"catalog/burstable/mine/{field}": value}, read, moves)


OLD_GUEST: Final = patched(BESIDE_HOG, {
    "host": {"cores": 8, "memory": "16GiB"}, "platforms": [{"name": "x", "stack": ["mine", "docker"], "vms": {"count": 1, "vcpus": 8, "memory": "4GiB"}}],
    "catalog": {"guests": {"mine": {"like": "linux"}}, "hypervisors": {"mine": {"like": "kvm", "guest": "mine"}}},
    "services": {"server": {"threads": 1, "cpu_quota": "7ms", "background": {"threads": 7, "duty": 0.0001, "period": "10ms"}, "operations": {"job": [{"cpu": "0.2ms"}]}}},
    "workload/open/rate": "50/s", "run": {"duration": "4s", "replications": 1, "warmup": "0s"},
})
"""A quota of 7 ms for threads that hardly do anything on the 8 vCPUs of a guest."""
INSIDE: Final = patched(BESIDE_HOG, {"services/hog": {"background": {"threads": 1}}, "platforms": [{"name": "x", "stack": ["mine"], "vms": {"count": 1, "vcpus": 1, "memory": "4GiB"}}]})
"""A crowd inside one guest."""


def entry(kind: str, field: str, like: str, value: Any, read: str, moves: str, base: dict[str, Any] = RICH) -> Case:
    """A case of one field of the entry `mine`."""
    given = base["catalog"][kind]["mine"]
    return Case(f"{kind}.{field}", base, {}, {f"catalog/{kind}/mine": given | {"like": like, field: value}}, read, moves)


SHARED: Final = patched(BARE, {
    "host": {"model": "mine"}, "services/server": {"threads": 4, "profile": "mine", "operations": {"job": [{"cpu": {"exponential": "5ms"}}]}}, "workload/open/rate": "300/s",
    "services/batch": {"background": {"threads": 3}, "profile": "mine"},
    "catalog": {
        "hosts": {"mine": {"like": "generic", "cpu": "mine", "sockets": 2}}, "cpus": {"mine": {"like": "generic-x86-2.6", "cores": 2, "smt": 2, "family": "mine"}},
        "families": {"mine": {"like": "generic-x86", "memory_bandwidth": number("20GB/s"), "memory_latency": number("80ns"), "llc": number("20MiB"), "remote_latency": number(1.5), "remote_bandwidth": number("10GB/s"), "huge_reach": number(2)}},
        "profiles": {"mine": {"like": "generic", "memory_bandwidth": number("12GB/s"), "llc": number("8MiB"), "thread_llc": number("6MiB"), "stall": number(0.5), "smt_yield": number(1.3), "kernel_share": number(0.05), "shootdowns": number("100/s"), "walk_miss": number(0.3)}},
    },
})
"""Threads that meet in sockets, cores and one kernel."""
SHARED_VMS: Final = patched(SHARED, {"platforms": ["kvm"], "services/batch/background/threads": 8, "workload": {"closed": {"clients": 4}, "mix": {"server.job": 1}}})
"""The same in two VMs with more vCPUs than the host has CPUs."""
RATE: Final = "throughput_per_s"
WAITING: Final = "breakdown_s/run_queue"
FAR: Final = patched(SHARED_VMS, {"services/server/threads": 8, "workload/closed/clients": 8, "services/batch/background": {"threads": 1, "duty": 0.1}})
"""A VM on both sockets, and one that does hardly anything."""
BOUND: Final = patched(SHARED_VMS, {"platforms": ["docker"], "services/server/cpuset": "0,1", "services/server/cpuset_mems": "1", "services/batch/background": {"threads": 1, "duty": 0.1}})
"""A container on one socket whose memory is on the other."""


def of_family(field: str, value: Any, moves: str, base: Any = SHARED, read: str = "latency_s/mean") -> Case:
    """A case of what a family's hardware has for all."""
    return Case(f"families.{field}", base, {}, {f"catalog/families/mine/{field}": number(value)}, read, moves)


def of_profile(field: str, value: Any, moves: str, base: Any = SHARED, read: str = "latency_s/mean") -> Case:
    """A case of what a profile takes of what all have."""
    return Case(f"profiles.{field}", base, {}, {f"catalog/profiles/mine/{field}": number(value)}, read, moves)


UNCHARGED: Final = ("syscall", "context_switch", "instruction", "page_table_update")
"""Operations that cost nothing under nested paging."""
MINE: Final = patched(KVM, {"platforms": ["mine"], "catalog": {"platforms": {"mine": {"like": "kvm"}}}})
"""A platform called `mine`."""
DISK: Final = "breakdown_s/disk"
EXTRA: Final = "breakdown_s/virtualization"
CASES: Final = (
    *entry_cases_files.CASES,
    *entry_cases_images.CASES, *field_cases_orchestration.ENTRIES,
    *field_cases_autoscale.ENTRIES,
    *field_cases_workload_kinds.ENTRIES,
    *field_cases_machines.ENTRIES,
    *field_cases_vertical.ENTRIES,
    *field_cases_migration.ENTRIES,
    *entry_cases_memory.CASES,
    entry("hosts", "cpu", "generic", "xeon-gold-6132", "cpu/utilisation", FALLS),
    entry("hosts", "sockets", "generic", 4, "cpu/utilisation", FALLS),
    entry("hosts", "memory", "generic", "64GiB", "memory/capacity_bytes", RISES),
    entry("hosts", "disk", "generic", "hdd", DISK, RISES),
    entry("hosts", "nic", "generic", "100gbe", "breakdown_s/network", FALLS),
    entry("hosts", "max_cstate", "generic", "C6", WAITING, RISES),
    entry("hosts", "tick", "generic", number("1ms"), "breakdown_s/steal", CHANGES, BESIDE_HOG),
    entry("hosts", "receive", "generic", number("50us"), "cpu/utilisation", RISES, REJECTING),
    entry("hosts", "thread_switch", "generic", number("500us"), "breakdown_s/cpu", RISES, WAITING_IN_LINE),
    entry("cpus", "cores", "generic-x86-2.6", 8, "cpu/utilisation", FALLS),
    entry("cpus", "smt", "generic-x86-2.6", 1, "services/batch/cpu_cores", FALLS, SIBLINGS),
    entry("cpus", "clock", "generic-x86-2.6", "5.2GHz", EXTRA, FALLS),
    entry("cpus", "family", "generic-x86-2.6", "nehalem", EXTRA, RISES),
    entry("families", "smt_yield", "generic-x86", number(1.9), "breakdown_s/interference", FALLS, SIBLINGS),
    entry("families", "vm_exit", "generic-x86", number("10000 cycles"), EXTRA, RISES),
    entry("families", "nested_vm_exit", "generic-x86", number("90000 cycles"), EXTRA, RISES, patched(RICH, {"platforms/0/stack": ["mine", "mine"]})),
    entry("families", "native_walk", "generic-x86", number("1 cycles"), EXTRA, RISES),
    entry("families", "nested_walk", "generic-x86", number("200 cycles"), EXTRA, RISES),
    entry("families", "cstates", "generic-x86", {"C1": {"residency": number("1us"), "exit": number("300us")}}, WAITING, RISES, patched(RICH, {"catalog/hosts/mine/max_cstate": "C1"})),
    entry("families", "process_switch", "generic-x86", number("90000 cycles"), "breakdown_s/interference", RISES, TAKING_TURNS),
    entry("families", "core_cache", "generic-x86", number("64MiB"), "breakdown_s/interference", FALLS, TAKING_TURNS),
    entry("families", "llc_latency", "generic-x86", number("200 cycles"), "breakdown_s/interference", RISES, TAKING_TURNS),
    entry("families", "vcpu_switch", "generic-x86", number("90000 cycles"), "breakdown_s/interference", RISES, patched(TAKING_TURNS, {"platforms": ["kvm"]})),
    entry("families", "kernel_entry", "generic-x86", number("90 cycles"), EXTRA, FALLS, UNMITIGATED), entry("families", "mitigated_entry", "generic-x86", number("9000 cycles"), EXTRA, RISES, ENTERING),
    entry("cpus", "mitigated_entry", "generic-x86-2.6", number("9000 cycles"), EXTRA, RISES, ENTERING), entry("hosts", "kernel_entry", "generic", number("5us"), EXTRA, RISES, ENTERING),
    entry("hosts", "mitigations", "generic", "off", EXTRA, FALLS, ENTERING),
    Case("disks.medium", patched(RICH, {"catalog/devices/my-disk": {"like": "firecracker-blk"}}), {}, {"catalog/disks/mine/medium": "memory"}, "cpu/virtualization", FALLS),
    entry("disks", "channels", "nvme", number(1), DISK, RISES, patched(RICH, {"workload/open/rate": "150/s", "services/server/threads": "unlimited", "services/server/operations/job": [{"cpu": "1us"}, {"disk": {"read": "6MiB"}}]})),
    entry("disks", "read_latency", "nvme", number("5ms"), DISK, RISES),
    entry("disks", "write_latency", "nvme", number("5ms"), DISK, RISES),
    entry("disks", "flush_latency", "nvme", number("5ms"), DISK, RISES),
    entry("disks", "read_throughput", "nvme", number("10MB/s"), DISK, RISES),
    entry("disks", "write_throughput", "nvme", number("10MB/s"), DISK, RISES),
    entry("disks", "read_iops", "nvme", number("300/s"), DISK, RISES),
    entry("disks", "write_iops", "nvme", number("300/s"), DISK, RISES),
    entry("disks", "read_stream", "nvme", number("20MB/s"), DISK, RISES),
    entry("disks", "write_stream", "nvme", number("20MB/s"), DISK, RISES),
    entry("disks", "read_cv", "nvme", number(3), "latency_s/p99", RISES, patched(RICH, {"services/server/operations/job": [{"cpu": "1us"}, {"disk": {"read": "4KiB"}}]})),
    entry("disks", "write_cv", "nvme", number(3), "latency_s/p99", RISES, patched(RICH, {"services/server/operations/job": [{"cpu": "1us"}, {"disk": {"write": "4KiB", "direct": True}}]})),
    entry("nics", "bandwidth", "1gbe", "10Gbps", "breakdown_s/network", FALLS),
    entry("nics", "mtu", "1gbe", number("9000B"), "breakdown_s/network", FALLS),
    entry("nics", "segment", "1gbe", number("1500B"), EXTRA, RISES),
    Case("nics.tunnels", TUNNEL, {}, {"catalog/nics/mine/tunnels": False}, EXTRA, RISES),
    Case("nics.queues", patched(TUNNEL, {"workload": {"closed": {"clients": 32}, "mix": {"server.job": 1}}}), {}, {"catalog/nics/mine/queues": number(1)}, RATE, FALLS),
    Case("devices.frames", TUNNEL, {}, {"catalog/devices/my-net/frames": {"headers": number("700B")}}, "breakdown_s/network", RISES),
    Case("devices.frames", TUNNEL, {}, {"catalog/devices/my-net/frames": {"mtu": number("300B")}}, "breakdown_s/network", RISES),
    *(Case("devices.frames", TUNNEL, {}, {"catalog/devices/my-net/frames": {direction: number("5us")}}, EXTRA, RISES) for direction in ("frame_in",)),
    Case("devices.frames", patched(TUNNEL, {"catalog/nics/mine/tunnels": False}), {}, {"catalog/devices/my-net/frames/frame_out": number("5us")}, EXTRA, RISES),
    *(Case("devices.frames", TUNNEL, {}, {"catalog/devices/my-net/frames": {"lost": [direction]}}, EXTRA, RISES) for direction in ("in", "out")),
    *(Case("devices.frames", patched(TUNNEL, {"catalog/nics/mine/tunnels": False}), {}, {"catalog/devices/my-net/frames/tunnel": [direction]}, EXTRA, RISES) for direction in ("in", "out")),
    Case("devices.tracking", CONNECTING, {}, {"catalog/devices/my-net": {"like": "bridge-nat", "tracking": {"work": number("90us")}}}, EXTRA, RISES),
    Case("devices.tracking", patched(CONNECTING, {"workload": {"closed": {"clients": 32}, "mix": {"server.job": 1}, "connection": "new"}}), {"catalog/devices/my-net": {"like": "bridge-nat", "tracking": {"work": number("50us")}}},
         {"catalog/devices/my-net": {"like": "bridge-nat", "tracking": {"work": number("50us"), "locked": number("50us")}}}, RATE, FALLS),
    entry("hosts", "connection", "generic", number("300us"), "breakdown_s/cpu", RISES, CONNECTING),
    Case("devices.threads", patched(TUNNEL, {"workload": {"closed": {"clients": 32}, "mix": {"server.job": 1}}, "catalog/devices/my-net": {"like": "docker-proxy"}}), {}, {"catalog/devices/my-net/threads": number(1)}, RATE, FALLS),
    entry("hypervisors", "guest", "kvm", "linux-minimal", "memory/parts/vm", FALLS),
    entry("hypervisors", "vmm_memory", "kvm", number("1GiB"), "memory/parts/vmm", RISES),
    entry("hypervisors", "technique", "kvm", "none", EXTRA, FALLS),
    entry("hypervisors", "net", "kvm", "firecracker-net", EXTRA, CHANGES),
    entry("hypervisors", "disk", "kvm", "firecracker-blk", DISK, CHANGES),
    entry("hypervisors", "scheduler", "kvm", "credit", "breakdown_s/steal", CHANGES, BESIDE_HOG),
    entry("hypervisors", "halt_poll", "kvm", number("0us"), "cpu/virtualization", CHANGES, patched(RICH, {"workload/open/rate": "300/s", "services/server/operations/job": [{"cpu": "20us"}, {"delay": "100us"}] * 3})),
    Case("hypervisors.spin_wait", patched(SHARED_VMS, {"platforms": [{"name": "x", "stack": ["mine"]}], "catalog/hypervisors": {"mine": {"like": "kvm"}}}), {}, {"catalog/hypervisors/mine/spin_wait": number(1)}, RATE, FALLS),
    entry("hypervisors", "dom0", "kvm", {"vcpus": number(2), "memory": number("1GiB")}, "memory/parts/dom0", CHANGES),
    entry("hypervisors", "dom0", "kvm", {"vcpus": number(2), "memory": number("1GiB")}, "cpu/virtualization", RISES),
    entry("hypervisors", "host_load", "kvm", {"threads": number(2), "duty": number(0.2), "period": number("10ms")}, "cpu/virtualization", RISES),
    Case("devices.backend", RICH, {}, {"catalog/devices/my-net/backend": "vmm", "catalog/devices/my-disk/backend": "vmm"}, "latency_s/mean", CHANGES),
    Case("devices.serial", patched(RICH, {"workload/open/rate": "150/s", "services/server/threads": "unlimited", "services/server/operations/job": [{"cpu": "1us"}, {"disk": {"read": "4MiB"}}]}),
         {}, {"catalog/devices/my-disk/serial": True}, "breakdown_s/queue", RISES),
    Case("devices.cache", patched(RICH, {"services/server/operations/job": [{"cpu": "1us"}, {"disk": {"write": "1MiB", "direct": True}}]}),
         {}, {"catalog/devices/my-disk/cache": "writeback"}, DISK, FALLS),
    Case("devices.cached", patched(RICH, {"platforms/0/disk_cache": "writeback", "services/server/operations/job": [{"cpu": "1us"}, {"disk": {"write": "1MiB", "direct": True}}]}),
         {}, {"catalog/devices/my-disk/cached": {name: {"host_cpu": number("10us")} for name in ("kib_read", "kib_written")}}, "latency_s/mean", RISES),
    Case("devices.segments", patched(RICH, {"services/server/operations/job": [{"cpu": "1us"}, {"disk": {"read": "4MiB"}}]}),
         {}, {"catalog/devices/my-disk/segments": number(1)}, "latency_s/mean", RISES),
    Case("devices.suppresses", patched(RICH, {"workload/open/rate": "300/s"}), {}, {"catalog/devices/my-net/suppresses": False}, "devices/net/interrupts", RISES),
    Case("devices.moderation", RICH, {}, {"catalog/devices/my-net/moderation": number("100ms")}, "devices/net/interrupts", FALLS),
    Case("devices.poll", RICH, {}, {"catalog/devices/my-net/poll": number("20ms")}, "devices/net/notifications", FALLS),
    entry("runtimes", "technique", "docker", "nested-paging", EXTRA, RISES, CONTAINERS),
    entry("runtimes", "net", "docker", "host-network", EXTRA, FALLS, CONTAINERS),
    Case("runtimes.disk", CONTAINERS, {}, {"catalog/devices/slow": {"like": "volume", "costs": {"disk_read": {"latency": number("5ms")}}}, "catalog/runtimes/mine/disk": "slow"}, DISK, RISES),
    entry("runtimes", "shim_memory", "docker", number("1GiB"), "memory/parts/runtime", RISES, CONTAINERS),
    entry("guests", "scheduler", "linux", "round-robin", "breakdown_s/run_queue", CHANGES, INSIDE),
    Case("guests.linux", OLD_GUEST, {}, {"catalog/guests/mine/linux": "4.19"}, "cpu/throttled", RISES, 0.5),
    Case("guests.idle_poll", patched(RICH, {"workload/open/rate": "300/s", "catalog/guests/mine": {"like": "linux"}, "catalog/hypervisors/mine/guest": "mine", "services/server/operations/job": [{"cpu": "20us"}, {"delay": "100us"}] * 3}),
         {}, {"catalog/guests/mine/idle_poll": number("200us")}, "cpu/virtualization", CHANGES),
    Case("guests.piece", patched(RICH, {"catalog/devices/my-disk/segments": number(1), "services/server/operations/job": [{"cpu": "1us"}, {"disk": {"read": "4MiB"}}]}),
         {}, {"catalog/guests/mine/piece": number("4KiB")}, "latency_s/mean", RISES),
    entry("guests", "tick", "linux", number("1ms"), "breakdown_s/run_queue", CHANGES, INSIDE),
    entry("guests", "memory", "linux", number("2GiB"), "memory/parts/vm", RISES),
    entry("guests", "background_duty", "linux", number(0.3), "cpu/virtualization", RISES),
    entry("guests", "background_period", "linux", number("5ms"), "events", RISES),
    entry("images", "aliases", "nginx", ["other-name"], "breakdown_s/virtualization", CHANGES, patched(RICH, {"services/db/image": "other-name"})),
    Case("images.profile", RICH, {}, {"catalog/images/mine/profile": "generic"}, EXTRA, CHANGES),
    *(Case("profiles.rates", RICH, {}, {"catalog/profiles/mine/rates": {operation: number("9000000/s")}}, EXTRA, RISES) for operation in RATE_OPERATIONS if operation not in UNCHARGED),
    *(Case("profiles.rates", patched(RICH, {"catalog/techniques/mine": {"like": "nested-paging", "costs": {operation: {"cpu": number("1us")}}}}),
           {}, {"catalog/profiles/mine/rates": {operation: number("9000000000/s")}}, EXTRA, RISES) for operation in UNCHARGED),
    of_family("memory_bandwidth", "200GB/s", FALLS), of_family("llc", "200MiB", FALLS), of_family("remote_latency", 4.0, FALLS, FAR, RATE), of_family("remote_bandwidth", "4GB/s", FALLS, BOUND, RATE),
    of_family("memory_latency", "900ns", FALLS, SHARED_VMS, RATE), of_family("huge_reach", 50, FALLS, patched(SHARED_VMS, {"platforms": [{"name": "x", "stack": ["kvm"], "pages": "huge"}]}), EXTRA),
    of_profile("memory_bandwidth", "1GB/s", FALLS), of_profile("llc", "14MiB", RISES), of_profile("thread_llc", "12MiB", RISES), of_profile("stall", 0.9, RISES, patched(SHARED, {"workload/open/rate": "150/s"})), of_profile("smt_yield", 2.0, FALLS),
    of_profile("kernel_share", 0.5, RISES), of_profile("shootdowns", "5000/s", FALLS, SHARED_VMS, RATE), of_profile("walk_miss", 1.0, FALLS, SHARED_VMS, RATE), of_profile("remote_share", 0.5, RISES, FAR, RATE),
    Case("platforms.pin", patched(SHARED_VMS, {"platforms": ["mine"], "catalog/platforms": {"mine": {"like": "kvm", "topology": "exposed"}}}), {}, {"catalog/platforms/mine/pin": True}, "latency_s/mean", CHANGES),
    Case("platforms.topology", patched(SHARED_VMS, {"platforms": ["mine"], "catalog/platforms": {"mine": {"like": "kvm", "pin": True}}}), {}, {"catalog/platforms/mine/topology": "exposed"}, "latency_s/mean", CHANGES),
    Case("platforms.pages", patched(SHARED_VMS, {"platforms": ["mine"], "catalog/platforms": {"mine": {"like": "kvm", "pin": True}}}), {"catalog/platforms/mine/pages": "huge"}, {"catalog/platforms/mine/pages": "4k"}, EXTRA, RISES),
    Case("platforms.pages", patched(FAR, {"platforms": ["mine"], "catalog/profiles/mine/rates": {"tlb_miss": number("9000000/s")}, "catalog/platforms": {"mine": {"like": "kvm"}}}), {"catalog/platforms/mine/pages": "huge"}, {"catalog/platforms/mine/pages": "4k"}, RATE, FALLS),
    Case("platforms.stack", MINE, {}, mine("platforms", "kvm", stack=["kvm", "docker"]), EXTRA, RISES),
    Case("platforms.vms", patched(MINE, {"services/server/cpus": 2}), {}, mine("platforms", "kvm", vms={"count": 1, "cpus": number(1), "memory": number(0.5)}), "memory/parts/vm", RISES),
    Case("platforms.net", MINE, {}, mine("platforms", "kvm", net="firecracker-net"), EXTRA, CHANGES),
    *entry_cases_plan.CASES,
    *entry_cases_startups.CASES,
    *entry_cases_volumes.CASES,
    bursting("earned", number("30/h"), "cpu/throttled", FALLS), bursting("launch", number(9), "cpu/throttled", FALLS),
    bursting("most", number(0), "cpu/throttled", RISES, {"launch": number(0.1)}),
    Case("platforms.disk", patched(MINE, {"services/server/operations/job": [{"cpu": "1ms"}, {"disk": {"read": "64KiB"}}]}), {}, mine("platforms", "kvm", disk="firecracker-blk"), DISK, CHANGES),
)
READ: Final = {
    "cpu": (EXTRA, "latency_s/mean"), "latency": ("latency_s/mean",), "host_cpu": ("cpu/virtualization", "latency_s/mean"),
    "kick": (EXTRA, "latency_s/mean"), "notify": (EXTRA, "latency_s/mean"), "interrupt": (EXTRA, "latency_s/mean"), "wake": ("latency_s/mean",),
    "spared": ("latency_s/mean",), "drive": ("cpu/virtualization", "latency_s/mean"),
    "host_wake": ("cpu/virtualization", "latency_s/mean"), "host_interrupt": ("cpu/virtualization", "latency_s/mean"),
}
"""Where each part of a cost shows."""


def cost(kind: str, name: str, operation: str, part: str, base: dict[str, Any], read: str) -> Case:
    """A case of what one operation costs."""
    costs = {operation: {part: number("20us")}}
    nothing = {operation: {"none": "made up for a test"}}
    given, path = base["catalog"][kind][name], f"catalog/{kind}/{name}"
    moves = FALLS if part == "spared" else RISES
    return Case(f"{kind}.costs", base, {path: given | {"costs": nothing}}, {path: given | {"costs": costs}}, read, moves)


SUBJECTS: Final = {
    "hypervisors": ("mine", tuple(OPERATIONS), RICH), "runtimes": ("mine", tuple(OPERATIONS), CONTAINERS), "techniques": ("mine", TECHNIQUE_OPERATIONS, RICH),
    "devices": ("my-net", NET_OPERATIONS, RICH), "served devices": ("my-net", NET_OPERATIONS, patched(CONTAINERS, {"catalog/devices/my-net": {"like": "docker-proxy"}})), "disk devices": ("my-disk", DISK_OPERATIONS, RICH),
}
COSTS: Final = {
    f"{kind}-{operation}-{part}": tuple(cost(kind.split()[-1], name, operation, part, base, read) for read in READ[part])
    for kind, (name, operations, base) in SUBJECTS.items() for operation in operations for part in acting_parts(operation, vm=kind not in ("runtimes", "served devices"), served=kind == "served devices")
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the scenarios lie."""
    return tmp_path_factory.mktemp("entries")


def values(case: Case, folder: Path) -> tuple[Any, Any]:
    """The output before and after."""
    before, after = (output(result(case, patch, folder), case.output) for patch in (case.before, case.after))
    return before, after


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_acts(case: Case, folder: Path) -> None:
    before, after = values(case, folder)
    assert moved(before, after, case.moves, case.least), f"{case.output}: {before!r} -> {after!r}, expected that it {case.moves}"


@pytest.mark.parametrize("cases", COSTS.values(), ids=COSTS)
def test_every_part_of_a_cost_acts(cases: tuple[Case, ...], folder: Path) -> None:
    found = [values(case, folder) for case in cases]
    assert any(moved(before, after, case.moves, 0.001) for case, (before, after) in zip(cases, found, strict=True)), found


@pytest.mark.parametrize(("kind", "like"), [("hypervisors", "kvm"), ("runtimes", "docker")])
def test_a_part_that_nothing_charges_is_refused(kind: str, like: str) -> None:
    for operation in OPERATIONS:
        for part in set(PARTS) - set(acting_parts(operation, vm=kind == "hypervisors")):
            with pytest.raises(ScenarioError, match=f"costs.{operation}.{part}: has no effect"):
                Catalog.load({kind: {"mine": {"like": like, "costs": {operation: {part: number("20us")}}}}})


@pytest.mark.parametrize(("stack", "setting", "expected"), [
    ("kvm", {"net": "virtio-blk"}, "unknown device"), ("kvm", {"disk": "vhost-net"}, "unknown device"), ("kvm", {"net": "bridge-nat"}, "runtime"), ("docker", {"net": "vhost-net"}, "hypervisor"),
])
def test_role_and_side_of_a_device_say_where_it_may_stand(stack: str, setting: dict[str, str], expected: str) -> None:
    with pytest.raises(ScenarioError, match=expected):
        Catalog.load().platform(PlatformSpec.model_validate({"name": "x", "stack": (stack,), **setting}))


@pytest.mark.parametrize(("change", "message"), [
    ({"like": "bridge-nat", "backend": "vhost"}, "backend: has no effect"), ({"like": "vhost-net", "backend": "proxy"}, "backend: has no effect"),
    ({"like": "bridge-nat", "threads": number(2)}, "threads: has no effect"), ({"like": "vhost-net", "frames": {"lost": ["in"]}}, "frames: has no effect"),
    ({"like": "vhost-net", "serial": True}, "serial: has no effect"),
    ({"like": "volume", "cache": "writeback"}, "cache: has no effect"),
    ({"like": "bridge-nat", "moderation": number("1us")}, "moderation: has no effect"), ({"like": "bridge-nat", "poll": number("1us")}, "poll: has no effect"),
])
def test_a_field_of_a_device_that_nothing_reads_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        Catalog.load({"devices": {"mine": change}})


def test_a_device_served_in_dom0_needs_one() -> None:
    catalog = Catalog.load({"devices": {"split": {"like": "vhost-net", "backend": "dom0"}}})
    with pytest.raises(ValueError, match="which \"kvm\" has not"):
        catalog.platform(PlatformSpec.model_validate({"name": "x", "stack": ("kvm",), "net": "split"}))


def test_no_field_is_forgotten() -> None:
    fields = {f"{kind}.{name}" for kind, model in KINDS.items() for name in model.model_fields if name not in TOLD}
    cases = {case.field for case in CASES} | {"devices.role", "devices.side"} | entry_cases_images.ELSEWHERE | {f"{kind.split()[-1]}.costs" for kind in SUBJECTS}
    assert fields == cases


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_entry_says_of_itself_is_shown(kind: str) -> None:
    """In the listing of its kind, or where its constants are explained."""
    catalog = Catalog.load()
    name = catalog.names(kind)[0]
    raw = catalog.raw(kind)[name]
    for field in TOLD & set(KINDS[kind].model_fields):
        changed = {"like": name, "title": "a title of its own", "source": "a source of its own", "model": "passthrough", "type": 2, "isolation": "software", "format": "vdi", "virtual": "9TiB"}
        entries = [Catalog.load({kind: {"mine": {"like": name} | ({} if plain else {field: changed[field]})}}) for plain in (True, False)]
        shown = [str([row for row in found.listing(kind) if row.name == "mine"]) + str(found.explain("mine", kind)) for found in entries]
        assert shown[0] != shown[1], f"{kind}.{field} of {raw}"

"""Cases: the scenario itself, the host, its scheduler, the platforms."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Final

from helpers.field_bases import BARE, CLOSED, CROWDED, DOCKER, EVENTFUL, KVM, WIDE
from helpers.fields import ABSENT, CHANGES, FALLS, RISES, Case, patched

def made_up(value: object) -> dict[str, object]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


SLOW_DISK: Final = {
    "title": "slow", "source": "made up for a test", "channels": {"value": 1, "source": "made up for a test"},
    **{f"{kind}_latency": {"value": "20ms", "source": "made up for a test"} for kind in ("read", "write", "flush")},
    **{f"{kind}_throughput": {"value": "1MB/s", "source": "made up for a test"} for kind in ("read", "write")},
}
READING: Final = patched(BARE, {"services/server/operations/job": [{"cpu": "1ms"}, {"disk": {"read": "8KiB"}}]})
SENDING: Final = patched(BARE, {"services/server/operations/job": [{"cpu": "1ms"}, {"net": {"out": "64KiB"}}]})
TUNNELLED: Final = patched(BARE, {
    "host": {"cores": 8, "memory": "16GiB", "nic": "100gbe"}, "platforms": ["docker-overlay-network"], "workload": {"closed": {"clients": 16}, "mix": {"server.job": 1}},
    "services/server": {"threads": "unlimited", "operations": {"job": [{"cpu": "1us"}, {"net": {"in": "1KiB"}}, {"net": {"out": "64KiB"}, "probability": 0.1}]}},
})
"""Containers on an overlay that receive small payloads and now and then send a large one."""
GVISOR: Final = patched(BARE, {"platforms": ["gvisor-ptrace"], "services/server/operations/job": [{"cpu": "1ms", "ops": {"syscalls": 20}}]})
MANY_THREADS: Final = patched(BARE, {
    "host/cores": 40, "platforms": ["docker"], "services/server/cpus": 0.3, "services/server/operations/job": [{"cpu": "0.5ms"}],
    "services/server/background": {"threads": 39, "duty": 0.0001, "period": "10ms"}, "run": {"duration": "4s", "replications": 1, "warmup": "0s"},
})
"""A quota of 30 ms for threads that hardly do anything on 40 CPUs."""
FOUR_BUSY: Final = patched(BARE, {"services/batch": {"background": {"threads": 4}}, "run": {"duration": "1s", "replications": 1, "warmup": "0s"}, "workload/open/rate": "1/s"})
BATCH: Final = "services/batch/cpu_cores"
IN_VMS: Final = patched(WIDE, {
    "platforms": [{"name": "vms", "stack": ["kvm", "docker"], "vms": {"count": 1, "vcpus": 1, "memory": "2GiB"}}], "services/server/scale": 2,
    "services/server/threads": 4, "workload/open/rate": "80/s",
})


SPANNING: Final = patched(WIDE, {
    "host": {"model": "mine"}, "services/server/profile": "mine", "services/server/threads": 4, "workload/open/rate": "100/s",
    "catalog": {
        "families": {"mine": {"like": "generic-x86", "remote_latency": made_up(2.0)}}, "cpus": {"mine": {"like": "generic-x86-2.6", "cores": 2, "family": "mine"}},
        "hosts": {"mine": {"like": "generic", "cpu": "mine", "sockets": 2}}, "profiles": {"mine": {"like": "generic", "stall": made_up(0.5)}},
    },
})
"""A VM that reaches over both sockets of the host."""


def vm_as(**settings: object) -> dict[str, object]:
    """The patch of a VM with settings."""
    return {"platforms": [{"name": "x", "stack": ["kvm"]} | settings]}


def scheduled(policy: str, **parameters: str) -> dict[str, object]:
    """The patch of a scheduler with parameters."""
    return {"host/scheduler": {"policy": policy} | parameters}


SCENARIO: Final = (
    Case("Scenario.name", BARE, {}, {"name": "other"}, "/scenario/name", CHANGES),
    Case("Scenario.host", WIDE, {}, {"host": {"cores": 2, "memory": "16GiB"}}, "cpu/utilisation", RISES),
    Case("Scenario.platforms", BARE, {}, {"platforms": ["kvm"]}, "cpu/virtualization", RISES),
    Case("Scenario.platforms", BARE, {}, {"platforms": ["bare-metal", "kvm"]}, "/comparison/kvm/latency_mean/ratio", CHANGES),
    Case("Scenario.services", WIDE, {}, {"services/batch": {"background": {}}}, "cpu/utilisation", RISES),
    Case("Scenario.workload", BARE, {}, {"workload": {"open": {"rate": "90/s"}}}, "throughput_per_s", RISES),
    Case("Scenario.objective", patched(BARE, {"run/replications": 5, "workload/open/rate": "10/s"}), {}, {"objective": {"latency_p99": "1ms"}}, "objective/latency_p99/met", CHANGES),
    Case("Scenario.measured_on", patched(BARE, {"workload/open/rate": "10/s"}), {}, {"measured_on": {"clock": "1.3GHz"}}, "breakdown_s/cpu", FALLS, 0.4),
    Case("Scenario.run", BARE, {}, {"run": {"duration": "20s", "replications": 1, "warmup": "0s"}}, "simulated_s", CHANGES),
    Case("Scenario.timeline", EVENTFUL, {"timeline": ABSENT}, {}, "failed", RISES),
    Case("Scenario.catalog", patched(READING, {"host/disk": "nvme"}), {}, {"catalog": {"disks": {"nvme": SLOW_DISK}}}, "breakdown_s/disk", RISES),
)
POOLS: Final = patched(WIDE, {
    "host": ABSENT, "hosts": {"node": {"count": 2, "cores": 1, "memory": "16GiB", "zone": ["a", "b"], "labels": {"disk": "nvme"}}},
    "services/server": {"threads": 2, "deploy": {"replicas": 2}, "operations": {"job": [{"cpu": "1ms"}]}}, "workload/open/rate": "700/s",
})
"""Two hosts with a replica each; one with both of them is overloaded at times."""
PLACED: Final = "services/server/deploy/placement"
HOSTS: Final = (
    Case("Scenario.hosts", POOLS, {}, {"hosts": {"node": {"count": 2, "cores": 2, "memory": "16GiB"}}}, "cpu/utilisation", FALLS),
    Case("HostPoolSpec.count", POOLS, {"hosts/node/count": 1}, {}, "latency_s/mean", FALLS),
    Case("HostPoolSpec.count", POOLS, {}, {"hosts/node/count": 3}, "memory/capacity_bytes", RISES),
    Case("HostPoolSpec.zone", patched(POOLS, {PLACED: {"constraints": ["zone != b"]}}), {}, {"hosts/node/zone": "a"}, "latency_s/mean", FALLS),
    Case("HostPoolSpec.labels", patched(POOLS, {"hosts/more": {"cores": 1, "memory": "16GiB"}, "hosts/node/count": 1, PLACED: {"constraints": ["disk == nvme"]}}), {},
         {"hosts/more/labels": {"disk": "nvme"}}, "latency_s/mean", FALLS),
    Case("DeploySpec.placement", POOLS, {}, {PLACED: {"constraints": ["zone == b"]}}, "latency_s/mean", RISES),
    Case("PlacementSpec.constraints", POOLS, {PLACED: {"constraints": ["host != node[0]"]}}, {PLACED: {"constraints": ["pool == node"]}}, "latency_s/mean", FALLS),
    Case("PlacementSpec.max_replicas_per_node", patched(POOLS, {"services/server/deploy/replicas": 3}), {PLACED: {"max_replicas_per_node": 3}}, {"hosts/node/count": 3, PLACED: {"max_replicas_per_node": 1}},
         "latency_s/mean", FALLS),
    Case("PlacementSpec.spread", patched(POOLS, {"hosts/node/count": 3, "hosts/node/zone": ["a", "b", "b"], "services/server/deploy/replicas": 3}), {}, {PLACED: {"spread": "zone"}}, "latency_s/mean", CHANGES),
)
HOST: Final = (
    Case("HostSpec.model", patched(WIDE, {"host": {}}), {"host": "dell-t340-e-2224"}, {"host/model": "dell-r740-gold-6132"}, "cpu/utilisation", FALLS),
    Case("HostSpec.sockets", FOUR_BUSY, {}, {"host/sockets": 2}, BATCH, RISES),
    Case("HostSpec.cores", FOUR_BUSY, {}, {"host/cores": 4}, BATCH, RISES),
    Case("HostSpec.cores", WIDE, {"host/cores": 1}, {}, "breakdown_s/run_queue", FALLS),
    Case("HostSpec.smt", FOUR_BUSY, {}, {"host/smt": 2}, BATCH, RISES),
    Case("HostSpec.smt", patched(CLOSED, {"host/cores": 2}), {}, {"host/smt": 2}, "breakdown_s/interference", RISES),
    Case("HostSpec.clock", KVM, {"host/clock": "2GHz"}, {"host/clock": "4GHz"}, "cpu/virtualization", FALLS),
    Case("HostSpec.memory", BARE, {}, {"host/memory": "32GiB"}, "memory/capacity_bytes", RISES),
    Case("HostSpec.memory", patched(DOCKER, {"services/server/mem_limit": "6GiB", "services/server/scale": 2}), {}, {"host/memory": "8GiB"}, "/warnings", CHANGES),
    Case("HostSpec.mitigations", patched(GVISOR, {"host/model": "dell-r740-gold-6132"}), {}, {"host/mitigations": "off"}, "cpu/virtualization", FALLS),
    Case("HostSpec.mitigations", patched(GVISOR, {"host/model": "gce-n1-standard-4"}), {}, {"host/mitigations": "off"}, "cpu/virtualization", FALLS),
    Case("HostSpec.switching", CROWDED, {}, {"host/switching": "none"}, "breakdown_s/interference", FALLS),
    Case("HostSpec.kernel_entry", GVISOR, {}, {"host/kernel_entry": "2us"}, "cpu/virtualization", RISES),
    Case("HostSpec.kernel_entry", patched(GVISOR, {"platforms": ["gvisor-kvm"], "services/server/operations/job": [{"cpu": "100us", "ops": {"syscalls": 20}}]}), {"host/kernel_entry": "300ns"}, {"host/kernel_entry": "900ns"}, "latency_s/mean", FALLS),
    Case("HostSpec.offloads", TUNNELLED, {}, {"host/offloads": "no-tunnels"}, "cpu/utilisation", RISES),
    Case("HostSpec.offloads", TUNNELLED, {}, {"host/offloads": "none"}, "cpu/utilisation", RISES),
    Case("HostSpec.offloads", patched(TUNNELLED, {"platforms": ["bare-metal"]}), {}, {"host/offloads": "none"}, "cpu/utilisation", RISES),
    Case("HostSpec.receive_queues", TUNNELLED, {"host/receive_queues": 8}, {"host/receive_queues": 1}, "throughput_per_s", FALLS),
    Case("HostSpec.disk", READING, {"host/disk": "nvme"}, {"host/disk": "hdd"}, "breakdown_s/disk", RISES),
    Case("HostSpec.max_cstate", BARE, {}, {"host/max_cstate": "C6"}, "breakdown_s/run_queue", RISES),
    Case("HostSpec.max_cstate", patched(BARE, {"host": {"model": "ibm-x3650-m4"}}), {}, {"host/max_cstate": "none"}, "breakdown_s/run_queue", FALLS),
    Case("HostSpec.nic", SENDING, {"host/nic": "10Gbps"}, {"host/nic": "100Mbps"}, "breakdown_s/network", RISES),
    Case("HostSpec.nic", SENDING, {"host/nic": "100gbe"}, {"host/nic": "1gbe"}, "breakdown_s/network", RISES),
    Case("HostSpec.linux", CROWDED, {"host/linux": "6.12"}, {"host/linux": "4.19"}, "breakdown_s/run_queue", CHANGES),
    Case("HostSpec.linux", MANY_THREADS, {"host/linux": "5.4"}, {"host/linux": "5.3"}, "cpu/throttled", RISES, 0.5),
    Case("HostSpec.scheduler", CROWDED, {"host/scheduler": "eevdf"}, {"host/scheduler": {"policy": "round-robin", "quantum": "50ms"}}, "breakdown_s/run_queue", RISES),
)
CROWDED_VMS: Final = patched(CROWDED, {"platforms": ["kvm"]})
"""Long turns hardly interrupt what runs, so that a VM is robbed less, once it runs."""
SKEWED_VMS: Final = patched(CROWDED_VMS, {"host/cores": 2, "services/server/cpus": 1, "services/hog/cpus": 2, "services/batch": {"background": {"threads": 1}, "cpus": 1}})
SCHEDULER: Final = (
    *(Case("SchedulerSpec.policy", CROWDED, scheduled("eevdf"), scheduled(name), "breakdown_s/run_queue", CHANGES) for name in ("cfs", "credit", "credit2", "esxi", "hyperv", "round-robin", "gps")),
    Case("SchedulerSpec.base_slice", CROWDED_VMS, scheduled("eevdf", base_slice="1ms", tick="1ms"), scheduled("eevdf", base_slice="30ms", tick="1ms"), "breakdown_s/steal", FALLS),
    Case("SchedulerSpec.base_slice", CROWDED, scheduled("eevdf", base_slice="1ms", tick="1ms"), scheduled("eevdf", base_slice="30ms", tick="1ms"), "events", FALLS),
    Case("SchedulerSpec.tick", CROWDED, scheduled("eevdf", base_slice="1ms", tick="1ms"), scheduled("eevdf", base_slice="1ms", tick="10ms"), "events", FALLS),
    Case("SchedulerSpec.tick", CROWDED, scheduled("cfs", min_granularity="1ms", latency="1ms", tick="1ms"), scheduled("cfs", min_granularity="1ms", latency="1ms", tick="10ms"), "events", FALLS),
    Case("SchedulerSpec.tick", CROWDED, scheduled("credit", tick="1ms"), scheduled("credit", tick="10ms"), "breakdown_s/run_queue", CHANGES),
    Case("SchedulerSpec.latency", CROWDED, scheduled("cfs", latency="3ms", tick="1ms"), scheduled("cfs", latency="60ms", tick="1ms"), "events", FALLS),
    Case("SchedulerSpec.min_granularity", CROWDED, scheduled("cfs", latency="1ms", min_granularity="1ms", tick="1ms"), scheduled("cfs", latency="1ms", min_granularity="30ms", tick="1ms"), "events", FALLS),
    Case("SchedulerSpec.wakeup_granularity", CROWDED, scheduled("cfs", wakeup_granularity="100us"), scheduled("cfs", wakeup_granularity="50ms"), "breakdown_s/run_queue", RISES),
    Case("SchedulerSpec.timeslice", CROWDED, scheduled("credit", timeslice="2ms"), scheduled("credit", timeslice="100ms"), "events", FALLS),
    Case("SchedulerSpec.ratelimit", CROWDED_VMS, scheduled("credit", ratelimit="100us"), scheduled("credit", ratelimit="20ms"), "breakdown_s/steal", FALLS),
    Case("SchedulerSpec.ratelimit", CROWDED_VMS, scheduled("credit2", ratelimit="100us"), scheduled("credit2", ratelimit="9ms"), "breakdown_s/steal", CHANGES),
    Case("SchedulerSpec.type", patched(CROWDED_VMS, {"host/smt": 2, "services/hog/cpus": 1}), scheduled("hyperv", type="classic"), scheduled("hyperv", type="core"), "cpu/steal", RISES),
    Case("SchedulerSpec.costop", SKEWED_VMS, scheduled("esxi", costop="1ms"), scheduled("esxi", costop="500ms"), "cpu/costop", FALLS),
    Case("SchedulerSpec.costart", SKEWED_VMS, scheduled("esxi", costop="20ms", costart="1ms"), scheduled("esxi", costop="20ms", costart="19ms"), "events", RISES),
    Case("SchedulerSpec.migrate_resist", patched(CROWDED, {"host/cores": 3, "services/hog/background/threads": 4}), scheduled("credit2", migrate_resist="1us"), scheduled("credit2", migrate_resist="9ms"), "breakdown_s/run_queue", RISES),
    Case("SchedulerSpec.quantum", CROWDED, scheduled("esxi", quantum="1ms"), scheduled("esxi", quantum="50ms"), "breakdown_s/run_queue", CHANGES),
    Case("SchedulerSpec.quantum", CROWDED, scheduled("hyperv", quantum="1ms"), scheduled("hyperv", quantum="50ms"), "breakdown_s/run_queue", RISES),
    Case("SchedulerSpec.quantum", CROWDED, scheduled("round-robin", quantum="1ms"), scheduled("round-robin", quantum="50ms"), "breakdown_s/run_queue", RISES),
)
CAPPED: Final = patched(WIDE, {"platforms": [{"name": "x", "stack": ["kvm"]}], "run": {"duration": "20s", "replications": 1, "warmup": "0s"}})
"""VMs that need more than half of a CPU."""


def with_credits(**settings: object) -> dict[str, object]:
    """The patch of a VM with credits."""
    return {"platforms/0/credits": settings}


PLATFORMS: Final = (
    Case("PlatformSpec.cap", CAPPED, {}, {"platforms/0/cap": 0.4}, "cpu/steal", RISES, 0.5),
    Case("PlatformSpec.credits", CAPPED, {}, with_credits(of="t2.micro", balance=0), "cpu/steal", RISES, 0.5),
    Case("CreditsSpec.of", CAPPED, with_credits(of="t2.nano", balance=0), with_credits(of="t2.2xlarge", balance=0), "cpu/steal", FALLS, 0.2),
    Case("CreditsSpec.earn", CAPPED, with_credits(earn="6/h", most=9), with_credits(earn="60/h", most=9), "cpu/throttled", FALLS, 0.2),
    Case("CreditsSpec.most", patched(CAPPED, {"workload/open/rate": "20/s", "services/server/operations/job": [{"cpu": {"hyperexponential": {"mean": "10ms", "cv": 6}}}]}), with_credits(earn="18/h", most=0), with_credits(earn="18/h", most=9), "cpu/throttled", FALLS, 0.2),
    Case("CreditsSpec.balance", CAPPED, with_credits(earn="6/h", most=9), with_credits(earn="6/h", most=9, balance=0.1), "cpu/throttled", FALLS, 0.1),
    Case("PlatformSpec.name", BARE, {"platforms": ["bare-metal"]}, {"platforms": [{"name": "metal", "stack": []}]}, "/comparison/baseline", CHANGES),
    Case("PlatformSpec.name", BARE, {"platforms": ["bare-metal"]}, {"platforms": ["kvm"]}, "cpu/virtualization", RISES),
    Case("PlatformSpec.stack", KVM, {"platforms": [{"name": "x", "stack": ["kvm"]}]}, {"platforms": [{"name": "x", "stack": ["kvm", "docker"]}]}, "cpu/virtualization", RISES),
    Case("PlatformSpec.net", KVM, {"platforms": [{"name": "x", "stack": ["kvm"]}]}, {"platforms": [{"name": "x", "stack": ["kvm"], "net": "firecracker-net"}]}, "breakdown_s/virtualization", CHANGES),
    Case("PlatformSpec.disk", patched(KVM, {"services/server/operations/job": [{"cpu": "1ms"}, {"disk": {"read": "64KiB"}}]}), {"platforms": [{"name": "x", "stack": ["kvm"]}]}, {"platforms": [{"name": "x", "stack": ["kvm"], "disk": "firecracker-blk"}]}, "breakdown_s/disk", CHANGES),
    *(Case("PlatformSpec.pin", SPANNING, vm_as(topology=seen), vm_as(topology=seen, pin=True), "latency_s/mean", FALLS) for seen in ("exposed",)),
    Case("PlatformSpec.topology", SPANNING, vm_as(pin=True, topology="hidden"), vm_as(pin=True, topology="exposed"), "latency_s/mean", FALLS),
    Case("PlatformSpec.pages", SPANNING, vm_as(pages="4k"), vm_as(pages="huge"), "cpu/virtualization", FALLS),
    Case("PlatformSpec.vms", IN_VMS, {"platforms/0/vms": ABSENT}, {}, "memory/parts/vm", RISES),
    Case("VmsSpec.count", IN_VMS, {}, {"platforms/0/vms/count": 2}, "memory/parts/vm", RISES),
    Case("VmsSpec.count", IN_VMS, {}, {"platforms/0/vms/count": 2}, "breakdown_s/run_queue", FALLS),
    Case("VmsSpec.vcpus", IN_VMS, {}, {"platforms/0/vms/vcpus": 4}, "breakdown_s/run_queue", FALLS),
    Case("VmsSpec.memory", IN_VMS, {}, {"platforms/0/vms/memory": "4GiB"}, "memory/parts/vm", RISES),
)
CASES: Final = (*SCENARIO, *HOSTS, *HOST, *SCHEDULER, *PLATFORMS)

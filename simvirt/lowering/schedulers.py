"""Parameters of CPU schedulers as the columns of a machine."""

import math
from dataclasses import dataclass
from typing import Any

from simvirt.kernel import constants as k
from simvirt.kernel.schedulers.registry import SCHEDULERS

MS = 1_000_000
NUMBERS = {scheduler.name: number for number, scheduler in enumerate(SCHEDULERS)} | {"gps": k.NONE}
"""What `queues.policy` holds; a fluid machine has no run queues."""
WEIGHS_EACH = ("credit2", "hyperv")
"""Policies under which every vCPU has the weight of its VM, where others divide it."""
LAG_QUANTA = 8
"""Quanta that a VM may lag behind: ESXi advanced setting Cpu.BoundLagQuanta."""


@dataclass(frozen=True)
class SchedulerRow:
    """The scheduler columns of the machine table; times in ns."""

    policy: str
    tick: int
    slice: int
    latency: int
    wakeup: int
    costop: int = 0
    costart: int = 0
    cores: bool = False


def scheduler_row(policy: str, cpus: int, tick_ns: float, spec: Any = None) -> SchedulerRow:
    """A policy with its defaults on a machine of so many CPUs, and what the scenario says otherwise.

    Source: eevdf base slice 0.7 ms, cfs latency 6 ms, granularity 0.75 ms and wake-up granularity 1 ms, each x (1 + log2 of
    min(CPUs, 8)): Linux kernel/sched/fair.c, SCHED_TUNABLESCALING_LOG; credit timeslice 30 ms, tick 10 ms, rate limit 1 ms:
    Xen xen/common/sched/credit.c; credit2 credits 10 ms, migration resistance 0.5 ms, rate limit 1 ms: Xen xen/common/sched/credit2.c;
    esxi co-stop 3 ms, co-start 2 ms: advanced settings Cpu.CoschedCostopThreshold and Cpu.CoschedCostartThreshold; its quantum 50 ms:
    "The CPU Scheduler in VMware vSphere 5.1" (hosts since list 200 ms as Cpu.Quantum); hyperv quantum 10 ms:
    estimated, from "hundredths of a second" in the Hypervisor Top Level Functional Specification; round robin 100 ms: Linux
    include/linux/sched/rt.h, RR_TIMESLICE.
    """
    factor = 1 + int(math.log2(min(cpus, 8)))

    def given(name: str, default: float) -> int:
        value = getattr(spec, name, None) if spec is not None else None
        return round(default if value is None else value)

    if policy == "eevdf":
        return SchedulerRow(policy, given("tick", tick_ns), given("base_slice", 0.7 * MS * factor), 0, 0)
    if policy == "cfs":
        granularity = given("min_granularity", 0.75 * MS * factor)
        return SchedulerRow(
            policy, given("tick", tick_ns), granularity, given("latency", 6 * MS * factor), given("wakeup_granularity", MS * factor)
        )
    if policy == "credit":
        return SchedulerRow(policy, given("tick", 10 * MS), given("timeslice", 30 * MS), 0, given("ratelimit", MS))
    if policy == "credit2":
        return SchedulerRow(policy, 0, 10 * MS, given("migrate_resist", 0.5 * MS), given("ratelimit", MS))
    if policy == "esxi":
        quantum = given("quantum", 50 * MS)
        costop = given("costop", 3 * MS)
        return SchedulerRow(policy, 0, quantum, LAG_QUANTA * quantum, 0, costop, given("costart", costop * 2 / 3))
    if policy == "hyperv":
        return SchedulerRow(policy, 0, given("quantum", 10 * MS), 0, 0, cores=getattr(spec, "type", None) == "core")
    if policy == "round-robin":
        return SchedulerRow(policy, 0, given("quantum", 100 * MS), 0, 0)
    return SchedulerRow(policy, 0, 0, 0, 0)


def queue_policies(policy: str) -> tuple[int, int]:
    """Schedulers of a machine's root queues and of its groups' queues: Xen's credits count domains, which serve in turn inside."""
    return NUMBERS[policy], NUMBERS["round-robin" if policy == "credit" else policy]

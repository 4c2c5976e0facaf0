"""Parameters of CPU schedulers as columns of the machine table."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simvirt import kernel
from simvirt.kernel import constants as k

MS = 1_000_000
LAG_QUANTA = 8
"""Quanta that a VM may lag behind: ESXi advanced setting Cpu.BoundLagQuanta."""
Given = Callable[[str, float], int]
"""A parameter by its name: as the scenario says, else the default, as a whole number of ns."""
Columns = dict[str, int]


def _eevdf(given: Given, scaled: int, tick_ns: float) -> Columns:
    """Base slice 0.7 ms, scaled. Source: Linux kernel/sched/fair.c."""
    return {"tick": given("tick", tick_ns), "base_slice": given("base_slice", 0.7 * MS * scaled)}


def _cfs(given: Given, scaled: int, tick_ns: float) -> Columns:
    """Latency 6 ms, granularity 0.75 ms and wake-up granularity 1 ms, scaled. Source: Linux kernel/sched/fair.c."""
    return {
        "tick": given("tick", tick_ns),
        "latency": given("latency", 6 * MS * scaled),
        "min_granularity": given("min_granularity", 0.75 * MS * scaled),
        "wakeup_granularity": given("wakeup_granularity", MS * scaled),
    }


def _credit(given: Given, scaled: int, tick_ns: float) -> Columns:
    """Timeslice (and turns in a domain) 30 ms, tick 10 ms, rate limit 1 ms. Source: Xen xen/common/sched/credit.c."""
    timeslice, ratelimit = given("timeslice", 30 * MS), given("ratelimit", MS)
    return {"tick": given("tick", 10 * MS), "timeslice": timeslice, "ratelimit": ratelimit, "quantum": timeslice}


def _credit2(given: Given, scaled: int, tick_ns: float) -> Columns:
    """Credits and turns inside a domain 10 ms, migration resistance 0.5 ms, rate limit 1 ms.

    Source: Xen xen/common/sched/credit2.c.
    """
    limits = {"migrate_resist": given("migrate_resist", 0.5 * MS), "ratelimit": given("ratelimit", MS)}
    return {"reset_credits": 10 * MS, "quantum": 10 * MS} | limits


def _esxi(given: Given, scaled: int, tick_ns: float) -> Columns:
    """Quantum 50 ms, co-stop 3 ms, co-start two thirds of it.

    Source: "The CPU Scheduler in VMware vSphere 5.1" (hosts since list 200 ms as Cpu.Quantum); advanced settings
    Cpu.CoschedCostopThreshold and Cpu.CoschedCostartThreshold.
    """
    quantum, costop = given("quantum", 50 * MS), given("costop", 3 * MS)
    costart = given("costart", costop * 2 / 3)
    return {"quantum": quantum, "bound_lag": LAG_QUANTA * quantum, "costop": costop, "costart": costart}


def _hyperv(given: Given, scaled: int, tick_ns: float) -> Columns:
    """Quantum 10 ms: estimated, from "hundredths of a second" in the Hypervisor Top Level Functional Specification."""
    return {"quantum": given("quantum", 10 * MS)}


def _round_robin(given: Given, scaled: int, tick_ns: float) -> Columns:
    """Quantum 100 ms. Source: Linux include/linux/sched/rt.h, RR_TIMESLICE."""
    return {"quantum": given("quantum", 100 * MS)}


def _gps(given: Given, scaled: int, tick_ns: float) -> Columns:
    """The fluid ideal has no turns."""
    return {"fluid": 1}


@dataclass(frozen=True)
class Rules:
    """What lowering has to know of a scheduler."""

    columns: Callable[[Given, int, float], Columns]
    turn: str = "quantum"  # which column says how long what competes runs at a time
    weighs_each: bool = False  # every vCPU has the weight of its VM, where others divide it
    inside: str = ""  # scheduler of the queues of groups, where that is another one


RULES: Mapping[str, Rules] = {
    "eevdf": Rules(_eevdf, turn="base_slice"),
    "cfs": Rules(_cfs, turn="min_granularity"),
    "credit": Rules(_credit, inside="round-robin"),  # credits count domains; inside one it is first come, first served
    "credit2": Rules(_credit2, weighs_each=True),
    "esxi": Rules(_esxi),
    "hyperv": Rules(_hyperv, weighs_each=True),
    "round-robin": Rules(_round_robin),
    "gps": Rules(_gps),
}
"""The schedulers by their names in a scenario."""


@dataclass(frozen=True)
class SchedulerRow:
    """The scheduler of a machine; times in ns."""

    policy: str
    columns: Mapping[str, int]  # of the machine table; those not named are 0
    cores: bool = False  # threads of a core never run different VMs

    def __getitem__(self, column: str) -> int:
        return self.columns.get(column, 0)

    @property
    def weighs_each(self) -> bool:
        """Whether every vCPU has the weight of its VM."""
        return RULES[self.policy].weighs_each

    @property
    def numbers(self) -> tuple[int, int]:
        """The schedulers of root queues and of groups' queues, by number; a fluid machine has none."""
        names = (self.policy, RULES[self.policy].inside or self.policy)
        root, inside = (kernel.SCHEDULERS.index(name) if name in kernel.SCHEDULERS else k.NONE for name in names)
        return root, inside


def scheduler_row(policy: str, cpus: int, tick_ns: float, spec: Any = None) -> SchedulerRow:
    """A policy with its defaults on a machine of so many CPUs, and what the scenario says otherwise.

    Linux scales by 1 + log2 of min(CPUs, 8): kernel/sched/fair.c, SCHED_TUNABLESCALING_LOG.
    """

    def given(name: str, default: float) -> int:
        value = getattr(spec, name, None)
        return round(default if value is None else value)

    rules = RULES[policy]
    columns = rules.columns(given, 1 + int(math.log2(min(cpus, 8))), tick_ns)
    turn = {"turn": columns.get(rules.turn, 0)}
    return SchedulerRow(policy, columns | turn, cores=getattr(spec, "type", None) == "core")

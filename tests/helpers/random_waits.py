"""No wait beyond a scheduler's bound: what is runnable on the kernel of a host, in random scenarios.

*Model*: as if all that is ever runnable at once stood on one CPU. Groups are those of containers and processes.
*Ignores*: groups under a quota, which wait for refills; guests; schedulers with reservations or whole cores in turn, whose bounds are others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from helpers.fairness import Rival, longest_wait

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.clock import Clock
from simvirt.control.memory import follow_all
from simvirt.control.lifecycle import begin
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import host_scheduler
from simvirt.runs.replicate import make_plane
from simvirt.scenario.spec.models import Scenario

LOOKS: Final = 400
LOOK_NS: Final = 5_000_000
EVENTS: Final = 300_000
"""Looks in a run, their distance, and events after which there are no more."""
ROOT: Final = k.NONE
"""What is in no group."""


@dataclass
class Waits:
    """The longest wait in each group of the host's kernel [ns], and how many of each were runnable at once."""

    clock: Clock
    longest: dict[int, int] = field(default_factory=dict)
    tasks: dict[int, int] = field(default_factory=dict)

    def look(self, at: int) -> None:
        """See who is runnable now, and since when."""
        read = self.clock.plane.read
        kind, state, since, thread = (read("frames", name) for name in ("kind", "state", "since", "thread"))
        runnable = np.flatnonzero((kind != k.NONE) & np.isin(state, (k.CPU, k.RUN_QUEUE)) & (thread != k.NONE))
        groups = read("entities", "group")[thread[runnable]]
        for group in np.unique(groups):
            mine = runnable[groups == group]
            waiting = mine[state[mine] == k.RUN_QUEUE]
            self.tasks[int(group)] = max(self.tasks.get(int(group), 0), len(mine))
            self.longest[int(group)] = max(self.longest.get(int(group), 0), int((at - since[waiting]).max(initial=0)))


def has_bound(scenario: Scenario, catalog: Catalog, platform: Platform) -> bool:
    """Whether everything on a host has a bound: no guests, no fluid, no whole cores in turn."""
    policy = host_scheduler(scenario, platform).policy
    return not platform.hypervisors and policy != "gps" and not (policy == "hyperv" and catalog.resolve_host(scenario.host).smt > 1)


def waited(scenario: Scenario, catalog: Catalog, platform: Platform) -> Waits:
    """A replication, looked at from time to time."""
    clock = Clock(make_plane(scenario, catalog, platform, scenario.run.seed, 0))
    begin(clock, scenario)
    if clock.plane.lowered.memory.follows:
        follow_all(clock)
    found = Waits(clock)
    for at in range(LOOK_NS, LOOKS * LOOK_NS, LOOK_NS):
        clock.run(until=at)
        found.look(at)
        if clock.plane.full or clock.plane.over or int(clock.plane.read("run", "events")[0]) > EVENTS:
            break
    return found


def beyond_bounds(scenario: Scenario, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Where something waits longer than its scheduler lets it: platform, how."""
    for spec in scenario.platforms:
        platform = catalog.platform(spec)
        if has_bound(scenario, catalog, platform):
            yield from ((platform.name, line) for line in _beyond(scenario, waited(scenario, catalog, platform)))


def _beyond(scenario: Scenario, found: Waits) -> Iterator[str]:
    """The groups in which something waited for too long."""
    read = found.clock.plane.read
    policy = host_scheduler(scenario, found.clock.plane.lowered.platform).policy
    if (read("groups", "reserve") > 0).any():
        return
    cpus, quota = int(read("machines", "cpus")[0]), read("groups", "quota")
    rivals = {group: _rivals(read, group, tasks) for group, tasks in found.tasks.items()}
    for group, longest in found.longest.items():
        if group != ROOT and quota[group] > 0:
            continue
        own, mates = _own(read, group, found.tasks[group], cpus)
        others = mates + [rival for other, each in rivals.items() if other != group for rival in each]
        bound = longest_wait(policy, lambda column: float(read("machines", column)[0]), own, others)
        if longest > bound + LOOK_NS:
            yield f"{policy}: group {group} waits {longest / 1e6:.4g} ms, bound {bound / 1e6:.4g} ms of {found.tasks}"


def _rivals(read: Any, group: int, tasks: int) -> list[Rival]:
    """A group as the others meet it: all its tasks on their CPU."""
    return [Rival(float(k.WEIGHT_ONE), 1)] * tasks if group == ROOT else [Rival(float(read("groups", "shares")[group]), tasks)]


def _own(read: Any, group: int, tasks: int, cpus: int) -> tuple[Rival, list[Rival]]:
    """A group that waits, with the part of its shares that one of its tasks brings to a CPU, and who stands beside it by itself."""
    if group == ROOT:
        return Rival(float(k.WEIGHT_ONE), 1), [Rival(float(k.WEIGHT_ONE), 1)] * (tasks - 1)
    divided = cpus > 1 and not read("groups", "each")[group]
    return Rival(float(read("groups", "shares")[group]) / (tasks if divided else 1), tasks), []

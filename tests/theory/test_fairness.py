"""Nobody runnable waits longer than the bound of its scheduler, whatever its neighbours do; the bounds are those of docs/models/cpu.md."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
import pytest
from helpers.fairness import BOUNDS, Rival, longest_wait
from helpers.random_waits import beyond_bounds
from helpers.support import COMPILED, MS, S, begun, replications, scenario, service

from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.kernel import constants as k

SECONDS: Final = 8 if COMPILED else 1
LOOKS_NS: Final = 2 * MS
"""Waits are looked at so often."""
TABLE: Final[dict[str, dict[str, Any]]] = {
    "short-turns": {"background": {"threads": 3, "duty": 0.8, "period": "400us"}},
    "many": {"background": {"threads": 6}},
    "sleepers": {"background": {"threads": 2, "duty": 0.1, "period": "1s"}},
    "heavy": {"background": {"threads": 2}, "cpu_shares": 8192},
    "limited": {"background": {"threads": 1}, "cpu_quota": "30ms", "cpu_period": "100ms"},
}
"""Neighbours that a scheduler may give too much."""
BUSY: Final = {"background": {"threads": 2}}
LIGHT: Final = {"background": {"threads": 1, "duty": 0.2, "period": "5ms"}}


def bound_of(clock: Clock, scheduler: str, name: str, groups: dict[str, Rival]) -> float:
    """For how long a task of a group may wait [ns]."""
    return longest_wait(
        scheduler, lambda column: float(clock.plane.read("machines", column)[0]), groups[name], [r for n, r in groups.items() if n != name])


def watch(clock: Clock, name: str) -> Callable[[int], np.ndarray]:
    """What says for how long everything of a service that is runnable on the host has been waiting at an instant [ns]."""
    read = clock.plane.read
    (row,) = clock.plane.instances_of(name)
    machine = int(read("instances", "machine")[row])
    if machine == 0:
        return partial(waits_of_threads, read, row)
    first = int(read("machines", "first_cpu")[machine])
    return partial(waits_of_vcpus, read, slice(first, first + int(read("machines", "cpus")[machine])))


def waits_of_threads(read: Callable[[str, str], np.ndarray], row: int, at: int) -> np.ndarray:
    """Those of the threads of an instance."""
    waiting = (read("frames", "state") == k.RUN_QUEUE) & (read("frames", "instance") == row) & (read("frames", "kind") != k.NONE)
    return at - read("frames", "since")[waiting]


def waits_of_vcpus(read: Callable[[str, str], np.ndarray], cpus: slice, at: int) -> np.ndarray:
    """Those of the vCPUs of a machine, whose CPUs they are."""
    vcpus = read("cpus", "vcpu")[cpus]
    state = read("entities", "state")[vcpus]
    waiting = (state == k.QUEUED) | (state == k.HELD)
    return at - read("entities", "waits_since")[vcpus][waiting & (read("cpus", "speed")[cpus] <= 0)]


def group_of(clock: Clock, name: str) -> int:
    """Group in which a service's container or VM competes on the host."""
    read = clock.plane.read
    (row,) = clock.plane.instances_of(name)
    machine = int(read("instances", "machine")[row])
    if machine == 0:
        return int(read("instances", "group")[row])
    return int(read("entities", "group")[read("cpus", "vcpu")[read("machines", "first_cpu")[machine]]])


def world(scheduler: str, neighbour: str, platform: str) -> tuple[Clock, dict[str, Rival]]:
    """Two containers or VMs beside a neighbour on one core."""
    services = {"busy": BUSY, "light": LIGHT, "rival": TABLE[neighbour]}
    where = "docker" if platform == "docker" else {"name": platform, "vms": {"count": 3, "vcpus": 6, "memory": "2GiB"}}
    clock = begun(scenario(services, None, {"duration": "1000s"}, platforms=[where], host={"scheduler": scheduler}))
    shares, systems = clock.plane.read("groups", "shares"), 0 if platform == "docker" else 1  # a guest's own work runs too
    return clock, {n: Rival(float(shares[group_of(clock, n)]), s["background"]["threads"] + systems) for n, s in services.items()}


@pytest.mark.parametrize(("neighbour", "platform"), [(n, p) for n in TABLE for p in ("docker", "kvm") if (n, p) != ("limited", "kvm")])
@pytest.mark.parametrize("scheduler", BOUNDS)
def test_nobody_waits_beyond_the_bound_of_its_scheduler(scheduler: str, neighbour: str, platform: str) -> None:
    clock, rivals = world(scheduler, neighbour, platform)
    longest = dict.fromkeys(["busy", "light"] if neighbour == "limited" else ["busy", "light", "rival"], 0)
    watched = {name: watch(clock, name) for name in longest}
    for at in range(LOOKS_NS, SECONDS * S, LOOKS_NS):
        clock.run(until=at)
        longest |= {name: max(longest[name], int(waits(at).max(initial=0))) for name, waits in watched.items()}
    bounds = {name: bound_of(clock, scheduler, name, rivals) for name in longest}
    assert {name: longest[name] / MS for name in longest if longest[name] > bounds[name]} == {}


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("hogs", [1, 5])
@pytest.mark.parametrize("scheduler", BOUNDS)
def test_a_refill_begins_no_new_turn(scheduler: str, hogs: int, cores: int) -> None:
    """A job of 1 ms each second beside threads that use the whole quota of 5 ms in 100 ms: it waits for its turn at that rate."""
    worker = service({"cpu": "1ms"}, background={"threads": hogs}, cpu_quota="5ms", cpu_period="100ms")
    run = {"duration": f"{200 if COMPILED else 20}s", "warmup": "0s"}
    spec = scenario({"server": worker}, {"closed": {"clients": 1, "think": "1s"}}, run, platforms=["docker"], host={"cores": cores, "scheduler": scheduler})
    plane = begun(spec).plane
    turns = BOUNDS[scheduler][1](Rival(1.0, 1), [Rival(1.0, 1)] * hogs, lambda column: float(plane.read("machines", column)[0]))
    longest = (turns + (hogs + 1) * MS) / S / (0.05 / cores) + 0.2  # each run queue has its part of the quota
    (found,) = replications(spec)
    assert found.latency_max_s is not None
    assert found.latency_max_s <= longest
    assert found.requests >= found.simulated_s / (1.0 + longest) - 1


@pytest.mark.parametrize("linux", ["2.4", "5.10", "6.8"])
def test_the_kernel_of_a_host_says_whose_bounds_hold(linux: str) -> None:
    """A scenario that names no scheduler has that of its kernel: turns, CFS, EEVDF."""
    spec = scenario({"a": BUSY, "b": LIGHT, "c": BUSY}, None, {"duration": "2s"}, platforms=["docker", "bare-metal"], host={"cores": 2, "linux": linux})
    assert list(beyond_bounds(spec, Catalog.of(spec))) == []

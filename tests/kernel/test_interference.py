"""The formulas of interference against closed forms and exact recursions, and the kernel's running sums against counts by hand."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from helpers.support import S, begun
from helpers.twins import plane, table
from helpers.worlds import worlds

from simvirt.plane import DataPlane
from simvirt.kernel import constants as k
from simvirt.kernel import interference as i
from simvirt.kernel import tables as t
from simvirt.scenario import loads

NEIGHBOURS = {name: text for name, text in worlds().items() if name.startswith("neighbours") and name != "neighbours-gps"}


def one_socket(bandwidth: float, *classes: tuple[float, float, float], llc: float = 0.0, wanted: float = 0.0) -> t.Plane:
    """A socket where one task of each class (stall, traffic, load) runs."""
    stall, traffic, load = ([c[j] for c in classes] for j in range(3))
    floor = math.sqrt(llc) if llc else 1.0
    rows = table(t.Classes, len(classes), steady=[1 - s for s in stall], stall=[s / floor for s in stall], traffic=[x / floor for x in traffic], reuses=[int(llc > 0)] * len(classes))
    sockets = table(t.Sockets, 1, bandwidth=[bandwidth], llc=[llc], floor=[floor], wanted=[wanted], load=list(load), classes=[len(classes)])
    found: t.Plane = plane(classes=rows, sockets=sockets)
    return found


@pytest.mark.parametrize("x", [1e-9, 0.3, 1.0, 2.0, 1e4, 7.7e14])
def test_the_root_is_the_square_root(x: float) -> None:
    assert i.root(x, 1.0 + x) == pytest.approx(math.sqrt(x), rel=1e-15)


@pytest.mark.parametrize("offered", [2.5, 4.0, 50.0])
def test_beyond_the_bandwidth_the_latency_of_one_class_is_its_closed_form(offered: float) -> None:
    p = one_socket(10.0, (0.8, 10.0, offered))
    latency = i.latency_of(p, 0, 1.0)
    assert latency == pytest.approx((offered - 0.2) / 0.8, rel=1e-12)
    assert i.flow(p, 0, 1.0, latency) == pytest.approx(10.0, rel=1e-12)


def test_beyond_the_bandwidth_the_traffic_of_any_mixture_is_the_bandwidth() -> None:
    """Mixtures that would still take more than all of it at twice the latency get it all."""
    rng = random.Random(1)
    mixtures = [one_socket(10.0, *((rng.uniform(0.05, 1), rng.uniform(1, 20), rng.uniform(1, 8)) for _ in range(rng.randrange(1, 6)))) for _ in range(60)]
    beyond = [p for p in mixtures if i.flow(p, 0, 1.0, 2.0) >= 10.0]
    assert len(beyond) > 20
    assert [i.flow(p, 0, 1.0, i.latency_of(p, 0, 1.0)) for p in beyond] == pytest.approx([10.0] * len(beyond), rel=0.01)


def test_below_it_latency_and_utilisation_agree_and_rise_without_a_step() -> None:
    before = 1.0
    for step in range(1, 400):
        p = one_socket(10.0, (0.7, 10.0, step / 100))
        latency = i.latency_of(p, 0, 1.0)
        assert before - 1e-9 <= latency <= before + 0.05
        if latency < 2.0 and i.flow(p, 0, 1.0, 1.0) > 1.0:
            assert latency == pytest.approx(i.loaded(i.flow(p, 0, 1.0, latency) / 10.0), abs=0.002)
        before = latency
    assert before > 3.0


def test_idle_memory_costs_nothing() -> None:
    assert i.latency_of(one_socket(10.0, (0.5, 0.9, 1.0)), 0, 1.0) == 1.0
    assert i.latency_of(one_socket(0.0, (0.5, 99.0, 9.0)), 0, 1.0) == 1.0, "no bandwidth is known"


@pytest.mark.parametrize("share", [0.5, 0.98, 0.9899, 0.9901, 0.9999, 1.0001, 1.5])
def test_memory_is_quiet_up_to_a_tenth_of_its_bandwidth_and_no_further(share: float) -> None:
    p = one_socket(10.0, (0.3, 0.4, share), (0.0, 0.6, share))
    assert (i.latency_of(p, 0, 1.0) == 1.0) == (i.flow(p, 0, 1.0, 1.0) <= 1.0) == (share <= 1.0)
    assert i.flow(p, 0, 1.0, 1.0) <= i.offered(p, 0, 1.0) * (1 + 1e-12)


def test_misses_grow_with_the_root_of_what_the_claims_exceed_the_cache_by() -> None:
    assert i.misses_of(one_socket(0.0, (0.5, 0.0, 1.0), llc=2e7, wanted=2e7), 0) == math.sqrt(2e7)
    assert i.misses_of(one_socket(0.0, (0.5, 0.0, 1.0), llc=2e7, wanted=8e7), 0) == pytest.approx(2 * math.sqrt(2e7), rel=1e-12)


def exact_wait(tasks: int, share: float) -> float:
    """Wait over service at one station of a closed network with a delay, by exact mean value analysis."""
    queue, residence = 0.0, share
    for n in range(1, tasks + 1):
        residence = share * (1.0 + queue)
        queue = n * residence / (1.0 - share + residence)
    return residence / share - 1.0


@pytest.mark.parametrize("share", [0.002, 0.02, 0.1, 0.5])
@pytest.mark.parametrize("tasks", [2, 4, 16, 64, 256])
def test_the_wait_for_a_lock_is_that_of_a_closed_network(tasks: int, share: float) -> None:
    """Stretch of the work within 8 % of exact mean value analysis, and never beyond the line of all others."""
    p: Any = plane(machines=table(t.Machines, 1, kernel_tasks=[tasks], kernel_load=[tasks * share]))
    wait = i.lock_wait(p, 0)
    assert 1 + share * wait == pytest.approx(1 + share * exact_wait(tasks, share), rel=0.08)
    assert 0 <= wait <= tasks - 1


def test_alone_nobody_waits_for_a_lock() -> None:
    p: Any = plane(machines=table(t.Machines, 1, kernel_tasks=[1], kernel_load=[0.5]))
    assert i.lock_wait(p, 0) == 0.0


# --- running sums ------------------------------------------------------------------------------------------------------------


class Audit:
    """What the tables of a plane say, counted anew from who computes where."""

    def __init__(self, data: DataPlane) -> None:
        self.read = data.read
        self.classes, self.sockets = len(data.read("classes", "steady")), len(data.read("sockets", "llc"))
        self.leaves = {x: leaf for x in range(data.lowered.hosts[0].pcpus) if (leaf := self.leaf(x)) != k.NONE}

    def leaf(self, cpu: int) -> int:
        """Thread that computes on a CPU."""
        e = int(self.read("cpus", "current")[cpu])
        carries = int(self.read("entities", "carries")[e]) if e != k.NONE else k.NONE
        return self.leaf(carries) if carries != k.NONE else e

    def of_thread(self, x: int) -> tuple[int, int]:
        """Class and machine of what computes on a hardware thread."""
        e = self.leaves[x]
        return int(self.read("instances", "profile")[self.read("entities", "instance")[e]]), int(self.read("entities", "machine")[e])

    def check(self) -> None:
        """Each running sum is what a count gives."""
        loads, wanted = np.zeros(self.classes * self.sockets), np.zeros(self.sockets)
        running, tasks = (np.zeros(len(self.read("machines", "cpus")), int) for _ in range(2))
        processes = set[tuple[int, int, int]]()
        for x in range(len(self.read("sockets", "members"))):
            assert (int(self.read("cpus", "profile")[x]) != k.NONE) == (x in self.leaves)
        for x in self.leaves:
            kind, machine = self.of_thread(x)
            assert (int(self.read("cpus", "profile")[x]), int(self.read("cpus", "running_machine")[x])) == (kind, machine)
            socket = int(self.read("cpus", "socket")[x])
            loads[socket * self.classes + kind] += self.smt_speed(x)
            wanted[socket] += self.read("classes", "thread_cache")[kind]
            processes.add((socket, kind, int(self.read("entities", "instance")[self.leaves[x]])))
            running[machine] += 1
            tasks[machine] += self.read("classes", "kernel_share")[kind] > 0
        for socket, kind, _ in processes:
            wanted[socket] += self.read("classes", "process_cache")[kind]
        assert self.read("sockets", "load") == pytest.approx(loads, abs=1e-9)
        assert self.read("sockets", "wanted") == pytest.approx(wanted)
        assert self.read("machines", "running").tolist() == running.tolist()
        assert self.read("machines", "kernel_tasks").tolist() == tasks.tolist()
        self.check_speeds()

    def smt_speed(self, x: int) -> float:
        """Speed by SMT alone."""
        sibling, share = int(self.read("cpus", "sibling")[x]), self.read("classes", "smt_share")
        return float(share[self.of_thread(x)[0]] + share[self.of_thread(sibling)[0]]) / 2 if sibling in self.leaves else 1.0

    def check_speeds(self) -> None:
        """Each task has the speed of its class, within what is noticeable of the waits as they are now."""
        for x in self.leaves:
            kind, machine = self.of_thread(x)
            socket = int(self.read("cpus", "socket")[x])
            misses = self.read("sockets", "misses")[socket] if self.read("classes", "reuses")[kind] else 1.0
            memory = self.read("classes", "steady")[kind] + self.read("classes", "stall")[kind] * misses * self.read("sockets", "latency")[socket]
            kernel = (
                1 + self.read("classes", "kernel_share")[kind] * self.read("machines", "lock_wait")[machine]
                + self.read("classes", "shootdowns")[kind] * self.read("machines", "shootdown_wait")[machine]
            )
            assert self.read("cpus", "speed")[x] == pytest.approx(self.smt_speed(x) / memory / kernel, rel=1e-12)
            cpu = int(self.read("entities", "cpu")[self.leaves[x]])
            assert self.read("cpus", "speed")[cpu] == self.read("cpus", "speed")[x]


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_running_sums_and_speeds_are_those_of_a_count_at_any_instant(name: str) -> None:
    rng, clock = random.Random(name), begun(loads(NEIGHBOURS[name], sets=["run.replications=1"]))
    at, busy = 0, 0
    while at < S:
        at += rng.randrange(1, 20_000_000)
        clock.run(until=at)
        found = Audit(clock.plane)
        found.check()
        busy += len(found.leaves)
    assert busy > 100

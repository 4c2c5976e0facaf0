"""The laws of the seam between the control plane and the data plane."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from helpers.support import MS, S, after, assert_sound, begun, columns, differences, replications, scenario, service
from helpers.worlds import document, eventful, worlds

from simvirt import kernel
from simvirt.kernel import constants as k
from simvirt.scenario import loads

WORLDS = worlds()
QUIET = [name for name in WORLDS if not name.startswith(("eventful", "observed"))]
UNTIL = 2 * S

every_quiet_world = pytest.mark.parametrize("name", QUIET)


# --- horizon ---------------------------------------------------------------------------------------------------------------


def test_every_event_before_the_horizon_is_done_and_none_at_it() -> None:
    """Constant arrivals each 10 ms, each 4 ms long: at each instant the books show what lies strictly before."""
    workload = {"open": {"rate": "100/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}}
    clock = begun(scenario({"server": service({"cpu": "4ms"})}, workload, {"duration": "10s"}))
    plane = clock.plane
    assert plane.catch_up(10 * MS) is None
    first = int(plane.read("source", "at")[0])
    for until, arrived, completed in ((first, 0, 0), (first + 1, 1, 0), (first + 4 * MS, 1, 0), (first + 4 * MS + 1, 1, 1), (first + 10 * MS, 1, 1), (first + 10 * MS + 1, 2, 1)):
        clock = begun(scenario({"server": service({"cpu": "4ms"})}, workload, {"duration": "10s"}))
        clock.plane.catch_up(until)
        assert (int(clock.plane.read("tallies", "arrived")[0]), int(clock.plane.read("tallies", "completed")[0])) == (arrived, completed)
        assert clock.plane.now < until


def test_the_control_plane_goes_first_at_the_same_instant() -> None:
    """A replica that stops at the instant of an arrival does not get it."""
    workload = {"open": {"rate": "100/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}}
    spec = scenario({"server": service({"cpu": "4ms"})}, workload, {"duration": "10s"})
    clock = begun(spec)
    clock.plane.catch_up(10 * MS)
    at = int(clock.plane.read("source", "at")[0])
    found = []
    for stop in (at, at + 1):
        clock, _ = after(scenario({"server": service({"cpu": "4ms"})}, workload, {"duration": "10s"}, timeline=[{"at": f"{stop}ns", "stop": "server"}]), 9.99)
        found.append(int(clock.plane.read("tallies", "completed")[0]))
    assert found == [0, 1]


# --- chunking --------------------------------------------------------------------------------------------------------------


@every_quiet_world
def test_chunking_changes_nothing(name: str) -> None:
    """One call, or 500 calls cut at random instants: all columns of all tables are the same bytes."""
    whole, cut = begun(loads(WORLDS[name])), begun(loads(WORLDS[name]))
    assert whole.plane.catch_up(UNTIL) is None
    instants = random.Random(name).sample(range(UNTIL), 500)
    for at in sorted(instants):
        assert cut.plane.catch_up(at) is None
    cut.plane.catch_up(UNTIL)
    assert differences(columns(whole.plane), columns(cut.plane)) == []


@pytest.mark.parametrize("name", ["crowd-eevdf-docker", "limited-eevdf", "shop-kvm", "crowd-gps-docker"])
def test_a_cut_at_every_event_changes_nothing(name: str) -> None:
    """Cut at each event's own instant and one nanosecond on either side."""
    whole, cut = begun(loads(WORLDS[name])), begun(loads(WORLDS[name]))
    until = UNTIL // 4
    whole.plane.catch_up(until)
    at = 0
    while at < until:
        cut.plane.catch_up(min(at, until))
        timers = int(cut.plane.read("calendar", "at")[cut.plane.read("calendar", "heap")[0]]) if cut.plane.read("calendar", "size")[0] else k.NEVER
        cursor, count = int(cut.plane.read("source", "cursor")[0]), int(cut.plane.read("source", "end")[0])
        arrival = int(cut.plane.read("source", "at")[cursor]) if cursor < count else k.NEVER
        coming = min(timers, arrival)
        at = max(at + 1, coming if coming > at else at + 1) if coming < k.NEVER else until
    cut.plane.catch_up(until)
    assert differences(columns(whole.plane), columns(cut.plane)) == []


@pytest.mark.parametrize("name", [name for name in WORLDS if name.startswith("eventful")])
def test_stories_are_told_the_same_in_chunks(name: str) -> None:
    """With a control plane that starts, stops and crashes: the clock run in one go, or in many steps."""
    whole, cut = begun(loads(WORLDS[name])), begun(loads(WORLDS[name]))
    whole.run(until=UNTIL)
    for at in sorted(random.Random(name).sample(range(1, UNTIL), 300)):
        cut.run(until=at)
    cut.run(until=UNTIL)
    assert differences(columns(whole.plane), columns(cut.plane)) == []


# --- watching --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["crowd-eevdf-docker", "limited-cfs", "shop-kvm", "crowd-gps-kvm", "eventful-docker", "closed", "smt"])
def test_watching_does_not_disturb(name: str) -> None:
    found = []
    for every in (None, "1ms", "77777ns"):
        result = document(loads(WORLDS[name], sets=[f"run.observe={every}"] if every else []))
        for platform in result["platforms"].values():
            assert platform.pop("series")["at_s"]
        del result["scenario"]["digest"], result["scenario"]["content"]
        found.append(result)
    assert found[0] == found[1] == found[2]


def test_a_look_changes_nothing() -> None:
    """Snapshots at many instants leave the tables as they are."""
    from simvirt.gauges import snapshot

    clock = begun(loads(WORLDS["shop-kvm"]))
    clock.run(until=UNTIL)
    before = columns(clock.plane)
    for at in range(UNTIL, UNTIL + 5):
        snapshot(clock.plane, at)
    assert differences(before, columns(clock.plane)) == []


# --- reasons, not callbacks -------------------------------------------------------------------------------------------------


def test_advance_says_why_it_came_back() -> None:
    """Demand first, then the horizon; done once all requests are answered."""
    spec = scenario({"server": service({"cpu": "1ms"})}, {"open": {"rate": "100/s"}, "mix": {"server.job": 1}}, {"requests": 3})
    plane = begun(spec).plane
    reasons = []
    for until in (0, 0, k.NEVER):
        reason = kernel.advance(plane._plane, until)
        reasons.append(reason)
        if reason == k.NEEDS_DEMAND:
            plane._refill()
    assert reasons == [k.NEEDS_DEMAND, k.NOTHING, k.DONE]
    assert int(plane.read("tallies", "completed")[0]) == 3


def test_a_run_with_a_duration_goes_on_without_requests() -> None:
    """What computes in the background goes on when nobody asks for anything."""
    services = {"a": {"background": {"threads": 1}}, "b": {"background": {"threads": 1}}}
    clock, totals = after(scenario(services, None, {"duration": "10s"}, platforms=["docker"]), 5.0)
    assert totals.cpu_time.tolist() == pytest.approx([2.5 * S, 2.5 * S], abs=10 * MS)
    assert not clock.plane.over


# --- growth ----------------------------------------------------------------------------------------------------------------


def test_tables_that_grow_change_nothing() -> None:
    """A stampede that needs many times the rows there are, against tables that were large from the start."""
    steps = [{"cpu": {"exponential": "3ms"}}, {"parallel": [{"cpu": "1ms"}, {"net": {"out": "10KiB"}}, {"delay": "200ms"}]}]
    spec = scenario({"server": service(*steps, threads="unlimited")}, {"open": {"rate": "2000/s"}, "mix": {"server.job": 1}}, {"duration": "60s"}, host={"cores": 2})
    small, large = begun(spec), begun(spec)
    rows = int(small.plane.read("run", "frames")[0])
    for _ in range(5):
        large.plane._grow()
    for clock in (small, large):
        clock.run(until=S)
    assert int(small.plane.read("run", "frames")[0]) > 4 * rows
    for table, column in (("tallies", "latency_sum"), ("tallies", "completed"), ("tallies", "spent"), ("tallies", "histogram"), ("tallies", "area"),
                          ("instances", "cpu_time"), ("links", "bytes"), ("run", "events"), ("cpus", "switches"), ("cpus", "busy")):
        assert small.plane.read(table, column).tolist() == large.plane.read(table, column).tolist(), (table, column)


def test_rows_are_given_back() -> None:
    """A long run of a stable system needs no more rows than a short one."""
    spec = scenario({"server": service({"cpu": "1ms"}, threads=4)}, {"open": {"rate": "500/s"}, "mix": {"server.job": 1}}, {"duration": "1000s"})
    clock = begun(spec)
    clock.run(until=S)
    rows = int(clock.plane.read("run", "frames")[0])
    clock.run(until=20 * S)
    assert int(clock.plane.read("run", "frames")[0]) == rows
    free, used = int(clock.plane.read("run", "free_frames")[0]), int((clock.plane.read("frames", "kind") != k.NONE).sum())
    assert free + used == rows


@pytest.mark.parametrize("name", list(WORLDS))
def test_all_rows_come_back_after_the_last_request(name: str) -> None:
    """Frames that are still taken after the last answer are of background threads, clients, messages, tries given up, and kernels."""
    clock = begun(loads(WORLDS[name], sets=["run.replications=1"]))
    for at in range(1, 200):
        clock.run(until=at * S // 4)
        if clock.plane.over:
            break
    assert clock.plane.over
    kinds = clock.plane.read("frames", "kind")
    clients = int(clock.plane.read("source", "clients")[0])
    of_others = np.isin(kinds[_roots(clock.plane.read("frames", "parent"))], (k.MESSAGE, k.ATTEMPT))
    kept = (np.isin(kinds, (k.REQUEST, k.CALLEE, k.BRANCH)) & ~of_others).sum()
    receiving = ((kinds == k.CALLEE) & (clock.plane.read("frames", "parent") == k.NONE)).sum()
    assert receiving <= len(clock.plane.read("instances", "service"))
    assert kept - receiving == clients
    assert int(clock.plane.read("run", "free_frames")[0]) + int((kinds != k.NONE).sum()) == int(clock.plane.read("run", "frames")[0])


def _roots(parents: np.ndarray) -> np.ndarray:
    """For whom each frame works in the end: itself where it has no parent."""
    roots = np.arange(len(parents))
    while (inner := parents[roots] != k.NONE).any():
        roots[inner] = parents[roots[inner]]
    return roots


def test_eventful_stories_balance_their_books() -> None:
    for platform in ("bare-metal", "docker", "kvm"):
        outcomes = replications(loads(eventful(platforms=[platform])), 2)
        assert_sound(outcomes)
        assert any(o.failed > 0 for o in outcomes)


def test_helpers_have_no_hidden_state() -> None:
    """Two planes of one scenario do not share a column."""
    a, b = begun(loads(WORLDS["closed"])), begun(loads(WORLDS["closed"]))
    a.run(until=UNTIL)
    shared: list[Any] = [
        (table, name) for table, all_of_them in a.plane.columns.items() for name, column in all_of_them.items()
        if isinstance(column, np.ndarray) and np.shares_memory(column, b.plane.columns[table][name])
    ]
    assert shared == []

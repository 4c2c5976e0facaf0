"""How many replicas were wanted and ready, out of what happened to them; how a run says it."""

from __future__ import annotations

import pytest

from simvirt import loads, run
from simvirt.control.records import Measured, Scaled
from simvirt.metrics.scaling import Level, ServiceCourse, ready_after, scaling
from simvirt.report.scaled import lines, story

S = 1_000_000_000
GROWTH = Scaled(10 * S, "web", 1, 3, "cpu at 90 % of 60 %", Measured(0.9, 10.0, 5.0, 3, None))
COURSE = ServiceCourse((Level(0, 1, 1, 1), Level(10 * S, 3, 1, 1), Level(12 * S, 3, 2, 2), Level(14 * S, 3, 3, 3)), (GROWTH,), 20 * S)


def test_means_are_over_time_and_a_wish_ends_when_it_is_met() -> None:
    found = scaling([{"web": COURSE}]).services["web"]
    assert found.wanted.value == pytest.approx((10 * 1 + 10 * 3) / 20)
    assert found.ready.value == pytest.approx((12 * 1 + 2 * 2 + 6 * 3) / 20)
    assert (found.most.value, found.short_s.value, found.grown.value) == (3, 4.0, 1)
    assert (found.ready_after_s.value, found.seen_s.value) == (4.0, 10.0)


def test_a_wish_that_is_taken_back_is_never_met() -> None:
    less = Scaled(13 * S, "web", 3, 1, "timeline")
    assert ready_after(ServiceCourse(COURSE.levels, (GROWTH, less), 20 * S), GROWTH) is None


def test_a_run_says_it() -> None:
    document = run(loads("""
simvirt: 1
name: scaled
host: {cores: 8, memory: 16GiB}
platforms: [docker]
services: {web: {cpus: 1, operations: {get: [{cpu: 5ms}]}}}
workload: {open: {rate: 20/s}, mix: {web.get: 1}}
timeline: [{at: 2s, scale: web, replicas: 3}, {at: 8s, scale: web, replicas: 1}]
run: {duration: 10s, warmup: 0s, replications: 2}
"""), maximum=False).typed()
    found = document.platforms["docker"].scaling
    assert found is not None
    assert [(level.wanted, level.ready) for level in found.services["web"].course] == [(1, 1), (3, 1), (3, 2), (3, 3), (1, 1)]
    assert [change.why for change in found.services["web"].changes] == ["timeline", "timeline"]
    assert next(iter(lines(list(document.platforms.values()))))[0] == "web wanted"
    assert len(list(story(document.platforms))) == 2

"""CPUs that follow usage: the recommender against its formulas, quotas that change while a group runs, whole runs."""

from __future__ import annotations

from typing import Any

import pytest
import simvirt
import yaml

from simvirt.catalog import Catalog
from simvirt.catalog.entries.vertical_autoscalers import VerticalAutoscalerEntry
from simvirt.control.vertical import rules_of
from simvirt.control.wanted import with_cpus
from simvirt.errors import ScenarioError
from simvirt.orchestration.vpa import DAY_S, Buckets, History, Recommendation, recommend
from simvirt.runs.admission import catalog_of
from simvirt.scenario.spec.services import ServiceSpec
import itertools

ENTRY = Catalog.load(None).typed("vertical_autoscalers", "vpa", VerticalAutoscalerEntry)
BUCKETS = Buckets(0.01, 1.05, 1000.0)


# --- the recommender -------------------------------------------------------------------------------------------------------


def test_buckets_grow_by_a_ratio_and_hold_what_lies_in_them() -> None:
    widths = [BUCKETS.start(n + 1) - BUCKETS.start(n) for n in range(50)]
    assert widths[0] == pytest.approx(0.01)
    assert all(after == pytest.approx(1.05 * before) for before, after in itertools.pairwise(widths))
    for value in (0.0, 0.005, 0.01, 0.3, 2.0, 64.0, 999.0):
        bucket = BUCKETS.of(value)
        assert BUCKETS.start(bucket) <= value < BUCKETS.start(bucket + 1)
    assert BUCKETS.of(1e9) == BUCKETS.count - 1


def test_a_percentile_is_the_end_of_its_bucket() -> None:
    history = History(BUCKETS, DAY_S)
    for value in [0.1] * 90 + [1.0] * 10:
        history.add(value, 1.0, 0.0)
    assert history.percentile(0.5) == BUCKETS.start(BUCKETS.of(0.1) + 1) == history.percentile(0.9)
    assert history.percentile(0.95) == BUCKETS.start(BUCKETS.of(1.0) + 1)


def test_weights_halve_in_a_half_life_and_follow_requests() -> None:
    """One sample now weighs as two of a half-life ago: half of the weight lies below it with two, more than half with three."""
    for old, below in ((2, 0.1), (1, 1.0)):
        history = History(BUCKETS, DAY_S)
        for _ in range(old):
            history.add(0.1, 1.0, 0.0)
        history.add(1.0, 1.0, DAY_S)
        assert history.percentile(0.5) == BUCKETS.start(BUCKETS.of(below) + 1)
    heavy = History(BUCKETS, DAY_S)
    heavy.add(0.1, 4.0, 0.0)
    heavy.add(1.0, 0.01, 0.0)
    assert heavy.weights[BUCKETS.of(1.0)] == 0.1  # the least weight
    assert heavy.percentile(0.9) == BUCKETS.start(BUCKETS.of(0.1) + 1)


@pytest.mark.parametrize(("minutes", "lower"), [(5, 0.6), (30, 0.9), (60, 0.95)])
def test_bounds_are_wide_while_history_is_short(minutes: int, lower: float) -> None:
    """The documented multipliers of both bounds."""
    history = History(BUCKETS, DAY_S)
    for minute in range(minutes + 1):
        history.add(0.5, 1.0, 60.0 * minute)
    found, base = recommend(history, rules_of(ENTRY)), 1.15 * BUCKETS.start(BUCKETS.of(0.5) + 1)
    assert found is not None and found.target == pytest.approx(base)
    assert found.lower / base == pytest.approx(lower, abs=0.02)
    assert found.upper / base == pytest.approx(1.0 + 1440 / minutes, rel=1e-9)
    assert recommend(History(BUCKETS, DAY_S), rules_of(ENTRY)) is None


def test_what_is_requested_moves_out_of_bounds_alone() -> None:
    found = Recommendation(1.0, 0.8, 2.0)
    assert [found.moves(cpus) for cpus in (0.7, 0.8, 1.0, 2.0, 2.1)] == [True, False, False, False, True]
    assert found.within(0.1, 0.9) == Recommendation(0.9, 0.8, 0.9)


def test_limits_change_with_requests_in_proportion() -> None:
    spec = ServiceSpec.model_validate({"deploy": {"resources": {"limits": {"cpus": 2}, "reservations": {"cpus": 0.5}}}, "operations": {"a": [{"cpu": "1ms"}]}})
    grown = with_cpus(spec, 0.75)
    assert (grown.cpu_reservation, grown.cpu_limit) == (0.75, 3.0)
    alone = with_cpus(ServiceSpec.model_validate({"cpu_quota": "50ms", "operations": {"a": [{"cpu": "1ms"}]}}), 0.25)
    assert (alone.cpu_reservation, alone.cpu_limit) == (None, 0.25)


# --- in a run --------------------------------------------------------------------------------------------------------------

TIGHT = """
simvirt: 1
name: tight
host: {cores: 8, memory: 16GiB}
platforms: [docker]
services:
  web: {cpus: 0.25, cpu_period: 1s, threads: 4, queue: 4, deploy: {replicas: 2}, vertical: {max: 4, update: in-place}, operations: {get: [{cpu: {exponential: 200ms}}]}}
workload: {open: {rate: 3/s}, mix: {web.get: 1}}
run: {duration: 90min, warmup: 0s, replications: 1, seed: 1}
"""


def ran(**vertical: Any) -> dict[str, Any]:
    """What a run says of two replicas that need more than they have."""
    content = yaml.safe_load(TIGHT)
    content["services"]["web"]["vertical"] |= vertical
    return dict(simvirt.run(simvirt.loads(yaml.safe_dump(content)), maximum=False).document()["platforms"]["docker"])


def test_replicas_grow_in_place_without_a_restart() -> None:
    found = ran()
    told = [event for event in found["happened"]["events"] if event["what"] == "resized"]
    assert told and told[0]["why"].startswith("0.25 to ")
    assert found["happened"]["started"]["value"] == 2 and found["failed"]["value"] == 0.0
    assert set(found["checks"].values()) == {"ok"}
    still = ran(max=0.25)
    assert found["throughput_per_s"]["value"] > 1.05 * still["throughput_per_s"]["value"]  # the quota in the kernel is another one
    assert not [event for event in still["happened"]["events"] if event["what"] == "resized"]


def test_replicas_are_replaced_one_after_the_other() -> None:
    """At most half of two are away at once: each change takes two looks, and the new ones have what is recommended."""
    found = ran(update="recreate")
    stops = [event["at_s"] for event in found["happened"]["events"] if event["what"] == "stop"]
    assert len(stops) >= 2 and min(b - a for a, b in itertools.pairwise(stops)) >= 59.0
    assert found["happened"]["started"]["value"] == 2 + found["happened"]["ended"]["stopped"]["value"]
    assert set(found["checks"].values()) == {"ok"}


@pytest.mark.parametrize(("change", "said"), [
    ({"services": {"web": {"threads": 4, "vertical": {"max": 4}, "operations": {"get": [{"cpu": "1ms"}]}}}}, "a limit of CPUs to begin with"),
    ({"platforms": ["kvm"]}, "kvm has no containers"),
])
def test_mistakes(change: dict[str, Any], said: str) -> None:
    content = yaml.safe_load(TIGHT) | change
    with pytest.raises(ScenarioError, match=said):
        catalog_of(simvirt.loads(yaml.safe_dump(content)))


def test_usage_moves_replicas_or_cpus() -> None:
    content = yaml.safe_load(TIGHT)
    content["services"]["web"]["autoscale"] = {"max": 4, "target": {"cpu": "60%"}}
    with pytest.raises(ScenarioError, match="usage of CPU moves replicas already"):
        simvirt.loads(yaml.safe_dump(content))

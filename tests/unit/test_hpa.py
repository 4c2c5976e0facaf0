"""The horizontal pod autoscaler as plain functions: what a metric asks for, how fast the count follows, one sync after another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simvirt.orchestration import hpa
from simvirt.orchestration.foresight import Span, foreseen, scheduled, trend
from simvirt.orchestration.hpa import MetricError, Pod, Proposal, Sample, by_average, by_utilisation
from simvirt.orchestration.hpa_behaviour import Entry, Limits, Log, Policy, Rules, Select, limited, noted
from simvirt.orchestration.hpa_reconcile import first_log, reconcile


def pods(*used: int | None, request: int = 1000) -> list[Pod]:
    """Ready pods with these usages."""
    return [Pod(request, None if value is None else Sample(value)) for value in used]


@pytest.mark.parametrize(("used", "replicas"), [
    ((500, 500, 500), 3), ((540, 540, 540), 3), ((560, 560, 560), 4), ((440, 440, 440), 3), ((250, 250, 250), 2), ((1000,), 2),
    ((900, None, 0), 3), ((2000, None), 4), ((900, None), 2), ((100, None), 2),
])
def test_utilisation_against_half_of_the_request(used: tuple[int | None, ...], replicas: int) -> None:
    """Within a tenth nothing changes; a pod without a metric works against the change, and may stop it."""
    assert by_utilisation(len(used), 50, pods(*used)).replicas == replicas


def test_young_pods_hold_back_growth_and_do_not_hasten_shrinking() -> None:
    starting = Pod(1000, Sample(1000), ready=True, age_s=20.0, transition_age_s=10.0)
    assert hpa.classify(starting, True) == "unready"
    assert hpa.classify(starting, False) == "ready"
    assert by_utilisation(2, 50, [*pods(1000), starting]).replicas == 2
    assert by_utilisation(2, 50, [*pods(100), starting]).replicas == 1
    assert by_average(2, 500, [*pods(1000), starting]).replicas == 4


def test_metrics_that_cannot_be_had() -> None:
    for wrong in ([], pods(None), [Pod(None, Sample(1))], [Pod(1, Sample(1), phase="Pending")]):
        with pytest.raises(MetricError):
            by_utilisation(1, 50, wrong)


# --- behaviour -------------------------------------------------------------------------------------------------------------

FAST = Rules((Policy("Pods", 4, 60.0), Policy("Percent", 50, 60.0)))


@pytest.mark.parametrize(("select", "wanted", "replicas"), [("Max", 100, 15), ("Min", 100, 14), ("Disabled", 100, 10), ("Max", 1, 5), ("Min", 1, 6)])
def test_policies(select: Select, wanted: int, replicas: int) -> None:
    rules = replace(FAST, select=select)
    assert limited(wanted, 10, Limits(1, 50, rules, rules), Log(), 0.0)[0] == replicas


def test_a_limit_never_turns_the_direction() -> None:
    log = Log(ups=(Entry(9, -10.0),))
    assert limited(20, 10, Limits(1, 50, FAST, FAST), log, 0.0) == (10, "ScaleUpLimit")


def test_outdated_entries_are_overwritten() -> None:
    log = (Entry(1, 0.0), Entry(2, 200.0))
    assert noted(log, Entry(3, 350.0), 300.0) == (Entry(3, 350.0), Entry(2, 200.0))
    assert len(noted(log, Entry(3, 250.0), 300.0)) == 3


# --- syncs -----------------------------------------------------------------------------------------------------------------


def syncs(wanted: list[int], limits: Limits, behaves: bool) -> list[int]:
    """The counts after each sync, with what the metric asks for at each."""
    current, log, found = wanted[0], first_log(wanted[0], 0.0), []
    for number, count in enumerate(wanted):
        decision = reconcile(current, [lambda count=count: Proposal(count)], limits, log, 15.0 * number, behaves)  # type: ignore[misc]
        current, log = decision.replicas, decision.log
        found.append(current)
    return found


@pytest.mark.parametrize("behaves", [True, False])
def test_growth_is_at_once_and_shrinking_waits_for_the_window(behaves: bool) -> None:
    """Four, then two from the fourth sync on: five minutes after the last sync that asked for four, the count falls."""
    wanted = [2, 4, 4, *[2] * 30]
    counts = syncs(wanted, Limits(1, 10), behaves)
    assert counts[:2] == [2, 4]
    fallen = counts.index(2, 2)
    assert 300.0 <= 15.0 * (fallen - 2) <= 315.0


def test_bounds_come_before_metrics_and_a_failing_metric_stops_shrinking() -> None:
    def fails() -> Proposal:
        raise MetricError("gone")

    limits = Limits(3, 5)
    assert [reconcile(count, [fails], limits, Log(), 0.0).replicas for count in (0, 1, 4, 9)] == [0, 3, 4, 5]
    assert reconcile(4, [fails, lambda: Proposal(3)], limits, Log(), 0.0).replicas == 4
    assert reconcile(4, [fails, lambda: Proposal(5)], limits, Log(), 0.0).replicas == 5
    assert reconcile(0, [lambda: Proposal(1)], limits, Log(), 0.0, from_zero=True).replicas == 3


# --- before the load is there ----------------------------------------------------------------------------------------------


def test_a_schedule_comes_again_and_the_largest_span_counts() -> None:
    spans = [Span(10.0, 5.0, 3, every_s=20.0), Span(12.0, 1.0, 8)]
    assert [scheduled(spans, now) for now in (10.0, 12.5, 14.9, 30.0, 34.0)] == [3, 8, 3, 3, 3]
    for now in (9.0, 15.0, 29.0):
        with pytest.raises(MetricError):
            scheduled(spans, now)


def test_a_trend_is_a_line_through_what_was_seen() -> None:
    seen = [(float(at), 100.0 + 20.0 * at) for at in range(5)]
    assert trend(seen, 10.0) == pytest.approx(300.0)
    assert foreseen(seen, 10.0, 250.0) == 2
    assert foreseen([(0.0, 100.0), (1.0, 10.0)], 10.0, 250.0) == 0
    with pytest.raises(MetricError):
        trend([(1.0, 5.0)], 2.0)

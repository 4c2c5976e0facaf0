"""Typed documents: keys that are not set stay absent, what is wrong is refused, nothing is renamed on the way to JSON."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from simvirt.result.document import UNKNOWN, Estimate, Latency, Program
from simvirt.result.objective import LOST, limits_of, verdicts
from simvirt.result.run_document import Compared, Comparison, Ratio
from simvirt.scenario.spec.models import ObjectiveSpec

ONE = Estimate(1.0)


def test_keys_that_are_not_set_are_absent_and_those_that_are_null_are_there() -> None:
    found = Latency(p50=ONE, p90=ONE, p95=ONE, p99=Estimate(None)).document()
    assert list(found) == ["p50", "p90", "p95", "p99"]
    assert found["p99"] == {"value": None, "low": None, "high": None}


def test_what_is_absent_is_an_unknown_number_to_those_who_read() -> None:
    assert Latency(p50=ONE, p90=ONE, p95=ONE, p99=ONE).mean.value is None


def test_a_document_is_frozen_and_refuses_keys_that_it_does_not_know() -> None:
    made = Program(version="1", schema=1, kernel="compiled")
    with pytest.raises(ValidationError):
        made.kernel = "plain"
    with pytest.raises(ValidationError):
        Program.model_validate({"version": "1", "schema": 1, "kernel": "compiled", "mode": "x"})


def test_whole_numbers_stay_whole() -> None:
    from simvirt.result.run_document import LimitUse

    assert LimitUse(demand=3, capacity=4.0).document() == {"demand": 3, "capacity": 4.0}
    assert isinstance(LimitUse(demand=3, capacity=4.0).demand, int)


def test_a_comparison_has_a_key_for_each_platform() -> None:
    ratio = Ratio(ratio=1.0, low=None, high=None)
    kvm = Compared(latency_mean=ratio, latency_p99=ratio, throughput=ratio)
    found = Comparison.model_validate({"baseline": "bare-metal", "kvm": kvm})
    assert list(found.document()) == ["baseline", "kvm"]
    assert found.others == {"kvm": kvm}
    assert Comparison().document() == {}


def test_a_verdict_knows_which_limits_hold_above() -> None:
    objective = ObjectiveSpec.model_validate({"latency_p99": "100ms", "throughput": "10/s"})
    assert limits_of(objective) == {"latency_p99": 0.1, "throughput": 10.0}
    found = verdicts(objective, {"latency_p99": Estimate(0.2, 0.15, 0.25), "throughput": Estimate(20.0, 19.0, 21.0)}.__getitem__)
    assert {name: (verdict.met, verdict.verdict) for name, verdict in found.items()} == {"latency_p99": (False, "missed"), "throughput": (True, "met")}
    assert {verdict.met for verdict in verdicts(objective, lambda name: LOST).values()} == {False}
    assert {(verdict.met, verdict.verdict) for verdict in verdicts(objective, lambda name: UNKNOWN).values()} == {(None, "undecided")}
    assert verdicts(None, lambda name: Estimate(1.0)) == {}


@pytest.mark.parametrize(("estimate", "longer"), [
    (Estimate(0.09, 0.07, 0.11), 4.0), (Estimate(0.12, 0.06, 0.18), 9.0), (Estimate(0.1, 0.09, 0.11), None), (Estimate(0.09), None),
    (Estimate(0.0999, 0.09, 0.11), None), (Estimate(0.099, 0.0, 0.119), 400.0),
])
def test_an_interval_around_the_limit_decides_nothing_and_says_how_much_more_would(estimate: Estimate, longer: float | None) -> None:
    objective = ObjectiveSpec.model_validate({"latency_p99": "100ms"})
    found = verdicts(objective, lambda name: estimate)["latency_p99"]
    assert (found.met, found.verdict, found.value) == (None, "undecided", estimate.value)
    assert found.longer == (None if longer is None else pytest.approx(longer))


@pytest.mark.parametrize(("short_by", "verdict", "longer"), [(1.0, "met", None), (64.0, "met", None), (123.4, "undecided", 130.0)])
def test_intervals_of_a_run_that_is_too_short_count_as_wider(short_by: float, verdict: str, longer: float | None) -> None:
    objective = ObjectiveSpec.model_validate({"latency_p99": "100ms"})
    found = verdicts(objective, lambda name: Estimate(0.09, 0.089, 0.091), short_by)["latency_p99"]
    assert (found.verdict, found.longer, found.value) == (verdict, longer, 0.09)
    assert verdicts(objective, lambda name: LOST, short_by)["latency_p99"].verdict == "missed"
    unknown = verdicts(objective, lambda name: UNKNOWN, short_by, unseen=lambda name: 20.0)["latency_p99"]
    assert (unknown.verdict, unknown.longer) == ("undecided", pytest.approx(max(20.0, short_by), rel=0.1))

"""Pure rules of retries, budgets, breakers and of load by health, beside worked examples of their documentation."""

from __future__ import annotations

import pytest

from simvirt.orchestration import breaking, load_shares, retrying
from simvirt.orchestration.load_shares import Priority


@pytest.mark.parametrize(
    ("healthy", "traffic"),
    [([100, 0], (100, 0)), ([71, 0], (100, 0)), ([50, 50], (70, 30)), ([25, 25], (50, 50)), ([0, 0], (100, 0)), ([20, 20, 20], (34, 33, 33))],
)
def test_traffic_spills_over_as_health_falls(healthy: list[float], traffic: tuple[int, ...]) -> None:
    found = load_shares.shares_of([Priority(pct) for pct in healthy], panic_pct=0.0)
    assert sum(found.traffic) == 100
    assert found.traffic == traffic


def test_degraded_hosts_come_after_healthy_ones() -> None:
    """The example in the source: 10, 20, 10 % of health and 20, 10, 0 % of degraded hosts."""
    found = load_shares.shares_of([Priority(10, 20), Priority(20, 10), Priority(10, 0)], factor=1.0, panic_pct=0.0)
    assert (found.healthy, found.degraded) == ((16, 28, 14), (28, 14, 0))


def test_all_in_panic_divide_load_by_hosts() -> None:
    found = load_shares.shares_of([Priority(0, hosts=3), Priority(10, hosts=1)])
    assert found.panic == (True, True) and found.traffic == (75, 25)
    assert not any(load_shares.shares_of([Priority(5), Priority(100)]).panic)


def test_a_locality_loses_weight_only_beyond_its_overprovisioning() -> None:
    assert load_shares.locality_shares([1, 2], [72, 100]) == pytest.approx([100 / 3, 200 / 3])
    assert load_shares.locality_shares([1, 1], [50, 100]) == pytest.approx([70 / 1.7, 100 / 1.7])
    assert load_shares.locality_shares([1, 1], [0, 0]) == [0.0, 0.0]


def test_retries_multiply_layer_by_layer_and_keep_a_service_down() -> None:
    assert retrying.amplification(3, 4) == 81
    assert not retrying.Overload(8, 20, 3).recovers() and retrying.Overload(6, 20, 3).recovers()


def test_budgets_and_tokens_bound_retries() -> None:
    assert [retrying.concurrent_retries(n) for n in (5, 15, 100)] == [3, 3, 20]
    full = retrying.Tokens(10, 0.1, 10)
    assert full.after(4).allows and not full.after(5).allows and full.after(5, 1).allows
    assert full.after(0, 100).left == 10
    assert retrying.reject_probability(100, 50) == 0.0 and retrying.reject_probability(100, 0) == pytest.approx(100 / 101)


def test_a_breaker_needs_volume_and_a_share() -> None:
    assert breaking.RESILIENCE4J.state(99, 99) == "closed" and breaking.RESILIENCE4J.state(100, 50) == "open"
    assert breaking.RESILIENCE4J.state(100, 0, slow=100) == "open" and breaking.HYSTRIX.state(20, 9) == "closed"
    assert [breaking.ejection_s(n) for n in (1, 2, 20)] == [30, 60, 300]
    assert breaking.may_eject(5, 0) and not breaking.may_eject(5, 1) and breaking.may_eject(100, 9)

"""Where hosts are chosen: scores in whole numbers, trees of preferences, shares that are fair, bins and slots."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simvirt.placement import fairness, locality, offers, packing, resources, slots, swarm, taints, topology
from simvirt.placement.hosts import Asked, Hosts
from simvirt.scenario.spec.scheduling import untolerated
from simvirt.scenario.spec.cluster import Constraint

AMOUNTS = st.lists(st.integers(0, 10_000), min_size=2, max_size=2)


def hosts(count: int, **said: list[str]) -> Hosts:
    """Hosts of four CPUs and eight GiB."""
    ones = np.ones(count, np.int64)
    labels = {key: np.array(values, object) for key, values in said.items()}
    return Hosts([f"h{n}" for n in range(count)], labels, ones * 4, ones, ones * 8 * 1024**3, ones * 0)


# --- scores of resources -------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_scores_lie_between_nothing_and_everything(one: list[int], two: list[int], small: list[int], large: list[int]) -> None:
    requested, room = np.array([one, two]), np.array([small, large])
    shape = [(0, 0), (50, 10), (100, 2)]
    for scores in (
        resources.least_allocated(requested, room, [1, 2]), resources.most_allocated(requested, room, [1, 2]),
        resources.balanced(requested, room), resources.requested_to_capacity(requested, room, [1, 2], shape),
    ):
        assert scores.min() >= 0
        assert scores.max() <= resources.MOST


def test_a_host_that_is_half_full_scores_half_either_way() -> None:
    requested, room = np.array([[2000], [512]]), np.array([[4000], [1024]])
    assert resources.least_allocated(requested, room, [1, 1]).tolist() == [50]
    assert resources.most_allocated(requested, room, [1, 1]).tolist() == [50]
    assert resources.balanced(requested, room).tolist() == [100]


def test_what_a_container_does_not_say_counts_as_a_small_one() -> None:
    assert resources.counted_request([{}, {"cpu": 0}], "cpu") == 100
    assert resources.counted_request([{}], "cpu", unsaid=False) == 0


def test_a_falling_line_is_cut_off_towards_its_start() -> None:
    assert resources.broken_line([(0, 100), (30, 90)], np.array([-5, 1, 29, 99])).tolist() == [100, 100, 91, 90]


# --- taints, topologies, images --------------------------------------------------------------------------------------------


def test_what_asks_politely_keeps_nobody_away() -> None:
    assert untolerated([taints.Taint("a", "b", "PreferNoSchedule")], []) == []


def test_too_few_domains_count_the_emptiest_as_empty() -> None:
    zones, pods = [np.array(["a", "b", None], object)], [np.array([1, 1, 0])]
    assert topology.may_spread([topology.TopologySpread()], zones, pods, [True]).tolist() == [True, True, False]
    assert topology.may_spread([topology.TopologySpread(min_domains=3)], zones, pods, [True]).tolist() == [False, False, False]


def test_an_image_on_all_hosts_makes_no_difference_and_a_small_one_none() -> None:
    sizes = np.array([500 * 1024**2])
    assert len(set(locality.image_scores(np.array([[True, True]]), sizes).tolist())) == 1
    assert locality.image_scores(np.array([[True, False]]), np.array([1024])).tolist() == [0, 0]


# --- Swarm ---------------------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.integers(0, 30), st.integers(1, 5))
def test_swarm_places_all_that_fit_and_zones_differ_by_one(zones: list[str], count: int, most: int) -> None:
    around = hosts(len(zones), zone=zones)
    places = swarm.place_group(around, Asked("web", spread="zone", most=most), count)
    assert len(places) == min(count, most * len(zones))
    per_zone = {zone: sum(zones[place] == zone for place in places) for zone in zones}
    full = {zone for zone in zones if per_zone[zone] == most * zones.count(zone)}
    open_zones = [number for zone, number in per_zone.items() if zone not in full]
    assert not open_zones or max(per_zone.values()) - min(open_zones) <= 1


def test_swarm_reserves_what_tasks_ask_and_avoids_hosts_that_fail() -> None:
    around = hosts(2)
    assert sorted(swarm.place_group(around, Asked("web", reserves={"cpu": 3000}), 3)) == [0, 1]
    around = hosts(2)
    around.failures_of("web")[0] = swarm.MOST_FAILURES
    assert swarm.place_group(around, Asked("web"), 2) == [1, 1]


def test_labels_of_the_engine_are_not_those_of_the_node() -> None:
    node = {"node.labels.disk": "SSD", "node.ip": "10.1.2.3"}
    assert swarm.node_matches(Constraint("node.labels.disk", True, "ssd"), node)
    assert not swarm.node_matches(Constraint("engine.labels.disk", True, "ssd"), node)
    assert swarm.node_matches(Constraint("node.ip", True, "10.1.0.0/16"), node)
    assert not swarm.node_matches(Constraint("node.colour", False, "red"), node)


# --- fairness, packing, slots ----------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=4))
def test_nobody_waits_for_a_dominant_share_that_another_has_more_of(needs: list[tuple[int, int]]) -> None:
    total = {"cpu": 40.0, "memory": 60.0}
    demands = {f"u{n}": {"cpu": float(cpu), "memory": float(memory)} for n, (cpu, memory) in enumerate(needs)}
    found = fairness.drf(demands, total)
    steps = {user: fairness.dominant(demand, total)[1] for user, demand in demands.items()}
    shares = {user: found.tasks[user] * steps[user] for user in demands}
    left = {name: total[name] - sum(found.tasks[user] * demands[user][name] for user in demands) for name in total}
    for user, demand in demands.items():
        if all(demand[name] <= left[name] for name in total):
            raise AssertionError(f"{user} would still fit")
        assert shares[user] + steps[user] >= min(shares.values()) - 1e-9


def test_a_market_of_equal_incomes_spends_everything_on_what_is_scarce() -> None:
    tasks = fairness.equal_incomes({"a": {"cpu": 1.0}, "b": {"cpu": 2.0}}, {"cpu": 12.0})
    assert tasks == pytest.approx({"a": 6.0, "b": 3.0})


def test_an_offer_goes_on_with_what_is_left() -> None:
    accepted = offers.accept({"cpu": 4.0}, [{"cpu": 3.0}, {"cpu": 2.0}, {"cpu": 1.0}])
    assert accepted.tasks == (0, 2)
    assert accepted.left == {"cpu": 0.0}
    frameworks = [offers.Framework("a", {"cpu": 3.0}), offers.Framework("b", {"cpu": 1.0}), offers.Framework("c", {})]
    assert offers.offered_first(frameworks, {"cpu": 10.0}) == [2, 1, 0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 10), max_size=20), st.sampled_from(["first-fit", "best-fit", "first-fit-decreasing", "best-fit-decreasing"]))
def test_no_two_bins_are_half_empty(items: list[int], strategy: str) -> None:
    bins = packing.packed([float(item) for item in items], 10.0, strategy)
    assert sorted(item for each in bins for item in each) == sorted(items)
    assert sum(sum(each) <= 5.0 for each in bins) <= 1


def test_slots_are_lost_with_the_largest_host() -> None:
    found = slots.slot_policy([{"cpu": 8.0}, {"cpu": 4.0}], [{"cpu": 2.0}] * 3, 1)
    assert (found.hosts, found.left, found.failover_capacity, found.admitted) == ((4, 2), 2, 0, False)

"""Max-min fair rates: textbook cases, and what makes rates max-min fair on random networks."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from simvirt.network import max_min

CASES = {
    "one link": ([12], [[0], [0], [0]], None, [4, 4, 4]),
    "parking lot of three links": ([1, 1, 1], [[0, 1, 2], [0], [1], [2]], None, [1 / 2, 1 / 2, 1 / 2, 1 / 2]),
    "parking lot of unlike links": ([1, 2, 3], [[0, 1, 2], [0], [1], [2]], None, [1 / 2, 1 / 2, 3 / 2, 5 / 2]),
    # Bertsekas and Gallager, example 6.10 in words: three flows of one link of capacity 1 are held to a third, the one beside them gets the rest
    "a third for three, two thirds for the fourth": ([1, 1], [[0], [0], [0, 1], [1]], None, [1 / 3, 1 / 3, 1 / 3, 2 / 3]),
    "two bottlenecks in a row": ([2, 6], [[0], [0, 1], [1], [1]], None, [1, 1, 5 / 2, 5 / 2]),
    "a chain of bottlenecks": ([1, 3, 7], [[0], [0, 1], [1, 2], [2]], None, [1 / 2, 1 / 2, 5 / 2, 9 / 2]),
    "caps": ([10], [[0], [0], [0], [0]], [1, 2, 100, math.inf], [1, 2, 7 / 2, 7 / 2]),
    "caps alone": ([10], [[0], [0]], [1, 2], [1, 2]),
    "a cap on a long way": ([10, 10], [[0, 1], [0], [1]], [1, math.inf, math.inf], [1, 9, 9]),
    "a broken link": ([0, 5], [[0, 1], [1]], None, [0, 5]),
    "no link": ([1], [[], [0]], [3, math.inf], [3, 1]),
    "nobody": ([1], [], None, []),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_textbook(case: tuple[list[float], list[list[int]], list[float] | None, list[float]]) -> None:
    capacities, paths, caps, rates = case
    assert max_min(capacities, paths, caps).tolist() == pytest.approx(rates, rel=1e-14)


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[float], list[list[int]], list[float]]:
    """Links, the links of each flow, and caps."""
    n = draw(st.integers(1, 8))
    capacities = draw(st.lists(st.floats(0.1, 100), min_size=n, max_size=n))
    paths = draw(st.lists(st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True), min_size=1, max_size=20))
    caps = draw(st.lists(st.one_of(st.just(math.inf), st.floats(0.01, 100)), min_size=len(paths), max_size=len(paths)))
    return capacities, paths, caps


@settings(deadline=None, max_examples=50)
@given(networks())
def test_each_flow_has_its_cap_or_a_bottleneck(network: tuple[list[float], list[list[int]], list[float]]) -> None:
    """No link carries more than it can; a flow below its cap has a full link on which no flow is faster: the definition of max-min fairness."""
    capacities, paths, caps = network
    rates = max_min(capacities, paths, caps)
    load, fastest = np.zeros(len(capacities)), np.zeros(len(capacities))
    for rate, path in zip(rates, paths, strict=True):
        load[path] += rate
        fastest[path] = np.maximum(fastest[path], rate)
    assert (load <= np.array(capacities) * (1 + 1e-12)).all()
    for rate, path, cap in zip(rates, paths, caps, strict=True):
        full = any(load[link] >= capacities[link] * (1 - 1e-9) and fastest[link] <= rate * (1 + 1e-9) for link in path)
        assert rate <= cap and (rate == cap or full)


@settings(deadline=None, max_examples=30)
@given(networks(), st.data())
def test_a_count_is_as_many_flows(network: tuple[list[float], list[list[int]], list[float]], data: st.DataObject) -> None:
    capacities, paths, caps = network
    counts = data.draw(st.lists(st.integers(1, 4), min_size=len(paths), max_size=len(paths)))
    each = [flow for flow, count in enumerate(counts) for _ in range(count)]
    apart = max_min(capacities, [paths[flow] for flow in each], [caps[flow] for flow in each])
    assert apart.tolist() == pytest.approx(max_min(capacities, paths, caps, counts)[each].tolist(), rel=1e-9)


def test_many_flows_through_one_link_are_settled_in_one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, bincount = [], np.bincount
    monkeypatch.setattr(np, "bincount", lambda *args: turns.append(args) or bincount(*args))
    rates = max_min([10.0] + [1.0] * 1000, [[0, 1 + flow % 1000] for flow in range(10_000)])
    assert rates.tolist() == pytest.approx([0.001] * 10_000)
    assert len(turns) == 2, "what each link has, and what is left of it"

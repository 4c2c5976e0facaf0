"""Two results side by side: intervals of changes, verdicts, what differs, assertions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from simvirt.compare.asserted import Allowed, relative
from simvirt.compare.changes import Measured, change
from simvirt.compare.differences import differences
from simvirt.compare.overall import overall
from simvirt.errors import UsageError
from simvirt.result.compare_document import Change, Side
from simvirt.result.compared_measures import MEASURES
from simvirt.result.document import UNKNOWN, Estimate, Program, ScenarioName
from simvirt.scenario import loads
from simvirt.scenario.written import written

DRAWS = np.random.default_rng(7)


def measured(*values: float) -> Measured:
    """A measure of so many replications."""
    return Measured(Estimate(float(np.mean(values))), values, replications=len(values))


def test_pairs_have_the_interval_of_their_differences() -> None:
    x = DRAWS.normal(100, 20, 8)
    y = x + DRAWS.normal(1, 0.1, 8)
    found = change(measured(*x), measured(*y), "time", same_draws=True, margin=0.001)
    low, high = stats.ttest_rel(y, x).confidence_interval()
    assert (found.difference.low, found.difference.high) == (pytest.approx(low), pytest.approx(high))
    assert found.method == "paired"
    assert found.verdict == "slower"


def test_independent_results_have_the_interval_of_welch() -> None:
    x, y = DRAWS.normal(100, 5, 6), DRAWS.normal(130, 20, 9)
    found = change(measured(*x), measured(*y), "time", same_draws=False, margin=0.05)
    low, high = stats.ttest_ind(y, x, equal_var=False).confidence_interval()
    assert found.method == "unpaired"
    assert found.difference.high - found.difference.low == pytest.approx(high - low, rel=0.1), "degrees of freedom are rounded down"
    assert found.ratio.low < found.ratio.value < found.ratio.high


def test_what_is_shared_cancels_in_pairs_only() -> None:
    x = DRAWS.normal(100, 20, 5)
    y = 1.02 * x + DRAWS.normal(0, 0.01, 5)
    assert change(measured(*x), measured(*y), "time", True, 0.001).verdict == "slower"
    assert change(measured(*x), measured(*y), "time", False, 0.001).verdict == "undecided"


def test_intervals_of_independent_results_hold_the_truth_as_often_as_they_say() -> None:
    held = 0
    for _ in range(400):
        x, y = DRAWS.normal(10, 1, 5), DRAWS.normal(12, 2, 5)
        found = change(measured(*x), measured(*y), "time", False, 0.05).ratio
        held += found.low <= 1.2 <= found.high
    assert held >= stats.binom.ppf(0.001, 400, 0.95)


@pytest.mark.parametrize(("ratio", "kind", "verdict"), [
    ((0.80, 0.90), "time", "faster"), ((1.01, 1.02), "time", "slower"), ((0.80, 0.90), "rate", "slower"), ((1.1, 1.2), "rate", "faster"),
    ((0.97, 1.04), "time", "no difference seen"), ((0.97, 1.06), "time", "undecided"), ((0.90, 1.04), "rate", "undecided"),
])
def test_verdicts(ratio: tuple[float, float], kind: str, verdict: str) -> None:
    """Of maximum throughputs, whose ratio is that of their ranges; the other result has the range 1 to 1."""
    before, after = Measured(Estimate(1.0, 1.0, 1.0), is_range=True), Measured(Estimate(1.0, *ratio), is_range=True)
    assert change(before, after, kind, True, 0.05).verdict == verdict  # type: ignore[arg-type]


def test_shares_are_compared_by_their_difference() -> None:
    found = change(measured(0.0, 0.0, 0.0), measured(0.101, 0.100, 0.099), "share", True, 0.05)
    assert found.verdict == "higher"
    assert found.ratio == UNKNOWN


def test_the_same_is_no_difference_even_of_one_replication() -> None:
    assert change(measured(0.2), measured(0.2), "time", True, 0.05).verdict == "no difference seen"
    assert change(measured(0.2), measured(0.3), "time", True, 0.05).verdict == "undecided"


def test_over_all_cells_ratios_have_their_geometric_mean() -> None:
    cells = [change(measured(1, 1.01, 0.99), measured(*(factor * v for v in (1.0, 1.01, 0.99))), "time", True, 0.05) for factor in (2.0, 8.0)]
    found = overall(cells, "time", 0.05)
    assert found.ratio.value == pytest.approx(4.0)
    assert found.verdict == "slower"


def side(**changes: object) -> Side:
    """A side with something else than usual."""
    made = {"name": "a", "simvirt": Program(version="1", schema=1, kernel="compiled"), "scenario": ScenarioName(name="s", digest="1" * 64), "seed": 1}
    return Side.model_validate(made | changes)


def test_what_differs_is_named_by_its_path() -> None:
    one = {"services": {"web": {"threads": 4, "steps": [1, 2]}}, "run": {"seed": 1}}
    other = {"services": {"web": {"steps": [1, 3]}}, "run": {"seed": 2}}
    program = Program(version="2", schema=1, kernel="plain")
    found = differences(side(), side(simvirt=program, seed=2, scenario=ScenarioName(name="s", digest="2" * 64)), (one, other))
    assert [(d.what, d.before, d.after) for d in found] == [
        ("version", "1", "2"), ("kernel", "compiled", "plain"), ("seed", 1, 2), ("services.web.threads", 4, None), ("services.web.steps[1]", 2, 3),
    ]


STATED = """
simvirt: 1
name: stated
host: {cores: 4, memory: MEMORY, nic: NIC, clock: CLOCK}
platforms: [{name: kvm, balloon: BALLOON}]
services: {app: {threads: 2, operations: {job: [{cpu: WORK}]}}}
workload: {open: {rate: RATE}, mix: {app.job: 1}}
objective: {latency_p99: LIMIT}
plan: {energy_price: PRICE}
run: {duration: LENGTH, warmup: SETTLED, seed: 1}
"""
QUANTITIES = {
    "MEMORY": ("8GiB", "1536MiB", "1.5GiB"), "NIC": ("25Gbps", "2500Mbps", "2.5Gbps"), "CLOCK": ("2.6GHz", "900MHz", "900MHz"),
    "BALLOON": ("512MiB", "auto", "auto"), "WORK": ("2ms", "1500us", "1.5ms"), "RATE": ("800/s", "30/min", "30/min"),
    "LIMIT": ("100ms", "1.5s", "1.5s"), "PRICE": ("0.12USD/kWh", "200USD/MWh", "0.2USD/kWh"), "LENGTH": ("90s", "2h", "2h"),
    "SETTLED": ("5s", "250ms", "250ms"),
}
"""What stands before and after, and how the latter is said: in the largest unit of which it is one."""


def test_what_differs_has_the_units_of_a_scenario() -> None:
    """A time, a size, a rate, a bandwidth, a frequency, a price: of each kind, wherever a scenario may have one."""
    texts = [STATED, STATED]
    for name, (before, after, _) in QUANTITIES.items():
        texts = [texts[0].replace(name, before), texts[1].replace(name, after)]
    one, other = (written(loads(text)) for text in texts)
    found = {d.what: (d.before, d.after) for d in differences(side(), side(), (one, other))}
    expected = [(before if before != "90s" else "1.5min", said) for before, _, said in QUANTITIES.values()]
    assert sorted(found.values()) == sorted(expected)
    assert found["host.nic"] == ("25Gbps", "2.5Gbps") and found["platforms[0].balloon"] == ("512MiB", "auto")


def test_results_that_do_not_say_what_was_stated_differ_by_digest() -> None:
    found = differences(side(), side(scenario=ScenarioName(name="s", digest="2" * 64)), ({}, {}))
    assert [(d.what, d.before, d.after) for d in found] == [("scenario", "1" * 8, "2" * 8)]


def of(low: float, high: float) -> dict[str, Change]:
    """A p99 that changed by so much."""
    ratio = Estimate(1 + (low + high) / 2, 1 + low, 1 + high)
    return {"latency_p99_s": Change(before=Estimate(1.0), after=ratio, difference=UNKNOWN, ratio=ratio, method="paired", verdict="")}


@pytest.mark.parametrize(("said", "low", "high", "holds"), [
    ("p99 +5%", 0.01, 0.04, True), ("p99 +5%", 0.06, 0.09, False), ("p99 +5%", 0.04, 0.06, None), ("p99 +5%", -0.5, -0.4, True),
    ("p99 -5%", -0.04, 0.5, True), ("p99 -5%", -0.09, -0.06, False), ("p99 -0%", 0.01, 0.02, True), ("p99 +0%", -0.02, -0.01, True),
])
def test_a_change_is_held_against_what_is_allowed(said: str, low: float, high: float, holds: bool | None) -> None:
    (found,) = Allowed.of(said).judged("kvm", of(low, high), {})
    assert found.holds is holds
    assert found.change.low == pytest.approx(low)


def test_an_assertion_may_be_about_one_platform() -> None:
    allowed = Allowed.of("kvm: p99 +5%")
    assert [one.platform for name in ("kvm", "docker") for one in allowed.judged(name, of(0.0, 0.01), {})] == ["kvm"]


@pytest.mark.parametrize("said", ["p99", "p99 5%", "p99 +5", "latency +5%", "+5%", ""])
def test_what_cannot_be_read_is_refused_with_an_example(said: str) -> None:
    with pytest.raises(UsageError, match="for example 'p99"):
        Allowed.of(said)


def test_nothing_changed_is_a_change_of_zero() -> None:
    same = Change(before=Estimate(0.2), after=Estimate(0.2), difference=UNKNOWN, ratio=UNKNOWN, method="unpaired", verdict="")
    assert relative(MEASURES["latency_p99_s"], same) == Estimate(0.0, 0.0, 0.0)
    assert math.isfinite(relative(MEASURES["rejected"], same).value or 0.0)

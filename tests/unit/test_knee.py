"""The search for the knee against curves that are known, what refuses, and how an answer is said."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from simvirt import loads
from simvirt.cli.knee import _objective
from simvirt.cli.loading import only
from simvirt.density import copies
from simvirt.errors import UsageError
from simvirt.knee import knee, load, search
from simvirt.knee.sentence import sentence
from simvirt.metrics.statistics import CONFIDENCE, student
from simvirt.knee.trials import RateTrials
from simvirt.result.document import Estimate
from simvirt.result.knee_document import KneeDocument
from simvirt.result.objective import HOLDS, MISSED, UNDECIDED

BASE: dict[str, Any] = {
    "simvirt": 1, "name": "shop", "host": {"cores": 2, "memory": "4GiB"}, "platforms": ["bare-metal", "docker"],
    "services": {"web": {"threads": 4, "operations": {"get": [{"cpu": {"exponential": "5ms"}}]}}},
    "workload": {"open": {"rate": "40/s"}, "mix": {"web.get": 1}}, "objective": {"latency_p90": "60ms", "throughput": "30/s"},
    "run": {"replications": 2, "seed": 1},
}


def scenario(**changes: Any) -> Any:
    """The base with other sections."""
    return loads(yaml.safe_dump({**BASE, **changes}, sort_keys=False))


# -- the search -----------------------------------------------------------------------------------------------------------------


@dataclass
class Curve:
    """Trials whose verdict at n is that of a value of M/M/1 with an error: undecided where the limit lies within it."""

    most: float = 10_000.0
    limit: float = 20.0
    error: float = 0.0
    points: dict[int, Any] = field(default_factory=dict)
    unit: Any = field(default_factory=lambda: SimpleNamespace(most=10**6))
    spent: bool = False

    @property
    def knee(self) -> float:
        """Where the value, 10,000 / (most - n), is at the limit."""
        return self.most - 10_000 / self.limit

    def at(self, n: int) -> Any:
        """The verdict at n."""
        excess = 10_000 / (self.most - n) / self.limit if n < self.most else math.inf
        verdict = HOLDS if excess * (1 + self.error) < 1 else MISSED if excess * (1 - self.error) > 1 else UNDECIDED
        self.points[n] = SimpleNamespace(n=n, verdict=verdict, holds=verdict == HOLDS, excess=excess)
        return self.points[n]


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves know their excess; a bracket ends a little above the maximum."""
    monkeypatch.setattr(search, "excess_of", lambda point: (point.excess, None))
    monkeypatch.setattr(search, "bracket", lambda trials, first, most: (first.n, int(min(1.001 * trials.most, most))))


@pytest.mark.parametrize("limit", [1.2, 3.3, 5.0, 7.1, 20.0, 33.0, 200.0])
@pytest.mark.parametrize("precision", [0.1, 0.02, 0.001])
def test_where_all_is_decided_the_range_is_as_narrow_as_asked_and_holds_the_knee(limit: float, precision: float) -> None:
    curve = Curve(limit=limit)
    found = search.range_of(curve, 1000, precision, lambda low, high: None)  # type: ignore[arg-type]
    assert found.high is not None
    assert found.low < curve.knee < found.high
    assert found.high - found.low <= precision * found.high + 1
    assert len(curve.points) <= 14


@pytest.mark.parametrize("error", [0.02, 0.1, 0.3])
def test_what_is_undecided_is_enclosed(error: float) -> None:
    curve = Curve(error=error)
    found = search.range_of(curve, 1000, 0.01, lambda low, high: None)  # type: ignore[arg-type]
    assert found.high is not None
    first, last = curve.most - 10_000 / curve.limit * (1 + error), curve.most - 10_000 / curve.limit * (1 - error)
    assert first - 0.01 * curve.most <= found.low < curve.knee < found.high <= last + 0.01 * curve.most
    assert len(curve.points) <= 20


def test_an_objective_that_is_never_met() -> None:
    found = search.range_of(Curve(limit=0.5), 1000, 0.01, lambda low, high: None)  # type: ignore[arg-type]
    assert found.low == 0
    assert found.high is not None
    assert found.high <= 4


def test_an_objective_that_is_never_missed() -> None:
    curve = Curve(most=math.inf)
    curve.unit.most = 5000
    found = search.range_of(curve, 1000, 0.01, lambda low, high: None)  # type: ignore[arg-type]
    assert found.high is None
    assert found.low >= 1000


def test_a_light_load_is_looked_for_where_the_first_one_misses() -> None:
    curve = Curve(most=300.0, limit=60.0)
    found = search.range_of(curve, 1000, 0.05, lambda low, high: None)  # type: ignore[arg-type]
    assert found.high is not None
    assert found.low < curve.knee < found.high


# -- verdicts -------------------------------------------------------------------------------------------------------------------


def test_looks_share_the_error_among_them() -> None:
    trials = RateTrials(scenario(), *[None] * 5)  # type: ignore[arg-type]
    assert (trials.first, trials.most, trials.looks) == (4, 128, 6)
    assert trials.wider(8) == pytest.approx(student(7, 1 - 0.05 / 6) / student(7, CONFIDENCE))
    assert trials.wider(1) == 1.0


# -- the load -------------------------------------------------------------------------------------------------------------------


def test_parts_of_a_load_leave_services_as_they_are() -> None:
    written = scenario()
    unit = copies.Unit(None, 0.25, 10.0, None, 1000, load_only=True)
    five = copies.scaled(written, unit, 5)
    assert five.workload.open.rate == pytest.approx(50)
    assert five.services == written.services
    assert five.objective.throughput == pytest.approx(37.5), "what is to be answered grows with what is asked"


def test_clients_are_counted_one_by_one() -> None:
    written = scenario(workload={"closed": {"clients": 7, "think": "1s"}, "mix": {"web.get": 1}})
    unit = load.unit_of(written, None, None)  # type: ignore[arg-type]
    assert copies.scaled(written, unit, 12).workload.closed.clients == 12


@pytest.mark.parametrize(("changes", "words"), [
    ({"objective": None}, "needs an objective that breaks; the scenario has none: give it one, for example --objective"),
    ({"workload": None, "workloads": {"a": BASE["workload"]}, "objective": None}, "expected workload instead of workloads"),
])
def test_what_has_no_knee_is_refused(changes: dict[str, Any], words: str) -> None:
    data = {key: value for key, value in {**BASE, **changes}.items() if value is not None}
    with pytest.raises(UsageError, match=words):
        knee(loads(yaml.safe_dump(data, sort_keys=False)))


def test_a_precision_is_a_ratio() -> None:
    with pytest.raises(UsageError, match="expected a ratio between 0 and 1"):
        knee(scenario(), precision=2.0)


def test_limits_are_given_one_by_one() -> None:
    assert _objective(["latency_p99=100ms", " rejected = 1%"]) == ["objective={latency_p99: 100ms, rejected: 1%}"]
    with pytest.raises(UsageError, match="for example --objective latency_p99=100ms"):
        _objective(["latency_p99"])


def test_platforms_are_those_of_the_scenario() -> None:
    assert [spec.name for spec in only(scenario(), ["docker"]).platforms] == ["docker"]
    with pytest.raises(UsageError, match="--platform kvm: expected one of the scenario's: bare-metal, docker"):
        only(scenario(), ["kvm"])


# -- the sentence ---------------------------------------------------------------------------------------------------------------


def document(**knees: Estimate) -> KneeDocument:
    """A document with the knees of some platforms, each broken by its CPU."""
    broken = {"resource": "web.cpu", "check": "latency_p99", "why": "", "reliefs": (), "limit": 0.1, "value": 0.2}
    found = {
        name: {
            "knee": {"value": e.value, "low": e.low, "high": e.high}, "lightest": 2.0, "broken_by": broken if e.high else None, "saturation": {},
            "curve": (), "simulations": 1, "wall_s": 1,
        } for name, e in knees.items()
    }
    return KneeDocument.model_validate({
        "simvirt": {"version": "1", "schema": 1, "kernel": "compiled"}, "scenario": {"name": "shop", "digest": "1"}, "seed": 1, "counts": "per_s",
        "objective": {"latency_p99": 0.1}, "confidence": 0.95, "precision": 0.05, "simulations": 1, "wall_s": 1, "knees": found, "warnings": (),
    })


def test_the_sentence_has_each_platform_its_own_numbers() -> None:
    said = sentence(document(kvm=Estimate(2000.0, 1980.0, 2030.0), docker=Estimate(2500.0, 2480.0, 2530.0)))
    assert said == (
        "p99 ≤ 100 ms breaks at 2,000/s on kvm (1,980 to 2,030/s, web CPU); at 2,500/s on docker (2,480 to 2,530/s, web CPU).")


def test_the_sentence_of_what_is_never_met_and_of_what_never_breaks() -> None:
    said = sentence(document(kvm=Estimate(None, None, 2.0), docker=Estimate(None, 90.0, None)))
    assert said == "p99 ≤ 100 ms is not surely met even at 2.000/s on kvm (web CPU); holds at 90.00/s, the highest that was tried, on docker."

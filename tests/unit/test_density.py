"""How many fit: what n instances are, verdicts, the length of simulations, the search for the edge, and the forms of the answer."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from simvirt import loads
from simvirt.catalog import Catalog
from simvirt.density import copies, density, judge, length, search
from simvirt.density.bounds import Bound
from simvirt.density.trials import Trials
from simvirt.errors import ScenarioError, UsageError
from simvirt.metrics.statistics import Estimate, bucket_of
from simvirt.result.objective import HOLDS, LOST, MISSED, UNDECIDED, judged
from simvirt.report import density_report as report
from simvirt.report.formats import rendered
from simvirt.result.density_document import DensityDocument

BASE: dict[str, Any] = {
    "simvirt": 1, "name": "fit", "host": {"cores": 2, "memory": "4GiB"}, "platforms": ["docker"],
    "services": {
        "web": {"threads": 4, "mem_limit": "64MiB", "scale": 2, "operations": {"get": [{"cpu": {"exponential": "5ms"}}, {"call": "db.ask"}]}},
        "db": {"threads": 4, "mem_limit": "128MiB", "operations": {"ask": [{"cpu": {"exponential": "1ms"}}]}},
    },
    "workload": {"open": {"rate": "40/s"}, "mix": {"web.get": 1}},
    "objective": {"latency_p90": "60ms", "throughput": "30/s"},
    "run": {"replications": 2, "seed": 1},
}


def scenario(**changes: Any) -> Any:
    """The base with other sections."""
    return loads(yaml.safe_dump({**BASE, **changes}, sort_keys=False))


# --- n instances -----------------------------------------------------------------------------------------------------------------------


def test_copies_multiply_everything_but_limits() -> None:
    written = scenario()
    unit = copies.unit_of(written)
    three = copies.scaled(written, unit, 3)
    assert {name: service.replicas for name, service in three.services.items()} == {"web": 6, "db": 3}
    assert three.workload.open.rate == 120
    assert (three.tenants.count, three.tenants.own) == (3, None)
    assert (three.objective.throughput, three.objective.latency_p90) == (90, written.objective.latency_p90)


def test_replicas_of_a_service_share_the_others() -> None:
    written = scenario(density={"service": "web"})
    unit = copies.unit_of(written)
    five = copies.scaled(written, unit, 5)
    assert {name: service.replicas for name, service in five.services.items()} == {"web": 5, "db": 1}
    assert five.workload.open.rate == pytest.approx(100), "each of the two replicas written has 20/s"
    assert (five.tenants.count, five.tenants.own) == (5, ("web",))
    assert five.objective.throughput == pytest.approx(75)


def test_each_instance_brings_the_load_that_is_stated() -> None:
    written = scenario(density={"service": "web", "per_instance": {"rate": "7/s"}})
    assert copies.scaled(written, copies.unit_of(written), 10).workload.open.rate == pytest.approx(70)
    closed = scenario(workload={"closed": {"clients": 6, "think": "1s"}, "mix": {"web.get": 1}}, density={"service": "web"})
    assert copies.scaled(closed, copies.unit_of(closed), 5).workload.closed.clients == 15


@pytest.mark.parametrize("stream", [
    {"piecewise": [{"for": "1s", "rate": "20/s"}, {"for": "1s", "rate": "60/s"}]}, {"diurnal": {"mean": "40/s", "amplitude": 0.5, "period": "10s"}},
    {"mmpp": {"rates": ["20/s", "60/s"], "sojourn": ["1s", "1s"]}},
])
def test_varying_loads_grow_too(stream: dict[str, Any]) -> None:
    written = scenario(workload={"open": stream, "mix": {"web.get": 1}})
    assert copies.scaled(written, copies.unit_of(written), 4).workload.open.mean_rate == pytest.approx(160)


@pytest.mark.parametrize(("changes", "said"), [
    ({"objective": None}, "has no objective"),
    ({"workload": {"trace": {"file": "a.csv", "at": "at_s"}, "mix": {"web.get": 1}}}, "a trace of instants cannot"),
    ({"workload": {"closed": {"clients": 5}, "mix": {"web.get": 1}}, "density": {"service": "web"}}, "5 clients do not divide evenly among 2 replicas"),
    ({"tenants": {"count": 1}, "density": {"service": "web"}}, "density.service and tenants exclude each other"),
])
def test_what_cannot_be_counted_is_said(changes: dict[str, Any], said: str, tmp_path: Any) -> None:
    (tmp_path / "a.csv").write_text("at_s\n0\n1\n")
    text = yaml.safe_dump({key: value for key, value in {**BASE, **changes}.items() if value is not None})
    with pytest.raises(UsageError, match=said):
        copies.unit_of(loads(text, name=str(tmp_path / "a.yaml")))


@pytest.mark.parametrize(("changes", "said"), [
    ({"density": {"service": "wbe"}}, 'unknown service "wbe"; did you mean "web"?'),
    ({"density": {"per_instance": {"clients": 3}}}, "expected a rate, for example {rate: 20/s}"),
    ({"density": {"per_instance": {}}}, "expected one of rate, clients"),
    ({"density": {"max": 0}}, "expected a whole number"),
    ({"tenants": {"count": 3}}, "expected a multiple of the 3 tenants; got 2"),
    ({"tenants": {"count": 2, "own": ["dbb"]}}, 'unknown service "dbb"; did you mean "db"?'),
    ({"tenants": {"count": 2, "own": ["web"]}, "workload": {"closed": {"clients": 3}, "mix": {"web.get": 1}}}, "expected a multiple of the 2 tenants; got 3"),
])
def test_mistakes_have_sentences(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=r"density|tenants|services|workload") as error:
        scenario(**changes)
    assert any(said in str(issue) for issue in error.value.issues), str(error.value)


# --- verdicts and lengths --------------------------------------------------------------------------------------------------------------


INTERVALS = (
    (0.8, 0.9, "rejected", HOLDS), (0.9, 1.1, "rejected", UNDECIDED), (1.1, 1.2, "latency_p99", MISSED),
    (1.1, 1.2, "throughput", HOLDS), (0.9, 1.1, "throughput", UNDECIDED), (0.8, 0.9, "throughput", MISSED),
    (None, None, "rejected", UNDECIDED), (0.8, 1.0, "rejected", HOLDS), (1.0, 1.2, "throughput", HOLDS),
)


def test_a_limit_holds_when_the_whole_interval_is_within() -> None:
    found = [judged(name, Estimate(1.0, low, high), 1.0) for low, high, name, _ in INTERVALS]
    assert found == [expected for *_, expected in INTERVALS]
    assert judged("latency_p99", LOST, 1.0) == judged("throughput", LOST, 1.0) == MISSED, "none of what was asked was answered"
    assert judged("latency_p99", Estimate(None), 1.0) == UNDECIDED, "nothing was asked"


@pytest.mark.parametrize(("ratios", "found"), [
    ((0.3, 0.5), MISSED), ((0.21, 0.9), MISSED), ((0.15, 0.5), UNDECIDED), ((0.09, 0.5), UNDECIDED), ((0.11, 0.12), UNDECIDED), ((0.05, 0.0501), HOLDS),
])
def test_a_value_far_beyond_the_limit_is_missed_however_few_the_replications(ratios: tuple[float, float], found: str) -> None:
    """Of two replications an interval is twelve times their spread: what each of them misses by far is missed all the same."""
    check, = judge.checks_of(scenario(objective={"rejected": "10%"}).objective, [SimpleNamespace(rejected=ratio) for ratio in ratios])  # type: ignore[misc]
    assert check.verdict == found


def test_what_more_replications_would_make_of_an_interval() -> None:
    """Student's interval of the same mean and spread, computed from the values themselves."""
    from simvirt.metrics.statistics import mean_interval, student

    values = np.random.default_rng(1).normal(1.0, 0.2, 5)
    check = judge.Check("latency_p99", 1.0, mean_interval(values), UNDECIDED)
    expected = values.mean() + student(19) * values.std(ddof=1) / math.sqrt(20)
    assert check.bound_after(5, 20) == pytest.approx(expected, rel=1e-12)


def test_a_kill_for_want_of_memory_misses_every_objective() -> None:
    """Whatever the latencies of those that survive."""
    from simvirt.runs.replicate import Measured

    spec = scenario(objective={"latency_p90": "1s"})
    outcome = density(scenario(density={"max": 1}, objective={"latency_p90": "1s"})).answers["docker"].points[0].outcomes[0]
    alive, killed = (Measured(dataclasses.replace(outcome, reclaim=({}, kills))) for kills in ([], ["at 1 s, web-0: killed"]))
    assert judge.verdict(spec.objective, [alive, alive]) == HOLDS
    assert judge.verdict(spec.objective, [alive, killed]) == MISSED
    assert judge.failing(spec.objective, [alive, killed]) == judge.OOM


def test_a_quantile_gets_the_requests_that_it_needs() -> None:
    fast = scenario(objective={"latency_p99": "1ms"})
    assert length.duration_ns(fast, 1000.0, None) == 10_000 * 1_000_000, "100 requests beyond the p99"
    slow = scenario(objective={"latency_p99": "10s"})
    assert length.duration_ns(slow, 1000.0, None) == 500 * 1_000_000_000, "50 times the limit"


def test_near_saturation_simulations_are_longer_up_to_a_bound() -> None:
    near = scenario(objective={"latency_p99": "1s"})
    lengths = [length.duration_ns(near, 1000.0, length.Pressure(1000 / u, u)) for u in (0.5, 0.9, 0.95, 0.99, 0.999)]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1] <= length.MOST_REQUESTS * 1_000_000


def test_a_varying_load_is_simulated_for_the_duration_stated() -> None:
    tide = scenario(workload={"open": {"diurnal": {"mean": "40/s", "amplitude": 0.5, "period": "10s"}}, "mix": {"web.get": 1}}, run={"duration": "20s"})
    assert length.duration_ns(tide, 40.0, None) == 20_000_000_000


def test_a_replication_is_given_up_when_its_quantile_is_certain() -> None:
    from simvirt.density.hopeless import FAR, watch_of
    from simvirt.kernel import constants as k

    watch = watch_of(scenario(objective={"latency_p90": "10ms"}), 100.0, 10_000_000_000)  # 1000 requests
    assert watch is not None
    histogram = np.zeros(k.N_BUCKETS, np.int64)

    def plane(slow: int, under_way: int = 0) -> Any:
        histogram[bucket_of(2 * FAR * 10_000_000)] = slow
        tables = {"histogram": histogram, "in_system": np.array([under_way]), "latency_sum": np.zeros(1)}
        return SimpleNamespace(read=lambda table, column: tables[column])

    assert not watch(plane(199))
    assert watch(plane(202)), "more than twice 10 % of the requests took four times the limit"
    assert watch(plane(0, under_way=2000)), "by Little's law the mean is beyond 16 times the limit"


def test_clients_that_are_answered_at_once_are_simulated_no_longer_than_that_takes() -> None:
    """A hundred requests beyond the p99 come in seconds; clients who waited as long as the objective lets them would take a quarter of an hour."""
    services = {"web": {"operations": {"get": [{"cpu": "200us"}]}}}
    workload = {"closed": {"clients": 1, "think": "100us"}, "mix": {"web.get": 1}}
    written = scenario(services=services, workload=workload, objective={"latency_p99": "100ms"})
    catalog = Catalog.of(written)
    with ThreadPoolExecutor(1) as pool:
        trials = Trials(written, catalog, catalog.platform(written.platforms[0]), copies.unit_of(written), pool, Event())
        point = trials.prepared(1)
        trials.add(point, 1)
    assert point.outcomes[0].requests >= 0.8 * length.requests_needed(written.objective, written.mix)
    assert point.duration_ns <= 2 * length.LIMITS * 100e6


# --- the search ------------------------------------------------------------------------------------------------------------------------


@dataclass
class Told:
    """Trials whose verdicts are told; counts those asked for."""

    holds: Any
    points: dict[int, Any] = field(default_factory=dict)
    spent: bool = False

    def at(self, n: int) -> Any:
        """The verdict at n."""
        excess = n / 100 if n < 500 else None
        return self.points.setdefault(n, SimpleNamespace(n=n, holds=self.holds(n), excess=excess))


def edge(holds: Any, most: int, monkeypatch: pytest.MonkeyPatch, soft: int = 10**9) -> tuple[search.Edge, Told]:
    """The edge of told verdicts."""
    monkeypatch.setattr(search, "soft_bounds", lambda trials, point: [Bound("host.cpu", soft, False, "")])
    told = Told(holds)
    return search.edge_of(told, Bound("memory", most, True, ""), lambda low, high: None), told  # type: ignore[arg-type]


@pytest.mark.parametrize("last", [1, 2, 3, 7, 63, 64, 65, 100, 999])
@pytest.mark.parametrize("soft", [1, 50, 10**9])
def test_the_edge_of_a_monotone_curve_is_exact(last: int, soft: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found, told = edge(lambda n: n <= last, 1000, monkeypatch, soft)
    assert found.n == last
    assert found.beyond is not None
    assert found.beyond.n == last + 1
    assert not found.remarks
    assert len(told.points) <= 30, "a search, not a scan"


def test_what_does_not_fit_is_not_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    found, told = edge(lambda n: True, 40, monkeypatch)
    assert (found.n, found.beyond) == (40, None)
    assert max(told.points) == 40
    assert edge(lambda n: True, 0, monkeypatch)[0].n == 0


def test_no_instance_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    found, told = edge(lambda n: False, 1000, monkeypatch)
    assert (found.n, list(told.points)) == (0, [1])


@pytest.mark.parametrize("hole", range(90, 100))
def test_a_hole_below_the_edge_never_goes_unnoticed(hole: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the search meets the hole or its neighbour's check does: the answer is an edge with no hole beside it, and it is told."""
    found, told = edge(lambda n: n <= 100 and n != hole, 128, monkeypatch)
    assert told.holds(found.n) and told.holds(found.n - 1) and not told.holds(found.n + 1)
    assert found.n == (100 if hole < 99 and hole not in told.points else hole - 1)
    assert found.n == 100 or found.remarks


def test_an_island_beyond_the_edge_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = edge(lambda n: n <= 64 or n == 66, 128, monkeypatch)
    assert found.n == 64
    assert found.remarks == ["the objective is missed at 65 and holds again at 66"]


# --- doubling ----------------------------------------------------------------------------------------------------------------------------


BUSY: dict[str, Any] = {
    "host": {"cores": 8, "memory": "32GiB", "disk": "sata-ssd", "nic": "1Gbps"},
    "services": {"web": {"threads": 16, "cpus": 2, "mem_limit": "256MiB", "operations": {
        "get": [{"cpu": "200us"}, {"disk": {"read": "64KiB"}}, {"net": {"out": "32KiB", "in": "4KiB"}}]}}},
    "workload": {"open": {"rate": "500/s", "arrivals": "deterministic"}, "mix": {"web.get": 1}},
    "run": {"duration": "2s", "warmup": "0s", "replications": 1, "seed": 1},
}
SHARED = {"name": "docker-on-kvm", "vms": {"count": 1, "vcpus": 4, "memory": "4GiB"}}
PLATFORMS = ["bare-metal", "docker", "kvm", "xen-hvm", "xen-pv", "firecracker", "esxi", "hyperv", "nested-kvm", "kata-fc", "docker-desktop", SHARED]


@pytest.mark.parametrize("platform", PLATFORMS, ids=str)
def test_every_resource_of_a_run_can_be_doubled(platform: Any) -> None:
    from simvirt.catalog import Catalog
    from simvirt.density.doubling import doubled
    from simvirt.runs.replicate import replicate

    written = scenario(**BUSY, platforms=[platform])
    catalog = Catalog.of(written)
    layers = catalog.platform(written.platforms[0])
    used = replicate(written, catalog, layers, 1, 0).outcome.resources
    assert {"host.cpu", "host.disk", "host.nic", "web.threads"} <= set(used)
    for resource, before in used.items():
        more = doubled(written, catalog, layers, resource)
        assert more is not None, resource
        after = replicate(more.scenario, more.catalog, more.platform, 1, 0).outcome.resources[resource]
        assert after < 0.8 * before or before < 1e-6, f"{resource}: {before} is {after} with twice as much"


def test_an_io_thread_that_ends_it_is_named_and_relieved() -> None:
    services = {
        "web": {"cpus": 1, "threads": 4, "operations": {"get": [{"call": "db.get"}]}},
        "db": {"cpus": 8, "threads": 64, "operations": {"get": [{"net": {"out": "256KiB", "in": "256KiB"}}]}},
    }
    written = scenario(
        host={"cores": 16, "memory": "256GiB", "disk": "memory", "nic": "100Gbps"}, platforms=["kvm"], services=services,
        workload={"open": {"rate": "200/s"}, "mix": {"web.get": 1}}, objective={"latency_mean": "5ms"},
        density={"service": "web", "per_instance": {"rate": "200/s"}, "max": 100}, run={"replications": 1},
    )
    binding = density(written, jobs=2).answers["kvm"].binding
    assert binding.resource == "kvm I/O thread"
    assert binding.reliefs[0].holds


# --- forms -------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document() -> DensityDocument:
    """A small answer."""
    found = density(scenario(density={"max": 12}, objective={"latency_p90": "60ms"}), jobs=2)
    return found.typed()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_number_of_a_table_is_parted_from_its_unit(document: DensityDocument, width: int) -> None:
    """Six platforms, as the shipped scenario has them."""
    names = ("bare-metal", "docker", "kvm", "firecracker", "docker-on-kvm", "virtualbox")
    six = document.model_copy(update={"density": dict.fromkeys(names, document.density["docker"])})
    text = rendered(report.report(six), "text", width)
    assert max(map(len, text.splitlines())) <= width and "…" not in text
    tables = (report.answers(six), report.ledger(six))
    assert all(name in text for table in tables for name in table.head)
    assert all(cell.text in text for table in tables for row in table.rows for cell in row)


def test_the_ledger_of_six_platforms_fits_beside_each_other_on_80_columns(document: DensityDocument) -> None:
    names = ("bare-metal", "docker", "kvm", "firecracker", "docker-on-kvm", "virtualbox")
    six = rendered(report.report(document.model_copy(update={"density": dict.fromkeys(names, document.density["docker"])})), "text", 80)
    head = next(line for line in six.partition("Memory at n")[2].splitlines() if "bare-metal" in line)
    assert "virtualbox" in head


def test_the_text_fits_a_terminal_and_says_what_counts(document: DensityDocument) -> None:
    text = rendered(report.report(document), "text", 80)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "…" not in text
    n = document.density["docker"].n
    for word in (f"docker  {n}", "host CPU", "Why", "Curve of docker", "Memory at n", "60.0 ms", f"{document.simulations} simulations"):
        assert word in text, text


def test_csv_has_a_row_for_each_point(document: DensityDocument) -> None:
    rows = rendered(report.report(document), "csv").splitlines()
    assert rows[0].startswith("platform,n,verdict,")
    assert len(rows) == 1 + len(document.density["docker"].curve)


def test_markdown_has_all_tables(document: DensityDocument) -> None:
    text = rendered(report.report(document), "markdown")
    assert text.count("|---|") == 3
    assert "## docker" in text


def test_the_jobs_change_nothing() -> None:
    """The same document, but for times of the wall clock."""
    spec = scenario(density={"max": 12}, objective={"latency_p90": "60ms"}, platforms=["docker", "bare-metal"])
    documents = [density(spec, jobs=jobs).document() for jobs in (1, 3)]
    for found in documents:
        del found["wall_s"]
        for answer in found["density"].values():
            del answer["wall_s"]
    assert documents[0] == documents[1]

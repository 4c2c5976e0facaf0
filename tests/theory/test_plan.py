"""Plans against what is known: demands against simulated ones, several hosts against one and against a run of them, sizes against M/M/1."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

import simvirt
from simvirt import kernel
from simvirt.catalog import Catalog
from simvirt.catalog.resolve import economy
from simvirt.analysis.demands import analyse
from simvirt.workload.processors import on_host
from simvirt.scenario.rates import mean_rate
from simvirt.workload.intensity import scaled
from simvirt.errors import ScenarioError
from simvirt.memory import footprint, occupancy
from simvirt.memory.working_set import expected_loads
from simvirt.plan import plan
from simvirt.plan.requirements import stocks
from simvirt.plan.simulation import Simulator
from simvirt.plan.sizing import Case
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.procurement import DEFAULT

COMPILED = kernel.MODE == "compiled"
pytestmark = pytest.mark.skipif(not COMPILED, reason="takes minutes without the compiled kernel")
WEB = ["run.duration=60s", "run.replications=3"]


def web(*sets: str) -> Scenario:
    return simvirt.load("configs/web.yaml", sets=[*WEB, *sets])


@pytest.fixture(autouse=True)
def in_the_root(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.chdir(request.config.rootpath)


@pytest.mark.parametrize("platform", ["bare-metal", "docker", "kvm", "docker-on-kvm"])
def test_demands_are_those_that_the_simulation_sees(platform: str) -> None:
    """The utilisation law: cores busy are throughput x demand. Kicks and interrupts make the analysis an upper bound of a few per cent."""
    scenario = web()
    spec = next(p for p in scenario.platforms if p.name == platform)
    scenario = scenario.model_copy(update={"platforms": (spec,)})
    catalog = Catalog.of(scenario)
    analysis = analyse(scenario, catalog, catalog.platform(spec), catalog.resolve_host(scenario.host))
    found = simvirt.run(scenario, maximum=False).document()["platforms"][platform]
    for name in scenario.services:
        simulated = found["services"][name]["cpu_cores"]["value"] / found["throughput_per_s"]["value"]
        assert analysis.service(name).cpu_s == pytest.approx(simulated, rel=0.04), name


@pytest.mark.parametrize("platform", ["docker", "kvm"])
@pytest.mark.parametrize("load", [1.0, 4.0])
def test_hosts_by_themselves_make_the_whole(platform: str, load: float) -> None:
    """Everything on one host, and halves of it on two with a network that takes no time, at loads that fill neither."""
    scenario = web()
    spec = next(p for p in scenario.platforms if p.name == platform)
    case = Case.of(scenario, Catalog.of(scenario), DEFAULT, spec)
    counts = {name: service.replicas * 4 for name, service in scenario.services.items()}
    together = Simulator(case, 0.0).system((counts,), counts, load)
    half = {name: count // 2 for name, count in counts.items()}
    apart = Simulator(case, 0.0).system((half, half), counts, load)
    for quantity, tolerance in (("mean", 0.04), ("p50", 0.05), ("p99", 0.1)):
        assert getattr(apart.latency_s, quantity) == pytest.approx(getattr(together.latency_s, quantity), rel=tolerance), quantity


CALLS: dict[str, Any] = {
    "simvirt": 1, "name": "calls", "platforms": ["docker"], "workload": {"open": {"rate": "200/s"}, "mix": {"web.get": 1}},
    "services": {"web": {"scale": 2, "operations": {"get": [{"cpu": {"exponential": "2ms"}}, {"call": "db.ask"}]}},
                 "db": {"scale": 2, "balance": "random", "operations": {"ask": [{"cpu": {"exponential": "1ms"}}]}}}, "run": {"duration": "5s", "replications": 2},
}


def test_several_hosts_are_a_run_of_them() -> None:
    """What a plan simulates is the scenario on so many hosts, with the replicas of the placement on each and the site's round trip between them."""
    host, half, counts = {"cores": 4, "memory": "8GiB"}, {"web": 1, "db": 1}, {"web": 2, "db": 2}
    scenario = simvirt.loads(yaml.safe_dump(CALLS | {"host": host}))
    case = Case.of(scenario, Catalog.of(scenario), DEFAULT, scenario.platforms[0])
    found = Simulator(case, economy.site(case.catalog, "average").round_trip).system((half, half), counts, 1.0)
    run = simvirt.run(simvirt.loads(yaml.safe_dump(CALLS | {"hosts": {"host": host | {"count": 2}}})), maximum=False)
    stated = run.typed().platforms["docker"]
    assert found.latency_s.mean == pytest.approx(stated.latency_s.mean.value, rel=1e-3)
    assert found.hosts[0].used("host.cpu") == pytest.approx(sum(host.cpu for host in stated.hosts.values()) / 2, rel=1e-12)
    slow = Simulator(case, 40e6).system((half, half), counts, 1.0)
    assert slow.latency_s.mean - found.latency_s.mean == pytest.approx(20e-3, rel=0.1), "every other call goes to the other host"


QUEUE: dict[str, Any] = {
    "simvirt": 1, "name": "queue", "host": {"cores": 4, "memory": "16GiB", "scheduler": "gps"}, "platforms": ["bare-metal"],
    "services": {"server": {"threads": 1, "balance": "random", "operations": {"job": [{"cpu": {"exponential": "10ms"}}]}}},
    "workload": {"open": {"rate": "280/s"}, "mix": {"server.job": 1}}, "objective": {"latency_mean": "40ms"},
    "run": {"duration": "200s", "replications": 3, "seed": 1, "warmup": "5s"}, "plan": {"replicas": "fit", "survive": 0, "headroom": "0%"},
}


def of(**changes: Any) -> Scenario:
    return simvirt.loads(yaml.safe_dump(QUEUE | changes))


def test_replicas_are_as_many_as_mm1_needs() -> None:
    """A Poisson stream of 280/s split at random over n replicas of 100/s: 1 / (100 - 280 / n) <= 40 ms from n = 4 on (33 ms)."""
    best = plan(of()).document()["alternatives"][0]
    assert best["replicas"] == {"server": 4}
    assert best["peak"]["latency_s"]["mean"] == pytest.approx(1 / (100 - 280 / 4), rel=0.05)
    assert best["hosts"] == 1


def test_more_replicas_where_the_objective_asks_for_more() -> None:
    """17 ms needs 1 / (100 - 280 / n) <= 17 ms: n = 7, on two hosts of four cores, four and three of them."""
    best = plan(of(objective={"latency_mean": "17ms"})).document()["alternatives"][0]
    assert best["replicas"] == {"server": 7}
    assert best["peak"]["latency_s"]["mean"] == pytest.approx(1 / (100 - 280 / 7), rel=0.05)


def test_an_objective_below_the_demand_is_not_possible() -> None:
    best = plan(of(objective={"latency_mean": "9ms"})).document()["alternatives"][0]
    assert not best["feasible"]
    assert "objective" in best["reason"]


def test_survivors_carry_the_load() -> None:
    spared = plan(of(plan=QUEUE["plan"] | {"survive": 1})).document()["alternatives"][0]
    assert spared["hosts"] == 2
    assert spared["lost"]["objective"]["latency_mean"]["met"]
    assert sum(place["hosts"] * place["replicas"].get("server", 0) for place in spared["placement"]) == spared["replicas"]["server"]


def test_plans_do_not_depend_on_jobs() -> None:
    first, second = (plan(of(), jobs=jobs).document() for jobs in (1, 2))
    assert first["alternatives"] == second["alternatives"]


@pytest.mark.parametrize(("workload", "where"), [
    ({"closed": {"clients": 4}, "mix": {"server.job": 1}}, "clients that think"), (None, "a plan needs a load"),
])
def test_a_load_that_cannot_be_planned_for(workload: dict[str, Any] | None, where: str) -> None:
    services = {"server": QUEUE["services"]["server"] | {"background": {"threads": 1}}}
    with pytest.raises(ScenarioError, match=where):
        plan(of(workload=workload, services=services))


@pytest.mark.parametrize("stream", [
    {"rate": "10/s"}, {"piecewise": [{"for": "1s", "rate": "10/s"}, {"for": "3s", "rate": "30/s"}]}, {"diurnal": {"mean": "10/s", "amplitude": 0.5}},
    {"mmpp": {"rates": ["1/s", "9/s"], "sojourn": ["1s", "2s"]}},
])
def test_every_shape_of_a_load_scales(stream: dict[str, Any]) -> None:
    scenario = of(workload={"open": stream, "mix": {"server.job": 1}})
    assert scenario.workload is not None
    twice = scenario.model_copy(update={"workload": scaled(scenario.workload, 2)})
    assert mean_rate(twice, 0) == pytest.approx(2 * mean_rate(scenario, 0))


def test_clients_scale_and_load_what_they_do_not_think() -> None:
    scenario = of(workload={"closed": {"clients": 30, "think": {"exponential": "1s"}}, "mix": {"server.job": 1}})
    assert scenario.workload is not None
    assert mean_rate(scenario, 0.5) == pytest.approx(20)
    more = scaled(scenario.workload, 1.01).closed
    assert more is not None
    assert more.clients == 31


def test_a_file_of_rates_scales(tmp_path: Any) -> None:
    (tmp_path / "rates.csv").write_text("time_s,rate_per_s\n0,10\n10,30\n")
    text = yaml.safe_dump(QUEUE | {"workload": {"rates": {"file": "rates.csv", "at": "time_s", "rate": "rate_per_s"}, "mix": {"server.job": 1}}})
    scenario = simvirt.loads(text, name=str(tmp_path / "x.yaml"))
    assert scenario.workload is not None
    assert mean_rate(scenario, 0) == pytest.approx(20)
    assert mean_rate(scenario.model_copy(update={"workload": scaled(scenario.workload, 3)}), 0) == pytest.approx(60)


def test_a_host_of_half_the_clock_takes_twice_as_long() -> None:
    hosts = [{"model": "generic", "cores": 4, "clock": clock} for clock in ("2.6GHz", "1.3GHz")]
    rows = plan(of(host=hosts[0] | {"scheduler": "gps"}, plan=QUEUE["plan"] | {"hosts": hosts}, objective={"latency_mean": "130ms"})).document()["alternatives"]
    fast, slow = sorted(rows, key=lambda row: -row["speed"])
    assert (fast["speed"], slow["speed"]) == (1.0, 0.5)
    assert (fast["replicas"], slow["replicas"]) == ({"server": 4}, {"server": 7})
    assert slow["peak"]["latency_s"]["mean"] == pytest.approx(1 / (50 - 280 / 7), rel=0.1)


@pytest.mark.parametrize("law", [
    "4ms", {"exponential": "4ms"}, {"lognormal": {"mean": "4ms", "cv": 2}}, {"gamma": {"mean": "4ms", "cv": 0.5}}, {"pareto": {"mean": "4ms", "shape": 3}},
    {"hyperexponential": {"mean": "4ms", "cv": 2}}, {"uniform": {"low": "2ms", "high": "6ms"}}, {"empirical": "demands.csv"},
])
def test_every_demand_is_paced(law: Any, tmp_path: Any) -> None:
    (tmp_path / "demands.csv").write_text("demand_ms\n2\n6\n")
    services = {"server": {"operations": {"job": [{"parallel": [[{"cpu": law}], [{"delay": "1ms"}]]}]}, "startup": [{"cpu": law}]}}
    scenario = simvirt.loads(yaml.safe_dump(QUEUE | {"services": services}), name=str(tmp_path / "x.yaml"))
    slower = scenario.host.model_copy(update={"clock": Catalog.of(scenario).resolve_host(scenario.host).clock_hz / 1.5})
    server = on_host(scenario, Catalog.of(scenario), slower).services["server"]
    step: Any = server.operations["job"][0]
    start: Any = server.startup[0]
    assert step.parallel[0][0].cpu.mean == pytest.approx(6e6) == start.cpu.mean
    assert step.parallel[1][0].delay.mean == 1e6


@pytest.mark.parametrize("platform", ["docker", "kvm"])
def test_counted_memory_is_that_of_the_ledger(platform: str) -> None:
    """What replicas are promised adds up to the ledger's; what they use is never above it by more than the pages that replicas share."""
    scenario = web()
    spec = next(p for p in scenario.platforms if p.name == platform)
    catalog = Catalog.of(scenario)
    resolved, host = catalog.platform(spec), catalog.resolve_host(scenario.host)
    counted = {stock.name: stock for stock in stocks(scenario, catalog, resolved, host)}
    ledger = footprint(occupancy(scenario, catalog, resolved, host, {"web": 3, "db": 2}, expected_loads(scenario, resolved, host, {"web": 4, "db": 1})))
    promised, used = (counted[name].fixed + 3 * counted[name].each["web"] + 2 * counted[name].each["db"] for name in ("memory.promised", "memory"))
    assert promised * host.memory == pytest.approx(ledger.committed, rel=1e-3)
    assert used * host.memory == pytest.approx(ledger.demand, rel=0.02)


def test_hosts_are_as_many_as_promised_memory_needs() -> None:
    """Nine replicas of 5 GiB on hosts of 16 GiB: three on each, three hosts; four of 12 GiB promised twice: two on each."""
    services = {"server": QUEUE["services"]["server"] | {"scale": 9, "mem_limit": "5GiB"}}
    three = of(services=services, platforms=["docker"], workload={"open": {"rate": "90/s"}, "mix": {"server.job": 1}}, plan={"survive": 0})
    assert plan(three).document()["alternatives"][0]["hosts"] == 3
    services["server"] |= {"scale": 4, "mem_limit": "12GiB"}
    twice = of(services=services, platforms=["docker"], workload={"open": {"rate": "90/s"}, "mix": {"server.job": 1}}, plan={"survive": 0, "memory_ratio": 2})
    assert plan(twice).document()["alternatives"][0]["hosts"] == 2

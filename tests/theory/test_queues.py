"""Simple systems come out at their closed forms: means and 95th percentiles within four standard errors of independent replications."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from helpers.support import COMPILED, assert_agrees, assert_sound, means, quantiles, replications, scenario, service

from simvirt.catalog import Catalog
from simvirt.analysis import formulas
from simvirt.metrics.outcome import Outcome
from simvirt.scenario.spec.models import HostSpec, Scenario

SERVICE_S = 0.01  # mean demand of every job
JOB = {"cpu": {"exponential": "10ms"}}
LOADS = (0.5, 0.8, 0.9)
REPLICATIONS = 24
REQUESTS = 20_000

pytestmark = pytest.mark.skipif(not COMPILED, reason="statistics take the compiled kernel; the plain one gives the same bytes")

loads_of_theory = pytest.mark.parametrize("rho", LOADS)


def arrivals(rate: float, operation: str = "server.job") -> dict[str, Any]:
    """Poisson arrivals."""
    return {"open": {"rate": f"{rate!r}/s"}, "mix": {operation: 1}}


def length(rate: float, requests: int = REQUESTS) -> dict[str, Any]:
    """A run of so many requests, the first tenth of which is warm-up."""
    return {"requests": requests, "warmup": f"{0.1 * requests / rate:.6f}s"}


def queue(rho: float, step: dict[str, Any], cores: int = 1, threads: int | str = 1, requests: int = REQUESTS, **host: Any) -> Scenario:
    """One service of `threads` threads on as many cores, offered `rho` of what they can do."""
    rate = rho * cores / SERVICE_S
    return scenario({"server": service(step, threads=threads)}, arrivals(rate), length(rate, requests), host={"cores": cores} | host)


def sound(spec: Scenario) -> list[Outcome]:
    """Replications whose own checks hold."""
    outcomes = replications(spec, REPLICATIONS)
    assert_sound(outcomes)
    return outcomes


# --- one queue -----------------------------------------------------------------------------------------------------------


@loads_of_theory
def test_mm1(rho: float) -> None:
    outcomes = sound(queue(rho, JOB))
    assert_agrees(means(outcomes), formulas.mm1(rho / SERVICE_S, SERVICE_S).response_s)
    assert_agrees(quantiles(outcomes, 0.95), formulas.mm1_quantile(rho / SERVICE_S, SERVICE_S, 0.95))
    assert_agrees([o.utilisation for o in outcomes], rho)


@loads_of_theory
def test_mm8(rho: float) -> None:
    outcomes = sound(queue(rho, JOB, cores=8, threads=8))
    assert_agrees(means(outcomes), formulas.mmc(8 * rho / SERVICE_S, SERVICE_S, 8).response_s)
    assert_agrees(quantiles(outcomes, 0.95), formulas.mmc_quantile(8 * rho / SERVICE_S, SERVICE_S, 8, 0.95))


@loads_of_theory
@pytest.mark.parametrize("cv", [0.5, 2.0])
def test_mg1_with_lognormal_service(rho: float, cv: float) -> None:
    outcomes = sound(queue(rho, {"cpu": {"lognormal": {"mean": "10ms", "cv": cv}}}))
    sigma = np.sqrt(np.log1p(cv * cv))
    cdf = stats.lognorm(sigma, scale=SERVICE_S * np.exp(-sigma * sigma / 2)).cdf
    assert_agrees(means(outcomes), formulas.mg1(rho / SERVICE_S, SERVICE_S, cv).response_s)
    p95 = formulas.mg1_quantile(rho / SERVICE_S, SERVICE_S, cdf, 0.95)
    assert p95 is not None
    assert_agrees(quantiles(outcomes, 0.95), p95)


@loads_of_theory
def test_md1(rho: float) -> None:
    outcomes = sound(queue(rho, {"cpu": "10ms"}))
    assert_agrees(means(outcomes), formulas.md1(rho / SERVICE_S, SERVICE_S).response_s)
    assert_agrees(quantiles(outcomes, 0.95), formulas.md1_quantile(rho / SERVICE_S, SERVICE_S, 0.95))


@loads_of_theory
@pytest.mark.parametrize("demand", ["10ms", {"exponential": "10ms"}, {"lognormal": {"mean": "10ms", "cv": 2}}], ids=["D", "M", "lognormal"])
def test_processor_sharing_is_insensitive(rho: float, demand: Any) -> None:
    outcomes = sound(queue(rho, {"cpu": demand}, threads="unlimited", scheduler="gps"))
    assert_agrees(means(outcomes), formulas.mg1_ps(rho / SERVICE_S, SERVICE_S).response_s)
    if demand == JOB["cpu"]:
        assert_agrees(quantiles(outcomes, 0.95), formulas.mm1_ps_quantile(rho / SERVICE_S, SERVICE_S, 0.95))


@pytest.mark.parametrize("scheduler", ["eevdf", "cfs"])
@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_short_slices_come_near_processor_sharing(rho: float, scheduler: str) -> None:
    """Fair schedulers share a core among exponential jobs; any work-conserving order that knows no sizes has the mean of M/M/1."""
    outcomes = sound(queue(rho, JOB, threads="unlimited", scheduler=scheduler))
    assert_agrees(means(outcomes), formulas.mm1(rho / SERVICE_S, SERVICE_S).response_s)


@pytest.mark.slow
@pytest.mark.parametrize(("rho", "servers"), [
    pytest.param(0.5, 1, marks=pytest.mark.verification), pytest.param(0.8, 1, marks=pytest.mark.verification),
    pytest.param(0.5, 8, marks=pytest.mark.verification), (0.8, 8),
])
def test_long_runs_have_no_bias(rho: float, servers: int) -> None:
    """Ten million requests: the mean latency is within 0.3 % of theory."""
    (outcome,) = replications(queue(rho, JOB, cores=servers, threads=servers, requests=10_000_000))
    assert outcome.latency_mean_s == pytest.approx(formulas.mmc(servers * rho / SERVICE_S, SERVICE_S, servers).response_s, rel=0.003)


# --- a closed system -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("clients", "think_s"), [
    (10, 0.11), *(pytest.param(*case, marks=pytest.mark.verification) for case in ((5, 0.07), (20, 0.19), (40, 0.35))),
])
def test_closed_mm1_with_thinking_clients(clients: int, think_s: float) -> None:
    expected = formulas.machine_repair(clients, think_s, SERVICE_S)
    workload = {"closed": {"clients": clients, "think": {"exponential": f"{think_s}s"}}, "mix": {"server.job": 1}}
    outcomes = sound(scenario({"server": service(JOB)}, workload, length(expected.throughput_per_s)))
    assert_agrees(means(outcomes), expected.response_s)
    assert_agrees([o.throughput_per_s for o in outcomes], expected.throughput_per_s)
    assert_agrees(quantiles(outcomes, 0.95), formulas.machine_repair_quantile(clients, think_s, SERVICE_S, 0.95))


# --- networks of queues ----------------------------------------------------------------------------------------------------


@loads_of_theory
def test_asynchronous_front_before_a_bounded_back(rho: float) -> None:
    """Front: a CPU for each of its threads; so many that nobody waits there. Back: one thread. The times add up (Burke)."""
    rate = rho / SERVICE_S
    services = {"front": service(JOB, {"call": "back.job"}, threads="unlimited"), "back": service(JOB)}
    outcomes = sound(scenario(services, arrivals(rate, "front.job"), length(rate), host={"cores": 32}))
    assert_agrees(means(outcomes), SERVICE_S + formulas.mm1(rate, SERVICE_S).response_s)
    assert_agrees(quantiles(outcomes, 0.95), formulas.tandem_quantile(rate, (SERVICE_S, 32), (SERVICE_S, 1), 0.95))


@loads_of_theory
def test_two_tiers_of_single_servers(rho: float) -> None:
    """An asynchronous gateway calls two queues in turn: a Jackson network."""
    rate = rho / SERVICE_S
    services = {"gate": service({"call": "a.job"}, {"call": "b.job"}, threads="unlimited"), "a": service(JOB), "b": service(JOB)}
    outcomes = sound(scenario(services, arrivals(rate, "gate.job"), length(rate), host={"cores": 2}))
    assert_agrees(means(outcomes), formulas.jackson(rate, [(1, SERVICE_S, 1), (1, SERVICE_S, 1)]).response_s)
    assert_agrees(quantiles(outcomes, 0.95), formulas.tandem_quantile(rate, (SERVICE_S, 1), (SERVICE_S, 1), 0.95))
    for name in ("a", "b"):
        assert_agrees([float(o.services[name].latency_mean_s or 0) for o in outcomes], formulas.mm1(rate, SERVICE_S).response_s)


@loads_of_theory
def test_visits_with_a_probability(rho: float) -> None:
    """Station a always, station b (twice as slow) for a third of the requests: arrivals at b are a thinned Poisson stream."""
    rate = rho / SERVICE_S
    slow = service({"cpu": {"exponential": "20ms"}})
    services = {"gate": service({"call": "a.job"}, {"call": "b.job", "probability": 1 / 3}, threads="unlimited"), "a": service(JOB), "b": slow}
    outcomes = sound(scenario(services, arrivals(rate, "gate.job"), length(rate), host={"cores": 2}))
    assert_agrees(means(outcomes), formulas.jackson(rate, [(1, SERVICE_S, 1), (1 / 3, 2 * SERVICE_S, 1)]).response_s)


@loads_of_theory
def test_fork_join_of_two(rho: float) -> None:
    rate = rho / SERVICE_S
    fork = {"parallel": [{"call": "a.job"}, {"call": "b.job"}]}
    services = {"gate": service(fork, threads="unlimited"), "a": service(JOB), "b": service(JOB)}
    outcomes = sound(scenario(services, arrivals(rate, "gate.job"), length(rate), host={"cores": 2}))
    assert_agrees(means(outcomes), formulas.fork_join_2(rate, SERVICE_S))


# --- devices ---------------------------------------------------------------------------------------------------------------


@loads_of_theory
def test_disk_with_one_arm(rho: float) -> None:
    """A disk serves one request after another, in times that vary as its entry says: M/G/1."""
    read = {"server": service({"disk": {"read": "1MB"}}, threads="unlimited")}
    served_s, cv = time_of_a_read(scenario(read, arrivals(1.0), length(1.0), host={"disk": "hdd"}))
    outcomes = sound(scenario(read, arrivals(rho / served_s), length(rho / served_s), host={"disk": "hdd"}))
    assert_agrees(means(outcomes), formulas.mg1(rho / served_s, served_s, cv).response_s)


def time_of_a_read(spec: Scenario) -> tuple[float, float]:
    """How long the scenario's disk takes to read 1 MB [s], and how that varies: the transfer is the same each time."""
    disk = Catalog.of(spec).resolve_host(spec.host).disk
    assert disk.channels == 1
    latency, whole = disk.latency_ns(write=False), disk.latency_ns(write=False) + disk.longer_ns(1_000_000, write=False)
    return round(whole) / 1e9, disk.cv(write=False) * latency / whole


@loads_of_theory
def test_link_shares_its_bandwidth(rho: float) -> None:
    """Transfers of two sizes on one link: M/G/1 processor sharing, whatever the sizes."""
    nic = Catalog.load().resolve_host(HostSpec.model_validate({"cores": 1, "memory": "1GiB", "nic": "8Gbps"})).nic
    small, large = nic.wire_bytes(1e5) / 1e9, nic.wire_bytes(1.9e6) / 1e9
    rate = rho / ((small + large) / 2)
    operations = {"small": [{"net": {"out": "100kB"}}], "large": [{"net": {"out": "1900kB"}}]}
    workload = {"open": {"rate": f"{rate!r}/s"}, "mix": {"server.small": 1, "server.large": 1}}
    spec = scenario({"server": {"threads": "unlimited", "operations": operations}}, workload, length(rate), host={"nic": "8Gbps"})
    outcomes = sound(spec)
    assert_agrees(means(outcomes), formulas.mg1_ps(rate, (small + large) / 2).response_s)

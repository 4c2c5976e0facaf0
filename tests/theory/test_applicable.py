"""Which formula a scenario is held against, and that anything a formula does not know leaves it without one."""

import math
from types import SimpleNamespace as Spec

import numpy as np
import pytest
from helpers.effort import calls

from simvirt.analysis import formulas, laws, theory
from simvirt.scenario import CallStep, CpuStep

MS = 1e6


def law(kind, mean, **parameters):
    return Spec(kind=kind, mean=mean * MS, **parameters)


def cpu(distribution, **options):
    return CpuStep.model_construct(cpu=distribution, times=options.get("times", 1), probability=options.get("probability", 1))


def call(target, **options):
    return CallStep.model_construct(call=target, times=options.get("times", 1), probability=options.get("probability", 1))


def service(steps, threads=1, **fields):
    plain = {"replicas": 1, "queue": "unlimited", "background": None, "cpu_limit": None, "quota_ns": None, "cpuset": None, "startup": []}
    return Spec(threads=threads, operations=steps if isinstance(steps, dict) else {"job": steps}, **{**plain, **fields})


def scenario(services, cores=1, policy="eevdf", rate=80.0, closed=None, mix=None, timeline=()):
    services = services if isinstance(services, dict) else {"server": services}
    stream = None if closed else Spec(rate=rate, arrivals="poisson")
    host = Spec(model=None, cores=cores, sockets=1, smt=None, scheduler=Spec(policy=policy), own_scheduler=Spec(policy=policy))
    workload = Spec(open=stream, closed=closed, mix=mix)
    return Spec(host=host, services=services, workload=workload, timeline=list(timeline), state=None)


EXPONENTIAL = [cpu(law("exponential", 10))]


def test_mm1():
    p = theory.applicable(scenario(service(EXPONENTIAL)))
    assert (p.model, p.latency_mean_s, p.latency_p95_s) == ("M/M/1", pytest.approx(0.05), pytest.approx(0.05 * math.log(20)))
    assert (p.utilisation, p.throughput_per_s) == (pytest.approx(0.8), 80)
    assert set(p.document()) == {"model", "latency_mean_s", "latency_p95_s", "assumptions", "utilisation", "throughput_per_s"}


def test_mmc_needs_a_core_for_each_thread():
    assert theory.applicable(scenario(service(EXPONENTIAL, threads=4), cores=4, rate=320)).model == "M/M/4"
    assert theory.applicable(scenario(service(EXPONENTIAL, threads=4), cores=2)) is None


def test_a_catalogue_host_needs_its_cores_told():
    case = scenario(service(EXPONENTIAL))
    case.host.model = "dell-r740-gold-6132"
    assert theory.applicable(case) is None
    assert theory.applicable(case, Spec(sockets=2, cores=14, smt=2)).model == "M/M/1"
    assert theory.applicable(case, Spec(sockets=2, cores=14, smt=2, cstates=("C1",))) is None


@pytest.mark.parametrize(
    ("distribution", "model", "cv"),
    [
        (law("constant", 10), "M/D/1", 0.0),
        (law("lognormal", 10, cv=2.0), "M/G/1", 2.0),
        (law("gamma", 10, cv=0.5), "M/G/1", 0.5),
        (law("hyperexponential", 10, cv=3.0), "M/G/1", 3.0),
        (law("uniform", 10, low=5 * MS, high=15 * MS), "M/G/1", 10 / math.sqrt(12) / 10),
        (law("pareto", 10, shape=3.0), "M/G/1", math.sqrt(1 / 3)),
    ],
)
def test_mg1_by_moments(distribution, model, cv):
    p = theory.applicable(scenario(service([cpu(distribution)])))
    assert p.model == model
    assert p.latency_mean_s == pytest.approx(formulas.mg1(80, 0.01, cv).response_s)


@pytest.mark.parametrize(
    "distribution",
    [law("lognormal", 10, cv=0.7), law("gamma", 10, cv=0.7), law("hyperexponential", 10, cv=2), law("uniform", 10, low=0.0, high=20 * MS)],
)
def test_distribution_functions_have_their_mean(distribution):
    demand = laws.distribution_of(distribution)
    t = np.linspace(1e-9, 2, 400_001)
    assert np.trapezoid(1 - demand.cdf(t), t) == pytest.approx(0.01, rel=1e-4)
    second = np.trapezoid(2 * t * (1 - demand.cdf(t)), t)
    assert math.sqrt(second / 0.01**2 - 1) == pytest.approx(demand.cv, rel=1e-3)


def test_predictions_take_little_work_at_the_edges():
    """Close to saturation, far below it and with many clients, series and searches still end."""
    assert calls(predict_edges) < 500_000


def predict_edges():
    for kind, parameters in (("constant", {}), ("lognormal", {"cv": 5.0}), ("exponential", {})):
        for threads, policy in ((1, "eevdf"), ("unlimited", "gps")):
            for rate in (0.001, 98.9, 99.99):
                theory.applicable(scenario(service([cpu(law(kind, 10, **parameters))], threads=threads), policy=policy, rate=rate))
    theory.applicable(scenario(service(EXPONENTIAL), closed=Spec(clients=100_000, think=law("constant", 1000))))


def test_mg1_of_two_operations_and_of_two_steps():
    mixed = service({"a": [cpu(law("constant", 5))], "b": [cpu(law("constant", 20))]})
    p = theory.applicable(scenario(mixed, rate=80, mix={"server.a": 2, "server.b": 1}))
    assert p.latency_mean_s == pytest.approx(0.01 + 80 * (2 * 0.005**2 + 0.02**2) / 3 / (2 * 0.2))
    twice = theory.applicable(scenario(service([cpu(law("exponential", 5)), cpu(law("exponential", 5))])))
    assert twice.latency_mean_s == pytest.approx(formulas.mg1(80, 0.01, math.sqrt(0.5)).response_s)


def test_no_mean_for_an_infinite_variance():
    assert theory.applicable(scenario(service([cpu(law("pareto", 10, shape=1.8))]))) is None


def test_processor_sharing_on_one_core():
    p = theory.applicable(scenario(service([cpu(law("pareto", 10, shape=1.8))], threads="unlimited"), policy="gps"))
    assert (p.model, p.latency_mean_s, p.latency_p95_s) == ("M/G/1-PS", pytest.approx(0.05), None)
    assert theory.applicable(scenario(service(EXPONENTIAL, threads="unlimited"))) is None


def test_closed_systems():
    closed = Spec(clients=20, think=law("exponential", 500))
    p = theory.applicable(scenario(service(EXPONENTIAL), closed=closed))
    assert p.model == "M/M/1//20"
    assert p.throughput_per_s * (p.latency_mean_s + 0.5) == pytest.approx(20)
    assert theory.applicable(scenario(service([cpu(law("constant", 10))]), closed=closed)) is None
    assert (
        theory.applicable(scenario(service([cpu(law("constant", 10))], threads="unlimited"), policy="gps", closed=closed)).model
        == "M/G/1//20-PS"
    )


TIERS = {
    "front": service({"go": [call("a.job"), call("b.job")]}, threads="unlimited"),
    "a": service(EXPONENTIAL),
    "b": service([cpu(law("exponential", 20))], threads=2),
}


def test_two_tiers_behind_an_asynchronous_front():
    p = theory.applicable(scenario(TIERS, cores=4, mix={"front.go": 1}))
    assert p.model == "Jackson network"
    assert p.latency_mean_s == pytest.approx(formulas.mm1(80, 0.01).response_s + formulas.mmc(80, 0.02, 2).response_s)
    assert p.latency_p95_s == pytest.approx(formulas.tandem_quantile(80, (0.01, 1), (0.02, 2), 0.95))
    assert theory.applicable(scenario(TIERS, cores=2, mix={"front.go": 1})) is None


def test_two_tiers_count_visits():
    tiers = {**TIERS, "front": service({"go": [call("a.job", times=2)]}, threads="unlimited")}
    p = theory.applicable(scenario(tiers, cores=4, rate=40, mix={"front.go": 1}))
    assert (p.latency_mean_s, p.latency_p95_s) == (pytest.approx(2 * formulas.mm1(80, 0.01).response_s), None)


@pytest.mark.parametrize(
    "changed",
    [
        {"replicas": 2},
        {"queue": 10},
        {"background": Spec(threads=1)},
        {"cpu_limit": 0.5},
        {"startup": [1]},
        {"threads": "unlimited"},
    ],
)
def test_anything_else_has_no_prediction(changed):
    fields = {"threads": 1, **changed}
    assert theory.applicable(scenario(service(EXPONENTIAL, **fields))) is None


def test_no_prediction_for_overload_events_repeats_or_other_steps():
    assert theory.applicable(scenario(service(EXPONENTIAL), rate=100)) is None
    assert theory.applicable(scenario(service(EXPONENTIAL), timeline=[Spec(at=1)])) is None
    assert theory.applicable(scenario(service([cpu(law("exponential", 1), times=2)]))) is None
    assert theory.applicable(scenario(service([Spec(disk=Spec(read=1))]))) is None
    assert theory.applicable(scenario(service([cpu(Spec(kind="empirical", mean=None))]))) is None

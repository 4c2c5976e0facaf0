"""What holds in every scenario, whatever its numbers: nothing is lost, nothing is negative, and more is not worse where nothing interferes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from helpers.support import SMALLER, S, begun, replications, scenario, service
from helpers.worlds import SCHEDULERS, worlds

from simvirt.metrics.outcome import CATEGORIES, Outcome
from simvirt.gauges import snapshot
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario

EXAMPLES = 50 if SMALLER == 1 else 15
hastily = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

# --- random scenarios ------------------------------------------------------------------------------------------------------

demands = st.sampled_from(["50us", "1ms", {"exponential": "2ms"}, {"lognormal": {"mean": "1ms", "cv": 3}}, {"uniform": {"low": "0ms", "high": "3ms"}}])
plain_steps = st.one_of(
    st.builds(lambda d: {"cpu": d}, demands),
    st.builds(lambda d: {"delay": d}, demands),
    st.builds(lambda size, hit: {"disk": {"read": size, "hit": hit}}, st.sampled_from(["4KiB", "1MiB"]), st.sampled_from([0, 0.5])),
    st.builds(lambda sync: {"disk": {"write": "16KiB", "sync": sync}}, st.booleans()),
    st.builds(lambda out: {"net": {"out": out, "in": "1KiB"}}, st.sampled_from(["1KiB", "1MiB"])),
)


def steps(calls: list[str]) -> st.SearchStrategy[Any]:
    """Steps of an operation that may call others."""
    single = st.one_of(plain_steps, st.sampled_from([{"call": name} for name in calls])) if calls else plain_steps
    often = st.tuples(single, st.integers(1, 3), st.sampled_from([1.0, 0.5])).map(lambda t: t[0] | {"times": t[1], "probability": t[2]})
    fork = st.lists(st.lists(single, min_size=1, max_size=2), min_size=2, max_size=3).map(lambda branches: {"parallel": branches})
    return st.lists(st.one_of(often, often, fork), min_size=1, max_size=3)


@st.composite
def services(draw: st.DrawFn) -> dict[str, Any]:
    """Three services in a row, each may call those after it, and perhaps a neighbour that computes."""
    found: dict[str, Any] = {}
    for name, calls in (("c", []), ("b", ["c.do"]), ("a", ["b.do", "c.do"])):
        spec: dict[str, Any] = {"threads": draw(st.sampled_from([1, 3, "unlimited"])), "operations": {"do": draw(steps(calls))}, "scale": draw(st.integers(1, 3))}
        spec["queue"] = draw(st.sampled_from(["unlimited", "unlimited", 0, 4])) if spec["threads"] != "unlimited" else "unlimited"
        spec["balance"] = draw(st.sampled_from(["round-robin", "least-connections", "random", "two-choices"]))
        if draw(st.booleans()):
            spec |= {"cpu_quota": draw(st.sampled_from(["5ms", "20ms"])), "cpu_period": "20ms"}
        found[name] = spec
    if draw(st.booleans()):
        found["hog"] = {"background": {"threads": draw(st.integers(1, 3)), "duty": draw(st.sampled_from([1.0, 0.3]))}, "cpu_shares": draw(st.sampled_from([2, 1024]))}
    return dict(reversed(found.items()))


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Any small scenario that ends by itself."""
    host = {"cores": draw(st.integers(1, 4)), "smt": draw(st.sampled_from([1, 2])), "scheduler": draw(st.sampled_from(SCHEDULERS)), "disk": draw(st.sampled_from(["nvme", "hdd"]))}
    vms = {"name": "mixed", "stack": ["kvm", "docker"], "vms": {"count": 2, "vcpus": draw(st.integers(1, 3)), "memory": "2GiB"}}
    platform = draw(st.sampled_from(["bare-metal", "docker", "kvm", vms]))
    load = draw(st.sampled_from([{"open": {"rate": "50/s"}}, {"open": {"rate": "400/s"}}, {"closed": {"clients": 5, "think": {"exponential": "5ms"}}}, {"closed": {"clients": 2, "think": "10us"}}]))
    run = {"requests": 120, "warmup": "0s", "seed": draw(st.integers(0, 1000))}
    return scenario(draw(services()), load | {"mix": {"a.do": 1}}, run, host=host, platforms=[platform])


def assert_conserved(spec: Scenario, outcome: Outcome) -> None:
    """Laws of one replication that began empty and ended empty."""
    assert set(outcome.checks.values()) == {"ok"}, outcome.checks
    parts = [v for v in outcome.breakdown_s.values() if v is not None]
    if outcome.requests:
        assert outcome.latency_mean_s is not None
        assert math.isclose(math.fsum(parts), outcome.latency_mean_s, rel_tol=1e-9), (outcome.breakdown_s, outcome.latency_mean_s)
    numbers = [outcome.utilisation, outcome.steal, outcome.throttled, outcome.virtualization, outcome.rejected, outcome.failed, *parts, *outcome.resources.values()]
    assert all(v >= 0 for v in numbers), outcome
    busy_ns = outcome.utilisation * outcome.simulated_s * S
    rounding = outcome.events / max(busy_ns, 1) if spec.host.scheduler.policy == "gps" else 1e-9  # a ns per event of a fluid machine
    ratios = {name: getattr(outcome, name) for name in ("utilisation", "steal", "virtualization", "rejected")}
    assert max(ratios.values()) <= 1 + rounding, ratios
    assert int(outcome.histogram.sum()) == outcome.requests
    total = round(outcome.requests / (1 - outcome.rejected)) if outcome.rejected < 1 else spec.run.requests
    assert spec.workload is not None
    if spec.workload.closed is None:
        assert total == spec.run.requests
    else:  # measured while clients still have requests to make; that all of them are answered is the law of flow
        assert total <= spec.run.requests


@hastily
@given(scenarios())
def test_nothing_is_lost_and_nothing_is_negative(spec: Scenario) -> None:
    (outcome,) = replications(spec)
    assert_conserved(spec, outcome)


@pytest.mark.parametrize("name", [name for name in worlds() if not name.startswith("eventful")])
def test_the_worlds_conserve_too(name: str) -> None:
    spec = loads(worlds()[name])
    for outcome in replications(spec):
        assert_conserved(spec, outcome)


@hastily
@given(scenarios(), st.integers(1, 400))
def test_time_is_conserved_at_any_instant(spec: Scenario, at_ms: int) -> None:
    """In the middle of a run: CPU time used is CPU time given; each vCPU either runs, waits or idles; columns keep their signs."""
    clock = begun(spec)
    at = at_ms * S // 1000
    clock.run(until=at)
    plane, totals = clock.plane, snapshot(clock.plane, at)
    fluid = int(plane.read("machines", "fluid")[0]) != 0
    used = int(totals.cpu_time.sum())
    assert abs(used - totals.busy) <= (totals.events + 100 if fluid else 0)
    assert totals.busy <= at * plane.lowered.hosts[0].pcpus + (totals.events + 100 if fluid else 0)  # rounded to a ns for each task and event
    for name in ("cpu_time", "overhead_time", "thread_time", "steal", "throttled", "nr_periods", "nr_throttled", "service_queue_wait"):
        assert int(getattr(totals, name).min(initial=0)) >= 0, name
    assert int(totals.steal.max(initial=0)) <= at
    assert int(totals.spent.min()) >= 0
    assert (plane.read("frames", "spent")[: len(CATEGORIES)] >= 0).all()
    assert (plane.read("instances", "busy_threads") <= plane.read("instances", "threads")).all()
    assert (plane.read("instances", "queue_length") <= plane.read("instances", "queue_limit")).all()
    assert (plane.read("groups", "pool") >= 0).all()
    waiting = plane.read("queues", "tasks")
    assert (waiting >= 0).all()


# --- more is not worse -------------------------------------------------------------------------------------------------------


def single_queue(demand: Any, seed: int, rate: float = 60.0, **fields: Any) -> Scenario:
    """One queue before one core."""
    host = {"cores": 1} | fields.pop("host", {})
    given = service({"cpu": demand}, **fields)
    return scenario({"server": given}, {"open": {"rate": f"{rate}/s"}, "mix": {"server.job": 1}}, {"requests": 300, "warmup": "0s", "seed": seed}, host=host)


work = st.sampled_from(["5ms", {"exponential": "5ms"}, {"lognormal": {"mean": "5ms", "cv": 2}}, {"pareto": {"mean": "5ms", "shape": 2.2}}])
seeds = st.integers(0, 10_000)


def latency(spec: Scenario) -> float:
    """Mean latency [s]."""
    (outcome,) = replications(spec)
    assert outcome.latency_mean_s is not None
    return outcome.latency_mean_s


@hastily
@given(work, seeds, st.floats(20, 300), st.floats(1.01, 3))
def test_fewer_arrivals_never_raise_the_latency_of_a_queue(demand: Any, seed: int, rate: float, factor: float) -> None:
    """The same requests at longer distances: every wait shrinks (Lindley's recursion)."""
    assert latency(single_queue(demand, seed, rate / factor)) <= latency(single_queue(demand, seed, rate)) * (1 + 1e-9) + 1e-9


@hastily
@given(seeds, st.floats(20, 300), st.floats(1.01, 3))
def test_less_work_never_raises_the_latency_of_a_queue(seed: int, rate: float, factor: float) -> None:
    """A host that is faster by a factor, told as demands shorter by it."""
    slow, fast = ({"exponential": f"{5 / f:.9f}ms"} for f in (1.0, factor))
    assert latency(single_queue(fast, seed, rate)) <= latency(single_queue(slow, seed, rate)) * (1 + 1e-9) + 1e-9


@hastily
@given(work, seeds, st.floats(50, 500), st.integers(1, 4), st.integers(1, 4))
def test_more_servers_never_raise_the_latency_of_a_queue(demand: Any, seed: int, rate: float, few: int, more: int) -> None:
    """M threads on M cores before one line: each request starts no later with more of them."""
    cost = [latency(single_queue(demand, seed, rate, threads=n, host={"cores": n})) for n in (few, few + more)]
    assert cost[1] <= cost[0] * (1 + 1e-9) + 1e-9


@hastily
@given(work, seeds, st.integers(1, 5), st.integers(1, 3), st.integers(2, 30))
def test_more_replicas_never_lower_the_throughput(demand: Any, seed: int, few: int, more: int, clients: int) -> None:
    """Clients without think time before replicas with a core each: more are at least as fast, but for the end of the run."""
    found = []
    for replicas in (few, few + more):
        given = service({"cpu": demand}, scale=replicas, balance="least-connections")
        spec = scenario({"server": given}, {"closed": {"clients": clients}, "mix": {"server.job": 1}}, {"requests": 600, "warmup": "0s", "seed": seed}, host={"cores": 8})
        (outcome,) = replications(spec)
        found.append(outcome.throughput_per_s)
    tail = 0.1 if clients > few else 1e-9  # the last long request ends alone
    assert found[1] >= found[0] * (1 - tail)


@hastily
@given(work, seeds, st.sampled_from(SCHEDULERS))
def test_no_scheduler_wastes_time(demand: Any, seed: int, scheduler: str) -> None:
    """Work-conserving policies on one core finish a busy period at the same instant: the time that the core is busy is the demand."""
    spec = single_queue(demand, seed, 150.0, threads="unlimited", host={"scheduler": scheduler})
    reference = single_queue(demand, seed, 150.0)
    (a,), (b,) = replications(spec), replications(reference)
    assert a.utilisation * a.simulated_s == pytest.approx(b.utilisation * b.simulated_s, rel=1e-6)
    assert a.simulated_s == pytest.approx(b.simulated_s, rel=1e-6)


@hastily
@given(work, seeds)
def test_a_neighbour_only_takes(demand: Any, seed: int) -> None:
    """A busy neighbour never lowers the mean latency of a service with one thread."""
    alone = single_queue(demand, seed)
    spec = scenario({"server": service({"cpu": demand}), "hog": {"background": {"threads": 1}}},
                    {"open": {"rate": "60.0/s"}, "mix": {"server.job": 1}}, {"requests": 300, "warmup": "0s", "seed": seed})
    assert latency(spec) >= latency(alone) * (1 - 1e-9)


def test_a_platform_of_no_cost_is_bare_metal_to_the_byte() -> None:
    """Containers on the host's network without stated packets, limits or rivals: the same latencies."""
    services_ = {"server": service({"cpu": {"exponential": "5ms"}, "ops": {"tlb_miss": 3}}, threads=2)}
    spec = scenario(services_, {"open": {"rate": "100/s"}, "mix": {"server.job": 1}}, {"requests": 500, "warmup": "0s"}, host={"cores": 2},
                    platforms=["bare-metal", "docker-host-network"])
    bare, docker = replications(spec, platform=0)[0], replications(spec, platform=1)[0]
    assert np.array_equal(bare.histogram, docker.histogram)
    assert bare.latency_mean_s == docker.latency_mean_s

"""Locks come out at their closed forms, stay held while their holder cannot run, and belong to a replica or to a kernel."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import COMPILED, assert_agrees, assert_sound, background, means, replications, scenario, service

from simvirt.analysis import formulas
from simvirt.errors import ScenarioError
from simvirt.metrics.outcome import Outcome
from simvirt.scenario.spec.models import Scenario

statistical = pytest.mark.skipif(not COMPILED, reason="statistics take the compiled kernel; the plain one gives the same bytes")
REPLICATIONS, REQUESTS = 16, 20_000
CRITICAL = {"cpu": {"exponential": "2ms"}}


def locked(*hold: dict[str, Any], lock: str = "log", **more: Any) -> dict[str, Any]:
    """A step that does something while it holds a lock."""
    return {"lock": lock, "hold": list(hold)} | more


def opened(*steps: dict[str, Any], rate: float, requests: int = REQUESTS, **fields: Any) -> Scenario:
    """A service with more threads than requests, on as many cores."""
    services = {"db": service(*steps, threads=64) | fields.pop("service", {})}
    workload = {"open": {"rate": f"{rate}/s"}, "mix": {"db.job": 1}, "local": True}
    return scenario(services, workload, {"requests": requests, "warmup": f"{0.1 * requests / rate}s"}, host={"cores": 64} | fields.pop("host", {}), **fields)


def closed(services: dict[str, Any], mix: dict[str, float], clients: int, **fields: Any) -> Scenario:
    """Clients that ask again at once, for ten seconds."""
    workload = {"closed": {"clients": clients, "think": "0s"}, "mix": mix, "local": True}
    return scenario(services, workload, {"duration": "10s", "warmup": "2s"}, host={"cores": 8} | fields.pop("host", {}), **fields)


def sound(spec: Scenario, count: int = 1) -> list[Outcome]:
    outcomes = replications(spec, count)
    assert_sound(outcomes)
    return outcomes


@statistical
@pytest.mark.parametrize("spin", ["0s", "1s"])
@pytest.mark.parametrize("policy", ["eevdf", "gps"])
def test_a_lock_is_a_single_server_among_many_cpus(policy: str, spin: str) -> None:
    """Sleepers need a microsecond or two to wake up, which is below the noise; those that spin take the lock at once."""
    outcomes = sound(opened(locked(CRITICAL, spin=spin), rate=350, host={"scheduler": policy}), REPLICATIONS)
    expected = formulas.mm1(350, 0.002).response_s
    assert_agrees(means(outcomes), expected)
    assert_agrees([o.resources["db.lock.log"] for o in outcomes], 0.7)
    assert_agrees([o.breakdown_s["lock"] or 0.0 for o in outcomes], expected - 0.002)


@statistical
def test_spinning_takes_cpus_and_sleeping_does_not() -> None:
    asleep, spins = (sound(opened(locked(CRITICAL, spin=spin), rate=350), 4) for spin in ("0s", "1s"))
    expected = formulas.mm1(350, 0.002)
    waiting = 350 * (expected.response_s - 0.002)
    assert_agrees([64 * o.resources["host.cpu"] for o in spins], 0.7 + waiting, errors=6)
    for outcome in asleep:
        assert 64 * outcome.resources["host.cpu"] == pytest.approx(0.7, rel=0.1)


def test_a_lock_bounds_what_a_closed_loop_gets() -> None:
    outcome, = sound(closed({"db": service({"cpu": "2ms"}, locked({"cpu": "1ms"}, spin="100us"), threads=8)}, {"db.job": 1}, 8))
    assert outcome.throughput_per_s == pytest.approx(1000, rel=0.01)
    outcome, = sound(closed({"db": service({"cpu": "2ms"}, locked({"cpu": "1ms"}), threads=2)}, {"db.job": 1}, 2))
    assert outcome.throughput_per_s == pytest.approx(2 / 0.003, rel=0.01), "two that take turns do not wait"


def test_each_replica_has_its_own_and_other_names_are_other_locks() -> None:
    each = service(locked({"cpu": "1ms"}, spin="2ms"), threads=8)
    one, = sound(closed({"db": each}, {"db.job": 1}, 8))
    two, = sound(closed({"db": each | {"scale": 2}}, {"db.job": 1}, 8))
    assert two.throughput_per_s == pytest.approx(2 * one.throughput_per_s, rel=0.01)
    other = service(locked({"cpu": "1ms"}, spin="2ms"), threads=8)
    other["operations"]["more"] = [locked({"cpu": "1ms"}, lock="other", spin="2ms")]
    mixed, = sound(closed({"db": other}, {"db.job": 1, "db.more": 1}, 64))
    assert mixed.throughput_per_s > 1.8 * one.throughput_per_s


@pytest.mark.parametrize(("platform", "kernels"), [("docker", 1), ("kvm", 2)])
def test_containers_share_the_locks_of_their_kernel_and_vms_do_not(platform: str, kernels: int) -> None:
    each = service(locked({"cpu": "1ms"}, scope="kernel"), threads=12, cpus=3, mem_limit="512MiB")
    spec = closed({"a": each, "b": each}, {"a.job": 1, "b.job": 1}, 24, platforms=[platform])
    outcome, = sound(spec)
    assert outcome.resources["kernel lock log"] == pytest.approx(1.0, abs=0.03)
    assert outcome.throughput_per_s == pytest.approx(1000 * kernels, rel=0.03)


def test_a_throttled_holder_holds_up_others_of_its_kernel() -> None:
    """A holder that is out of quota for half of each period keeps the lock: the other, without a quota, waits as long."""
    slow = service(locked({"cpu": "20ms"}, scope="kernel"), threads=1, cpus=0.5)
    quick = service(locked({"cpu": "100us"}, scope="kernel"), threads=1)
    free = service({"cpu": "100us"}, threads=1)
    mix = {"slow.job": 1, "quick.job": 1}
    waits, = sound(closed({"slow": slow, "quick": quick}, mix, 2, platforms=["docker"]))
    alone, = sound(closed({"slow": slow, "quick": free}, mix, 2, platforms=["docker"]))
    assert (waits.services["quick"].latency_mean_s or 0) > 50 * (alone.services["quick"].latency_mean_s or 1)


def test_a_lock_is_kept_in_a_call_and_over_a_disk() -> None:
    """Held across 5 ms that nobody computes: at most 200 a second."""
    services = {"db": service(locked({"call": "far.away"}), threads=16), "far": service({"delay": "5ms"}, threads=64, operation="away")}
    outcome, = sound(closed(services, {"db.job": 1}, 16))
    assert outcome.throughput_per_s == pytest.approx(200, rel=0.02)
    assert outcome.resources["db.lock.log"] > 0.98


def test_locks_within_locks_are_given_up_one_by_one() -> None:
    inner = locked({"cpu": "1ms"}, lock="b")
    services = {"db": service(locked({"cpu": "1ms"}, inner, {"cpu": "1ms"}, lock="a"), threads=8) | {"balance": "round-robin"}}
    services["db"]["operations"]["only"] = [inner]
    outcome, = sound(closed(services, {"db.job": 1, "db.only": 1}, 8))
    assert outcome.resources["db.lock.a"] <= 1.0 and outcome.resources["db.lock.b"] <= 1.0
    assert outcome.throughput_per_s > 300


def test_a_crash_frees_what_the_dead_held_and_awaited() -> None:
    """The lock is held and eight threads wait for it when the replica dies; afterwards it answers as before."""
    services = {"db": service(locked({"call": "far.away"}, lock="log", scope="kernel"), threads=8, restart="always"),
                "far": service({"delay": "20ms"}, threads=64, operation="away"), "other": service(locked({"cpu": "1ms"}, scope="kernel"), threads=8)}
    workload = {"open": {"rate": "30/s"}, "mix": {"db.job": 1, "other.job": 1}}
    spec = scenario(services, workload, {"duration": "10s", "warmup": "5s"}, host={"cores": 4}, timeline=[
        {"at": "2030ms", "crash": "db", "restart": "50ms"}, {"at": "3030ms", "crash": "db", "restart": "50ms"}])
    outcome, = replications(spec)
    assert set(outcome.checks.values()) == {"ok"}
    assert outcome.unstable is None
    assert outcome.throughput_per_s == pytest.approx(30, rel=0.3)
    assert (outcome.latency_mean_s or 1) < 0.1


def test_background_work_beside_a_lock_preempts_its_holder() -> None:
    """One CPU, a thread that always wants it: the holder loses it now and then, and everybody waits for the holder."""
    services = {"db": service(locked({"cpu": "5ms"}), threads=4), "hog": background(1)}
    outcome, = sound(closed(services, {"db.job": 1}, 4, host={"cores": 1}))
    assert outcome.throughput_per_s == pytest.approx(100, rel=0.15)
    assert (outcome.breakdown_s["run_queue"] or 0) > 0.003


@pytest.mark.parametrize(("steps", "said"), [
    ([locked(locked({"cpu": "1ms"}))], "its holder would wait for itself"),
    ([locked({"call": "db.more"})], "its holder would wait for itself"),
    ([locked(locked({"cpu": "1ms"}, lock="b"), lock="a"), locked(locked({"cpu": "1ms"}, lock="a"), lock="b")], "wait for each other"),
    ([locked({"parallel": [locked({"cpu": "1ms"})]})], "its holder would wait for itself"),
])
def test_locks_that_could_wait_for_each_other_are_refused(steps: list[dict[str, Any]], said: str) -> None:
    services = {"db": {"threads": 2, "operations": {"job": steps, "more": [locked({"cpu": "1ms"})]}}}
    with pytest.raises(ScenarioError, match=said):
        scenario(services, {"open": {"rate": "1/s"}, "mix": {"db.job": 1}}, {"requests": 10})


OTHERS = {"open": {"rate": "10/s"}}


@pytest.mark.parametrize(("threads", "queue", "load", "refused"), [
    (4, "unlimited", OTHERS, True), (4, 1, OTHERS, True), (4, "unlimited", {"closed": {"clients": 4, "think": "1ms"}}, True),
    ("unlimited", "unlimited", OTHERS, False), (4, 0, OTHERS, False), (4, "unlimited", {"closed": {"clients": 3, "think": "1ms"}}, False),
])
def test_threads_that_may_all_wait_for_a_lock_are_not_asked_for_by_its_holder(threads: Any, queue: Any, load: dict[str, Any], refused: bool) -> None:
    """The holder waits for a thread of db while each of them waits for the lock; one rejected at once, or too few clients, do not."""
    db = {"threads": threads, "queue": queue, "operations": {"get": [{"cpu": "1ms"}], "put": [locked({"cpu": "1ms"}, scope="kernel")]}}
    services = {"web": service(locked({"call": "db.get"}, scope="kernel"), threads=4), "db": db}
    if not refused:
        assert scenario(services, load | {"mix": {"web.job": 1, "db.put": 1}}, {"requests": 10})
        return
    with pytest.raises(ScenarioError, match=r"web\.operations\.job\.0\.hold\.0: .*log -> threads of db -> log.*threads: unlimited"):
        scenario(services, load | {"mix": {"web.job": 1, "db.put": 1}}, {"requests": 10})


def test_a_cycle_through_threads_of_threads_is_found_and_one_of_threads_alone_is_not_refused() -> None:
    """The holder asks a, all of whose threads wait for b, all of whose threads wait for the lock."""
    a = {"threads": 2, "operations": {"quick": [{"cpu": "1ms"}], "slow": [{"call": "b.quick"}]}}
    b = {"threads": 2, "operations": {"quick": [{"cpu": "1ms"}], "put": [locked({"cpu": "1ms"}, scope="kernel")], "back": [{"call": "a.quick"}]}}
    services = {"web": service(locked({"call": "a.quick"}, scope="kernel"), threads=4), "a": a, "b": b}
    load = {"open": {"rate": "10/s"}, "mix": {"web.job": 1, "a.slow": 1, "b.put": 1, "b.back": 1}}
    with pytest.raises(ScenarioError, match="log -> threads of a -> threads of b -> log"):
        scenario(services, load, {"requests": 10})
    assert scenario({name: services[name] for name in "ab"}, load | {"mix": {"a.slow": 1, "b.back": 1}}, {"requests": 10})


def test_a_name_is_that_of_one_kind_of_lock() -> None:
    services = {"a": service(locked({"cpu": "1ms"}, scope="kernel")), "b": service(locked({"cpu": "1ms"}))}
    with pytest.raises(ScenarioError, match=r"b\.operations\.job\.0\.lock: expected scope: kernel, as in a\.job, or another name"):
        scenario(services, {"open": {"rate": "10/s"}, "mix": {"a.job": 1, "b.job": 1}}, {"requests": 10})


def test_the_maximum_throughput_is_that_of_the_lock() -> None:
    import simvirt

    spec = opened({"cpu": "3ms"}, locked(CRITICAL, spin="50us"), rate=200, requests=4000)
    found = simvirt.run(spec).typed().platforms["bare-metal"].bottleneck
    assert found.resource == "db.lock.log"
    assert found.max_throughput_per_s == pytest.approx(500, rel=0.03)


@pytest.mark.parametrize("platform", ["bare-metal", "kvm", "docker-on-kvm"])
def test_a_lock_may_be_the_first_step(platform: str) -> None:
    """Behind a VM's device, where a thread takes the call only after its arrival; with a bounded queue too."""
    server = service(locked({"cpu": "1ms"}), {"cpu": "1ms"}, threads=8, queue=10, mem_limit="512MiB")
    workload = {"closed": {"clients": 16}, "mix": {"db.job": 1}}
    outcome, = sound(scenario({"db": server}, workload, {"duration": "5s", "warmup": "1s"}, host={"cores": 8}, platforms=[platform]))
    assert outcome.throughput_per_s == pytest.approx(1000, rel=0.02)


@pytest.mark.parametrize("hold", [{"cpu": "1ms"}, {"disk": {"write": "4KiB", "sync": True}}, {"cpu": {"exponential": "1ms"}}])
@pytest.mark.parametrize("spin", ["0s", "100us"])
def test_nobody_who_waits_is_passed_over_for_ever(hold: dict[str, Any], spin: str) -> None:
    """Clients that ask again at once: a holder that comes back takes the lock before a sleeper has woken, but once only."""
    outcome, = sound(closed({"db": service(locked(hold, spin=spin), threads=20)}, {"db.job": 1}, 20))
    assert outcome.throughput_per_s * (outcome.latency_mean_s or 0) == pytest.approx(20, rel=0.03)


def test_a_lock_that_few_requests_need_bounds_the_throughput() -> None:
    """One request in a hundred holds it for 1 ms: 100,000 a second, though short runs hardly fill it."""
    import simvirt

    spec = opened({"cpu": "10us"}, locked({"delay": "1ms"}, probability=0.01), rate=70_000, requests=200_000)
    found = simvirt.run(spec.model_copy(update={"run": spec.run.model_copy(update={"replications": 5})})).typed().platforms["bare-metal"].bottleneck
    assert found.resource == "db.lock.log"
    assert found.max_throughput_per_s == pytest.approx(100_000, rel=0.05)

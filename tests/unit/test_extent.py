"""What reaches beyond the clock, is too large, too often or too deep is refused with its line, at once; what comes up to it works."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from helpers.mistakes import mm1_service, only
from helpers.support import begun, replications, scenario, service

from simvirt.control import observer
from simvirt import run
from simvirt.errors import ScenarioError, SimulationError
from simvirt.scenario import loads
from simvirt.scenario.bounds import LATEST_NS, MOST_LEVELS
from simvirt.scenario.spec.distributions import Exponential, Hyperexponential, Lognormal, Pareto
from simvirt.workload.arrivals import ModulatedArrivals, SteadyArrivals
from simvirt.workload.sampling import sampler

JOB: dict[str, Any] = {"server": service({"cpu": "1ms"})}
OPEN = {"open": {"rate": "10/s"}}
MINUTE = {"duration": "60s"}


def chain(levels: int, last: Any = None) -> dict[str, Any]:
    """Services that call one another in a row."""
    found = {f"s{n}": service({"call": f"s{n + 1}.job"}) for n in range(levels)}
    return found | {f"s{levels}": service(last or {"cpu": "1ms"})}


@pytest.mark.parametrize(("services", "workload", "run", "more", "path"), [
    ({"server": service({"delay": "36500d", "times": 3})}, OPEN, {"requests": 10}, {}, "services.server.operations.job"),
    (chain(3, {"delay": "20000d", "times": 2}), OPEN | {"mix": {"s0.job": 1}}, {"requests": 10}, {}, "services.s3.operations.job"),
    (JOB, {"open": {"rate": "0.1/d"}}, {"requests": 1_000_000}, {}, "run.requests"),
    (JOB, {"closed": {"clients": 100, "think": {"pareto": {"mean": "36500d", "shape": 1.01}}}}, {"requests": 10_000}, {}, "run.requests"),
    (JOB, OPEN, {"duration": "36000d"}, {"host": {"cores": 64}}, "run"),
    (JOB, OPEN, MINUTE, {"plan": {"growth": "10000%", "years": 50}, "objective": {"latency_p99": "1s"}}, "plan.growth"),
    (chain(200), OPEN | {"mix": {"s0.job": 1}}, MINUTE, {}, "services.s"),
    (JOB, {"open": {"diurnal": {"mean": "10/s", "amplitude": 0.5, "period": "1us"}}}, MINUTE, {}, "workload.open.diurnal.period"),
    (JOB, {"open": {"piecewise": [{"for": "1ns", "rate": "1/s"}]}}, MINUTE, {}, "workload.open.piecewise"),
    (JOB, {"open": {"mmpp": {"rates": ["1/s", "2/s"], "sojourn": ["1ns", "1ns"]}}}, MINUTE, {}, "workload.open.mmpp.sojourn"),
    (JOB, OPEN, MINUTE | {"observe": "1ns"}, {}, "run.observe"),
    ({"hog": {"background": {"duty": 0.5, "period": "1ns"}}}, None, MINUTE, {}, "services.hog.background.period"),
    (JOB, OPEN, {"duration": "1d"}, {"host": {"scheduler": {"policy": "eevdf", "base_slice": "1ns"}}}, "host.scheduler.base_slice"),
    ({"server": service({"disk": {"read": "1000PiB"}})}, OPEN, MINUTE, {}, "services.server.operations.job.0.disk.read"),
    ({"server": service({"net": {"out": "1000PiB"}})}, OPEN, MINUTE, {}, "services.server.operations.job.0.net.out"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_reaches_too_far_is_refused_with_its_line(
    services: dict[str, Any], workload: dict[str, Any] | None, run: dict[str, Any], more: dict[str, Any], path: str,
) -> None:
    with pytest.raises(ScenarioError) as error:
        scenario(services, workload, run, **more)
    assert any(issue.path.startswith(path) and issue.line for issue in error.value.issues), str(error.value)


def test_calls_as_deep_as_allowed_are_simulated() -> None:
    spec = scenario(chain(MOST_LEVELS), {"open": {"rate": "10/s"}, "mix": {"s0.job": 1}}, {"duration": "3s", "warmup": "0s"})
    (outcome,) = replications(spec)
    assert outcome.latency_mean_s == pytest.approx(1e-3)


@pytest.mark.parametrize("law", [
    Pareto(mean="36500d", shape=1.01), Exponential(mean="36500d"), Lognormal(mean="36500d", cv=1000), Hyperexponential(mean="36500d", cv=1000),
])
def test_no_draw_reaches_beyond_the_clock(law: Any) -> None:
    draws = sampler(law, np.random.default_rng(1), np.random.default_rng(2))(10_000)
    assert draws.max() == LATEST_NS
    assert draws.astype(np.int64).min() >= 0


def test_arrivals_stop_at_the_end_of_the_clock() -> None:
    arrivals = SteadyArrivals(1e-12, np.random.default_rng(1))
    instants = np.concatenate([arrivals.take(4096) for _ in range(3)])
    assert (np.diff(instants) >= 0).all()
    assert instants[-1] == LATEST_NS


def test_a_run_ends_with_the_clock_and_says_so() -> None:
    """Its requests wait for longer than a hundred years."""
    spec = scenario({"server": service({"delay": {"pareto": {"mean": "3650d", "shape": 1.001}}}, threads=1)}, OPEN, {"requests": 1000, "warmup": "0s"})
    (outcome,) = replications(spec)
    assert outcome.cut_off
    assert outcome.simulated_s == pytest.approx(LATEST_NS / 1e9)
    assert outcome.checks["flow"] == "ok"


def test_latencies_of_more_than_292_years_in_all_have_their_mean() -> None:
    """A thousand clients, each of whose requests takes a year: their sum is more than 2^63 ns."""
    spec = scenario({"server": service({"delay": "365d"}, threads="unlimited")}, {"closed": {"clients": 1000}}, {"requests": 3000, "warmup": "0s"})
    (outcome,) = replications(spec)
    assert outcome.latency_mean_s == pytest.approx(365 * 86400.0)


@pytest.mark.parametrize(("services", "more"), [
    ({"server": service({"cpu": "10ms"}, threads=1, queue=0)}, {}), ({"server": service({"delay": "0.4ns"})}, {}),
    ({"server": service({"disk": {"read": "8KiB", "working_set": "1GiB"}})}, {}),
    ({"server": service({"cpu": "1ms"})}, {"timeline": [{"at": "1s", "stop": "server"}]}),
    ({"server": service({"cpu": "1ms"}, scale=2)}, {"timeline": [{"at": "1s", "crash": "server", "restart": "1s"}]}),
], ids=["rejected", "no time", "cached reads", "stopped", "crashed"])
def test_clients_that_would_ask_again_at_once_are_refused(services: dict[str, Any], more: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match=r"workload\.closed: expected a time to think"):
        scenario(services, {"closed": {"clients": 2}}, {"duration": "5s"}, **more)
    assert scenario(services, {"closed": {"clients": 2, "think": "1ms"}}, {"duration": "5s"}, **more)


@pytest.mark.parametrize(("services", "more", "what"), [
    ({"server": service({"cpu": "1ms"}, scale=2)}, {"timeline": [{"at": "1s", "stop": "server", "replica": n} for n in (0, 1)]}, "are rejected"),
    ({"server": service({"call": "back.job"}, {"cpu": "1ms"}, threads=4), "back": service({"cpu": "1ms"}, threads=1, queue=0)}, {}, "are rejected"),
], ids=["all stopped", "rejected behind"])
def test_an_instant_that_does_not_end_is_reported(services: dict[str, Any], more: dict[str, Any], what: str) -> None:
    spec = scenario(services, {"closed": {"clients": 4}, "mix": {"server.job": 1}}, {"duration": "5s", "warmup": "0s"}, **more)
    with pytest.raises(SimulationError, match=f"no time passes any more after .* s of the run: requests that {what}.*think: 1s"):
        begun(spec).run(until=5 * 10**9)


def test_a_run_in_which_no_time_passes_is_a_mistake_of_its_scenario() -> None:
    """Its status is that of a mistake, and the platform is named once."""
    services = {"server": service({"call": "back.job"}, {"cpu": "1ms"}, threads=4), "back": service({"cpu": "1ms"}, threads=1, queue=0)}
    spec = scenario(services, {"closed": {"clients": 4}, "mix": {"server.job": 1}}, {"duration": "5s", "warmup": "0s"})
    with pytest.raises(SimulationError) as caught:
        run(spec, maximum=False)
    assert caught.value.exit_status == 2
    assert str(caught.value).startswith("bare-metal: no time passes any more")


def test_clients_that_do_not_think_may_read_more_than_the_memory_holds() -> None:
    reads = {"server": service({"disk": {"read": "8KiB", "working_set": "1GiB"}}, mem_limit="512MiB")}
    assert scenario(reads, {"closed": {"clients": 4}}, {"duration": "5s"}).workload is not None


def test_observing_a_run_of_unknown_length_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "MOST_SAMPLES", 10_000)
    spec = scenario(JOB, {"closed": {"clients": 1}}, {"requests": 10**6, "observe": "10ns"})
    with pytest.raises(SimulationError, match="observe it less often"):
        replications(spec)


def test_a_start_up_reads_a_working_set_and_a_trace_brings_demands_of_constant_steps(tmp_path: Any) -> None:
    (tmp_path / "t.csv").write_text("at_s,d_ms\n0,2\n1,4\n2,6\n")
    services = {"server": service({"cpu": "10ms"}, startup=[{"disk": {"read": "8KiB", "working_set": "1GiB"}}])}
    spec = scenario(services, {"trace": {"file": str(tmp_path / "t.csv"), "at": "at_s", "cpu": "d_ms"}}, {"duration": "5s", "warmup": "0s"})
    (outcome,) = replications(spec)
    assert outcome.latency_mean_s == pytest.approx(4e-3, rel=0.01)


def test_zeros_of_a_whole_day_do_not_end_the_load() -> None:
    quiet = (np.full(100_100, 1e9), np.zeros(100_100))
    arrivals = ModulatedArrivals(iter([quiet, (np.array([1e9]), np.array([1e-6]))]), None)
    assert len(arrivals.take(500)) == 500


def test_a_thread_for_each_core_is_at_least_one() -> None:
    """Of a VM of one vCPU whose CPU set names another CPU of the host."""
    spec = scenario({"server": service({"cpu": "1ms"}, threads="cores", cpus=1, cpuset="1")}, OPEN, {"duration": "5s", "warmup": "0s"},
                    host={"cores": 2}, platforms=["kvm", "docker-on-kvm"])
    for platform in (0, 1):
        assert replications(spec, platform=platform)[0].requests > 20


def grouped(step: str, *times: int, key: str = "operations: {job: [%s]}") -> str:
    """A scenario of one step in groups within groups, each repeated so often."""
    for often in times:
        step = f"{{repeat: [{step}], times: {often}}}"
    return mm1_service("{threads: 1, " + key % step + "}")


@pytest.mark.parametrize("times", [(100, 200), (20, 30, 40), (2, 20_000), (3, 1, 7_000)])
def test_repetitions_of_groups_multiply_in_the_steps_of_a_request(times: tuple[int, ...]) -> None:
    """Each group is a step itself, as often as those around it are."""
    outermost_first = times[::-1]
    count = sum(math.prod(outermost_first[:n]) for n in range(1, len(times) + 1)) + math.prod(times)
    assert only(grouped("{cpu: 1us}", *times)).endswith(f"expected at most 20000 steps in a request, with all calls and times; got {count}")


def test_repetitions_of_groups_multiply_in_the_time_of_a_request() -> None:
    """20 x 60 x 40 days are beyond the clock, 20 x 6 are not."""
    assert "a request takes some 48000 d" in only(grouped("{delay: 40d}", 20, 60))
    assert loads(grouped("{delay: 40d}", 20, 6)).name == "mm1"


def test_repetitions_of_calls_in_groups_multiply_with_those_of_what_is_called() -> None:
    inner = "inner: [{repeat: [{cpu: 1us}], times: 50}]"
    text = mm1_service("{threads: 1, operations: {job: [{repeat: [{repeat: [{call: server.inner}], times: 20}], times: 30}], " + inner + "}}")
    assert only(text).endswith(f"got {30 + 30 * 20 + 30 * 20 * (1 + 50 + 50)}")


def test_the_steps_of_a_start_up_are_bounded_as_those_of_a_request_are() -> None:
    key = "operations: {job: [{cpu: 1ms}]}, startup: [%s]"
    assert only(grouped("{cpu: 1us, times: 15000}, {disk: {read: 4KiB}, times: 5001}", key=key)).endswith(
        "server.startup: expected at most 20000 steps in a start-up, with all times; got 20001")
    assert loads(grouped("{cpu: 1us, times: 15000}, {disk: {read: 4KiB}, times: 5000}", key=key)).name == "mm1"

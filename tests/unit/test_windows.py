"""What is measured of a run: windows that end before they begin, closed runs that drain, failures of one platform, cancelled runs."""

from __future__ import annotations

import json
from threading import Event
from typing import Any

import pytest
from helpers.support import service, scenario

from simvirt import loads, run
from simvirt.density import density
from simvirt.errors import ScenarioError, SimulationError
from simvirt.plan import plan
from simvirt.report.formats import rendered
from simvirt.report.run_report import report
from simvirt.result.run_document import RunDocument
from simvirt.runs import replicate as replications
from simvirt.runs import run as runs

CONSTANT = {"server": service({"delay": "7us"}, {"cpu": "5ms"}, threads="unlimited")}


def evenly(rate: str) -> dict[str, Any]:
    """Requests at equal steps."""
    return {"open": {"rate": rate, "arrivals": "deterministic"}, "local": True}


def typed(*args: Any, **fields: Any) -> RunDocument:
    """The result of a scenario from its parts, of which every number is finite."""
    document = run(scenario(*args, **fields)).typed()
    json.loads(json.dumps(document.document(), allow_nan=False))
    return document


def test_constant_times_are_exact_in_every_quantile_of_requests_calls_and_operations() -> None:
    found = typed(CONSTANT, evenly("50/s"), {"requests": 300, "warmup": "0s", "replications": 3}).platforms["bare-metal"]
    for latencies in (found.latency_s, found.services["server"].latency_s, found.operations["server.job"].latency_s):
        values = {getattr(latencies, name).value for name in ("p50", "p90", "p95", "p99")}
        assert values == {0.005007}
    assert found.latency_s.max.value == found.latency_s.p999.value == 0.005007


def test_no_end_of_an_interval_is_negative_with_few_requests() -> None:
    services = {"server": service({"cpu": {"exponential": "10ms"}})}
    document = typed(services, {"open": {"rate": "2/s"}}, {"duration": "20s", "replications": 2}).document()
    ends = [value for key, value in leaves(document["platforms"]) if key in ("low", "high") and value is not None]
    assert len(ends) > 20
    assert min(ends) == 0.0


def leaves(value: Any, key: str = "") -> list[tuple[str, Any]]:
    """All values that are no mappings, with their keys."""
    if isinstance(value, dict):
        return [leaf for name, inner in value.items() for leaf in leaves(inner, name)]
    return [(key, value)]


@pytest.mark.parametrize("workload", [
    {"closed": {"clients": 3, "think": "1ms"}}, {"trace": {"file": "burst.csv", "at": "x_s"}},
])
def test_a_run_that_ends_before_its_warm_up_says_that_it_measured_nothing(
    workload: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "burst.csv").write_text("x_s\n" + "0\n" * 100)
    document = typed(CONSTANT, workload, {"requests": 100, "warmup": "1h"})
    found = document.platforms["bare-metal"]
    assert found.requests == 0
    assert found.throughput_per_s.value is found.latency_s.mean.value is None
    assert any("nothing was measured" in warning for warning in document.warnings)


def test_a_warm_up_that_ends_after_the_last_arrival_is_refused_with_its_line() -> None:
    with pytest.raises(ScenarioError, match=r"run\.warmup: expected less than the 30 s in which 300 requests come"):
        run(scenario(CONSTANT, {"open": {"rate": "10/s"}}, {"requests": 300, "warmup": "60s"}))


@pytest.mark.parametrize("think", ["200ms", {"exponential": "200ms"}])
def test_clients_are_measured_while_they_ask(think: Any) -> None:
    clients = {"closed": {"clients": 400, "think": think}, "local": True}
    services = {"server": service({"cpu": "0.1ms"}, threads="unlimited")}
    found = typed(services, clients, {"requests": 10_000, "warmup": "1s"}, host={"cores": 8}).platforms["bare-metal"]
    assert found.throughput_per_s.value == pytest.approx(400 / 0.2001, rel=0.05)


def test_what_clients_answer_last_is_measured_where_it_is_most_of_the_run() -> None:
    found = typed(CONSTANT, {"closed": {"clients": 50, "think": "1ms"}}, {"requests": 50, "warmup": "0s"}).platforms["bare-metal"]
    assert found.requests == 50


def failing(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every replication of a platform fail."""
    real = replications.lower

    def lower(spec: Any, catalog: Any, chosen: Any, *args: Any) -> Any:
        if chosen.name == platform:
            raise ValueError("cannot convert NaN")
        return real(spec, catalog, chosen, *args)

    monkeypatch.setattr(replications, "lower", lower)


def both(**more: Any) -> Any:
    """A scenario on two platforms."""
    workload = {"open": {"rate": "20/s"}, "mix": {"server.job": 1}}
    return scenario(
        {"server": service({"cpu": "5ms"}, threads=2, cpus=1, mem_limit="128MiB")}, workload, {"duration": "2s", "replications": 2},
        platforms=["bare-metal", "docker"], objective={"latency_p99": "100ms"}, **more)


def test_a_platform_that_fails_leaves_the_others_their_results(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = run(both()).typed().platforms["docker"]
    failing("bare-metal", monkeypatch)
    document = run(both()).typed()
    assert document.failed == {"bare-metal": "ValueError: cannot convert NaN"}
    assert list(document.platforms) == ["docker"]
    assert document.platforms["docker"].latency_s == alone.latency_s
    assert "bare-metal: it could not be simulated: ValueError: cannot convert NaN" in " ".join(rendered(report(document), "text").split())


def test_a_platform_that_fails_leaves_the_others_their_density_and_their_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    failing("bare-metal", monkeypatch)
    found = density(both(density={"max": 2})).typed()
    assert list(found.density) == ["docker"]
    assert list(found.failed) == ["bare-metal"]
    planned = plan(both(plan={"headroom": "10%"})).typed()
    assert {a.platform: a.feasible for a in planned.alternatives} == {"docker": True, "bare-metal": False}
    assert any("could not be simulated" in (a.reason or "") for a in planned.alternatives)


def test_only_when_nothing_is_left_a_command_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    failing("bare-metal", monkeypatch)
    only = both().model_copy(update={"platforms": both().platforms[:1]})
    for ask in (run, density, plan):
        with pytest.raises(SimulationError, match="cannot convert NaN"):
            ask(only)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_is_cancelled_keeps_what_is_complete(jobs: int) -> None:
    cancel = Event()

    def progress(event: runs.ProgressEvent) -> None:
        if event.platform == "bare-metal" and event.replication == 2 and event.done_ratio == 1.0:
            cancel.set()

    found = run(both(), jobs=jobs, progress=progress, cancel=cancel)
    assert found.interrupted
    assert len(found.measured["bare-metal"]) >= 1
    assert len(found.measured["docker"]) < 2 or jobs > 1
    assert found.typed().interrupted


def test_a_run_that_was_cancelled_before_is_empty_and_its_event_is_left_alone() -> None:
    cancel = Event()
    cancel.set()
    found = run(loads("""
simvirt: 1
name: background
host: {cores: 1, memory: 4GiB}
platforms: [bare-metal]
services: {batch: {background: {threads: 1, duty: 0.3}}}
run: {duration: 1000h}
"""), cancel=cancel)
    assert found.interrupted
    assert found.typed().platforms == {}


def test_services_whose_limits_nothing_enforces_are_listed_as_the_scenario_lists_them() -> None:
    services = {name: service({"cpu": "1ms"}, cpu_shares=100) for name in ("zulu", "alpha")}
    load = evenly("50/s") | {"mix": {"zulu.job": 1, "alpha.job": 1}}
    warnings = run(scenario(services, load, {"requests": 20}), maximum=False).document()["warnings"]
    assert any("of zulu, alpha not enforced" in line for line in warnings)

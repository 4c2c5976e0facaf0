"""Searches that fail on one platform, that have rare requests, and that end before their edge."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from simvirt import loads
from simvirt.cli.app import main
from simvirt.density import density, effort, platforms
from simvirt.errors import SimulationError

BASE: dict[str, Any] = {
    "simvirt": 1, "name": "rare", "host": {"cores": 8, "memory": "8GiB"}, "platforms": ["kvm"],
    "services": {"vm": {"threads": 1, "cpus": 1, "mem_limit": "824MiB", "operations": {"use": [{"cpu": "1ms"}]}}},
    "workload": {"open": {"rate": "0.1/s"}, "mix": {"vm.use": 1}}, "objective": {"latency_p95": "1s"},
    "density": {"service": "vm", "per_instance": {"rate": "0.1/s"}, "max": 500}, "run": {"replications": 2, "seed": 1},
}


def scenario(**changes: Any) -> Any:
    """The base with other sections."""
    return loads(yaml.safe_dump({**BASE, **changes}, sort_keys=False))


def rate(per_s: float) -> dict[str, Any]:
    """The base's load at another rate of each instance."""
    return {"workload": {"open": {"rate": f"{per_s:.6f}/s"}, "mix": {"vm.use": 1}},
            "density": {"service": "vm", "per_instance": {"rate": f"{per_s:.6f}/s"}, "max": 500}}


def test_a_platform_that_fails_leaves_the_others_their_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: Any) -> None:
    real = platforms._answer

    def breaking(trials: Any, progress: Any) -> Any:
        if trials.platform.name == "docker":
            raise ValueError("cannot convert float NaN to integer")
        return real(trials, progress)

    monkeypatch.setattr(platforms, "_answer", breaking)
    file = tmp_path / "two.yaml"
    file.write_text(yaml.safe_dump({**BASE, "platforms": ["docker", "kvm"], "density": {"service": "vm", "max": 3}}))
    command = ["density", str(file), "--format", "json", "--out", str(tmp_path / "out"), "--quiet"]
    assert main([*command, "--at-least", "1"]) == 1, "nobody knows whether docker holds one"
    capsys.readouterr()
    assert main(command) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["density"]["kvm"]["n"] == 3
    assert document["failed"] == {"docker": "internal error: ValueError: cannot convert float NaN to integer"}
    assert "docker has no answer" in document["warnings"][0]


def test_where_all_fail_the_error_says_why_on_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "_answer", lambda trials, progress: 1 / 0)
    with pytest.raises(SimulationError, match="kvm: internal error: ZeroDivisionError: division by zero"):
        density(scenario())


@pytest.mark.parametrize("changes", [rate(0.0001), rate(0.1) | {"host": {**BASE["host"], "ksm": {"since": "1d"}}}], ids=["rare", "followed"])
def test_rare_requests_take_a_bounded_effort(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "IDLE_EVENTS", effort.IDLE_EVENTS // 4)
    found = density(scenario(**changes), jobs=2).answers["kvm"]
    most = effort.IDLE_EVENTS / effort.idle_per_s(scenario(**changes), scenario_platform(changes))
    assert found.binding.resource == "memory"
    assert all(point.duration_ns <= 1.001e9 * most for point in found.points)
    at = found.at_answer
    assert at is not None and at.verdict == "holds"
    throughput = sum(o.throughput_per_s for o in at.outcomes) / len(at.outcomes)
    stated = changes["density"]["per_instance"]["rate"]
    assert throughput == pytest.approx(found.n * float(stated.removesuffix("/s")), rel=0.3), "as stated, not as simulated"


def scenario_platform(changes: dict[str, Any]) -> Any:
    """The layers of the base's platform."""
    from simvirt.catalog import Catalog

    written = scenario(**changes)
    return Catalog.of(written).platform(written.platforms[0])


def test_requests_that_hardly_meet_have_the_latencies_of_the_stated_rate() -> None:
    """The same latencies, whether rare requests are simulated as they are or closer together."""
    changes = rate(0.05) | {"objective": {"latency_p95": "2ms"}, "density": {"service": "vm", "per_instance": {"rate": "0.05/s"}, "max": 3}}
    plain = density(scenario(**changes), jobs=2).answers["kvm"].at_answer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(effort, "IDLE_EVENTS", 100_000)
        closer = density(scenario(**changes), jobs=2).answers["kvm"].at_answer
    assert plain is not None and closer is not None
    assert (plain.times, closer.times > 10) == (1.0, True)
    means = [sum(o.latency_mean_s or 0.0 for o in point.outcomes) / len(point.outcomes) for point in (plain, closer)]
    assert means[1] == pytest.approx(means[0], rel=0.02)


def test_a_quantile_of_too_few_requests_never_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "IDLE_EVENTS", 20)
    changes = rate(0.1) | {"density": {"service": "vm", "max": 2}}
    found = density(scenario(**changes), jobs=2).answers["kvm"]
    assert (found.n, found.points[0].verdict) == (0, "undecided")
    assert any("shorter than the objective asks for" in remark for remark in found.remarks)


def test_a_search_that_takes_too_long_says_between_what(monkeypatch: pytest.MonkeyPatch) -> None:
    from simvirt.density import trials

    monkeypatch.setattr(trials, "SEARCH_EVENTS", 100_000)
    changes: dict[str, Any] = {
        "platforms": ["docker"], "workload": {"open": {"rate": "40/s"}, "mix": {"vm.use": 1}}, "density": {"service": "vm"}, "host": {"cores": 2, "memory": "64GiB"},
    }
    answer = density(scenario(**changes), jobs=2).answers["docker"]
    assert answer.open_to is not None and answer.n + 1 < answer.open_to
    assert answer.typed().open_to == answer.open_to
    assert any(f"undecided between {answer.n:,} and {answer.open_to:,}" in remark for remark in answer.remarks)


def test_a_search_is_heard_of_before_its_first_bracket() -> None:
    steps: list[Any] = []
    density(scenario(density={"service": "vm", "max": 2}), progress=steps.append)
    assert steps[0].simulations == 0, "at once"
    assert [step.done_ratio for step in steps][-1] == 1.0


@pytest.mark.parametrize(("platform", "resource"), [("docker", "bridge.ports"), ("cri-o", "pods"), ("lxd", "inotify.instances")])
def test_a_limit_that_ends_it_says_how_to_raise_it(platform: str, resource: str) -> None:
    from simvirt.catalog import Catalog
    from simvirt.density import copies, ledger

    services = {"vm": {"threads": 1, "mem_limit": "8MiB", "operations": {"use": [{"cpu": "1ms"}]}}}
    roomy: dict[str, Any] = {"platforms": [platform], "host": {"cores": 8, "memory": "1TiB"}, "services": services}

    def most(**changes: Any) -> Any:
        written = scenario(**roomy, **changes)
        catalog = Catalog.of(written)
        found = ledger.limits(written, catalog, catalog.platform(written.platforms[0]), copies.unit_of(written))
        return next(bound for bound in found if bound.resource == resource)

    before = most()
    raised = most(**yaml.safe_load(before.why.partition("to raise it: ")[2]))
    assert raised.most == pytest.approx(2 * before.most, rel=0.05)

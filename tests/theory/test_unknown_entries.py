"""What the catalogue does not know is said, with what it may have meant and what stands for it; hosts have the sockets of their size."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import simvirt
from simvirt.catalog import Catalog
from simvirt.cli.app import app
from simvirt.report import run_report
from simvirt.report.blocks import Prose
from simvirt.runs.admission import assumptions
from simvirt.runs.run import run
from simvirt.scenario.spec.models import HostSpec, Scenario

CATALOG = Catalog.load(None)


def of(image: str | None = None, host: dict[str, Any] | None = None, **service: Any) -> Scenario:
    """A service of an image beside a neighbour that streams through caches and memory."""
    own = {"threads": 8, "operations": {"work": [{"cpu": "1ms"}]}} | ({} if image is None else {"image": image}) | service
    return simvirt.loads(yaml.safe_dump({
        "simvirt": 1, "name": "x", "host": host or {"cores": 8, "memory": "16GiB"}, "platforms": ["docker"],
        "services": {"app": own, "b": {"profile": "stream", "background": {"threads": 6}}},
        "workload": {"open": {"rate": "500/s"}, "mix": {"app.work": 1}}, "run": {"duration": "2s", "replications": 1},
    }))


def said(scenario: Scenario) -> list[str]:
    """What is assumed of images."""
    return [sentence for sentence in assumptions(scenario, Catalog.of(scenario)) if "image" in sentence]


@pytest.mark.parametrize(("image", "meant"), [
    ("ngnix:1.27", "nginx"), ("registry.example:5000/postgress:17", "postgres"), ("mysq1", "mysql"), ("team/redsi@sha256:00", "redis"),
])
def test_a_near_miss_is_suggested(image: str, meant: str) -> None:
    sentence, = said(of(image))
    assert sentence.startswith(f'app: the image "{image}" is not in the catalogue (did you mean ')
    assert f'"{meant}' in sentence
    assert "without claims on caches" in sentence


@pytest.mark.parametrize(("image", "service"), [
    ("nginx:1.27", {}), ("library/postgresql", {}), ("generic", {}), (None, {}), ("ngnix:1.27", {"profile": "nginx-static"}),
])
def test_what_is_known_needs_no_word(image: str | None, service: dict[str, Any]) -> None:
    assert said(of(image, **service)) == []


def test_an_image_without_kin_is_named_without_a_guess() -> None:
    sentence, = said(of("shop.example/q7/xkcdw:3"))
    assert "did you mean" not in sentence


def test_an_unknown_image_fights_for_nothing() -> None:
    """It pays its platform as server software does, and loses nothing to a neighbour in caches and memory; the generic image does."""
    host = {"cores": 8, "memory": "16GiB", "switching": "none"}
    found = {image: run(of(image, host), maximum=False).typed().platforms["docker"].breakdown_s for image in ("ngnix:1.27", "generic")}
    assert found["ngnix:1.27"].interference == 0.0
    assert found["generic"].interference > 1e-5
    assert found["ngnix:1.27"].virtualization == pytest.approx(found["generic"].virtualization, rel=0.02)


def test_reports_and_check_say_it(tmp_path: Path) -> None:
    scenario = of("ngnix:1.27")
    sentence, = said(scenario)
    blocks = run_report.report(run(scenario, maximum=False).typed()).blocks
    assert [block for block in blocks if isinstance(block, Prose) and block.label == "Assumed" and sentence in block.text]
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump(scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True, include={"simvirt", "name"}) | {
        "host": {"cores": 2, "memory": "4GiB"}, "platforms": ["docker"],
        "services": {"app": {"image": "ngnix:1.27", "operations": {"work": [{"cpu": "1ms"}]}}},
        "workload": {"open": {"rate": "5/s"}, "mix": {"app.work": 1}},
    }))
    assert f"assumed: {sentence}\n" in CliRunner().invoke(app, ["check", str(path)]).output
    assert json.loads(CliRunner().invoke(app, ["check", str(path), "--format", "json"]).output)["assumptions"] == [sentence]


def socket(cores: int, **more: Any) -> tuple[float, float]:
    """Cache and memory bandwidth of a socket of an inline host."""
    family = CATALOG.resolve_host(HostSpec.model_validate({"cores": cores, "memory": "64GiB"} | more)).family
    assert family.llc is not None and family.memory_bandwidth is not None
    return float(family.llc), float(family.memory_bandwidth)


def test_inline_hosts_have_the_sockets_of_their_size() -> None:
    """As the server with as many cores a socket has them; small ones what is assumed of any; more sockets do not change a socket."""
    for name in ("dell-r650-gold-6338", "dell-r7625-epyc-9654"):
        model = CATALOG.host_model(name)
        assert socket(model.cores) == pytest.approx((model.family.llc, model.family.memory_bandwidth))
    generic = CATALOG.host_model().family
    assert socket(1) == socket(4) == (generic.llc, generic.memory_bandwidth)
    assert socket(32, sockets=2) == socket(32)
    sizes = [socket(cores) for cores in (4, 8, 14, 24, 32, 48, 64, 96, 128)]
    assert all(large >= small for one, other in pairwise(sizes) for small, large in zip(one, other, strict=True))


def test_a_host_of_many_cores_feeds_them() -> None:
    """Twenty-four workers on 32 cores lose to each other no more than on the server of that size; a small machine's socket would starve them."""
    def interference(host: dict[str, Any]) -> float:
        scenario = simvirt.loads(yaml.safe_dump({
            "simvirt": 1, "name": "x", "host": host, "platforms": ["bare-metal"],
            "services": {"w": {"image": "python:3.12", "threads": 24, "operations": {"job": [{"cpu": "100ms"}]}}},
            "workload": {"closed": {"clients": 24}, "mix": {"w.job": 1}, "local": True}, "run": {"duration": "3s", "replications": 1},
        }))
        return run(scenario, maximum=False).typed().platforms["bare-metal"].breakdown_s.interference / 0.1

    there = interference({"model": "dell-r650-gold-6338", "sockets": 1, "smt": 1})
    assert interference({"cores": 32, "memory": "128GiB"}) == pytest.approx(there, abs=0.02)


@pytest.mark.parametrize(("host", "image", "says"), [
    ({"cores": 32, "memory": "64GiB"}, "nginx", True), ({"model": "dell-r650-gold-6338"}, "nginx", False),
])
def test_the_socket_of_an_inline_host_is_said_where_it_is_claimed(host: dict[str, Any], image: str, says: bool) -> None:
    scenario = of(image, host)
    assert any("inline host" in sentence for sentence in assumptions(scenario, Catalog.of(scenario))) == says


def test_a_plan_says_it() -> None:
    scenario = of("ngnix:1.27", cpus=1, mem_limit="1GiB")
    assert any("ngnix" in sentence for sentence in simvirt.plan(scenario).document()["assumptions"])

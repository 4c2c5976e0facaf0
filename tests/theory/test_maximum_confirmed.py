"""The maximum throughput that a run states is what a longer run confirms: just below it all is answered, just above it is not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest
from helpers.maximum import contradictions
from helpers.random_scenarios import Size, as_text, random_scenario, write_files

import simvirt
from simvirt import kernel
from simvirt.catalog import Catalog
from simvirt.errors import ScenarioError

pytestmark = pytest.mark.skipif(kernel.MODE == "plain", reason="a search takes some hundred thousand events")
CONFIGS: Final = Path(__file__).resolve().parents[2] / "configs"
SHIPPED: Final = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
QUICK: Final = (
    ("density", "kvm"), ("load-profile", "bare-metal"), ("mm1", "bare-metal"), ("noisy-neighbour", "docker"), ("throttling", "docker"),
    ("voting-app", "docker"), ("voting-app", "docker-desktop"), ("web", "bare-metal"),
)
MANY: Final = 200
SIZE: Final = Size(events=20_000)


def stated(scenario: simvirt.Scenario) -> dict[str, float | None]:
    """The maximum throughput of each platform."""
    return {name: found.bottleneck.max_throughput_per_s for name, found in simvirt.run(scenario).typed().platforms.items()}


@pytest.mark.parametrize(("name", "platform"), QUICK)
def test_a_run_at_the_maximum_confirms_it(name: str, platform: str) -> None:
    scenario = simvirt.load(CONFIGS / f"{name}.yaml", sets=["run.replications=1"])
    scenario = scenario.model_copy(update={"platforms": tuple(spec for spec in scenario.platforms if spec.name == platform)})
    maximum = stated(scenario)[platform]
    assert maximum is not None
    assert contradictions(scenario, Catalog.of(scenario), platform, maximum) == []


@pytest.mark.slow
@pytest.mark.verification
@pytest.mark.parametrize("name", SHIPPED)
def test_every_platform_of_every_shipped_scenario_does(name: str) -> None:
    scenario = simvirt.load(CONFIGS / f"{name}.yaml")
    catalog, found = Catalog.of(scenario), stated(scenario)
    assert [platform for platform, maximum in found.items() if maximum is None] == []
    against = {platform: contradictions(scenario, catalog, platform, maximum) for platform, maximum in found.items() if maximum is not None}
    assert {platform: why for platform, why in against.items() if why} == {}


@pytest.mark.slow
@pytest.mark.verification
@pytest.mark.parametrize("seed", range(MANY))
def test_random_scenarios_do(seed: int, tmp_path: Path) -> None:
    write_files(tmp_path)
    try:
        scenario = simvirt.loads(as_text(random_scenario(seed, SIZE)), name=os.fspath(tmp_path / "scenario.yaml"))
        catalog = Catalog.of(scenario)
    except ScenarioError:
        pytest.skip("refused")
    if scenario.workload is None or scenario.workload.trace is not None:
        pytest.skip("no requests, or those of a trace, which no other run repeats")
    found = {name: maximum for name, maximum in stated(scenario).items() if maximum is not None}
    against = {name: contradictions(scenario, catalog, name, maximum) for name, maximum in found.items()}
    assert {name: why for name, why in against.items() if why} == {}

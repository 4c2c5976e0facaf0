"""The maximum throughput that a run states is what a longer run confirms: just below it all is answered, just above it is not.

Of a range, below its lower end and above its upper one.
"""

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
from simvirt.metrics.saturated import BY_CHANCE
from simvirt.result.run_document import Bottleneck

pytestmark = pytest.mark.skipif(kernel.MODE == "plain", reason="a search takes some hundred thousand events")
CONFIGS: Final = Path(__file__).resolve().parents[2] / "configs"
SHIPPED: Final = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
QUICK: Final = (
    ("density", "kvm"), ("load-profile", "bare-metal"), ("mm1", "bare-metal"), ("noisy-neighbour", "docker"), ("throttling", "docker"),
    ("voting-app", "docker"), ("voting-app", "docker-desktop"), ("web", "bare-metal"),
)
MANY: Final = 200
SIZE: Final = Size(events=20_000)


def stated(scenario: simvirt.Scenario) -> dict[str, Bottleneck]:
    """What is said of the maximum throughput of each platform."""
    return {name: found.bottleneck for name, found in simvirt.run(scenario).typed().platforms.items()}


def against(scenario: simvirt.Scenario, found: dict[str, Bottleneck]) -> dict[str, list[str]]:
    """What longer runs say against the maxima, and the ranges, of platforms."""
    catalog = Catalog.of(scenario)
    ends = {name: (one.max_throughput_per_s, one.max_throughput_low_per_s, one.max_throughput_high_per_s) for name, one in found.items()}
    why = {
        name: contradictions(scenario, catalog, name, value or low, value or high)
        for name, (value, low, high) in ends.items() if value is not None or (low is not None and high is not None)
    }
    return {name: sentences for name, sentences in why.items() if sentences}


@pytest.mark.parametrize(("name", "platform"), QUICK)
def test_a_run_at_the_maximum_confirms_it(name: str, platform: str) -> None:
    scenario = simvirt.load(CONFIGS / f"{name}.yaml", sets=["run.replications=1"])
    scenario = scenario.model_copy(update={"platforms": tuple(spec for spec in scenario.platforms if spec.name == platform)})
    found = stated(scenario)
    assert found[platform].max_throughput_per_s is not None
    assert against(scenario, found) == {}


@pytest.mark.slow
@pytest.mark.verification
@pytest.mark.parametrize("name", SHIPPED)
def test_every_platform_of_every_shipped_scenario_does(name: str) -> None:
    scenario = simvirt.load(CONFIGS / f"{name}.yaml")
    found = stated(scenario)
    ranges = {name for name, one in found.items() if one.max_throughput_per_s is None}
    assert {name for name in ranges if found[name].max_throughput_high_per_s is None or found[name].reason != BY_CHANCE} == set()
    assert against(scenario, found) == {}


@pytest.mark.slow
@pytest.mark.verification
@pytest.mark.parametrize("seed", range(MANY))
def test_random_scenarios_do(seed: int, tmp_path: Path) -> None:
    write_files(tmp_path)
    try:
        scenario = simvirt.loads(as_text(random_scenario(seed, SIZE)), name=os.fspath(tmp_path / "scenario.yaml"))
        Catalog.of(scenario)
    except ScenarioError:
        pytest.skip("refused")
    if scenario.workload is None or scenario.workload.trace is not None:
        pytest.skip("no requests, or those of a trace, which no other run repeats")
    found = stated(scenario)
    assert all(one.max_throughput_per_s is not None or one.reason for one in found.values())
    assert against(scenario, found) == {}

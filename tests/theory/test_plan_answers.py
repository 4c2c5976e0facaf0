"""What a plan says: which replicas it multiplies, why nothing carries a load and what would be enough, and whether that is true."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from simvirt import kernel, loads
from simvirt.errors import ScenarioError
from simvirt.plan import plan
from simvirt.plan import study
from simvirt.scenario.spec.models import Scenario

pytestmark = pytest.mark.skipif(kernel.MODE != "compiled", reason="takes minutes without the compiled kernel")
SHOP: dict[str, Any] = {
    "simvirt": 1, "name": "shop", "host": {"model": "dell-t340-e-2224"}, "platforms": ["docker"],
    "services": {
        "web": {"threads": 8, "cpus": 2, "operations": {"get": [{"cpu": {"exponential": "5ms"}}, {"call": "db.ask"}]}},
        "db": {"image": "postgres:17", "threads": 16, "cpus": 0.25, "operations": {"ask": [{"cpu": {"exponential": "1ms"}}]}},
    },
    "workload": {"open": {"rate": "300/s"}, "mix": {"web.get": 1}}, "objective": {"latency_p90": "500ms"},
    "plan": {"survive": 0}, "run": {"duration": "20s", "replications": 2, "seed": 1},
}


def shop(**changes: Any) -> Scenario:
    """The shop with other sections."""
    return loads(yaml.safe_dump({**SHOP, **changes}, sort_keys=False))


def database(**changes: Any) -> dict[str, Any]:
    """Its services with another database."""
    return {**SHOP["services"], "db": {**SHOP["services"]["db"], **changes}}


def test_a_database_that_runs_once_stays_one_and_what_it_needs_is_true() -> None:
    """It is asked for 300/s x 1 ms (and what the platform adds) of its 250 ms/s: more than 120 %. What is said to be enough is, and a tenth less is not."""
    refused = plan(shop()).typed()
    best = refused.alternatives[0]
    assert not best.feasible and best.reason is not None
    asked = re.search(r"db is asked for (\d+)% of its CPU limit; db keeps its 1 replica: it keeps data", best.reason)
    assert asked is not None and 120 <= int(asked[1]) <= 135
    enough = re.search(r"(\d+)% of the CPU limit of db \(cpus: ([0-9.]+)\) would be enough", best.reason)
    assert enough is not None and int(enough[1]) > int(asked[1])
    assert refused.answer.startswith("Nothing carries 300/s") and enough[0] in refused.answer
    cpus = float(enough[2])
    assert plan(shop(services=database(cpus=cpus))).typed().alternatives[0].feasible
    assert not plan(shop(services=database(cpus=round(0.93 * cpus, 4)))).typed().alternatives[0].feasible


@pytest.mark.parametrize(("changes", "database_replicas"), [
    ({"plan": {"survive": 0, "scale": ["db"]}}, 2), ({"services": database(image="my/software")}, 2), ({"services": database(scale=2)}, 2),
], ids=["allowed", "no database", "several stated"])
def test_a_service_that_may_multiply_does_and_it_is_said(changes: dict[str, Any], database_replicas: int) -> None:
    found = plan(shop(**changes)).typed()
    best, stated = found.alternatives[0], changes.get("services", SHOP["services"])["db"].get("scale", 1)
    assert best.feasible and best.replicas["db"] >= database_replicas
    if best.replicas["db"] != stated:
        assert best.scaled["db"].stated == stated and best.scaled["db"].planned == best.replicas["db"]
        assert f"db has {best.replicas['db']} replicas instead of {stated}" in found.answer
    assert set(best.scaled) == {name for name, count in best.replicas.items() if count != shop(**changes).services[name].replicas}


def test_all_that_is_too_large_is_named_at_once() -> None:
    services = {name: {**SHOP["services"][name], "cpus": 16} for name in ("web", "db")}
    large = shop(services=services, host={"model": "dell-r740-gold-6132"}, plan={"survive": 0, "hosts": ["dell-t340-e-2224"]})
    reason = plan(large).typed().alternatives[0].reason
    assert reason is not None and "web may use 16 CPUs" in reason and "db may use 16 CPUs" in reason


def test_the_answer_is_the_first_alternative_in_words() -> None:
    found = plan(shop(services=database(cpus=2))).typed()
    best = found.alternatives[0]
    assert best.cost is not None
    assert found.answer.startswith(f"{best.hosts} dell-t340-e-2224 with docker carr")
    assert f"for {best.cost.month_usd:,.0f} USD a month" in found.answer


def test_an_inline_host_says_once_whose_price_it_has() -> None:
    found = plan(shop(host={"cores": 4, "memory": "16GiB"}, platforms=["docker", "bare-metal"], services=database(cpus=2))).typed()
    assert [warning for warning in found.warnings if "dell-t340-e-2224" in warning] == [
        "the inline host has the price and power of dell-t340-e-2224, the server nearest to its 4 cores, in proportion to them; state a model and its "
        "prices and power in the catalogue for better numbers"
    ]


@pytest.mark.parametrize("grown", [{"growth": "10000%", "years": 50}, {"growth": "10000%", "years": 3, "peak_to_mean": 1000}])
def test_a_load_beyond_all_bounds_is_refused_with_its_line(grown: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match=r"plan\.growth: expected growth, years and peak_to_mean .* at most 1,000,000 times"):
        shop(plan=grown)


def test_a_host_model_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    real = study.size

    def breaking(simulator: Any, factor: float) -> Any:
        if simulator.case.platform_spec.name == "docker":
            raise KeyError("")
        return real(simulator, factor)

    monkeypatch.setattr(study, "size", breaking)
    found = plan(shop(platforms=["docker", "bare-metal"], services=database(cpus=2))).typed()
    assert [(a.platform, a.feasible, a.failed) for a in found.alternatives] == [("bare-metal", True, False), ("docker", False, True)]
    assert found.alternatives[1].reason == "it could not be simulated: ''"


def test_what_lone_requests_miss_is_said_before_anything_is_enlarged() -> None:
    """A job of 5 ms is exponential: nine of ten take up to 11.5 ms where they meet no others, and no number of replicas changes that."""
    found = plan(shop(services={"web": {**SHOP["services"]["web"], "operations": {"get": [{"cpu": {"exponential": "5ms"}}]}}}, objective={"latency_p90": "8ms"}))
    best = found.typed().alternatives[0]
    assert not best.feasible and best.reason is not None
    least = re.fullmatch(r"requests that meet no others miss the objective: latency_p90 is ([0-9.]+) ms at least", best.reason)
    assert least is not None and 10 < float(least[1]) < 14
    assert best.simulations <= 2


def test_background_threads_that_fill_their_own_limit_need_no_replicas() -> None:
    """A batch job that no request comes to uses all that it may; each replica more would do so too."""
    services = {**SHOP["services"], "db": {**SHOP["services"]["db"], "cpus": 1}, "batch": {"cpus": 0.3, "background": {"threads": 1}}}
    best = plan(shop(services=services, run={"duration": "2s", "replications": 2, "seed": 1})).typed().alternatives[0]
    assert best.feasible
    assert best.replicas["batch"] == 1

"""Every platform of the catalogue runs every shipped scenario, and each technique costs less where exits do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from helpers import shortened
from helpers.collecting import hold_all

from simvirt import kernel, run
from simvirt.catalog import OPERATIONS, Catalog, HostEntry
from simvirt.scenario.spec.models import HostSpec, PlatformSpec

CATALOG = Catalog.load()
PLATFORMS = CATALOG.names("platforms")
ROOM = {
    "deploy": ("host.cores=16", "host.smt=2", "host.memory=512GiB", "state={images: present, instances: up}"),
    "three-hosts": tuple(f"hosts.{pool}.{key}" for pool in ("new", "old") for key in ("cores=16", "smt=2", "memory=512GiB")),
    "volumes": tuple(f"hosts.{pool}.{key}" for pool in ("node", "nas") for key in ("cores=16", "smt=2", "memory=512GiB")),
}
"""What makes room for every platform on the hosts of a scenario, where it is more than on others; what is not up yet answers nothing in so short a time."""
VMS = [name for name in PLATFORMS if CATALOG.platform(PlatformSpec(name=name)).hypervisors]


@pytest.mark.slow
@pytest.mark.skipif(kernel.MODE == "plain", reason="the plain kernel gives the same bytes; see tests/property")
@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.verification)])
@pytest.mark.parametrize("name", shortened.SHORTEST)
def test_every_platform_runs_every_shipped_scenario(name: str, every: int) -> None:
    """Each scenario on every third platform, beginning with another one each time, so that each platform runs three or four; by verification all."""
    chosen = PLATFORMS[list(shortened.SHORTEST).index(name) % every :: every]
    spec = shortened.shortest(name, *ROOM.get(name, ("host.cores=16", "host.smt=2", "host.memory=512GiB")))
    found = run(spec.model_copy(update={"platforms": tuple(PlatformSpec(name=platform) for platform in chosen)}), maximum=False).document()["platforms"]
    assert list(found) == chosen
    hold_all(runs_soundly, {platform: (outcome,) for platform, outcome in found.items()})


def runs_soundly(found: dict[str, Any]) -> None:
    """Requests end, the laws of the run's own counters hold, and the breakdown sums to the mean.

    Where the thread that serves files is full, as from a directory of another system, none need end in so short a time.
    """
    assert set(found["checks"].values()) == {"ok"}
    if found["requests"] == 0:
        assert found["bottleneck"]["resource"].endswith("I/O thread") and found["bottleneck"]["utilisation"] > 0.99
        return
    assert sum(found["breakdown_s"].values()) == pytest.approx(found["latency_s"]["mean"]["value"], rel=1e-9)


def work(platform: str, host: HostEntry) -> float:
    """CPU work of one of each operation in an instance [ns]."""
    costs = CATALOG.platform_costs(CATALOG.platform(PlatformSpec(name=platform)), host)
    return sum(part[name] for name in OPERATIONS for part in (costs.cpu_ns, costs.notify_ns, costs.interrupt_ns))


def test_a_vm_costs_less_where_an_exit_does() -> None:
    hold_all(costs_less, VMS)


def costs_less(platform: str) -> None:
    """Half the cycles of an exit make a platform's work cheaper."""
    host = CATALOG.resolve_host(HostSpec(model="dell-r740-gold-6132"))
    halved = {field: getattr(host.family, field) / 2 for field in ("vm_exit", "nested_vm_exit")}
    assert work(platform, replace(host, family=host.family.model_copy(update=halved))) < work(platform, host)

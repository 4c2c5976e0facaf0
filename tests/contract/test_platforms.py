"""Every platform of the catalogue runs every shipped scenario, and each technique costs less where exits do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers import shortened

from simvirt import kernel, run
from simvirt.catalog import OPERATIONS, Catalog, HostEntry
from simvirt.scenario import Scenario
from simvirt.scenario.spec.models import HostSpec, PlatformSpec

CATALOG = Catalog.load()
PLATFORMS = CATALOG.names("platforms")
VMS = [name for name in PLATFORMS if CATALOG.platform(PlatformSpec(name=name)).hypervisors]


def shipped(name: str, platform: str) -> Scenario:
    """A shipped scenario on one platform, for a moment."""
    spec = shortened.shortest(name, "host.cores=16", "host.smt=2", "host.memory=512GiB")
    return spec.model_copy(update={"platforms": (PlatformSpec(name=platform),)})


@pytest.mark.slow
@pytest.mark.skipif(kernel.MODE == "plain", reason="the plain kernel gives the same bytes; see tests/property")
@pytest.mark.parametrize("name", shortened.SHORTEST)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_it_runs_every_shipped_scenario(platform: str, name: str) -> None:
    found, = run(shipped(name, platform)).document()["platforms"].values()
    assert found["requests"] > 0
    assert set(found["checks"].values()) == {"ok"}
    assert sum(found["breakdown_s"].values()) == pytest.approx(found["latency_s"]["mean"]["value"], rel=1e-9)


def work(platform: str, host: HostEntry) -> float:
    """CPU work of one of each operation in an instance [ns]."""
    costs = CATALOG.platform_costs(CATALOG.platform(PlatformSpec(name=platform)), host)
    return sum(part[name] for name in OPERATIONS for part in (costs.cpu_ns, costs.notify_ns, costs.interrupt_ns))


@pytest.mark.parametrize("platform", VMS)
def test_a_vm_costs_less_where_an_exit_does(platform: str) -> None:
    host = CATALOG.resolve_host(HostSpec(model="dell-r740-gold-6132"))
    family = replace(host.family, vm_exit=host.family.vm_exit / 2, nested_vm_exit=host.family.nested_vm_exit / 2)
    assert work(platform, replace(host, family=family)) < work(platform, host)

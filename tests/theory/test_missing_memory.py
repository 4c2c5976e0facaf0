"""What does not fit is swapped out only where there is swap space; where there is none it is missing, and called so."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

import simvirt
from simvirt.catalog import Catalog
from simvirt.memory import footprint, occupancy
from simvirt.memory.ledger import Ledger
from simvirt.report import run_report
from simvirt.runs.run import run
from simvirt.scenario.spec.models import Scenario

MIB = 2**20


def of(platform: Any = "docker", base: str = "300MiB", **host: Any) -> Scenario:
    """A replica whose memory is larger than its limit of 200 MiB, or than its VM."""
    return simvirt.loads(yaml.safe_dump({
        "simvirt": 1, "name": "x", "host": {"cores": 2, "memory": "8GiB", "disk": "nvme"} | host, "platforms": [platform],
        "services": {"app": {"mem_limit": "200MiB", "memory": {"base": base}, "operations": {"get": [{"cpu": "1ms"}]}}},
        "workload": {"open": {"rate": "20/s"}, "mix": {"app.get": 1}}, "run": {"duration": "2s", "replications": 1, "warmup": "0s"},
    }))


def ledger(scenario: Scenario) -> Ledger:
    """Who holds the memory at the expected load, before anything is reclaimed."""
    catalog = Catalog.of(scenario)
    return footprint(occupancy(scenario, catalog, catalog.platform(scenario.platforms[0]), catalog.resolve_host(scenario.host)))


def test_without_swap_space_it_is_missing() -> None:
    found = ledger(of())
    assert found.missing == found.swapped == pytest.approx(100 * MIB, rel=0.15)


def test_what_a_hosts_swap_can_hold_is_not_missing() -> None:
    """All of it in a large one, the rest beside a small one; parts and free memory add up in any case."""
    none, small, large = ledger(of()), ledger(of(swap="40MiB")), ledger(of(swap="1GiB"))
    assert (large.missing, large.swapped) == (0, none.swapped)
    assert small.missing == none.missing - 40 * MIB
    assert all(found.balance == 0 for found in (none, small, large))


def test_a_guests_swap_counts_for_its_own() -> None:
    vm = {"name": "vm", "stack": ["kvm"], "vms": {"count": 1, "vcpus": 1, "memory": "512MiB"}}
    without, within = (ledger(of(vm | {"guest_swap": swap}, base="900MiB")) for swap in ("1B", "2GiB"))
    assert without.missing > 300 * MIB
    assert within.missing == 0 < within.swapped


def test_a_host_that_is_full_without_swap_swaps_nothing_out() -> None:
    found = ledger(of("bare-metal", base="9GiB"))
    assert found.missing == found.swapped > 1024 * MIB


def test_reports_call_it_by_its_name() -> None:
    """A container that an overload fills beyond its limit: no `swapped out` on a machine without swap; one number for what is promised."""
    overload = {
        "simvirt": 1, "name": "x", "host": {"cores": 2, "memory": "8GiB"}, "platforms": ["docker"],
        "services": {"app": {"mem_limit": "200MiB", "cpus": 1, "threads": 512, "image": "envoy",
                             "operations": {"get": [{"cpu": "2ms"}, {"delay": "5ms"}]}}},
        "workload": {"open": {"rate": "3000/s"}, "mix": {"app.get": 1}}, "run": {"duration": "8s", "replications": 1, "warmup": "4s"},
    }
    document = run(simvirt.loads(yaml.safe_dump(overload)), maximum=False).typed()
    memory = document.platforms["docker"].memory
    labels = [row.label for row in dict(run_report.sections(document))["Memory"]]
    assert "does not fit" in labels and "swapped out" not in labels
    assert memory.ledger.missing_bytes == memory.ledger.swapped_bytes > 10 * MIB
    assert memory.committed_bytes == memory.ledger.committed_bytes == 200 * MIB

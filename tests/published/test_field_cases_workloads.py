"""What practitioners reported of loads side by side, each with measures of its own: the direction is right; the reports have no more."""

from __future__ import annotations

from typing import Any

import pytest
import simvirt
import yaml
from helpers.support import COMPILED

from simvirt.result.run_document import PlatformResult

pytestmark = pytest.mark.skipif(not COMPILED, reason="long runs take the compiled kernel; the plain one gives the same bytes")


def found(host: dict[str, Any], platform: str, services: dict[str, Any], workloads: dict[str, Any], duration: str = "30s") -> PlatformResult:
    """What a platform did with several workloads."""
    tree = {
        "simvirt": 1, "name": "beside", "host": host, "platforms": [platform], "services": services, "workloads": workloads,
        "run": {"duration": duration, "warmup": "5s", "replications": 1},
    }
    return simvirt.run(simvirt.loads(yaml.safe_dump(tree, sort_keys=False)), maximum=False).typed().platforms[platform]


def mean_s(result: PlatformResult, workload: str) -> float:
    """Mean latency of a workload [s]."""
    return result.workloads[workload].latency_s.mean.value or 0.0


def test_reads_beside_log_lines_hardly_suffer() -> None:
    """300 lines of 200 bytes a second, which nobody syncs, cost the disk next to nothing, and reads beside them some per cent.

    Source: a minimal reproduction on a hard disk, whose page cache gathers the lines.
    """
    services = {
        "log": {"threads": 1, "operations": {"line": [{"cpu": "10us"}, {"disk": {"write": "200B"}}]}},
        "db": {"threads": 16, "operations": {"read": [{"cpu": "10us"}, {"disk": {"read": "4KiB"}}]}},
    }
    reads = {"open": {"rate": "10/s"}, "local": True, "mix": {"db.read": 1}}
    lines = {"open": {"rate": "300/s", "arrivals": "deterministic"}, "local": True, "mix": {"log.line": 1}}
    host = {"cores": 2, "memory": "8GiB", "disk": "hdd"}
    alone, beside = (found(host, "docker", services, loads, "120s") for loads in ({"reads": reads}, {"reads": reads, "lines": lines}))
    assert mean_s(alone, "reads") < mean_s(beside, "reads") < 1.5 * mean_s(alone, "reads")
    assert mean_s(beside, "lines") < 0.01 * mean_s(beside, "reads")


def wide(vcpus: int, rate: str) -> PlatformResult:
    """A parallel computation in a VM, on eight cores of an ESXi host, beside six small VMs that are asked so often."""
    services = {
        "solver": {"cpus": vcpus, "mem_limit": "4GiB", "threads": 1, "operations": {"step": [{"cpu": "20ms", "team": {"regions": 20, "spin": "200ms"}}]}},
        "small": {"cpus": 2, "mem_limit": "4GiB", "scale": 6, "threads": 8, "operations": {"job": [{"cpu": {"exponential": "10ms"}}]}},
    }
    return found({"cores": 8, "memory": "64GiB"}, "esxi", services, {
        "solver": {"closed": {"clients": 1, "think": "5ms"}, "local": True, "mix": {"solver.step": 1}},
        "small": {"open": {"rate": rate}, "local": True, "mix": {"small.job": 1}},
    })


def test_an_oversized_vm_is_harmless_on_an_idle_host_and_costops_on_a_busy_one() -> None:
    """With four times the vCPUs a computation that waits for its slowest thread takes no longer on an idle host, on a busy one far longer.

    Source: ma.ttias.be, vpivot.com, rack2cloud.com, Broadcom article 421543. They have the others slow down too, which is not what comes
    here: the host's shares keep the small VMs as they were.
    """
    idle, busy = ([wide(vcpus, rate) for vcpus in (2, 8)] for rate in ("40/s", "560/s"))
    assert mean_s(idle[1], "solver") < mean_s(idle[0], "solver") and mean_s(idle[1], "small") < 1.05 * mean_s(idle[0], "small")
    assert mean_s(busy[1], "solver") > 2 * mean_s(busy[0], "solver")
    assert (busy[1].cpu.costop.value or 0.0) > 2 * (busy[0].cpu.costop.value or 1.0)

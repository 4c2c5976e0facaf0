"""A host with the ideal fluid scheduler under guests whose own schedulers queue: what it looks busy with is what its CPUs have given."""

from __future__ import annotations

import pytest
import simvirt

FULL = """
simvirt: 1
name: full
host: {cores: 4, smt: 1, memory: 32GiB, scheduler: gps}
platforms: [PLATFORM]
services:
  web: {deploy: {replicas: 2}, operations: {get: [{cpu: 1ms}, {disk: {write: 4KiB, direct: true}}]}}
  batch: {deploy: {replicas: 6}, background: {threads: 5}}
workload: {open: {rate: 2000/s}, mix: {web.get: 1}}
run: {duration: 6ms, warmup: 1ms, replications: 3}
"""


@pytest.mark.parametrize("platform", ["docker-desktop", "{name: nested, stack: [kvm, docker], vms: {count: 1, vcpus: 4, memory: 8GiB}}"])
def test_a_full_host_is_full_and_no_more(platform: str) -> None:
    """The queues of a guest's cgroups counted as tasks of the host: 143 %."""
    found = simvirt.run(simvirt.loads(FULL.replace("PLATFORM", platform)), maximum=False).typed()
    for one in found.platforms.values():
        assert one.cpu.utilisation.value == pytest.approx(1.0, abs=1e-6)
        assert one.cpu.steal.value is not None
        assert one.cpu.steal.value < 1.0

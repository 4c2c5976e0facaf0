"""Every shipped platform gets an image, starts and serves."""

from __future__ import annotations

from typing import Final

import pytest

import simvirt
from simvirt.catalog import Catalog
from simvirt.runs.run import Result

EVERY: Final = tuple(Catalog.load().names("platforms"))
QUICK: Final = ("bare-metal", "docker", "podman", "lxc", "gvisor", "firecracker", "kata-clh", "wsl2")
SLOWEST_S: Final = 200


def started(platforms: tuple[str, ...], length_s: int) -> Result:
    """A replica on each of some platforms, for which requests come from the beginning."""
    return simvirt.run(simvirt.loads(f"""
simvirt: 1
name: starts
host: {{cores: 4, memory: 16GiB}}
platforms: [{", ".join(platforms)}]
services:
  web:
    image: nginx:1.27
    deploy: {{resources: {{limits: {{cpus: 1, memory: 512MiB}}}}}}
    operations: {{get: [{{cpu: 1ms}}]}}
workload: {{open: {{rate: 1/s}}}}
state: {{images: none, instances: none}}
run: {{duration: {length_s}s, replications: 1, seed: 1}}
"""), maximum=False)


def start_and_serve(platforms: tuple[str, ...], length_s: int) -> None:
    """Each is ready in time, and answers from then on."""
    found = started(platforms, length_s).typed().platforms
    assert tuple(found) == platforms
    for name, platform in found.items():
        life = platform.lifecycle
        assert life is not None
        assert (life.started, life.ready) == (1, 1), name
        ready = life.readiness_s.last.value or 0.0
        assert 0 < ready < length_s, name
        assert platform.requests > 0.5 * (length_s - ready), name
        assert (platform.rejected.value or 0.0) > 0 or ready < 5, name


def test_quick_platforms_start_and_serve() -> None:
    start_and_serve(QUICK, 20)


@pytest.mark.slow
@pytest.mark.verification
def test_every_platform_starts_and_serves() -> None:
    start_and_serve(EVERY, SLOWEST_S)

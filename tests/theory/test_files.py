"""Operations on files against counts by hand: requests of a path, what caches leave, a server that saturates, reads of the disk."""

from __future__ import annotations

import math
from typing import Any, Final

import pytest
from helpers.support import begun, replications, scenario

from simvirt.catalog import Catalog
from simvirt.catalog.resolve.files import FileCosts, Habits
from simvirt.metrics.outcome import Outcome
from simvirt.scenario import FilesSpec
from simvirt.scenario.spec.models import PlatformSpec

CATALOG = Catalog.load()
HOST = CATALOG.host_model()


def costs(**platform: Any) -> FileCosts:
    """The file systems of a platform on the generic host."""
    found = CATALOG.platform(PlatformSpec.model_validate(platform))
    return CATALOG.file_costs(found, HOST, CATALOG.platform_costs(found, HOST))


def requests(files: FileCosts, **spec: Any) -> float:
    """Requests of a step to servers."""
    return math.fsum(one.requests for one in files.work(FilesSpec.model_validate(spec)).served)


def world(files: dict[str, Any], platform: Any, workload: dict[str, Any]) -> Any:
    """A service whose requests are operations on files."""
    services = {"app": {"cpus": 4, "threads": 64, "operations": {"io": [{"files": files}]}}}
    return scenario(services, workload | {"local": True, "mix": {"app.io": 1}}, {"requests": 2000, "warmup": "0s"}, host={"cores": 4}, platforms=[platform])


def asked(files: dict[str, Any], platform: Any, clients: int = 1) -> Outcome:
    """What clients see who ask all the time."""
    return replications(world(files, platform, {"closed": {"clients": clients}}))[0]


@pytest.mark.parametrize(("disk", "cached", "expected"), [
    ("virtio-9p", 1, 3 * 4 + 2 + 1 + 1 + 1), ("virtio-9p", 0, 3 * 4 + 2 + 1 + 1 + 1), ("virtio-9p-loose", 1, 2 + 1), ("virtio-9p-loose", 0, 2 * 4 + 2 + 1 + 1),
    ("virtio-fs", 1, 1 + 1 + 1), ("virtio-fs", 0, 4 + 1 + 1 + 1), ("virtio-fs", 0.5, 2 + 1 + 1 + 1), ("virtio-fs-never", 1, 4 + 1 + 1 + 1 + 1),
    ("virtio-fs-always", 1, 1 + 1), ("virtio-fs-dax", 1, 1 + 1), ("shared-folder", 1, 4 + 1 + 1 + 1 + 1),
])
def test_requests_of_a_file_at_the_end_of_four_components(disk: str, cached: float, expected: float) -> None:
    """Looked up, opened, its attributes, one read, closed."""
    found = costs(name="x", stack=("kvm",), disk=disk)
    assert requests(found, open=1, fstat=1, read=1, close=1, depth=4, cached=cached) == pytest.approx(expected)


def test_a_large_read_takes_several_requests_and_memory_none() -> None:
    found = costs(name="x", stack=("kvm",), disk="virtio-fs")
    assert requests(found, read=2, size="1MiB") == 2 * 8
    assert requests(found, read=2, size="1MiB", place="tmpfs") == 0


@pytest.mark.parametrize("platform", ["bare-metal", "docker", "kvm", "docker-overlay", "kata-block"])
def test_a_local_file_system_asks_nobody(platform: str) -> None:
    work = costs(name=platform).work(FilesSpec.model_validate({"open": 1, "stat": 3, "read": 1, "close": 1, "cached": 0}))
    assert work.served == () and work.local and work.reads == work.found == 0


def test_layers_cost_only_what_no_cache_knows() -> None:
    """Each component that is not cached is looked for in one layer after the other."""
    found = costs(name="docker-overlay")
    added = [found.work(FilesSpec.model_validate({"stat": 1, "depth": 2, "layer": layer, "cached": cached})).added_ns for layer, cached in (
        (1, 1), (9, 1), (1, 0), (9, 0), (17, 0))]
    assert added[0] == added[1] == added[2] < added[3]
    assert added[4] - added[3] == pytest.approx(added[3] - added[2])


def test_only_unions_copy_up() -> None:
    spec = FilesSpec.model_validate({"open": 1, "copy_up": "1MiB", "hit": 0.5})
    plain, union = (costs(name=name).work(spec) for name in ("docker", "docker-overlay"))
    assert (plain.written, plain.flushes, plain.reads) == (0, 0, 0)
    assert (union.written, union.flushes) == (2**20, 1) and union.reads * union.size == pytest.approx(2**19)


def test_a_step_takes_the_sum_of_its_parts() -> None:
    """One client that never meets a sleeping server: work of the kernel, of the platform, of asking, of answering."""
    found = costs(name="docker-desktop")
    work = found.work(FilesSpec.model_validate({"open": 20, "close": 20}))
    (served,) = work.served
    expected = work.own_ns + work.added_ns + served.requests * (served.cost.cpu_ns + served.cost.latency_ns)
    assert asked({"open": 20, "close": 20}, "docker-desktop").latency_mean_s == pytest.approx(expected / 1e9, rel=0.03)


def test_bare_metal_pays_the_local_work_alone() -> None:
    work = costs(name="bare-metal").work(FilesSpec.model_validate({"open": 10, "read": 10, "size": "64KiB", "close": 10}))
    assert work.added_ns == 0
    found = asked({"open": 10, "read": 10, "size": "64KiB", "close": 10}, "bare-metal")
    assert found.latency_mean_s == pytest.approx(work.own_ns / 1e9, rel=0.01)


def test_a_server_is_one_thread() -> None:
    """Sixteen clients who ask a server all the time get what one thread answers, whatever their CPUs."""
    platform = {"name": "x", "stack": ["kvm"], "disk": "virtio-9p"}
    found = costs(name="x", stack=("kvm",), disk="virtio-9p")
    (served,) = found.work(FilesSpec.model_validate({"stat": 1})).served
    most = 1e9 / (served.requests * served.cost.host_cpu_ns)
    assert 0.9 * most <= asked({"stat": 1}, platform, clients=16).throughput_per_s <= 1.02 * most


@pytest.mark.parametrize(("platform", "spec", "expected"), [
    ("bare-metal", {"open": 1, "read": 1, "hit": 0}, 2), ("bare-metal", {"open": 1, "read": 1, "hit": 0.75}, 0.5), ("bare-metal", {"open": 1, "read": 1}, 0),
    ("kata-9p", {"open": 1, "read": 1, "hit": 0.75}, 0.5), ("kvm", {"stat": 3, "open": 3, "read": 1, "hit": 0.5}, 2), ("kvm", {"open": 1, "read": 1, "hit": 0, "place": "tmpfs"}, 0),
])
def test_what_is_not_in_memory_is_read_from_the_disk(platform: str, spec: dict[str, Any], expected: float) -> None:
    """A block for each file that is found by its path, and each read; as many as are due on the average."""
    clock = begun(world(spec, platform, {"open": {"rate": "100/s", "arrivals": "deterministic"}}))
    clock.run(until=20 * 10**9)
    assert int(clock.plane.read("disks", "completed")[0]) == pytest.approx(2000 * expected, rel=0.08)


PROFILED: Final = {"nginx-static": 33_000 * (4 * 0 + 1 + 1 + 1), "compile": 1200 * (0.4 + 1) + 5800 * 0.4 + 520 + 520 + 340 + 3 * (0.4 + 1)}
"""Requests in a CPU second over virtio-fs: of cached names only open, read and close are left; a tenth of a compiler's names are not cached."""


@pytest.mark.parametrize("profile", PROFILED)
def test_profiles_bring_their_operations_on_files(profile: str) -> None:
    """A ms of CPU time asks so many requests by itself, and none where the service states its files."""
    own = {"own": [{"files": {"stat": 1, "place": "tmpfs"}}]}
    workload = {"open": {"rate": "100/s", "arrivals": "deterministic"}, "local": True, "mix": {"app.io": 1}}
    asked = []
    for stated in ({}, own):
        services = {"app": {"profile": profile, "cpus": 2, "operations": {"io": [{"cpu": "1ms"}], **stated}}}
        spec = scenario(services, workload, {"requests": 400, "warmup": "0s"}, host={"cores": 4}, platforms=["kata-qemu"])
        asked.append(replications(spec)[0].devices["disk"]["operations"])
    assert asked[0] / 400 == pytest.approx(PROFILED[profile] / 1000, rel=0.1)
    assert asked[1] == 0


@pytest.mark.parametrize("platform", ["docker", "kvm", "kata-block"])
def test_local_files_of_profiles_are_in_their_cpu_time(platform: str) -> None:
    found = costs(name=platform)
    assert found.habits(CATALOG.named_profile("nginx-static").files) == Habits()


@pytest.mark.parametrize(("disk", "asked"), [("virtio-9p", 1), ("shared-folder", 1), ("virtio-fs-never", 1), ("virtio-9p-loose", 0.25), ("virtio-fs", 0.25), ("virtio-blk", 0.25)])
def test_a_hit_of_a_share_that_keeps_no_data_is_asked_for_and_not_read(disk: str, asked: float) -> None:
    """Three quarters of the reads are in memory: that of the host, where the guest keeps none."""
    services = {"app": {"cpus": 2, "operations": {"io": [{"cpu": "10us"}, {"disk": {"read": "4KiB", "hit": 0.75}}]}}}
    workload = {"open": {"rate": "100/s", "arrivals": "deterministic"}, "local": True}
    spec = scenario(services, workload, {"requests": 2000, "warmup": "0s"}, host={"cores": 4}, platforms=[{"name": "x", "stack": ["kvm"], "disk": disk}])
    clock = begun(spec)
    clock.run(until=20 * 10**9)
    assert int(clock.plane.read("disks", "completed")[0]) == pytest.approx(500, rel=0.12)
    assert replications(spec)[0].devices["disk"]["operations"] == pytest.approx(2000 * asked, rel=0.12)

"""One memory model: what a run follows box by box and what is counted without a run are the same bytes."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import begun, scenario, service

from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.memory import follow_all, memory_of_run
from simvirt.control.lifecycle import begin
from simvirt.lowering.lower import lower
from simvirt.lowering.size import size_mistakes
from simvirt.memory import footprint
from simvirt.memory.caching import hits
from simvirt.memory.populate import host_memory
from simvirt.memory.at_rest import at_rest
from simvirt.runs.replicate import make_plane
from simvirt.workload.streams import Phases

MIB, GIB = 2**20, 2**30
READ = {"disk": {"read": "16KiB", "working_set": "3GiB", "zipf": 0.8}}
SHARED = {"name": "shared", "stack": ["kvm", "docker"], "vms": {"count": 5, "vcpus": 2, "memory": "4GiB"}}
NESTED = {"name": "nested", "stack": ["kvm", "xen-pvh", "docker"], "vms": {"count": 2, "vcpus": 2, "memory": "4GiB"}}
HOST = {"cores": 16, "memory": "192GiB", "disk": "sata-ssd"}


def one_with_a_limit() -> dict[str, Any]:
    return {"web": service({"cpu": "1ms"}, threads=4, scale=3, mem_limit="300MiB", memory={"base": "100MiB", "per_connection": "1MiB"})}


def three_of_one_image() -> dict[str, Any]:
    """More replicas than shared VMs of one service, fewer of the others; two share an image, one has a leak."""
    return {
        "zoo": service({"cpu": "2ms"}, scale=7, image="nginx", memory={"growth": "1KiB"}),
        "web": service({"cpu": "1ms"}, {"call": "db.job"}, image="nginx", scale=2),
        "db": service({"delay": "20ms"}, scale=1, memory={"base": "64MiB", "files": "1MiB", "per_request": "3MiB", "hot": 0.2}),
    }


def readers() -> dict[str, Any]:
    """Reads that page caches serve, of a service within a limit and of one without."""
    return {
        "web": service({"cpu": "1ms"}, READ, {"call": "db.job"}, scale=2, mem_limit="1GiB", memory={"base": "100MiB"}),
        "db": service(READ, scale=2),
    }


def world(services: dict[str, Any], *platforms: Any, **host: Any) -> Any:
    """Some services on a host that has room for them all."""
    load = {"open": {"rate": "20/s"}, "mix": {"web.job": 1}}
    return scenario(services, load, {"duration": "1s", "warmup": "0s"}, platforms=list(platforms), host=HOST | host)


@pytest.mark.parametrize("services", [one_with_a_limit, three_of_one_image, readers])
def test_a_run_holds_what_is_counted_without_one(services: Any) -> None:
    """On every platform of the catalogue and on VMs that are shared or nested; after a first look, at the load that is expected."""
    platforms = [*Catalog.load().names("platforms"), SHARED, NESTED]
    assert len(platforms) >= 53
    wrong, spec = {}, world(services(), *platforms)
    catalog = Catalog.of(spec)
    for platform in spec.platforms:
        clock = Clock(make_plane(spec, catalog, catalog.platform(platform), 1, 0))
        begin(clock, spec)
        follow_all(clock)
        clock.run(until=1)
        there = clock.plane.lowered.memory.there
        assert clock.plane.memory is not None
        memory, counted = clock.plane.memory.memory, footprint(there)
        run = memory.rest_at(there.loads)
        found = hits(there.scenario, there.needs, memory.page_caches(), memory.beneath)
        if run != counted or run.balance != 0 or found != pytest.approx(clock.plane.lowered.memory.hits, rel=1e-9):
            wrong[platform.name] = (run.document(), counted.document())
    assert not wrong


def test_boxes_are_those_of_the_arrangement() -> None:
    """Each replica gets the row of its instance, and shares its VM with those with which it shares a machine."""
    for platform in ("docker", "kvm", SHARED, "xen-pv"):
        lowered = begun(world(three_of_one_image(), platform)).plane.lowered
        instances = {i.row: i for i in lowered.arrangement.instances}
        memory = memory_of_run(lowered)
        assert {replica.name for replica in memory.replicas} == {f"{i.service}-{i.replica}" for i in instances.values() if not i.service.startswith("(")}
        for box in memory.boxes:
            assert len({instances[replica.row].machine for replica in box.replicas}) <= 1
            assert all(replica.name == f"{instances[replica.row].service}-{instances[replica.row].replica}" for replica in box.replicas)


def test_every_level_of_nested_virtualization_takes_memory() -> None:
    """The guest between the host and a VM, its hypervisor and the text of the monitor in it are there once for each VM."""
    catalog = Catalog.load()
    outer, inner = (begun(world(one_with_a_limit(), platform)).plane.lowered.memory.there for platform in ("kvm", "nested-kvm"))
    one, two = footprint(outer), footprint(inner)
    size, guest, monitor = 300 * MIB + catalog.guest("linux").memory, catalog.guest("linux"), inner.platform.hypervisors[1]
    system = guest.memory + guest.page_structs * size
    assert two.guest_os - one.guest_os == pytest.approx(3 * (system + monitor.monitor.shared), abs=3)
    assert two.vmm > one.vmm + 3 * monitor.memory_bytes
    assert two.committed - one.committed == pytest.approx(two.guest_os - one.guest_os + 3 * _monitor(monitor, size, 4), abs=6)


def _monitor(layer: Any, size: int, vcpus: int) -> float:
    return float(layer.memory_bytes + layer.monitor.video + layer.monitor.per_vcpu * vcpus + layer.monitor.per_memory * size)


@pytest.mark.parametrize("platform", ["bare-metal", "docker"])
def test_what_is_promised_is_what_is_stated(platform: str) -> None:
    """A limit, whether anything enforces it or not; without one nothing."""
    limited, free = (begun(world(services, platform)).plane.lowered.memory.there for services in (one_with_a_limit(), {"web": service({"cpu": "1ms"})}))
    assert footprint(limited).committed == 3 * 300 * MIB
    assert footprint(free).committed == 0


def test_a_vm_that_holds_no_replica_takes_memory() -> None:
    lowered = begun(world({"web": service({"cpu": "1ms"}, memory={"base": "10MiB"})}, SHARED)).plane.lowered
    memory = memory_of_run(lowered)
    assert [len(box.replicas) for box in memory.boxes] == [1, 0, 0, 0, 0]
    guest = Catalog.load().guest("linux")
    assert memory.rest_at({}).guest_os > 5 * (guest.memory + guest.page_structs * 4 * GIB)


def test_the_page_cache_leaves_the_kernels_reserve_free() -> None:
    there = begun(world(readers(), "bare-metal", memory="3GiB")).plane.lowered.memory.there
    memory = at_rest(there)
    assert memory.ledger().free == pytest.approx(memory.reserve, abs=4)
    cache, = memory.page_caches()
    assert memory.ledger().page_cache == pytest.approx(cache.size + memory.files, abs=4)


def test_loads_measured_in_a_run_do_not_change_how_large_vms_were_made() -> None:
    there = begun(world(three_of_one_image(), "kvm")).plane.lowered.memory.there
    memory = host_memory(there, each=True)
    sizes = [box.guest.size for box in memory.boxes if box.guest is not None]
    memory.rest_at({name: type(load)(1000.0, 1000.0) for name, load in there.loads.items()})
    assert [box.guest.size for box in memory.boxes if box.guest is not None] == sizes


# --- what the simulator itself takes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["docker", "kvm", SHARED | {"vms": {"count": 40, "vcpus": 16, "memory": "4GiB"}}, "kata-qemu"])
@pytest.mark.parametrize("scale", [60, 200])
def test_the_size_of_tables_is_that_of_their_rows(platform: Any, scale: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes by which a scenario is refused are those that its tables have, but for instructions, results and frames to spare."""
    body = service({"cpu": "1ms"}, threads=8, scale=scale, background={"threads": 3, "duty": 0.01})
    spec = scenario({"web": body}, {"closed": {"clients": 5000}, "mix": {"web.job": 1}}, {}, platforms=[platform], host=HOST)
    catalog = Catalog.of(spec)
    resolved = catalog.platform(spec.platforms[0])
    tables = lower(spec, catalog, resolved, Phases(1, 0)).tables
    bytes_ = sum(column.nbytes for name, columns in tables.items() if name not in ("program", "tallies", "run") for column in columns.values())
    for bound, refused in ((round(0.9 * bytes_), True), (round(1.1 * bytes_), False)):
        monkeypatch.setattr("simvirt.lowering.size.MOST_MEMORY", bound)
        assert bool(list(size_mistakes(spec, catalog, [resolved]))) == refused

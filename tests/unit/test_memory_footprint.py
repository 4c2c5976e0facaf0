"""The static memory model: the ledger adds up, sharing is counted once, what platforms take is what their parts say."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from simvirt.catalog import Catalog
from simvirt.capacity import limits as capacity
from simvirt.lowering.lower import lower
from simvirt.memory import Ledger, Load, occupancy
from simvirt.memory import at_rest as rest
from simvirt.memory.guests import PAGE_STRUCT
from simvirt.memory.ledger import PARTS, settle
from simvirt.workload.streams import Phases
from simvirt.scenario import loads

GIB, MIB = 2**30, 2**20
IDLE: dict[str, Load] = {}


def footprint(*given: Any, merged: bool = False) -> Ledger:
    """The ledger of a world with so many replicas, each at a load."""
    return rest.footprint(occupancy(*given), merged)


def limits(*world: Any) -> list[capacity.Limit]:
    """What a world's replicas take of everything that is counted."""
    return capacity.limits(occupancy(*world), world[1])


def world(platform: Any = "docker", **services: Any) -> tuple[Any, ...]:
    """Arguments of `occupancy`: services with `operations` added, on one platform of a host with 16 GiB."""
    told = {name: {"operations": {"job": [{"cpu": "1ms"}]}} | body for name, body in services.items()}
    text = {"simvirt": 1, "name": "x", "host": {"cores": 4, "memory": "16GiB"}, "platforms": [platform], "services": told,
            "workload": {"open": {"rate": "1/s"}, "mix": {f"{next(iter(told))}.job": 1}}}
    scenario = loads(yaml.safe_dump(text))
    catalog = Catalog.of(scenario)
    return scenario, catalog, catalog.platform(scenario.platforms[0]), catalog.resolve_host(scenario.host)


def app(**memory: Any) -> dict[str, Any]:
    """A service with a working set of its own."""
    return {"memory": {"base": "100MiB", "files": "50MiB"} | memory}


@settings(max_examples=60, deadline=None)
@given(
    platform=st.sampled_from(["bare-metal", "docker", "kvm", "firecracker", {"name": "x", "stack": ["kvm", "docker"], "vms": {"count": 3, "vcpus": 2, "memory": "2GiB"}}]),
    web=st.integers(0, 400), db=st.integers(0, 40), base=st.integers(0, 2000), limit=st.integers(64, 4000), merged=st.booleans(),
    connections=st.floats(0, 1e4),
)
def test_the_ledger_adds_up_to_the_byte(platform: Any, web: int, db: int, base: int, limit: int, merged: bool, connections: float) -> None:
    args = world(platform, web={"mem_limit": f"{limit}MiB"}, db=app(base=f"{base}MiB", per_connection="1MiB"))
    ledger = footprint(*args, {"web": web, "db": db}, {"db": Load(connections)}, merged=merged)
    assert ledger.balance == 0
    assert all(value >= 0 for value in ledger.document().values())
    assert ledger.free == 0 or ledger.demand - ledger.swapped + ledger.free == ledger.capacity


@given(st.lists(st.integers(0, 10**12), min_size=len(PARTS), max_size=len(PARTS)), st.integers(1, 10**13))
def test_settling_puts_every_byte_somewhere(sizes: list[int], capacity: int) -> None:
    ledger = settle(capacity, dict(zip(PARTS, map(float, sizes), strict=True)))
    assert ledger.balance == 0
    assert ledger.fits == (sum(sizes) <= capacity)


def test_containers_of_one_image_share_its_files_and_vms_do_not() -> None:
    one, ten = (footprint(*world("docker", web=app()), {"web": n}, IDLE) for n in (1, 10))
    assert (one.page_cache, ten.page_cache, ten.shared) == (50 * MIB, 50 * MIB, 9 * 50 * MIB)
    vms = footprint(*world("kvm", web=app()), {"web": 10}, IDLE)
    guest = Catalog.load().guest("linux")
    assert vms.page_cache == 10 * (guest.file_cache + 50 * MIB)


def test_services_of_one_image_share_its_files_too() -> None:
    both = footprint(*world("docker", a=app() | {"image": "nginx"}, b=app() | {"image": "nginx"}), None, IDLE)
    assert both.page_cache == 50 * MIB


def test_what_a_container_adds_is_its_memory_its_shim_and_what_the_kernel_keeps() -> None:
    args = world("docker", web=app())
    one, two = (footprint(*args, {"web": n}, IDLE).demand for n in (1, 2))
    layer = args[2].runtimes[0]
    assert two - one == 100 * MIB + layer.memory_bytes + layer.container.kernel


def test_a_process_adds_nothing_but_its_memory() -> None:
    args = world("bare-metal", web=app())
    assert footprint(*args, {"web": 2}, IDLE).demand - footprint(*args, {"web": 1}, IDLE).demand == 100 * MIB


def test_the_host_keeps_page_structs_of_all_its_memory() -> None:
    args = world("bare-metal", web=app())
    assert footprint(*args, {"web": 0}, IDLE).kernel == args[3].system_memory + PAGE_STRUCT * 16 * GIB


def test_a_working_set_follows_its_load_up_to_the_heap() -> None:
    args = world("docker", web=app(per_connection="1MiB", per_request="10MiB", growth="1KiB", heap="30MiB"))

    def application(load: Load) -> int:
        return footprint(*args, None, {"web": load}).application

    assert application(Load()) == 100 * MIB
    assert application(Load(connections=7, requests=2)) == (100 + 7 + 20) * MIB
    assert application(Load(answered=1024)) == 101 * MIB
    assert application(Load(answered=1e9)) == 130 * MIB


def test_the_load_expected_is_that_of_littles_law() -> None:
    scenario, catalog, platform, host = world("docker", web=app(per_connection="1MiB"))
    text = {"simvirt": 1, "name": "x", "host": {"cores": 4, "memory": "16GiB"}, "platforms": ["docker"], "workload": {"open": {"rate": "400/s"}, "mix": {"web.job": 1}},
            "services": {"web": app(per_connection="1MiB") | {"scale": 2, "operations": {"job": [{"cpu": "5ms"}, {"call": "db.get", "times": 2}]}},
                         "db": app(per_connection="1MiB") | {"operations": {"get": [{"delay": "10ms"}]}}}}
    scenario = loads(yaml.safe_dump(text))
    ledger = footprint(scenario, catalog, platform, host)
    web, db = 400 * 0.025, 400 * 0.020
    assert ledger.application == pytest.approx((3 * 100 + web + db) * MIB, rel=1e-9)


def test_a_vm_with_less_memory_than_its_guest_needs_swaps_inside() -> None:
    shared = {"name": "x", "stack": ["kvm", "docker"], "vms": {"count": 1, "vcpus": 1, "memory": "1GiB"}}
    ledger = footprint(*world(shared, web=app()), {"web": 20}, IDLE)
    assert ledger.swapped > 0 and ledger.free > 10 * GIB and not ledger.fits
    assert ledger.application + ledger.guest_os + ledger.runtime + ledger.page_cache + ledger.held - ledger.swapped <= GIB + 1


def test_a_container_beyond_its_limit_swaps_and_a_process_has_no_limit() -> None:
    small = app() | {"mem_limit": "60MiB"}
    assert footprint(*world("docker", web=small), None, IDLE).swapped == 40 * MIB
    assert footprint(*world("bare-metal", web=small), None, IDLE).swapped == 0


def test_merging_saves_what_guests_have_alike_of_all_but_one() -> None:
    args = world("kvm", web=app() | {"mem_limit": "512MiB"})
    apart, merged = (footprint(*args, {"web": 10}, IDLE, merged=flag) for flag in (False, True))
    saved = apart.demand - merged.demand
    assert saved == pytest.approx(merged.shared - apart.shared, rel=1e-6)
    one = footprint(*args, {"web": 1}, IDLE, merged=True)
    assert one.demand == footprint(*args, {"web": 1}, IDLE).demand
    guest = args[2].hypervisors[-1].guest
    touched, size = one.guest_os + one.page_cache + one.held + one.application, 512 * MIB + guest.memory
    alike = one.page_cache + one.held + guest.same * guest.memory + guest.page_structs * (size - touched) + 0.1 * one.application
    assert saved == pytest.approx(9 * alike, rel=1e-6)


@pytest.mark.parametrize(("cpus", "vcpus"), [("0.25", 1), ("1", 1), ("1.5", 2), ("1.0000005", 2), ("2.0000000001", 2)])
def test_a_limit_takes_whole_vcpus(cpus: str, vcpus: int) -> None:
    """One rounding for the VM that runs, for what it takes and for what is counted."""
    scenario, catalog, platform, host = world("esxi", web=app() | {"cpus": cpus})
    machine = lower(scenario, catalog, platform, Phases(1, 0)).arrangement.machines[1]
    limit = next(limit for limit in limits(scenario, catalog, platform, host) if limit.resource == "vcpus")
    assert machine.cpus == vcpus == limit.per_instance["web"]


def test_the_memory_limit_bounds_the_replicas_that_fit() -> None:
    args = world("kvm", web=app() | {"mem_limit": "512MiB"})
    memory = next(limit for limit in limits(*args) if limit.resource == "memory")
    most = int(memory.most("web"))
    assert footprint(*args, {"web": most}).fits and not footprint(*args, {"web": most + 1}).fits


def test_replicas_in_shared_vms_are_bounded_by_the_memory_of_the_guests() -> None:
    shared = {"name": "x", "stack": ["kvm", "docker"], "vms": {"count": 2, "vcpus": 1, "memory": "2GiB"}}
    args = world(shared, web=app())
    bound = int(next(limit for limit in limits(*args) if limit.resource == "guest.memory").most("web"))
    assert footprint(*args, {"web": bound - 1}, IDLE).swapped == 0
    assert footprint(*args, {"web": bound + 3}, IDLE).swapped > 0


@pytest.mark.parametrize(("platform", "resource", "capacity"), [
    ("docker", "bridge.ports", 1023), ("kvm", "bridge.ports", 1023), ("docker", "subnet.ips", 65533), ("docker", "pids", 4194304), ("bare-metal", "pids", 4194304)])
def test_a_platform_has_its_limits(platform: str, resource: str, capacity: int) -> None:
    found = {limit.resource: limit for limit in limits(*world(platform, web=app()))}
    assert found[resource].capacity == capacity
    assert len(found[resource].source) > 8


@pytest.mark.parametrize("platform", ["bare-metal", "docker-host-network", "docker-macvlan", "podman-rootless", "virtualbox", "esxi", "kvm-sr-iov"])
def test_without_a_bridge_none_of_its_ports_is_taken(platform: str) -> None:
    assert "bridge.ports" not in {limit.resource for limit in limits(*world(platform, web=app()))}


@pytest.mark.parametrize(("platform", "resource", "most"), [
    ("kata-qemu", "pods", 110), ("kata-qemu", "bridge.ports", 1023), ("kvm-sr-iov", "virtual.functions", 128), ("containerd", "pods", 110)])
def test_a_container_with_a_vm_of_its_own_is_a_vm_to_the_host(platform: str, resource: str, most: int) -> None:
    found = {limit.resource: limit for limit in limits(*world(platform, web=app()))}
    assert found[resource].most("web") == most
    assert "subnet.ips" not in found or not platform.startswith("k")


def test_images_take_disk_space_once_for_containers_and_each_time_for_vms() -> None:
    disk = {platform: next(limit for limit in limits(*world(platform, web={"image": "nginx"})) if limit.resource == "disk.space") for platform in ("docker", "kvm")}
    assert disk["docker"].demand({"web": 3}) - disk["docker"].demand({"web": 2}) < disk["kvm"].demand({"web": 3}) - disk["kvm"].demand({"web": 2}) - 150e6


def test_a_ledger_tells_when_bytes_are_lost() -> None:
    assert Ledger(capacity=100, application=60, free=30).balance == -10

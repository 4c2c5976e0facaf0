"""Pulls: what moves, in which order, what is shared, refused, tried again; over a network and hosts that bound nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from helpers.pull_worlds import World, image, on_base

from simvirt.catalog.entries.hardware import CpuFamily
from simvirt.control.pull import fetch_touched
from simvirt.control.transfers import Transfers
from simvirt.images.resolve import content
from simvirt.network.topology import Endpoint, Topology

S = 1e9
FREE: dict[str, Any] = {
    "codecs": {"gzip": {"like": "gzip", "unpack_packed": {"value": "0 cycles", "source": "free in a test"}, "unpack": {"value": "0 cycles", "source": "free in a test"}}},
    "drivers": {"overlay2": {"like": "overlay2", "byte": {"value": "0 cycles", "source": "free in a test"}, "files": {"value": "0 cycles", "source": "free in a test"},
                             "layer": {"value": "0 cycles", "source": "free in a test"}, "flushes": {"value": 0, "source": "free in a test"}}},
    "registries": {"plain": {"title": "plain", "source": "made for a test", "latency": {"value": "0s", "source": "free in a test"}}},
}
"""Unpacking and asking cost nothing; digests still do."""


def number(value: Any) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def seconds(world: World, *wanted: Any, registry: Any = None) -> list[float]:
    """When each of some pulls was done [s]."""
    return [one.done / S for one in world.pulled(registry or world.registry("plain"), *wanted)]


@pytest.mark.parametrize(("puller", "sizes", "expected"), [("docker", [10] * 7, 3), ("containerd", [10] * 7, 3), ("podman", [10] * 7, 2)])
def test_layers_arrive_in_waves_of_as_many_as_move_at_once(puller: str, sizes: list[int], expected: int) -> None:
    """Seven layers of one second each by three at a time take three seconds: moby daemon/internal/distribution/xfer."""
    world = World(puller, FREE, rate=10)
    done, = seconds(world, (0, image("app", *sizes)))
    assert done == pytest.approx(expected, abs=1e-3)
    assert world.wire.most == min(7, 3 if puller != "podman" else 6)


def test_the_daemon_has_its_slots_for_all_pulls_and_containerd_for_each() -> None:
    wanted = [(0, image(f"app-{n}", 10, 10, 10)) for n in range(3)]
    assert seconds(World("docker", FREE, rate=10), *wanted) == pytest.approx([1, 2, 3], abs=1e-3)
    assert seconds(World("containerd", FREE, rate=10), *wanted) == pytest.approx([1, 1, 1], abs=1e-3)


@pytest.mark.parametrize(("puller", "expected"), [("kubelet", [20, 40, 60, 80, 100]), ("kubelet-parallel", [20] * 5)])
def test_the_kubelet_pulls_one_image_after_the_other(puller: str, expected: list[int]) -> None:
    """Five images of 20 s each: kubernetes/enhancements, KEP 3673."""
    wanted = [(0, image(f"app-{n}", 200)) for n in range(5)]
    assert seconds(World(puller, FREE, rate=10), *wanted) == pytest.approx(expected, abs=1e-3)


def test_two_at_a_time_let_the_third_wait() -> None:
    world = World("two", FREE | {"pullers": {"two": {"like": "kubelet", "images": number(2)}}}, rate=10)
    assert seconds(world, *((0, image(name, 100)) for name in "abc")) == pytest.approx([10, 10, 20], abs=1e-3)


def test_an_image_that_is_there_takes_no_time_and_no_bytes() -> None:
    world = World()
    registry, app = world.registry(), image("app", 5_000_000, 3_000_000)
    first, = world.pulled(registry, (0, app))
    again, = world.pulled(registry, (0, app))
    assert (first.moved, first.saved, first.layers) == (app.size, 0, 2)
    assert (again.moved, again.saved, again.done - again.asked) == (0, app.size, 0)
    assert registry.sent == app.size


def test_who_asks_while_a_pull_is_under_way_waits_for_it() -> None:
    world = World()
    registry, app = world.registry(), image("app", 5_000_000)
    records = world.pulled(registry, *[(0, app)] * 4, (1, app))
    assert registry.sent == 2 * app.size
    assert len({record.done for record in records[:4]}) == 1
    assert registry.admitted == 2


def test_a_layer_of_two_images_moves_once_though_both_are_pulled_at_once() -> None:
    world, base = World(), image("base", 50_000_000)
    registry = world.registry()
    one, other = on_base(base, "one", 1_000_000), on_base(base, "other", 2_000_000)
    first, second = world.pulled(registry, (0, one), (0, other))
    assert registry.sent == 53_000_000 == first.moved + second.moved
    assert first.saved + second.saved == 50_000_000
    assert world.pulls.cache(0).has(one)
    assert world.pulls.cache(0).has(other)


def test_bytes_are_conserved() -> None:
    """What registries send is what hosts get, and what they would have pulled apart less what they saved."""
    world, base = World("docker"), image("base", 900_000, 70_000)
    registry, images = world.registry(), [on_base(base, f"app-{n}", 10_000 * (n + 1), 5) for n in range(5)]
    wanted = [(host, one) for host in range(4) for one in images]
    records = world.pulled(registry, *wanted)
    assert registry.sent == sum(world.wire.moved.values()) == sum(record.moved for record in records)
    assert sum(record.moved + record.saved for record in records) == sum(one.size for _, one in wanted)
    assert sum(world.wire.moved.values()) == 4 * (970_000 + sum(10_000 * (n + 1) + 5 for n in range(5)))


def test_a_layer_is_unpacked_after_the_one_below_it() -> None:
    """The base arrives last: the others wait for it, and their unpacking comes after it."""
    slow_base = World(rate=1e6)
    app = image("app", 30_000_000, 1_000_000, 1_000_000)
    record, = slow_base.pulled(slow_base.registry(), (0, app))
    engine = slow_base.engine
    alone = sum(engine.unpack_ns(layer) for layer in app.layers)
    assert record.done - record.arrived >= alone - 1e6
    assert record.phases == {
        "turn": 0, "manifest": 12 * 55_000_000, "download": record.arrived - record.admitted, "unpack": record.done - record.arrived}


def test_a_verified_byte_costs_more_where_the_processor_has_no_instructions_for_it() -> None:
    world = World()
    families = (world.catalog.typed("families", name, CpuFamily) for name in ("skylake-sp", "zen2"))
    plain, extended = (replace(world.engine, family=family).verify_ns(image("app", 10**6).layers[0]) for family in families)
    assert plain > 3 * extended > 0


def test_docker_hub_refuses_the_hundred_and_first_pull_of_an_address() -> None:
    """60 nodes with two images each: 120 manifests, of which 100 are admitted: docker/docs, pulls.md."""
    world = World("docker")
    hub = world.registry("docker-hub")
    records = world.pulled(hub, *((node, image(f"app-{n}", 10)) for node in range(60) for n in range(2)))
    assert (hub.admitted, hub.refused) == (100, 20)
    assert sum(record.failure == "too many requests" for record in records) == 20


def test_fewer_pulls_than_the_limit_are_all_admitted() -> None:
    world = World("docker")
    hub = world.registry("docker-hub")
    world.pulled(hub, *((node, image(f"app-{n}", 10)) for node in range(45) for n in range(2)))
    assert (hub.admitted, hub.refused) == (90, 0)


def test_the_kubelet_asks_again_after_back_offs_that_double_up_to_five_minutes() -> None:
    changes = {"registries": {"tight": {"title": "tight", "source": "made for a test", "latency": number("0s"), "limit": number(1), "window": number("1h")}}}
    world = World("kubelet", changes)
    registry = world.registry("tight")
    first, second = world.pulled(registry, (0, image("a", 10)), (1, image("b", 10)))
    waits = [10, 20, 40, 80, 160] + [300] * 11
    assert first.failure is None
    assert second.failure is None
    assert second.tries == len(waits) + 1
    assert second.admitted / S == pytest.approx(sum(waits), rel=1e-6)
    assert sum(waits) >= 3600 > sum(waits[:-1])


def test_docker_tries_a_layer_five_times_and_then_gives_up() -> None:
    """After 5, 10, 15 and 20 s: moby daemon/internal/distribution/xfer/download.go. The registry breaks between manifest and layer."""
    near = {"near": {"title": "near", "source": "made for a test", "latency": number("10ns")}}
    world = World("docker", FREE | {"registries": near})
    registry = world.registry("near")

    def breaks() -> Any:
        yield world.clock.timeout(125)
        registry.up = False

    world.clock.process(breaks())
    record, = world.pulled(registry, (0, image("app", 10)))
    assert record.failure == "the registry does not answer"
    assert record.done / S == pytest.approx(50, abs=1e-3)
    assert not world.pulls.cache(0).layers


def test_a_mirror_asks_upstream_once_for_what_many_hosts_pull() -> None:
    world = World()
    hub = world.registry("docker-hub")
    mirror = world.registry("local", upstream=hub)
    app = image("app", 4_000_000, 6_000_000)
    world.pulled(mirror, *((host, app) for host in range(20)))
    assert hub.sent == app.size
    assert mirror.sent == 20 * app.size
    assert (hub.admitted, mirror.admitted) == (1, 20)
    assert world.wire.moved["docker-hub", "local"] == app.size


def test_peers_hand_on_what_they_have() -> None:
    world = World()
    registry, app = world.registry("local", peers=True), image("app", 5_000_000)
    world.pulled(registry, (0, app))
    world.pulled(registry, (1, app))
    world.pulled(registry, (2, app), (3, app))
    assert registry.sent == app.size
    assert sum(world.wire.moved.values()) == 4 * app.size
    assert world.wire.moved["node[0]", "node[1]"] == app.size


def test_a_lazy_pull_moves_an_index_and_then_what_is_touched() -> None:
    app = image("app", 100_000_000, touched=12_000_000)
    eager, lazy = World(), World("soci")
    (whole,), (index,) = eager.pulled(eager.registry(), (0, app)), lazy.pulled(lazy.registry(), (0, app))
    assert index.moved == round(0.02 * app.size)
    assert index.done < 0.3 * whole.done
    lazy.clock.run(lazy.clock.process(fetch_touched(lazy.pulls, 0, app, lazy.registry())))
    assert sum(lazy.wire.moved.values()) == index.moved + 6_000_000
    assert index.done < lazy.clock.now < whole.done
    before = eager.clock.now
    eager.clock.run(eager.clock.process(fetch_touched(eager.pulls, 0, app, eager.registry())))
    assert eager.clock.now == before


def test_the_kubelet_clears_the_disk_of_images_that_nobody_uses() -> None:
    world = World("kubelet", capacity=1_000_000_000)
    registry, images = world.registry(), [image(f"app-{n}", 200_000_000) for n in range(4)]
    for one in images:
        world.pulled(registry, (0, one))
    cache = world.pulls.cache(0)
    assert world.pulls.freed >= 400_000_000
    assert cache.has(images[3])
    assert not cache.has(images[0])
    assert cache.size <= 0.8 * 1e9


def test_a_slow_disk_makes_a_pull_longer() -> None:
    app = image("app", 50_000_000)
    fast, slow = World(), World(disk=20e6)
    (quick,), (late,) = fast.pulled(fast.registry(), (0, app)), slow.pulled(slow.registry(), (0, app))
    assert slow.bench.written[0] == fast.bench.written[0] == app.unpacked + app.size
    assert late.done - quick.done > app.unpacked / 20e6 * S


# --- over a network ------------------------------------------------------------------------------------------------------


def over_network(world: World, hosts: int, bandwidth: float) -> Transfers:
    """The world's hosts at one switch, with the registry outside."""
    names = [(f"node[{n}]", 10e9) for n in range(hosts)]
    world.pulls.transfers = transfers = Transfers(world.clock, Topology(names, across_ns=0, outside=[Endpoint("region", bandwidth)]))
    return transfers


def test_a_storm_of_pulls_takes_what_the_registry_needs_to_send() -> None:
    """50 hosts with one image: the registry's link is the limit, and carries each byte once for each host."""
    world, app = World(), image("app", 40_000_000, 10_000_000)
    transfers = over_network(world, 50, 8e9)
    records = world.pulled(world.registry("region"), *((host, app) for host in range(50)))
    assert transfers.carried().sum() == pytest.approx(2 * 50 * app.size)
    last = max(record.arrived for record in records) / S
    assert 50 * app.size / 1e9 <= last <= 50 * app.size / 1e9 + 0.5


def test_peers_take_the_load_from_the_registry() -> None:
    app, found = image("app", 40_000_000), {}
    for peers in (False, True):
        world = World()
        over_network(world, 50, 8e9)
        registry = world.registry("region", peers=peers)
        records = world.pulled(registry, *((host, app) for host in range(50)))
        assert sum(record.moved for record in records) == 50 * app.size
        assert registry.sent == (1 if peers else 50) * app.size
        found[peers] = max(record.arrived for record in records)
    assert found[True] < found[False] / 2


@pytest.mark.slow
@pytest.mark.verification
def test_ten_thousand_pulls_lose_no_byte() -> None:
    world = World()
    transfers = over_network(world, 1000, 100e9)
    registry, images = world.registry("region"), [content(world.catalog, name, name) for name in world.catalog.names("contents")]
    wanted = [(n % 1000, images[(n // 1000 + n) % len(images)]) for n in range(10_000)]
    records = world.pulled(registry, *wanted)
    assert all(record.failure is None for record in records)
    assert registry.sent == sum(record.moved for record in records)
    assert sum(record.moved + record.saved for record in records) == sum(one.size for _, one in wanted)
    assert transfers.carried().sum() == pytest.approx(2 * registry.sent)
    assert all(world.pulls.cache(host).has(one) for host, one in wanted)

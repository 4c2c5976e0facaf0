"""Layers of images, what hosts keep of them, and what a pull moves because of that."""

from __future__ import annotations

import networkx as nx
import pytest
from helpers.pull_worlds import image, on_base

from simvirt.catalog import Catalog
from simvirt.catalog.entries.images import ContentEntry
from simvirt.images.cache import LayerCache
from simvirt.images.layers import layer_graph, shared_bytes
from simvirt.images.plan import plan_of, union_size
from simvirt.images.resolve import content, disk_image, image_of, named_image
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario

CATALOG = Catalog.load()
TOTALS = {
    "nginx": 56_871_283, "redis": 42_386_971, "postgres": 138_774_552, "mysql": 151_990_282, "node": 369_819_247, "python": 355_574_627,
    "golang": 360_583_809, "mongo": 228_577_605, "mariadb": 125_689_962, "rabbitmq": 101_590_451, "httpd": 57_075_364,
    "openjdk": 239_849_732, "wordpress": 217_202_352, "memcached": 32_987_055, "haproxy": 39_622_145, "traefik": 38_710_730,
    "registry": 9_197_454, "ruby": 357_068_288, "rust": 497_868_659, "gcc": 460_857_149, "tomcat": 253_001_442, "elasticsearch": 624_842_229,
}
"""Compressed sizes that docker-library/repo-info states for the whole images, January 2023."""


def every_image() -> list[ContentEntry]:
    """The images whose layers are known."""
    return [CATALOG.typed("contents", name, ContentEntry) for name in CATALOG.names("contents") if name != "generic"]


def test_the_layers_of_an_image_add_up_to_its_stated_size() -> None:
    assert {name: content(CATALOG, name, name).size for name in TOTALS} == TOTALS


def test_a_digest_names_one_layer_whatever_image_has_it() -> None:
    sizes: dict[str, set[int]] = {}
    for entry in every_image():
        for digest, size in entry.layers.items():
            sizes.setdefault(digest, set()).add(size)
    assert all(len(found) == 1 for found in sizes.values())
    assert len(every_image()) >= 30


def test_layers_form_a_graph_without_circles_and_share_their_bases() -> None:
    images = [content(CATALOG, entry.name, entry.name) for entry in every_image()]
    graph = layer_graph(images)
    assert nx.is_directed_acyclic_graph(graph)
    debian = content(CATALOG, "debian-slim", "debian-slim").layers[0].digest
    assert {"nginx", "redis", "postgres", "httpd", "php"} <= set(graph.nodes[debian]["images"])
    assert union_size(images) == sum(image.size for image in images) - shared_bytes(images)


def test_a_plan_moves_the_layers_that_a_host_lacks() -> None:
    base = image("base", 100, 50)
    app, cache = on_base(base, "app", 7), LayerCache()
    assert plan_of(app, cache).size == 157
    for layer in base.layers:
        cache.add(layer)
    plan = plan_of(app, cache)
    assert (plan.size, plan.saved, plan.unpacked) == (7, 150, 14)
    assert [layer.digest for layer in plan.moved] == ["app/0"]


def test_bytes_to_a_host_are_the_union_of_missing_layers() -> None:
    names = ("node", "python", "ruby", "gcc")
    images, cache, moved = [content(CATALOG, name, name) for name in names], LayerCache(), 0
    for one in images:
        plan = plan_of(one, cache)
        moved += plan.size
        for layer in plan.moved:
            cache.add(layer)
    assert moved == union_size(images) < sum(one.size for one in images)
    assert cache.size == sum(layer.unpacked for layer in {layer.digest: layer for one in images for layer in one.layers}.values())


def test_a_host_forgets_what_was_used_the_longest_ago_and_keeps_what_others_need() -> None:
    base, cache = image("base", 100), LayerCache()
    old, young, busy = on_base(base, "old", 10), on_base(base, "young", 20), image("busy", 30)
    for now, one in enumerate((busy, old, young)):
        for layer in one.layers:
            cache.add(layer)
        cache.know(one, now)
    assert cache.size == 2 * (100 + 10 + 20 + 30)
    assert cache.collect(cache.size, 400, high=0.85, low=0.8) == 0  # 320 of 400
    assert cache.collect(cache.size, 370, high=0.85, low=0.8, in_use={"busy"}) == 20 + 240  # old frees too little: young goes as well
    assert cache.has(busy)
    assert not cache.has(young)


def test_a_shared_base_stays_with_the_last_image_that_has_it() -> None:
    base, cache = image("base", 100), LayerCache()
    for now, one in enumerate((on_base(base, "a", 10), on_base(base, "b", 10))):
        for layer in one.layers:
            cache.add(layer)
        cache.know(one, now)
    assert cache.remove("a") == 20
    assert cache.missing(base) == ()
    assert cache.remove("b") == 220


def test_an_image_that_nobody_knows_has_a_base_in_common_with_others_of_its_kind() -> None:
    ours, theirs = (named_image(CATALOG, _scenario(), name) for name in ("example.com/ours:1", "theirs"))
    assert len(ours.layers) == len(theirs.layers) > 1
    assert shared_bytes([ours, theirs]) == ours.layers[0].size
    assert 100e6 < ours.size < 200e6  # the median image that research software builds on has 132 MB


def test_an_image_is_found_by_its_name_whatever_registry_and_tag() -> None:
    scenario = _scenario()
    sizes = {named_image(CATALOG, scenario, name).size for name in ("postgres", "registry.example:5000/library/postgres:15", "bitnami/postgresql:15.1")}
    assert sizes == {TOTALS["postgres"]}


def test_a_service_has_the_image_that_it_names_where_containers_run() -> None:
    scenario = _scenario()
    docker, kvm = (CATALOG.named_platform(name) for name in ("docker", "kvm"))
    found = image_of(CATALOG, scenario, docker, "web")
    assert found is not None
    assert (found.name, found.size) == ("nginx:1.23", TOTALS["nginx"])
    assert image_of(CATALOG, scenario, kvm, "web") is None


@pytest.mark.parametrize("name", CATALOG.names("disk_images"))
def test_a_disk_image_moves_once_and_a_vm_has_its_own(name: str) -> None:
    found = disk_image(CATALOG, name)
    assert found.written(3) == 3 * found.own
    assert found.own == found.actual if found.clone == "full" else found.own < found.actual
    assert found.actual <= found.virtual


def _scenario() -> Scenario:
    return loads("""
simvirt: 1
name: images
host: {cores: 2, memory: 4GiB}
platforms: [docker]
services: {web: {image: "nginx:1.23", background: {threads: 1}}}
""")

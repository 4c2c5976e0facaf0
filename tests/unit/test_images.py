"""Layers of images, what hosts keep of them, and what a pull moves because of that."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import pytest
from helpers.pull_worlds import image, on_base

from simvirt.catalog import Catalog
from simvirt.catalog.entries.images import ContentEntry
from simvirt.images.cache import LayerCache
from simvirt.images.layers import layer_graph, shared_bytes
from simvirt.images.plan import plan_of, union_size
from simvirt.errors import ScenarioError
from simvirt.images.build import Step, build
from simvirt.images.resolve import build_of, content, disk_image, image_of, named_image
from simvirt.runs.admission import catalog_of
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


def _scenario(more: str = "") -> Scenario:
    return loads("""
simvirt: 1
name: images
host: {cores: 2, memory: 4GiB}
platforms: [docker]
services: {web: {image: "nginx:1.23", background: {threads: 1}}}
""" + more)


# --- images of a scenario's own -------------------------------------------------------------------------------------------


STEPS = (Step("system", 40, 100, work_ns=5e9, download=40), Step("libraries", 60, 150, work_ns=20e9, download=60),
         Step("code", 2, 5, work_ns=1e9), Step("settings", 0, 0))


@pytest.mark.parametrize(("changed", "again", "pushed"), [
    (None, [], 0), ("code", ["code", "settings"], 2), ("libraries", ["libraries", "code", "settings"], 62),
    ("system", ["system", "libraries", "code", "settings"], 102), ("settings", ["settings"], 0),
])
def test_a_changed_step_is_built_anew_with_all_after_it(changed: str | None, again: list[str], pushed: int) -> None:
    base = image("base", 1000)
    made = build("app", base.layers, [replace(step, changed=step.name == changed) for step in STEPS])
    assert [step.name for step in made.steps] == again
    assert sum(layer.size for layer in made.pushed) == pushed
    assert made.before.size == made.after.size == 1102
    assert made.after.layers[:1] == base.layers
    assert made.work_ns == sum(step.work_ns for step in STEPS if step.name in again)


def test_the_order_of_steps_says_what_a_change_costs() -> None:
    """Libraries before the code that changes: the reason for the order of every Dockerfile."""
    code, libraries = replace(STEPS[2], changed=True), STEPS[1]
    good, bad = (build("app", (), order) for order in ((libraries, code), (code, libraries)))
    assert sum(layer.size for layer in good.pushed) == 2
    assert sum(layer.size for layer in bad.pushed) == 62
    assert bad.downloaded == 60 > good.downloaded == 0


def test_an_image_of_the_scenario_lies_on_another() -> None:
    own = _scenario("""
images:
  base: {from: "python:3.12", layers: [{size: 20MiB, digest: libraries}]}
  app: {from: base, layers: [{size: 1MiB, unpacked: 4MiB}], touched: 0.5}
""")
    python, base, app = (named_image(CATALOG, own, name) for name in ("python", "base", "app:2"))
    assert base.size == python.size + 20 * 2**20
    assert app.layers[: len(base.layers)] == base.layers
    assert (app.layers[-1].size, app.layers[-1].unpacked) == (2**20, 4 * 2**20)
    assert app.touched == round(app.unpacked / 2)
    assert shared_bytes([python, app]) == python.size


def test_a_build_of_the_scenario_has_the_layers_of_its_steps() -> None:
    own = _scenario("""
images:
  app: {from: "node:18", build: [{name: modules, size: 80MiB, work: 30s, download: 90MiB}, {name: code, size: 3MiB, work: 2s, changed: true}]}
""")
    made = build_of(CATALOG, own, "app")
    assert [step.name for step in made.steps] == ["code"]
    assert sum(layer.size for layer in made.pushed) == 3 * 2**20
    assert (made.work_ns, made.downloaded) == (2e9, 0)


@pytest.mark.parametrize(("text", "message"), [
    ("images: {app: {}}", "expected from, layers or a build"),
    ("images: {app: {layers: [{size: 1MiB}], build: [{name: a, size: 1MiB}]}}", "expected layers, or a build that makes them"),
    ("images: {a: {from: b}, b: {from: a}}", "expected images that end at another; a is from b is from a"),
    ("images: {app: {from: nginx, registry: mine}}", "there is no registry mine"),
    ("images: {app: {build: [{name: a, size: 1MiB}, {name: a}]}}", "a step named a is already there"),
    ("registries: {mine: {host: \"node[0]\"}}", "there is no host node"),
    ("registries: {mine: {limit: 5}}", "expected limit and window together"),
    ("registries: {a: {mirror_of: b}, b: {mirror_of: c}}", "expected a registry that is no mirror itself"),
    ("registries: {mine: {entry: nowhere}}", 'unknown registry "nowhere"'),
    ("registries: {mine: {mirror_of: nowhere}}", 'registries.mine.mirror_of: unknown registry "nowhere"'),
    ("images: {a: {layers: [{size: 1MiB, digest: x}]}, b: {layers: [{size: 2MiB, digest: x}]}}",
     "images.b.layers.0: layers of the digest x differ; expected one size of 1 MiB"),
    ("registries: {mine: {host: host, bandwidth: 1Gbps}}", "sends over its NIC"),
])
def test_a_mistake_in_images_and_registries_is_told(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        Catalog.of(_scenario(text))


@pytest.mark.parametrize(("size", "disk", "said"), [
    ("200GB", "nvme", []), ("400GB", "nvme", ["images.app: takes 1.38 TiB on a host; expected at most the 838 GiB of the disk nvme or another disk"]),
])
def test_an_image_that_no_disk_has_room_for_is_refused(size: str, disk: str, said: list[str]) -> None:
    """Where hosts are to fetch it; its files, and its packed layers beside them."""
    text = f"images: {{app: {{layers: [{{size: {size}}}]}}}}"
    for state, expected in (("{images: none, instances: none}", said), ("{images: present, instances: none}", [])):
        spec = loads(
            f"simvirt: 1\nname: large\nhost: {{cores: 4, memory: 16GiB, disk: {disk}}}\nplatforms: [docker, kvm]\nstate: {state}\n{text}\n"
            "services: {web: {image: app, operations: {get: [{cpu: 1ms}]}}}\nworkload: {open: {rate: 10/s}}\n")
        try:
            catalog_of(spec)
            found = []
        except ScenarioError as error:
            found = [f"{issue.path}: {issue.message}" for issue in error.issues]
        assert found == expected

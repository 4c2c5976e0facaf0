"""Cases of the kind `registry-pull`: what a registry admits, how many layers and images move at once, what unpacking takes.

*Model*: pulls of a case are those of `simvirt.control.pull` in a world of their own, in which hosts compute and write in no time; layers
    that take so long each do not feel each other, those on a link share it. What a runtime does by default is its entry of the
    catalogue.
*Ignores*: measured pulls of images and hosts that a case names without what would be needed to pull them here: they are not known, and
    what is missing is said; tables of such pulls are among those that `simvirt validate` predicts. Others are those of `measured_pulls`.
*Source*: moby daemon/internal/distribution/xfer; containerd internal/cri/config; kubernetes pkg/kubelet/images; docker/docs pulls.md.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import simpy

from simvirt.catalog import Catalog
from simvirt.catalog.entries.images import PullerEntry, RegistryEntry
from simvirt.control.pull import Pulled, Pulls, pull
from simvirt.control.registries import Registry
from simvirt.images.layers import Image, Layer
from simvirt.images.plan import Engine
from simvirt.images.resolve import named_engine
from simvirt.migration.together import ends
from simvirt.validation.rules import measured_pulls
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Answer, NotKnown, Rules

SECOND: Final = 1e9  # ns
HOUR: Final = 3600 * SECOND
MB: Final = 10**6
ALL: Final = 10_000
"""More images at once than a host ever pulls."""
NAMES: Final = "abcdefghijklmnopqrstuvwxyz"
COUNTED: Final = ("GET manifest",)
"""What counts as a pull; layers come with the manifest that was admitted."""
EACH_MANIFEST: Final = "architecture"
"""What has a manifest of its own in an image of several."""


@dataclass
class Alone:
    """Transfers that do not feel each other: each byte takes a nanosecond."""

    clock: simpy.Environment

    def transfer(self, source: str, to: str, size: int, cap: float | None = None, patience: int | None = None) -> simpy.Event:
        """The end of a transfer."""
        return self.clock.timeout(size)

    def reaches(self, source: str, to: str) -> bool:
        """Nothing is cut off here."""
        return True

    def break_off(self, transfer: simpy.Event) -> None:
        """What moves comes to its end."""


class Idle:
    """Hosts that compute and write in no time."""

    def perform(self, host: int, cpu_ns: float, write: int = 0, flushes: int = 0) -> Generator[simpy.Event, Any, None]:
        """Nothing takes time."""
        yield from ()


def _engine(puller: str, **changes: Any) -> Engine:
    """How a host of the catalogue pulls, with other limits."""
    catalog = Catalog.load()
    engine = named_engine(catalog, puller, catalog.host_model())
    return replace(engine, puller=engine.puller.model_copy(update=changes))


def _registry() -> Registry:
    """A registry that answers at once and admits all."""
    entry = Catalog.load().typed("registries", "local", RegistryEntry)
    return Registry("local", "local", entry.model_copy(update={"latency": 0.0, "stream": None}))


def _pulled(engine: Engine, images: list[Image]) -> list[Pulled]:
    """Pulls of images to one host, asked for at once."""
    clock = simpy.Environment()
    pulls = Pulls(clock, Alone(clock), Idle(), lambda _host: engine, "node[{}]".format)
    registry = _registry()
    asked = [clock.process(pull(pulls, 0, image, registry)) for image in images]
    clock.run(clock.all_of(asked))
    return [cast("Pulled", process.value) for process in asked]


def _images(count: int, seconds: float) -> list[Image]:
    """Images of one layer each, that take so long to come."""
    return [Image(NAMES[n], (Layer(NAMES[n], round(seconds * SECOND), 0),), 0) for n in range(count)]


def layers(given: Given) -> Answer:
    """Layers of one image through the downloads of a daemon: each takes its time, or they share a link."""
    engine = _engine("docker", downloads=given["slots"])
    if "layers_MB" in given:
        last = max(ends([size * MB for size in given["layers_MB"]], given["link_MB_s"] * MB, engine.puller.downloads))
        return {"download_s": round(last, 9)}
    given.get("bandwidth_limit")
    each = given["seconds_per_layer_download"]
    image = Image("image", tuple(Layer(str(n), round(each * SECOND), 0) for n in range(given["layers"])), 0)
    (done,) = _pulled(engine, [image])
    took = (done.arrived - done.admitted) / SECOND
    return {"download_waves": round(took / each), "download_s": round(took, 6)}


def images(given: Given) -> Answer:
    """Images that one host pulls, so many at once: when the last is there, in how many waves, and which end together."""
    if given.get("bandwidth_shared", False):
        raise NotKnown("images that share a bandwidth need its size")
    given.get("equal_size")
    most = given["max_parallel"]
    if given.get("serialize", False):
        most = 1
    each = given.get("seconds_each", 1)
    done = _pulled(_engine("kubelet", images=most or ALL), _images(given["images"], each))
    instants = sorted({one.done for one in done})
    return {
        "last_done_s": round(instants[-1] / SECOND, 6), "waves": len(instants),
        "finish_order": [[one.image for one in done if one.done == at] for at in instants],
    }


def admitted(given: Given) -> Answer:
    """Manifests that hosts behind one address ask a registry for, and what it admits."""
    name = {"none": "docker-hub", "free": "docker-hub-account", "personal": "docker-hub-account"}.get(given["authentication"])
    if name is None or given.get("retries", False):
        raise NotKnown("pulls of this account, or with retries, are not told by counts")
    registry = Registry("hub", "hub", Catalog.load().typed("registries", name, RegistryEntry))
    asked, span = given["nodes_behind_one_ip"] * given["image_pulls_per_node"], given["within_h"] * HOUR
    found = [registry.admits(int(n * span / asked)) for n in range(asked)]
    return {"manifest_gets": asked, "admitted": sum(found), "rejected_429": asked - sum(found)}


def counted(given: Given) -> Answer:
    """Which requests count as pulls."""
    asked = given["requests"]
    found = [one for one in asked if one in COUNTED]
    return {
        "counted": found, "not_counted": [one for one in asked if one not in found and "layer" not in one],
        "multi_arch": f"one pull per {EACH_MANIFEST}",
    }


def defaults(given: Given) -> Answer:
    """What a runtime does unless it is told otherwise."""
    told = {"dockerd defaults": _dockerd, "containerd CRI": _containerd}
    kind = given["kind"]
    if kind not in told:
        raise NotKnown(f"no entry of the catalogue has {kind}")
    return told[kind]()


def _entry(name: str) -> PullerEntry:
    """A puller of the catalogue."""
    return Catalog.load().typed("pullers", name, PullerEntry)


def _dockerd() -> Answer:
    entry = _entry("docker")
    return {
        "max_concurrent_downloads": entry.downloads, "max_concurrent_uploads": entry.uploads, "max_download_attempts": entry.attempts,
        "retry_delay_s": f"{entry.retry / SECOND:g} x attempt",
    }


def _containerd() -> Answer:
    entry = _entry("containerd")
    return {"max_concurrent_downloads": entry.downloads, "scope": "per image pull" if entry.scope == "image" else "per daemon"}


def _which(given: Given) -> str:
    """What a case is about, by the inputs that only such a case has."""
    about = {
        "slots": "layers", "max_parallel": "images", "nodes_behind_one_ip": "admitted", "requests": "counted", "kind": "defaults",
        "durations_s": "repeated", "registry_MB_s": "lazily",
    }
    found = [name for key, name in about.items() if given.has(key)]
    if not found:
        raise NotKnown(f"a measured pull; not given: {', '.join(given.lacking(NEEDED))}")
    return found[0]


NEEDED: Final = {
    ("gzip_MB", "compressed_MB", "layers_MB"): "the bytes that move",
    ("unpacked_MB", "unpacked_GB", "layer_unpacked_GB"): "the bytes of its files",
    ("layers", "layers_MB"): "its layers",
    ("cpu", "cores", "clock_GHz"): "the processor that unpacks",
    ("registry", "registry_MB_s", "link_MB_s"): "registry and link",
}
"""What a pull cannot be told without, by the keys that say it."""


RULES: Final = Rules(
    "registry-pull",
    {"layers": layers, "images": images, "admitted": admitted, "counted": counted, "defaults": defaults, **measured_pulls.FUNCTIONS},
    by=_which, factor=1.5,
)

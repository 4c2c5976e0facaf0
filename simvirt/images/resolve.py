"""The images of a scenario: the catalogue's, and those that the scenario makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.entries.images import CodecEntry, ContentEntry, DiskImageEntry, DriverEntry, PullerEntry
from simvirt.catalog.images import GENERIC, short_name
from simvirt.catalog.records import HostEntry, Platform
from simvirt.images.build import Build, Step, build
from simvirt.images.layers import DiskImage, Image, Layer
from simvirt.images.plan import Engine
from simvirt.scenario.spec.images import ImageLayerSpec
from simvirt.scenario.spec.models import Scenario, ServiceSpec

PULLERS: Final = {"docker": "docker", "podman": "podman"}
"""Runtime -> the entry that says how it pulls; containerd's for all others."""


def image_of(catalog: Catalog, scenario: Scenario, platform: Platform, service: str, spec: ServiceSpec | None = None) -> Image | None:
    """The image that a service of a scenario is started from on a platform; None where the platform runs no containers.

    A service without an image has one of median size, of its own; `spec` is what is said of another version of it.
    """
    return service_image(catalog, scenario, service, spec) if platform.runtimes else None


def service_image(catalog: Catalog, scenario: Scenario, service: str, spec: ServiceSpec | None = None) -> Image:
    """The image that has the software of a service, whether it is started from it or not."""
    reference = (spec or scenario.services[service]).image
    return _generic(catalog, service) if reference is None else named_image(catalog, scenario, reference)


def named_image(catalog: Catalog, scenario: Scenario, reference: str) -> Image:
    """The image of a reference such as `nginx:1.27`: the scenario's, the catalogue's, or one of median size under its own name."""
    if short_name(reference) in scenario.images:
        return build_of(catalog, scenario, short_name(reference)).after
    name = content_name(catalog, reference)
    return _generic(catalog, reference) if name is None else content(catalog, name, reference)


def build_of(catalog: Catalog, scenario: Scenario, name: str) -> Build:
    """The build of an image of the scenario; one of layers that are there is a build in which nothing changes."""
    spec, typical = scenario.images[name], catalog.typed("contents", GENERIC, ContentEntry)
    ratio, file_size = float(typical.unpacked or 1), float(typical.file_size or 0)
    below = () if spec.from_ is None else named_image(catalog, scenario, spec.from_).layers
    if spec.build:
        steps = [Step(one.name, *_weights(one.size, None, ratio, file_size), one.work, one.download, one.changed) for one in spec.build]
        made = build(name, below, steps)
    else:
        own = [
            _stated(one, one.digest or f"{name}/{number}", _weights(one.size, one.unpacked, ratio, file_size))
            for number, one in enumerate(spec.layers)
        ]
        image = Image(name, (*below, *own))
        made = Build(image, image, ())
    share = float(typical.touched or 0) if spec.touched is None else spec.touched
    return replace(made, after=replace(made.after, touched=round(share * made.after.unpacked)))


def _stated(spec: ImageLayerSpec, digest: str, weights: tuple[int, int, int]) -> Layer:
    """A layer as a scenario states it."""
    size, unpacked, files = weights
    return Layer(digest, size, unpacked, files if spec.files is None else spec.files)


def _weights(size: int, unpacked: int | None, ratio: float, file_size: float) -> tuple[int, int, int]:
    """Bytes of a layer packed and unpacked, and its files."""
    bytes_out = round(size * ratio) if unpacked is None else unpacked
    return size, bytes_out, -(-bytes_out // max(round(file_size), 1)) if file_size else 0


def content_name(catalog: Catalog, reference: str) -> str | None:
    """The entry that says what an image consists of; None where none does."""
    short, raw = short_name(reference), catalog.raw("contents")
    if short in raw:
        return short
    return next((name for name, fields in raw.items() if short in fields.get("aliases", ())), None)


def content(catalog: Catalog, entry: str, name: str) -> Image:
    """An image of the catalogue, under a name."""
    generic = catalog.typed("contents", GENERIC, ContentEntry)
    found = catalog.typed("contents", entry, ContentEntry)
    ratio, file_size, touched = (
        float(getattr(found, field) or getattr(generic, field) or 0) for field in ("unpacked", "file_size", "touched")
    )
    layers = tuple(Layer(digest, *_weights(size, None, ratio, file_size)) for digest, size in found.layers.items())
    return Image(name, layers, round(touched * sum(layer.unpacked for layer in layers)))


def _generic(catalog: Catalog, name: str) -> Image:
    """An image of which nothing is known: its base is that of all such images, what lies on it is its own."""
    found = content(catalog, GENERIC, name)
    base, *own = found.layers
    return Image(name, (base, *(Layer(f"{name}/{layer.digest}", layer.size, layer.unpacked, layer.files) for layer in own)), found.touched)


def engine(catalog: Catalog, platform: Platform, host: HostEntry) -> Engine:
    """How a platform pulls images on a host."""
    own = next((PULLERS[layer.name] for layer in platform.runtimes if layer.name in PULLERS), "containerd")
    return named_engine(catalog, platform.puller or own, host)


def named_engine(catalog: Catalog, name: str, host: HostEntry) -> Engine:
    """How a puller of the catalogue pulls on a host."""
    puller = catalog.typed("pullers", name, PullerEntry)
    codec, driver = catalog.typed("codecs", puller.codec, CodecEntry), catalog.typed("drivers", puller.driver, DriverEntry)
    return Engine.on(host, puller, codec, driver)


def disk_image_of(catalog: Catalog, platform: Platform) -> DiskImage | None:
    """What the VMs of a platform are made from; None where there are none, or nothing is known of it."""
    guest = platform.hypervisors[-1].guest if platform.hypervisors else None
    name = platform.disk_image or (guest and guest.disk_image)
    return disk_image(catalog, name) if name else None


def disk_image(catalog: Catalog, name: str) -> DiskImage:
    """A guest's disk image of the catalogue."""
    found = catalog.typed("disk_images", name, DiskImageEntry)
    own = found.actual if found.clone == "full" else (found.overlay or 0)
    return DiskImage(name, found.format, found.virtual, found.actual, found.clone, own, found.shared)

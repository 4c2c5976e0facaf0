"""Where images come from, and the images that a scenario makes itself: registries, layers on other images, builds."""

from __future__ import annotations

from typing import Annotated, Any, Mapping

from pydantic import ConfigDict, Field, model_validator

from simvirt.scenario.fields import Bytes, Nanoseconds, PositiveBytes, PositiveNanoseconds, Ratio, Whole, Word, WorkNanoseconds
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.host import Reference
from simvirt.scenario.spec.network import Bandwidth

MOST_LAYERS = 127
"""Layers that an overlay file system of Linux stacks up (moby daemon/graphdriver/overlay2: 128 with the container's own)."""


class RegistrySpec(Spec):
    """A registry: one of the catalogue with changes, outside or on a host; a mirror of another. Times in ns, bandwidth in bit/s."""

    example = "{entry: local, host: \"node[0]\", mirror_of: docker-hub}"
    entry: Reference | None = Field(
        default=None, description="registry of the catalogue; by default that of its name, else `local` on a host and `region` elsewhere",
        examples=["ghcr"])
    host: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="host that it runs on, by default it is outside", examples=["\"node[0]\""])
    bandwidth: Bandwidth | None = Field(
        default=None, description="what it can send in all, by default as much as is asked for; on a host that of its NIC",
        examples=["200Mbps"])
    latency: Nanoseconds | None = Field(
        default=None, description="time of a request there and back; as the catalogue's by default", examples=["30ms"])
    limit: Annotated[int, Whole(1, 10**9, 100)] | None = Field(
        default=None, description="pulls that it admits in a window of time, of all hosts together; as the catalogue's by default",
        examples=["100"])
    window: PositiveNanoseconds | None = Field(default=None, description="the window", examples=["6h"])
    mirror_of: Word | None = Field(
        default=None, description="registry that it mirrors: it keeps what passes, and is asked in its place", examples=["docker-hub"])
    peers: bool = Field(default=False, strict=True, description="whether hosts hand on to each other what they have", examples=["true"])

    @model_validator(mode="after")
    def _consistent(self) -> RegistrySpec:
        if self.host is not None and self.bandwidth is not None:
            refuse("a registry on a host sends over its NIC; expected bandwidth, or host", "bandwidth")
        if (self.limit is None) != (self.window is None):
            refuse("expected limit and window together, for example limit: 100, window: 6h", "limit" if self.window is None else "window")
        return self


class ImageLayerSpec(Spec):
    """A layer of an image of one's own."""

    example = "{size: 20MiB}"
    size: PositiveBytes = Field(description="bytes that move", examples=["20MiB"])
    unpacked: PositiveBytes | None = Field(
        default=None, description="bytes of its files; by default those of the size at the catalogue's usual ratio", examples=["56MiB"])
    files: Annotated[int, Whole(0, 10**9, 4000)] | None = Field(
        default=None, description="files in it; by default as many as have the catalogue's usual size", examples=["4000"])
    digest: Word | None = Field(
        default=None, description="name of the layer; images with a layer of the same name share it", examples=["our-libraries"])


class BuildStepSpec(Spec):
    """A step of a build, which makes a layer. Times in ns."""

    example = "{name: dependencies, size: 60MiB, work: 20s}"
    name: Word = Field(description="name of the step", examples=["dependencies"])
    size: Bytes = Field(default=0, description="bytes of its layer, packed; 0 where it makes none", examples=["60MiB"])
    work: WorkNanoseconds = Field(default=0.0, description="CPU work of the step", examples=["20s"])
    download: Bytes = Field(default=0, description="bytes that it fetches from outside", examples=["80MiB"])
    changed: bool = Field(
        default=False, strict=True, description="whether the step, or what it reads, has changed since the last build", examples=["true"])


class OwnImageSpec(Spec):
    """An image of one's own: layers, or the layers that a build makes, on another image."""

    example = "{from: python, layers: [{size: 20MiB}]}"
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    from_: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(
        default=None, alias="from", description="image that it lies on: of the catalogue or of this scenario; none by default",
        examples=["python:3.12"])
    layers: tuple[ImageLayerSpec, ...] = Field(
        default=(), max_length=MOST_LAYERS, description="its own layers, from the base to the top",
        examples=[f"[{ImageLayerSpec.example}]"])
    build: tuple[BuildStepSpec, ...] = Field(
        default=(), max_length=MOST_LAYERS, description="steps that build it, in their order; each makes a layer",
        examples=[f"[{BuildStepSpec.example}]"])
    touched: Ratio | None = Field(
        default=None, description="ratio of its unpacked bytes that are read until the application works; as the catalogue's by default",
        examples=["0.1"])
    registry: Word | None = Field(
        default=None, description="registry that it comes from; the first one of the scenario by default", examples=["local"])

    @model_validator(mode="after")
    def _something(self) -> OwnImageSpec:
        if not self.layers and not any(step.size for step in self.build) and self.from_ is None:
            refuse(f"expected from, layers or a build that makes one, for example {self.example}")
        if self.layers and self.build:
            refuse("expected layers, or a build that makes them", "build")
        names = [step.name for step in self.build]
        for index, name in enumerate(names):
            if name in names[:index]:
                refuse(f"a step named {name} is already there; expected names that differ", "build", index, "name")
        return self


def bases_close(images: Mapping[str, OwnImageSpec]) -> list[str] | None:
    """The images of a circle in which each lies on the next; None where there is none."""
    for name in images:
        seen: list[str] = []
        at: Any = name
        while at in images and at not in seen:
            seen.append(at)
            at = images[at].from_
        if at in seen:
            return [*seen[seen.index(at):], at]
    return None


def unlike_layers(images: Mapping[str, OwnImageSpec]) -> tuple[str, int, ImageLayerSpec] | None:
    """Where a layer of a digest is not the one that another image has by it: image and place, and the other layer; None where all agree."""
    named: dict[str, ImageLayerSpec] = {}
    for name, image in images.items():
        for place, layer in enumerate(image.layers):
            if layer.digest is not None and named.setdefault(layer.digest, layer) != layer:
                return name, place, named[layer.digest]
    return None

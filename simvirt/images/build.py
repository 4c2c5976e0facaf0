"""Builds of images with a cache of layers: what a changed step builds anew, and what of it is pushed.

*Model*: a step is taken from the cache while neither it nor any step before it has changed; from the first change on all are carried out
    again, and their layers are other ones. A registry gets the layers that it lacks.
*Ignores*: stages side by side, mounts of caches between builds, steps that come out the same byte by byte.
*Source*: Docker documentation, Build cache invalidation; moby/buildkit solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simvirt.images.layers import Image, Layer


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a build: the bytes and unpacked bytes of its layer, its CPU work [ns], bytes fetched from outside; whether it changed."""

    name: str
    size: int
    unpacked: int
    files: int = 0
    work_ns: float = 0.0
    download: int = 0
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Build:
    """A build: the image before and after it, the steps that are carried out, and the layers that are pushed."""

    before: Image
    after: Image
    steps: tuple[Step, ...]

    @property
    def pushed(self) -> tuple[Layer, ...]:
        """The layers that the registry lacks, which has what was there before."""
        known = {layer.digest for layer in self.before.layers}
        return tuple(layer for layer in self.after.layers if layer.digest not in known)

    @property
    def work_ns(self) -> float:
        """CPU work of all steps that are carried out."""
        return sum(step.work_ns for step in self.steps)

    @property
    def downloaded(self) -> int:
        """Bytes that they fetch from outside."""
        return sum(step.download for step in self.steps)


def rebuilt(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that a build carries out: from the first change on."""
    first = next((index for index, step in enumerate(steps) if step.changed), len(steps))
    return tuple(steps[first:])


def build(name: str, base: Sequence[Layer], steps: Sequence[Step], touched: int = 0) -> Build:
    """A build on the layers of another image, after one in which nothing had changed."""
    again = rebuilt(steps)
    old = [_layer(name, step, "") for step in steps]
    new = [_layer(name, step, "'" if step in again else "") for step in steps]
    before, after = (Image(name, (*base, *(layer for layer in layers if layer.size)), touched) for layers in (old, new))
    return Build(before, after, again)


def _layer(name: str, step: Step, mark: str) -> Layer:
    """The layer of a step; marked where it was built anew."""
    return Layer(f"{name}/{step.name}{mark}", step.size, step.unpacked, step.files)

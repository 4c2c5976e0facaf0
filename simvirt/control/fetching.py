"""What has to be on a host before an instance can start there: the disk image of its VM, the image of its container.

*Model*: a disk image moves to a host once, as the bytes that it has, with what is installed in it for the service; a VM's own copy, or its
    file over the shared one, is written before the VM starts. A container's image is pulled by the kernel that runs its runtime, in a VM
    after it has booted. An image that the scenario builds is built on the first host, and pushed, before anybody pulls it; what is lost
    with that host is built anew once it is back. What a build or a disk image moves is asked for until it comes.
*Ignores*: that a registry of images and a store of disk images are different services; that full copies come from the disk again.
*Source*: OpenStack and vSphere documentation of image caches and clones; containerd, moby and the kubelet as `simvirt.control.pull`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import simpy

from simvirt.control.cluster import CLONED, Cluster
from simvirt.control.orchestrators.interface import NO_IMAGE
from simvirt.control.pull import Places, Pulled, Pulls, fetch_touched, pull
from simvirt.control.pulling import has_image, is_new, pulls_of, registries_of, registry_for
from simvirt.control.records import Life, Span
from simvirt.control.registries import Process, Registry
from simvirt.control.transfers import Transfers
from simvirt.images.build import Build
from simvirt.images.layers import DiskImage, Image, Layer
from simvirt.images.resolve import build_of, disk_image_of, image_of, service_image
from simvirt.scenario.spec.models import ServiceSpec

Fetched = Generator[simpy.Event, Any, bool]
LAYER: Final = "image"
"""What the phases of fetching belong to, in records of starts."""
BUILD: Final = "build"
"""The same of the steps of a build."""


@dataclass
class Fetching:
    """How a cluster gets its images; all pulls and registries of it. Kernels are named by their rows.

    `there`: whether hosts have all images, but for what is built anew: of these they have the last build.
    """

    cluster: Cluster
    transfers: Transfers
    there: bool = False
    pulls: Pulls = field(init=False)
    registries: dict[str, Registry] = field(init=False)
    pushed: int = 0
    _builds: dict[str, simpy.Process] = field(default_factory=dict)
    _disks: dict[tuple[int, str], simpy.Process] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pulls = pulls_of(self.cluster, self.transfers)
        self.pulls.told = self._tell
        self.registries = registries_of(self.cluster.catalog, self.cluster.scenario)

    @property
    def moved(self) -> int:
        """Bytes that came from registries to hosts, without those that mirrors fetched."""
        return sum(registry.sent - registry.fetched for registry in self.registries.values())

    @property
    def saved(self) -> int:
        """Bytes of layers that did not have to come, because another image or instance had brought them."""
        return sum(one.saved for one in self.pulls.records)

    def lose(self, machines: set[int], host: str | None) -> None:
        """Kernels are gone: what they were fetching is lost, and with the whole host of a name its disk images that have not come."""
        self.pulls.lose(machines)
        if host is None:
            return
        rows = {self.cluster.plane.lowered.arrangement.machines[machine].host for machine in machines}
        self._disks = {key: moving for key, moving in self._disks.items() if key[0] not in rows or moving.processed}
        if 0 in rows:
            self._builds = {name: build for name, build in self._builds.items() if build.processed}

    def forget(self, machines: set[int]) -> None:
        """What some kernels have is gone with the disks beneath them."""
        hosts = {self.cluster.plane.lowered.arrangement.machines[machine].host for machine in machines}
        self.pulls.forget(machines)
        for registry in self.registries.values():
            registry.forget({self.pulls.node(machine) for machine in machines})
        self._disks = {key: moving for key, moving in self._disks.items() if key[0] not in hosts}

    def answers(self, registry: str, does: bool) -> None:
        """Takes in whether a registry answers."""
        if does:
            self.registries[registry].up = True
        else:
            self.registries[registry].silence(self.transfers)

    def _tell(self, machine: int, image: str, why: str) -> None:
        """A pull has failed."""
        self.cluster.story.tell("pull fails", image, self.pulls.node(machine), why)

    # --- containers ----------------------------------------------------------------------------------------------------

    def image(self, life: Life) -> Fetched:
        """Have the image of an instance on the kernel that it starts on; whether it is there in the end."""
        scenario, platform = self.cluster.scenario, self.cluster.plane.lowered.platform
        image = image_of(self.cluster.catalog, scenario, platform, life.service, self._spec(life))
        if image is None or (self.there and not is_new(scenario, image.name) and not self._is_later(life)):
            return True
        if self._is_later(life):
            image = as_released(image)
        if self.there:
            self._has_the_one_before(life, image)
        if image.name in scenario.images and scenario.images[image.name].build:
            yield from self._built(life, image)
        registry = registry_for(self.registries, scenario, image)
        done = yield from pull(self.pulls, self.cluster.instance(life.instance).machine, image, registry)
        life.spans += spans_of(done)
        if done.failure is not None:
            life.failure = f"{NO_IMAGE}: {done.failure}"
            return False
        since = int(self.cluster.clock.now)
        yield from fetch_touched(self.pulls, self.cluster.instance(life.instance).machine, image, registry)
        if self.cluster.clock.now > since:
            life.spans.append(Span("touched", LAYER, since, since, int(self.cluster.clock.now)))
        return True

    def _spec(self, life: Life) -> ServiceSpec:
        return self.cluster.spec_of(life.instance)

    def _is_later(self, life: Life) -> bool:
        """Whether an instance is of a version whose image hosts have not had from the beginning."""
        return self._spec(life).image != self.cluster.scenario.services[life.service].image

    def _has_the_one_before(self, life: Life, image: Image) -> None:
        """A host that had all images has that of the version, or of the build, before."""
        catalog, scenario = self.cluster.catalog, self.cluster.scenario
        built = is_new(scenario, image.name)
        before = build_of(catalog, scenario, image.name).before if built else service_image(catalog, scenario, life.service)
        has_image(self.pulls, self.cluster.instance(life.instance).machine, before)

    def _built(self, life: Life, image: Image) -> Process:
        """The build of an image, which is done once; its steps are phases of the starts that wait for it."""
        steps: list[Span] | None = None
        while steps is None:
            if self.cluster.is_down(0):
                yield self.cluster.contact.boot(0)
            if image.name not in self._builds:
                made = build_of(self.cluster.catalog, self.cluster.scenario, image.name)
                self._builds[image.name] = self.pulls.begin(self._kernel(0), self._build(made))
            steps = yield self._builds[image.name]
            if steps is None:
                self._builds.pop(image.name, None)
        life.spans += [step for step in steps if step.due >= life.asked]

    def _build(self, made: Build) -> Generator[simpy.Event, Any, list[Span]]:
        """Carry out the steps of a build, one after the other, and push what the registry lacks; what that took."""
        registry, found, clock = registry_for(self.registries, self.cluster.scenario, made.after), list[Span](), self.cluster.clock
        machine, since = self.cluster.plane.lowered.arrangement.hosts[0].machine, int(clock.now)
        for step in made.steps:
            yield from self._until_there(machine, partial(
                self.transfers.transfer, registry.node, self.pulls.node(machine), step.download, registry.entry.stream))
            yield from self.pulls.work.perform(machine, step.work_ns, step.unpacked)
            found.append(Span(step.name, BUILD, since, since, since := int(clock.now)))
        slots = self.pulls.slots(machine, "uploads", self.pulls.engine(machine).puller.uploads)
        yield clock.all_of([self.pulls.begin(machine, self._push(machine, one, registry, slots)) for one in made.pushed])
        return [*found, Span("push", BUILD, since, since, int(clock.now))]

    def _push(self, machine: int, layer: Layer, registry: Registry, slots: Places) -> Process:
        """Pack a layer and send it to the registry."""
        by = self.pulls.engine(machine)
        yield from slots.take(self.cluster.clock)
        yield from self.pulls.work.perform(machine, by.pack_ns(layer))
        yield self.cluster.clock.timeout(round(by.puller.layer_requests * registry.entry.latency))
        yield from self._until_there(machine, partial(
            self.transfers.transfer, self.pulls.node(machine), registry.node, by.packed(layer), registry.entry.stream))
        self.pushed += by.packed(layer)
        slots.give()

    def _until_there(self, machine: int, begin: Callable[[int], simpy.Event]) -> Process:
        """Let something move, again and again until it comes; attempts wait as those of the runtime's pulls."""
        puller, attempt = self.pulls.engine(machine).puller, 1
        while (yield begin(round(puller.silence))) is False:
            yield self.cluster.clock.timeout(round(attempt * puller.retry))
            attempt = min(attempt + 1, puller.attempts)

    # --- VMs -----------------------------------------------------------------------------------------------------------

    def disk(self, life: Life) -> Process:
        """Have the disk of the VM that an instance starts in, unless the VM is there."""
        platform, instance = self.cluster.plane.lowered.platform, self.cluster.instance(life.instance)
        image = disk_image_of(self.cluster.catalog, platform)
        if (self.there and not self._is_later(life)) or image is None or ("vm", instance.machine) in self.cluster.there:
            return
        if not platform.runtimes:
            image = with_software(image, service_image(self.cluster.catalog, self.cluster.scenario, life.service, self._spec(life)))
        yield from self._spent(life, "disk image", self._disk(life.host, image))
        cloned = self.cluster.once(("vm", instance.machine), CLONED, lambda: self._clone(life.host, image))
        yield from self._spent(life, "clone", cloned)

    def _disk(self, host: int, image: DiskImage) -> simpy.Process:
        """The end of the move of a disk image to a host, which is done once."""
        if (host, image.name) not in self._disks:
            self._disks[host, image.name] = self.pulls.begin(self._kernel(host), self._move(host, image))
        return self._disks[host, image.name]

    def _move(self, host: int, image: DiskImage) -> Process:
        """Bring a disk image to a host, unless it lies where all hosts reach it."""
        if image.shared:
            return
        machine, registry = self._kernel(host), next(iter(self.registries.values()))
        yield self.cluster.clock.timeout(round(registry.entry.latency))
        moving = self.pulls.begin(machine, self._until_there(machine, lambda patience: self.cluster.clock.process(
            registry.send(self.cluster.clock, self.transfers, image.layer.digest, image.actual, self.pulls.node(machine), patience))))
        yield self.cluster.clock.all_of([moving, self.cluster.clock.process(self.pulls.work.perform(machine, 0.0, image.actual))])

    def _clone(self, host: int, image: DiskImage) -> Process:
        """Write what a VM has of its own."""
        yield from self.pulls.work.perform(self._kernel(host), 0.0, image.own, 1)

    def _kernel(self, host: int) -> int:
        return self.cluster.plane.lowered.arrangement.hosts[host].machine

    def _spent(self, life: Life, phase: str, end: simpy.Event) -> Process:
        """Wait for an event; the wait is a phase of the start."""
        due = int(self.cluster.clock.now)
        yield end
        if self.cluster.clock.now > due:
            life.spans.append(Span(phase, LAYER, due, due, int(self.cluster.clock.now)))


def as_released(image: Image) -> Image:
    """A later release of an image of the catalogue: the layers above its base are other ones, of the same sizes."""
    base, *above = image.layers
    return replace(image, layers=(base, *(replace(layer, digest=f"{layer.digest} of {image.name}") for layer in above)))


def with_software(disk: DiskImage, image: Image) -> DiskImage:
    """A disk image in which the software of a service is installed: what an image has of it above its base."""
    added = sum(layer.unpacked for layer in image.layers[1:])
    own = disk.own + added if disk.clone == "full" else disk.own
    return replace(disk, name=f"{disk.name} with {image.name}", actual=disk.actual + added, own=own)


def spans_of(done: Pulled) -> list[Span]:
    """The phases of a pull, as far as the one who asked waited for them."""
    edges = (done.asked, done.began, done.admitted, done.arrived, done.done)
    names = ("turn", "manifest", "download", "unpack")
    spans = [(name, max(since, done.asked), max(until, done.asked)) for name, since, until in zip(names, edges, edges[1:], strict=False)]
    return [Span(name, LAYER, since, since, until) for name, since, until in spans if until > since]

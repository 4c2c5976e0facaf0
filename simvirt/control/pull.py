"""Pulls of images: from the request for a manifest to the last file, as work and waits on the host and bytes on the network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import simpy

from simvirt.control.registries import DOWN, Process, Registry, Transfers
from simvirt.images.cache import LayerCache
from simvirt.images.layers import Image, Layer
from simvirt.images.plan import Engine, PullPlan, plan_of
from simvirt.units import format_time

PIECE: Final = 64 * 2**20
"""Bytes of a layer that are inflated before they are written [bytes]: a runtime streams; finer pieces change no second."""
LOST: Final = "the connection was lost"
GONE: Final = "its kernel is gone"
MOST_DOUBLED: Final = 60
"""Back-offs after which they do not grow any more: all have a bound that is far below."""


class Work(Protocol):
    """Work that is performed on a host's own kernel, where it competes with all else there."""

    def perform(self, host: int, cpu_ns: float, write: int = 0, flushes: int = 0) -> Process:
        """CPU work [ns], then bytes for the page cache, then small writes that the drive has flushed."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A pull as it went: instants [ns] at which it was asked for, began, knew its layers, had them, and was done; bytes; why it failed.

    `moved` are the bytes that came, `packed` the sizes of the layers that they are of, `saved` those of the layers that need not come.
    """

    image: str
    host: int
    asked: int
    began: int = 0
    admitted: int = 0
    arrived: int = 0
    done: int = 0
    moved: int = 0
    packed: int = 0
    saved: int = 0
    layers: int = 0
    tries: int = 1
    failure: str | None = None

    @property
    def phases(self) -> dict[str, int]:
        """What it was made of [ns]: turn of other pulls, manifests, downloads, and what unpacking took beyond them."""
        return {
            "turn": self.began - self.asked, "manifest": self.admitted - self.began, "download": self.arrived - self.admitted,
            "unpack": self.done - self.arrived,
        }


@dataclass
class Places:
    """So many places: who comes waits only where none is free, in line."""

    free: int
    line: deque[simpy.Event] = field(default_factory=deque)

    def take(self, clock: simpy.Environment) -> Process:
        """Have a place."""
        if self.free > 0:
            self.free -= 1
            return
        turn = clock.event()
        self.line.append(turn)
        yield turn

    def give(self) -> None:
        """Give a place back, to the next in line."""
        if self.line:
            self.line.popleft().succeed()
        else:
            self.free += 1


@dataclass
class Pulls:
    """The pulls of a cluster: hosts by their rows, what each has of images, how it pulls, and the registries.

    *Model*: a host pulls one image once, whoever asks meanwhile, and a layer of two images once. A pull waits for its turn, asks the
        registry, then moves the layers that the host lacks, a few at once; each is verified as it arrives, and unpacked after the one
        below it, while others still arrive. What does not come, and what is refused, is asked for again as the runtime does: a layer some
        times, an image after a back-off, where the runtime has one. All that a kernel pulls ends with it.
    *Ignores*: layers that are cut into ranges; that a failed download goes on where it stopped.
    *Source*: containerd core/unpack, core/remotes/docker; moby daemon/internal/distribution/xfer; kubernetes pkg/kubelet/images.
    """

    clock: simpy.Environment
    transfers: Transfers
    work: Work
    engine: Callable[[int], Engine]
    node: Callable[[int], str]
    capacity: Callable[[int], int] = lambda _host: 0
    in_use: Callable[[int], set[str]] = lambda _host: set()
    told: Callable[[int, str, str], None] = lambda _host, _image, _why: None
    records: list[Pulled] = field(default_factory=list)
    freed: int = 0
    _caches: dict[int, LayerCache] = field(default_factory=dict)
    _images: dict[tuple[int, str], simpy.Process] = field(default_factory=dict)
    _layers: dict[tuple[int, str], simpy.Event | None] = field(default_factory=dict)  # under way; the end, where somebody waits for it
    _slots: dict[tuple[int, str], Places] = field(default_factory=dict)
    _at_work: dict[int, dict[simpy.Process, None]] = field(default_factory=dict)

    def cache(self, host: int) -> LayerCache:
        """What a host has."""
        return self._caches.setdefault(host, LayerCache())

    def slots(self, host: int, name: str, count: int) -> Places:
        """So many places of a host's daemon."""
        if (host, name) not in self._slots:
            self._slots[host, name] = Places(count)
        return self._slots[host, name]

    def end_of(self, host: int, digest: str) -> simpy.Event:
        """The end of what is under way with a layer."""
        found = self._layers[host, digest]
        if found is None:
            found = self._layers[host, digest] = self.clock.event()
        return found

    def lose(self, hosts: set[int]) -> None:
        """Hosts are gone: what they were pulling is lost but for the layers that are there whole; who asks again begins anew."""
        for process in [one for host in sorted(hosts) for one in self._at_work.pop(host, ()) if one.is_alive]:
            process.interrupt()
        self._images = {key: one for key, one in self._images.items() if key[0] not in hosts}
        self._layers = {key: one for key, one in self._layers.items() if key[0] not in hosts}
        self._slots = {key: one for key, one in self._slots.items() if key[0] not in hosts}

    def begin(self, host: int, work: Generator[simpy.Event, Any, Any]) -> simpy.Process:
        """Let something go on on a host, until it ends or the host is gone, then with None."""
        mine = self._at_work.setdefault(host, {})
        process = self.clock.process(_until_lost(work))
        mine[process] = None
        process.callbacks.append(lambda _: mine.pop(process, None))
        return process

    def forget(self, hosts: set[int]) -> None:
        """Hosts are gone with their disks: those that take their places have no layers."""
        self._caches = {host: cache for host, cache in self._caches.items() if host not in hosts}

    def over(self, host: int, digest: str) -> None:
        """What was under way with a layer is over."""
        end = self._layers.pop((host, digest), None)
        if end is not None:
            end.succeed()

    @property
    def now(self) -> int:
        """The instant [ns]."""
        return int(self.clock.now)


def _until_lost(work: Generator[simpy.Event, Any, Any]) -> Generator[simpy.Event, Any, Any]:
    """Work that ends with None where it is interrupted."""
    try:
        return (yield from work)
    except simpy.Interrupt:
        return None


def pull(pulls: Pulls, host: int, image: Image, registry: Registry) -> Generator[simpy.Event, Any, Pulled]:
    """Have an image on a host; its record, which says where it failed. Who asks while it is under way waits for the same pull."""
    key, asked = (host, image.name), pulls.now
    if key not in pulls._images:
        pulls._images[key] = pulls.begin(host, _tried(pulls, host, image, registry))
    under_way = pulls._images[key]
    done: Pulled = (yield under_way) or Pulled(image.name, host, asked, done=pulls.now, failure=GONE)
    if pulls._images.get(key) is under_way:
        del pulls._images[key]
    return replace(done, asked=asked)


def _tried(pulls: Pulls, host: int, image: Image, registry: Registry) -> Generator[simpy.Event, Any, Pulled]:
    """A pull, again and again after back-offs where the runtime has them."""
    puller, asked, tries = pulls.engine(host).puller, pulls.now, 1
    turn = None if puller.images is None else pulls.slots(host, "images", puller.images)
    while True:
        if turn is not None:
            yield from turn.take(pulls.clock)
        done = yield from _once(pulls, host, image, registry)
        if turn is not None:
            turn.give()
        done = replace(done, asked=asked, tries=tries)
        if done.failure is None or puller.back_off is None or puller.most_back_off is None:
            if done.failure is not None:
                pulls.told(host, image.name, done.failure)
            pulls.records.append(done)
            return done
        wait = round(min(puller.back_off * 2 ** min(tries - 1, MOST_DOUBLED), puller.most_back_off))
        pulls.told(host, image.name, f"{done.failure}; again in {format_time(wait / 1e9)}")
        yield pulls.clock.timeout(wait)
        tries += 1


def _once(pulls: Pulls, host: int, image: Image, registry: Registry) -> Generator[simpy.Event, Any, Pulled]:
    """One attempt to pull an image."""
    found, cache = Pulled(image.name, host, pulls.now, began=pulls.now), pulls.cache(host)
    if cache.has(image):
        cache.know(image, pulls.now)
        return replace(found, admitted=pulls.now, arrived=pulls.now, done=pulls.now, saved=image.size)
    engine = pulls.engine(host)
    yield pulls.clock.timeout(round(engine.puller.requests * registry.entry.latency))
    yield from _connected(pulls, host, registry)
    failure = registry.refuses(image.name, pulls.now, pulls.transfers, pulls.node(host))
    found = replace(found, admitted=pulls.now, arrived=pulls.now, done=pulls.now, failure=failure)
    while found.failure is None and not cache.has(image):
        found = yield from _fetched(pulls, host, plan_of(image, cache), registry, found)
    if found.failure is None:
        cache.know(image, pulls.now)
        _collect(pulls, host, image.name)
    return replace(found, saved=0 if found.failure else image.size - found.packed)


def _fetched(pulls: Pulls, host: int, plan: PullPlan, registry: Registry, found: Pulled) -> Generator[simpy.Event, Any, Pulled]:
    """Download and unpack what a plan moves, and wait for what other pulls move of it."""
    engine = pulls.engine(host)
    scope = f"downloads of {plan.image.name}" if engine.puller.scope == "image" else "downloads"
    slots = pulls.slots(host, scope, engine.puller.downloads)
    mine = [layer for layer in plan.moved if (host, layer.digest) not in pulls._layers]
    others = [pulls.end_of(host, layer.digest) for layer in plan.moved if (host, layer.digest) in pulls._layers]
    pulls._layers |= {(host, layer.digest): None for layer in mine}
    downloads = [pulls.begin(host, _download(pulls, host, layer, registry, slots)) for layer in mine]
    unpacked = pulls.begin(host, _unpacked(pulls, host, mine, downloads))
    arrived = yield pulls.clock.all_of(downloads)
    found = replace(found, arrived=pulls.now)
    yield pulls.clock.all_of([unpacked, *others])
    failure = next((reason for reason in arrived.values() if reason is not None), None)
    came = [layer for layer, one in zip(mine, downloads, strict=True) if one.value is None]
    return replace(
        found, done=pulls.now, failure=failure, moved=found.moved + sum(engine.packed(layer) for layer in came),
        packed=found.packed + sum(layer.size for layer in came), layers=found.layers + len(came),
    )


def _download(
    pulls: Pulls, host: int, layer: Layer, registry: Registry, slots: Places
) -> Generator[simpy.Event, Any, str | None]:
    """Have a layer's bytes on a host, verified and, where the runtime keeps them, written; why it failed, or None."""
    yield from slots.take(pulls.clock)
    failure = yield from _attempts(pulls, host, layer, registry)
    slots.give()
    return failure


def _attempts(pulls: Pulls, host: int, layer: Layer, registry: Registry) -> Generator[simpy.Event, Any, str | None]:
    """The attempts to download a layer, until one has it."""
    engine = pulls.engine(host)
    for attempt in range(1, engine.puller.attempts + 1):
        yield pulls.clock.timeout(round(engine.puller.layer_requests * registry.entry.latency))
        if (yield from _sent(pulls, host, layer, registry)):
            return None
        if attempt < engine.puller.attempts:
            yield pulls.clock.timeout(round(attempt * engine.puller.retry))
    return DOWN if not registry.answers(pulls.transfers, pulls.node(host)) else LOST


def _sent(pulls: Pulls, host: int, layer: Layer, registry: Registry) -> Generator[simpy.Event, Any, bool]:
    """One attempt to download a layer; whether it is there, verified."""
    engine = pulls.engine(host)
    if not registry.has_source(pulls.transfers, layer.digest, pulls.node(host)):
        yield from _connected(pulls, host, registry)
        return False
    received = pulls.begin(host, _received(pulls, host, layer))
    came: bool = yield from registry.send(
        pulls.clock, pulls.transfers, layer.digest, engine.packed(layer), pulls.node(host), round(engine.puller.silence))
    if came:
        yield received
    elif received.is_alive:
        received.interrupt()
    return came


def _connected(pulls: Pulls, host: int, registry: Registry) -> Process:
    """The wait for a connection to a registry that does not answer; it is given up after a time."""
    if not pulls.transfers.reaches(registry.node, pulls.node(host)):
        yield pulls.clock.timeout(round(pulls.engine(host).puller.connect))


def _received(pulls: Pulls, host: int, layer: Layer) -> Process:
    """What a host does with a layer's bytes as they arrive."""
    engine = pulls.engine(host)
    yield from pulls.work.perform(host, engine.verify_ns(layer), engine.kept(layer))


def _unpacked(pulls: Pulls, host: int, layers: list[Layer], downloads: list[simpy.Process]) -> Process:
    """Unpack layers in their order, each once it has arrived."""
    broken = False
    for layer, download in zip(layers, downloads, strict=True):
        broken = (yield download) is not None or broken
        if not broken:
            yield from _unpack(pulls, host, layer)
            pulls.cache(host).add(layer)
        pulls.over(host, layer.digest)


def _unpack(pulls: Pulls, host: int, layer: Layer) -> Process:
    """Inflate a layer, write its files, and wait for what has to be on the drive."""
    engine = pulls.engine(host)
    written = engine.written(layer)
    pieces = max(-(-written // PIECE), 1)
    for n in range(pieces):
        size = written * (n + 1) // pieces - written * n // pieces
        flushes = engine.driver.flushes if n == pieces - 1 else 0
        if engine.codec.beside:
            inflating = pulls.clock.process(pulls.work.perform(host, engine.inflate_ns(layer) / pieces))
            yield from pulls.work.perform(host, engine.write_ns(layer) / pieces, size, flushes)
            yield inflating
        else:
            yield from pulls.work.perform(host, engine.unpack_ns(layer) / pieces, size, flushes)


def _collect(pulls: Pulls, host: int, just: str) -> None:
    """Remove images that nobody uses, where the disk is fuller than the runtime bears; what just came stays."""
    puller, cache = pulls.engine(host).puller, pulls.cache(host)
    if puller.high is not None and puller.low is not None:
        pulls.freed += cache.collect(cache.size, pulls.capacity(host), puller.high, puller.low, pulls.in_use(host) | {just})


def fetch_touched(pulls: Pulls, host: int, image: Image, registry: Registry) -> Process:
    """After a lazy pull, have the bytes that the application reads until it works; nothing where all is there."""
    piece = Layer(f"touched of {image.name}", round(image.touched * image.size / max(image.unpacked, 1)), image.touched)
    if not pulls.engine(host).puller.lazy or piece.digest in pulls.cache(host).layers:
        return
    if (host, piece.digest) not in pulls._layers:
        pulls._layers[host, piece.digest] = None
        pulls.begin(host, _touched(pulls, host, image, piece, registry))
    yield pulls.end_of(host, piece.digest)


def _touched(pulls: Pulls, host: int, image: Image, piece: Layer, registry: Registry) -> Process:
    """Move and inflate what is read, a request for each layer of it."""
    engine = pulls.engine(host)
    yield pulls.clock.timeout(round(engine.puller.layer_requests * len(image.layers) * registry.entry.latency))
    while not (yield from registry.send(
            pulls.clock, pulls.transfers, piece.digest, piece.size, pulls.node(host), round(engine.puller.silence))):
        yield from _connected(pulls, host, registry)
        yield pulls.clock.timeout(round(engine.puller.retry))
    cycles = engine.codec.unpack_packed * piece.size + engine.codec.unpack * piece.unpacked
    yield from pulls.work.perform(host, cycles / engine.speed * 1e9)
    pulls.cache(host).add(piece)
    pulls.over(host, piece.digest)

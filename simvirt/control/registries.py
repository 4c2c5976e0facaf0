"""Registries while a story lasts: what they admit, what a mirror has by now, who of the hosts can hand a layer on."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import simpy

from simvirt.catalog.entries.images import RegistryEntry

Process = Generator[simpy.Event, Any, None]


class Transfers(Protocol):
    """What moves bytes between hosts and registries."""

    def transfer(self, source: str, to: str, size: int, cap: float | None = None) -> simpy.Event:
        """The end of a transfer of so many bytes, at most at `cap` [bytes/s]."""

    def lose(self, node: str) -> None:
        """End all transfers from and to a node."""


@dataclass
class Registry:
    """A registry at a place of the network.

    *Model*: it admits a number of pulls in any window of time, all hosts behind one address; what counts is the request for a manifest. A
        mirror (`upstream`) hands on what it has, and fetches what it has not while it hands it on; it asks upstream for a manifest once,
        and has its own limit, if any.
        Among `peers` a layer comes from the host with the fewest uploads that has it or is getting it, which hands on what it has
        while the rest arrives; the registry sends it once.
    *Ignores*: what a registry takes of its own host's CPU and disk; that a mirror's copies expire.
    *Source*: docker/docs content/manuals/docker-hub/usage/pulls.md; distribution/distribution registry/proxy.
    """

    name: str
    node: str
    entry: RegistryEntry
    upstream: Registry | None = None
    peers: bool = False
    up: bool = True
    admitted: int = 0
    refused: int = 0
    sent: int = 0
    fetched: int = 0
    _times: deque[int] = field(default_factory=deque)
    _manifests: set[str] = field(default_factory=set)
    _stored: set[str] = field(default_factory=set)
    _holders: dict[str, dict[str, simpy.Event]] = field(default_factory=dict)  # digest -> nodes, and when each has it
    _uploads: dict[str, int] = field(default_factory=dict)

    def admits(self, image: str, now: int) -> bool:
        """Whether it hands out the manifest of an image at an instant; what it hands out counts."""
        if self.upstream is not None:
            known = image in self._manifests or self.upstream.admits(image, now)
            self._manifests |= {image} if known else set()
            if not known:
                return self._counted(False)
        limit, window = self.entry.limit, self.entry.window
        if limit is None or window is None:
            return self._counted(True)
        while self._times and self._times[0] <= now - window:
            self._times.popleft()
        if len(self._times) >= limit:
            return self._counted(False)
        self._times.append(now)
        return self._counted(True)

    def _counted(self, admitted: bool) -> bool:
        self.admitted, self.refused = self.admitted + admitted, self.refused + (not admitted)
        return admitted

    def send(self, clock: simpy.Environment, transfers: Transfers, digest: str, size: int, to: str) -> Process:
        """Let a layer's bytes move to a host."""
        arrived = clock.event()
        with self._from(digest, to) as (source, there):
            if self.peers:
                self._holders.setdefault(digest, {})[to] = arrived
            ways: list[simpy.Event] = [] if there is None else [there]
            if source != to:
                ways.append(transfers.transfer(source, to, size, self._cap(source)))
            if source == self.node:
                self.sent += size
                ways += self._fetched(clock, transfers, digest, size)
            if ways:
                yield ways[0] if len(ways) == 1 else clock.all_of(ways)
        arrived.succeed()

    def _fetched(self, clock: simpy.Environment, transfers: Transfers, digest: str, size: int) -> list[simpy.Event]:
        """The end of what a mirror fetches while it hands it on; nothing where it has it."""
        if self.upstream is None or digest in self._stored:
            return []
        self._stored.add(digest)
        self.fetched += size
        return [clock.process(self.upstream.send(clock, transfers, digest, size, self.node))]

    def _cap(self, source: str) -> float | None:
        """What one connection gets; between peers nothing but the network bounds it."""
        return self.entry.stream if source == self.node else None

    @contextmanager
    def _from(self, digest: str, to: str) -> Iterator[tuple[str, simpy.Event | None]]:
        """Where a layer comes from, while it does, and the event at which it is there itself."""
        holders = {node: event for node, event in self._holders.get(digest, {}).items() if node != to}
        source = min(holders, key=lambda node: self._uploads.get(node, 0)) if holders else self.node
        self._uploads[source] = self._uploads.get(source, 0) + 1
        try:
            yield source, holders.get(source)
        finally:
            self._uploads[source] -= 1

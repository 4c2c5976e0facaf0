"""Registries while a story lasts: what they admit, what a mirror has by now, who of the hosts can hand a layer on."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import simpy

from simvirt.catalog.entries.images import RegistryEntry

Process = Generator[simpy.Event, Any, None]
Sent = Generator[simpy.Event, Any, bool]
REFUSED: Final = "too many requests"
DOWN: Final = "the registry does not answer"


class Transfers(Protocol):
    """What moves bytes between hosts and registries."""

    def transfer(self, source: str, to: str, size: int, cap: float | None = None, patience: int | None = None) -> simpy.Event:
        """The end of a transfer of so many bytes, at most at `cap` [bytes/s]; False is its value where the bytes do not come.

        Who waits bears for so long [ns] that nothing moves.
        """

    def break_off(self, transfer: Any) -> None:
        """End a transfer before its end, with False."""

    def reaches(self, source: str, to: str) -> bool:
        """Whether messages pass from one end to another."""


@dataclass
class Sending:
    """A layer on its way to a host: the event of its being there, its bytes where the registry sends them, what moves, whether it came."""

    arrived: simpy.Event
    digest: str
    to: str
    size: int
    moves: simpy.Event | None
    came: bool = False


@dataclass
class Registry:
    """A registry at a place of the network.

    *Model*: it admits a number of pulls in any window of time, all hosts behind one address; what counts is the request for a manifest. A
        mirror (`upstream`) hands on what it has, and fetches what it has not while it hands it on; it asks upstream for a manifest once,
        and has its own limit, if any.
        Among `peers` a layer comes from the host with the fewest uploads that has it or is getting it, which hands on what it has
        while the rest arrives; the registry sends it once. A registry or a peer whose host is gone or cut off hands out nothing
        meanwhile; what it was sending does not come. A registry that does not answer refuses connections, and closes those that there are.
    *Ignores*: what a registry takes of its own host's CPU and disk; that a mirror's copies expire; how peers learn that one is gone.
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
    _fetches: dict[str, simpy.Process] = field(default_factory=dict)  # digest -> the fetch of a mirror
    _holders: dict[str, dict[str, simpy.Event]] = field(default_factory=dict)  # digest -> nodes, and when each has it
    _uploads: dict[str, int] = field(default_factory=dict)
    _moving: dict[simpy.Event, None] = field(default_factory=dict)  # what it sends

    # --- manifests -----------------------------------------------------------------------------------------------------

    def refuses(self, image: str, now: int, transfers: Transfers, to: str) -> str | None:
        """Why it hands out no manifest of an image to a host at an instant, None where it does; what it hands out counts."""
        if not self.answers(transfers, to):
            return DOWN
        if self.upstream is not None and image not in self._manifests:
            refusal = self.upstream.refuses(image, now, transfers, self.node)
            if refusal is not None:
                self.refused += 1
                return refusal
            self._manifests.add(image)
        return None if self.admits(now) else REFUSED

    def answers(self, transfers: Transfers, to: str) -> bool:
        """Whether a host gets answers from it."""
        return self.up and transfers.reaches(self.node, to)

    def admits(self, now: int) -> bool:
        """Whether it hands out one more manifest at an instant; what it hands out counts."""
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

    # --- layers --------------------------------------------------------------------------------------------------------

    def send(self, clock: simpy.Environment, transfers: Transfers, digest: str, size: int, to: str, patience: int | None = None) -> Sent:
        """Let a layer's bytes move to a host, which bears for so long [ns] that nothing comes; whether all came."""
        with self._from(transfers, digest, to) as (source, there):
            if source == self.node and not self.answers(transfers, to):
                return False
            ways: list[simpy.Event] = [] if there is None else [there]
            if source != to:
                ways.append(transfers.transfer(source, to, size, self._cap(source), patience))
            sending = Sending(clock.event(), digest, to, size if source == self.node else 0, ways[-1] if source != to else None)
            self._begun(sending)
            if source == self.node:
                ways += self._fetched(clock, transfers, digest, size, patience)
            try:
                sending.came = yield from all_came(clock, ways)
            finally:
                self._ended(transfers, sending)
                _tell(clock, sending, None if transfers.reaches(to, to) else patience)
        return sending.came

    def _begun(self, sending: Sending) -> None:
        """A layer is on its way; peers can count on it."""
        self.sent += sending.size
        if self.peers:
            self._holders.setdefault(sending.digest, {})[sending.to] = sending.arrived
        if sending.size and sending.moves is not None:
            self._moving[sending.moves] = None

    def _ended(self, transfers: Transfers, sending: Sending) -> None:
        """A layer is there, or does not come: then nobody can count on it, and nothing of it was sent."""
        if sending.moves is not None:
            self._moving.pop(sending.moves, None)
        if not sending.came:
            self.sent -= sending.size
            self._holders.get(sending.digest, {}).pop(sending.to, None)
            if sending.moves is not None:
                transfers.break_off(sending.moves)

    def forget(self, nodes: set[str]) -> None:
        """Hosts are gone with their disks: peers have nothing from them, and a mirror there has nothing."""
        for digest, holders in self._holders.items():
            self._holders[digest] = {node: event for node, event in holders.items() if node not in nodes}
        if self.node in nodes:
            self._fetches.clear()
            self._manifests.clear()

    def has_source(self, transfers: Transfers, digest: str, to: str) -> bool:
        """Whether a host gets a layer from anywhere."""
        return self.answers(transfers, to) or bool(self._peers_with(transfers, digest, to))

    def _peers_with(self, transfers: Transfers, digest: str, to: str) -> dict[str, simpy.Event]:
        """The other hosts that hand a layer on to one, and when each has it."""
        return {node: event for node, event in self._holders.get(digest, {}).items() if node != to and transfers.reaches(node, to)}

    def silence(self, transfers: Transfers) -> None:
        """It answers no more, and closes its connections."""
        self.up = False
        for moving in list(self._moving):
            transfers.break_off(moving)

    def _fetched(self, clock: simpy.Environment, transfers: Transfers, digest: str, size: int, patience: int | None) -> list[simpy.Event]:
        """The end of what a mirror fetches while it hands it on; nothing where it has it."""
        if self.upstream is None:
            return []
        fetch = self._fetches.get(digest)
        if fetch is None or (fetch.processed and not fetch.value):
            sent = self.upstream.send(clock, transfers, digest, size, self.node, patience)
            fetch = self._fetches[digest] = clock.process(self._fetch(sent, size))
        return [] if fetch.processed else [fetch]

    def _fetch(self, sent: Sent, size: int) -> Sent:
        """A mirror gets a layer; whether it came."""
        self.fetched += size
        came = yield from sent
        self.fetched -= 0 if came else size
        return came

    def _cap(self, source: str) -> float | None:
        """What one connection gets; between peers nothing but the network bounds it."""
        return self.entry.stream if source == self.node else None

    @contextmanager
    def _from(self, transfers: Transfers, digest: str, to: str) -> Iterator[tuple[str, simpy.Event | None]]:
        """Where a layer comes from, while it does, and the event at which it is there itself."""
        holders = self._peers_with(transfers, digest, to)
        source = min(holders, key=lambda node: self._uploads.get(node, 0)) if holders else self.node
        self._uploads[source] = self._uploads.get(source, 0) + 1
        try:
            yield source, holders.get(source)
        finally:
            self._uploads[source] -= 1


def _tell(clock: simpy.Environment, sending: Sending, patience: int | None) -> None:
    """Let those who count on a layer on a host know whether it is there; where the host is gone they find out in their own time."""
    if patience is None or not sending.arrived.callbacks:
        sending.arrived.succeed(sending.came)
    else:
        clock.process(_tell_after(clock, sending, patience))


def _tell_after(clock: simpy.Environment, sending: Sending, patience: int) -> Process:
    yield clock.timeout(patience)
    sending.arrived.succeed(sending.came)


def all_came(clock: simpy.Environment, ways: Sequence[simpy.Event]) -> Sent:
    """Wait for the ends of what moves, or for the first that says that it does not come; whether all came."""
    if len(ways) == 1:
        return (yield ways[0]) is not False
    if ways:
        yield simpy.events.Condition(clock, _is_over, ways)
    return all(way.processed and way.value is not False for way in ways)


def _is_over(ways: Sequence[simpy.Event], count: int) -> bool:
    return count == len(ways) or any(way.processed and way.value is False for way in ways)

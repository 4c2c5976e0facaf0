"""Large transfers: layers, disk images, migrations. Few at a time, each with its max-min fair rate over all links of its route.

*Model*: rates hold until a transfer begins or ends; what happens at one instant changes them once. Transfers over the same links with the
    same cap have the same rate, so that they are one flow with a count, in whose volume each has its end. The last byte arrives the latency
    of the route after it has left. Between ends that do not reach each other nothing moves, and who waits gives up after its patience; so
    it does where an end is gone, or as soon as that is back, which knows nothing of it. Where requests use links too, a transfer advances
    by what they have really left of each link since the rates were last computed, and is forecast by what they have used of late; so both
    together never carry more than a link does.
*Ignores*: the ramp-up of TCP, loss, headers (sizes are those on the wire); that a sender which was cut off tries again only now and then.
*Source*: as `simvirt.network.sharing`.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import simpy
from simpy.events import NORMAL, EventPriority

from simvirt.network.sharing import Array, Rows, fill
from simvirt.network.topology import Route, Topology

COLUMNS: Final = ("caps", "counts", "rates", "volumes", "before", "ends", "apart")
LAST: Final = EventPriority(2)
"""Priority of what happens at an instant after everything else there."""
PERIOD_NS: Final = 100_000_000
"""Time after which rates are computed anew while requests use links, and over which their use is averaged [ns]."""
LITTLE: Final = 1e-3
"""Bytes that rounding may leave of a transfer."""
IDLE_GROUPS: Final = 64
"""Routes without a transfer that are kept beside as many as have one."""


Sides = tuple[bool | None, ...]
"""On which side of each cut a node is: None where it reaches both."""


class Requests(Protocol):
    """What else uses the links between hosts, the first rows: the requests of the data plane."""

    def bytes_passed(self) -> Array:
        """Bytes that they have sent over each link so far."""

    def share_links(self, used: Array, flows: Array) -> None:
        """What large transfers take of each link from now on [bytes/ns], and how many they are."""


class Transfer(simpy.Event):
    """Bytes on their way; the event of the arrival of the last one, with itself as its value, or with False where it does not come.

    `cap`: most it may have [bytes/ns]; `patience`: how long who waits bears that nothing moves [ns], None for ever; `ended_at`: when its
    last byte has left [ns], -1 before; `open`: whether nobody has given it up; `stands_since`: since when nothing moves [ns], None while
    something does.
    """

    def __init__(self, all_of_them: Transfers, size: int, route: Route, cap: float, patience: int | None = None) -> None:
        super().__init__(all_of_them.clock)
        self.size, self.route, self.cap, self.patience = size, route, cap, patience
        self.stands_since: int | None = None
        self.begun_at, self.ended_at, self.open = int(self.env.now), -1, True
        self.start, self.cut = 0.0, 0.0
        self._all = all_of_them

    def cancel(self) -> None:
        """Give it up: its event does not happen, what has been carried stays so."""
        self._all.cancel(self)
        self.stands_since = None

    def break_off(self) -> None:
        """End it before its end: who waits learns at once that it does not come."""
        if not self.triggered:
            self.cancel()
            self.succeed(False)

    def is_missed(self, since: int | None = None) -> None:
        """Who waits gives it up, if nothing of it moves, or has since an instant [ns]."""
        if self.stands_since is not None and since in (None, self.stands_since):
            self.break_off()

    def arrive(self, event: simpy.Event) -> None:
        """The last byte is there."""
        if self.open:
            self.succeed(self)

    @property
    def carried(self) -> float:
        """Bytes that have left up to now."""
        return self._all.carried_of(self)


@dataclass
class Group:
    """Transfers over the same links with the same cap: `heap` has volume, number and transfer of each end."""

    key: tuple[tuple[int, ...], float]
    heap: list[tuple[float, int, Transfer]] = field(default_factory=list)


class Groups:
    """Groups as arrays, one place each.

    `caps`: most that each of its transfers may have [bytes/ns]; `counts`: how many they are; `rates`: what each has [bytes/ns]; `volumes`:
    what each has had [bytes]; `before`: what they had not had yet of that, in all [bytes]; `ends`: volume at which the next one ends;
    `apart`: 1 where the ends do not reach each other.
    """

    def __init__(self, kept: Sequence[Group] = (), old: Groups | None = None, places: Sequence[int] = ()) -> None:
        self.groups = list(kept)
        self.places = {group.key: place for place, group in enumerate(kept)}
        chosen = np.asarray(places, dtype=np.int64)
        parts = [np.zeros(0) if old is None else getattr(old, name)[chosen] for name in COLUMNS]
        self.caps, self.counts, self.rates, self.volumes, self.before, self.ends, self.apart = parts
        lengths = [len(group.key[0]) for group in kept]
        self.flows: Rows = np.repeat(np.arange(len(kept)), lengths)
        self.links: Rows = np.fromiter((row for group in kept for row in group.key[0]), np.int64, sum(lengths))

    def place_of(self, links: tuple[int, ...], cap: float) -> int:
        """Place of the group of a route and a cap."""
        place = self.places.get((links, cap))
        if place is None:
            place = self.places[links, cap] = len(self.groups)
            self.groups.append(Group((links, cap)))
            for name, value in zip(COLUMNS, (cap, 0.0, 0.0, 0.0, 0.0, math.inf, 0.0), strict=True):
                setattr(self, name, np.append(getattr(self, name), value))
            self.flows = np.append(self.flows, np.full(len(links), place))
            self.links = np.append(self.links, np.asarray(links, dtype=np.int64))
        return place

    def compact(self) -> Groups:
        """The same without groups that have no transfer, where these are many."""
        busy = np.flatnonzero(self.counts)
        if len(self.groups) <= 2 * len(busy) + IDLE_GROUPS:
            return self
        return Groups([self.groups[place] for place in busy], self, busy.tolist())


class Transfers:
    """The transfers under way."""

    def __init__(self, clock: simpy.Environment, topology: Topology, requests: Requests | None = None) -> None:
        self.clock, self.topology, self.requests = clock, topology, requests
        self.capacities: Array = np.array([link.bytes_per_ns for link in topology.links])
        self._groups, self._done = Groups(), np.zeros(len(self.capacities))
        self._now, self._number = int(clock.now), 0
        self._asked: simpy.Event | None = None
        self._wake: simpy.Event | None = None
        self._passed = np.zeros(len(self.capacities)) if requests is None else self._passed_by(requests)
        self._used, self._looked = np.zeros(len(self.capacities)), int(clock.now)
        self._sides: Mapping[str, Sides] = {}
        self._gone: dict[str, list[Transfer]] = {}  # ends that are gone, with the transfers that these had

    # --- what callers do -----------------------------------------------------------------------------------------------

    def transfer(self, source: str, to: str, size: int, cap: float | None = None, patience: int | None = None) -> Transfer:
        """Send bytes from one end to another, at most at a rate of `cap` [bytes/s]; the event of their arrival.

        Who waits bears for so long [ns] that nothing moves.
        """
        route = self.topology.route(source, to)
        made = Transfer(self, size, route, math.inf if cap is None else cap / 1e9, patience)
        if size <= 0 or (not route.links and math.isinf(made.cap)):
            self._arrive(made)
            return made
        self._settle()
        place = self._groups.place_of(route.links, made.cap)
        made.start = float(self._groups.volumes[place])
        self._number += 1
        heapq.heappush(self._groups.groups[place].heap, (made.start + size, self._number, made))
        if not self.reaches(source, to):
            self._groups.apart[place] = 1.0
            self._stands(made)
        self._enter(place, made, 1)
        return made

    def reaches(self, source: str, to: str) -> bool:
        """Whether messages pass from one end to another."""
        if source in self._gone or to in self._gone:
            return False
        both = zip(self._sides.get(source, ()), self._sides.get(to, ()), strict=False)
        return source == to or not any(one is not None and other is not None and one != other for one, other in both)

    def break_off(self, transfer: Transfer) -> None:
        """End a transfer before its end."""
        transfer.break_off()

    def cancel(self, transfer: Transfer) -> None:
        """Give a transfer up."""
        place = self._place_of(transfer)
        transfer.cut, transfer.open = self.carried_of(transfer), False
        if place is not None:
            self._done[list(transfer.route.links)] += transfer.cut
            self._enter(place, transfer, -1)

    def lose(self, node: str) -> None:
        """Takes in that a node is gone: nothing moves from and to it."""
        ends = [one for one in self._under_way() if node in (one.route.nodes[0], one.route.nodes[-1])]
        self._gone.setdefault(node, []).extend(ends)
        for transfer in ends:
            self.cancel(transfer)
            self._stands(transfer)

    def regain(self, node: str) -> None:
        """Takes in that a node is back: it knows nothing of the transfers that it had, and says so."""
        for transfer in self._gone.pop(node, ()):
            transfer.is_missed()
        self._part()

    def divide(self, sides: Mapping[str, Sides]) -> None:
        """Takes in on which side of each cut nodes are; who is named on none reaches all."""
        self._sides = sides
        self._part()

    def _part(self) -> None:
        """See anew which transfers cross no cut."""
        self._settle()
        groups = self._groups
        for place, group in enumerate(groups.groups):
            under_way = [one for _, _, one in group.heap if one.open]
            apart = bool(under_way) and not self.reaches(under_way[0].route.nodes[0], under_way[0].route.nodes[-1])
            if apart != bool(groups.apart[place]):
                groups.apart[place] = float(apart)
                for transfer in under_way:
                    transfer.stands_since = None
                    if apart:
                        self._stands(transfer)
        self._ask()

    def _under_way(self) -> list[Transfer]:
        """All that nobody has given up."""
        return [one for group in self._groups.groups for _, _, one in group.heap if one.open]

    def _stands(self, transfer: Transfer) -> None:
        """Nothing of a transfer moves from now on; who waits gives it up after its patience."""
        since = transfer.stands_since = int(self.clock.now)
        if transfer.patience is not None:
            self._at(since + transfer.patience, NORMAL, lambda _: transfer.is_missed(since))

    def carried_of(self, transfer: Transfer) -> float:
        """Bytes of a transfer that have left up to now."""
        self._settle()
        place = self._place_of(transfer)
        return transfer.cut if place is None else min(float(self._groups.volumes[place]) - transfer.start, float(transfer.size))

    def _place_of(self, transfer: Transfer) -> int | None:
        """Place of the group of a transfer that is under way."""
        under_way = transfer.open and transfer.ended_at < 0
        return self._groups.places.get((transfer.route.links, transfer.cap)) if under_way else None

    def carried(self) -> Array:
        """Bytes of transfers that each link has carried up to now."""
        self._settle()
        groups = self._groups
        under_way = groups.counts * groups.volumes - groups.before
        return self._done + self._in_all(under_way)

    def carried_inside(self) -> Array:
        """The same of links between hosts alone."""
        return self.carried()[: self.topology.inner]

    def rate(self, transfer: Transfer) -> float:
        """What a transfer has now [bytes/s]."""
        place = self._place_of(transfer)
        return 0.0 if place is None else float(self._groups.rates[place]) * 1e9

    # --- what happens --------------------------------------------------------------------------------------------------

    def _enter(self, place: int, transfer: Transfer, count: int) -> None:
        """A transfer joins its group, or leaves it; rates change once this instant is over."""
        groups = self._groups
        groups.counts[place] += count
        groups.before[place] += count * transfer.start
        if groups.counts[place] == 0:
            groups.before[place] = groups.volumes[place] = groups.apart[place] = 0.0
            groups.groups[place].heap.clear()
        self._look_ahead(place)
        self._ask()

    def _ask(self) -> None:
        """Rates change once this instant is over."""
        if self._asked is None:
            self._asked = self._at(int(self.clock.now), LAST, self._change)

    def _look_ahead(self, place: int) -> None:
        """Find the next end of a group."""
        heap = self._groups.groups[place].heap
        while heap and not heap[0][2].open:
            heapq.heappop(heap)
        self._groups.ends[place] = heap[0][0] if heap else np.inf

    def _at(self, at: int, priority: EventPriority, what: Callable[[simpy.Event], None]) -> simpy.Event:
        """Let something happen at an instant [ns]."""
        event = simpy.Event(self.clock)
        event._ok, event._value = True, None
        event.callbacks.append(what)
        self.clock.schedule(event, priority=priority, delay=at - self.clock.now)
        return event

    def _change(self, event: simpy.Event) -> None:
        """The instant at which transfers begin or end is over: rates, and what is next."""
        self._asked = None
        self._settle()
        self._groups = groups = self._groups.compact()
        left = np.maximum(self.capacities - self._used, 0.0)
        groups.rates = self._fair(left)
        if self.requests is not None:
            inner = self.topology.inner
            used, flows = self._in_all(groups.counts * groups.rates), self._in_all(groups.counts * (1.0 - groups.apart))
            self.requests.share_links(used[:inner], flows[:inner])
        self._plan()

    def _in_all(self, amounts: Array) -> Array:
        """The sum over each link of amounts of groups."""
        groups = self._groups
        return np.bincount(groups.links, amounts[groups.flows], len(self.capacities)).astype(np.float64)

    def _fair(self, left: Array) -> Array:
        """Max-min fair rates where links have so much left."""
        groups = self._groups
        busy = groups.counts[groups.flows] > 0
        caps = np.where(groups.apart > 0, 0.0, groups.caps)
        return np.where(groups.counts > 0, fill(left, groups.flows[busy], groups.links[busy], caps, groups.counts), 0.0)

    def _plan(self) -> None:
        """Wake up when the next transfer has ended, as far as that can be seen, or when requests are to be looked at again."""
        groups, at = self._groups, math.inf
        moving = groups.rates > 0
        if moving.any():
            left = (groups.ends[moving] - groups.volumes[moving]) / groups.rates[moving]
            at = self._now + max(0, math.ceil(float(left.min()) - 1e-6)) if math.isfinite(left.min()) else math.inf
        if self.requests is not None and self._used.any() and groups.counts.any():
            at = min(at, self._now + PERIOD_NS)
        self._wake = None if math.isinf(at) else self._at(int(at), LAST, self._end)

    def _end(self, event: simpy.Event) -> None:
        """Transfers whose last byte has left are over; where requests have used more than was seen, none may be."""
        if event is not self._wake:
            return
        self._settle()
        groups = self._groups
        for place in np.flatnonzero(groups.ends <= groups.volumes + LITTLE + 1e-12 * groups.volumes):
            self._finish(int(place))
        if self._asked is None:
            self._change(event)

    def _finish(self, place: int) -> None:
        """The transfers of a group that have ended."""
        groups, heap = self._groups, self._groups.groups[place].heap
        while heap and groups.ends[place] <= groups.volumes[place] * (1 + 1e-12) + LITTLE:
            transfer = heapq.heappop(heap)[2]
            self._done[list(transfer.route.links)] += transfer.size
            self._arrive(transfer)
            self._enter(place, transfer, -1)

    def _arrive(self, transfer: Transfer) -> None:
        """The last byte has left: it arrives the latency of the route later."""
        transfer.ended_at, transfer.cut = int(self.clock.now), float(transfer.size)
        self._at(transfer.ended_at + transfer.route.latency_ns, NORMAL, transfer.arrive)

    def _settle(self) -> None:
        """Bring what has been carried up to now: where requests have used links meanwhile, by what they have left."""
        now = int(self.clock.now)
        elapsed, self._now = now - self._now, now
        if elapsed <= 0:
            return
        if self.requests is not None and self._look(elapsed, self.requests):
            self._groups.rates = self._fair(np.maximum(self.capacities - self._lately, 0.0))
        self._groups.volumes += self._groups.rates * elapsed

    def _passed_by(self, requests: Requests) -> Array:
        """Bytes that requests have sent over each link so far; they pass none to what is outside."""
        found = np.zeros(len(self.capacities))
        found[: self.topology.inner] = requests.bytes_passed()
        return found

    def _look(self, elapsed: int, requests: Requests) -> bool:
        """See what requests have used of each link since the last look; whether that differs from what was expected."""
        passed = self._passed_by(requests)
        self._lately, self._passed = (passed - self._passed) / elapsed, passed
        expected, weight = self._used, -math.expm1(-elapsed / PERIOD_NS)
        self._used = expected + weight * (self._lately - expected)
        return bool(self._groups.counts.any() and (self._lately != expected).any())

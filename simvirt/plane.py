"""The seam, sideways: the data plane as the rest of the program sees it, and the verbs by which the control plane acts on it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from threading import Event
from typing import Any

import numpy as np
import simpy
from simpy.events import URGENT

from simvirt import kernel
from simvirt.errors import StandstillError
from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import MEMORY_SERVICE, Place, row_of
from simvirt.lowering.errands import Errand
from simvirt.lowering.guards import FRAME_COLUMNS
from simvirt.lowering.lower import Lowered
from simvirt.lowering.network import widen_links
from simvirt.lowering.rows import Columns, blank, chain_frames, lengthen, lie_together, on_lines, room_for
from simvirt.lowering.topics import MESSAGE_COLUMNS
from simvirt.memory.account import MemoryAccount
from simvirt.moving import Movable
from simvirt.workload.draws import Block, Blocks, joined, nothing, sampler_of
from simvirt.workload.sampling import Sampler
from simvirt.workload.streams import Generators

MOST_FRAMES = 2**20  # calls under way; some 500 bytes each
UP = (k.STARTING, k.READY, k.DRAINING)
ENDS = {"completed": "take no time", "rejected": "are rejected", "failed": "are lost with a replica"}
LONG = ("histogram",)  # columns that are read far more often than written: arrays also in plain Python
LIMITS = ("shares", "reserve", "quota", "period", "burst")  # of a group, which come with a place


class Stopped(Exception):
    """The run ends early, because its `halt` was set."""


class Settled(simpy.Event):
    """An event that the data plane settles, maybe before the next one of its environment."""

    def happen(self, at: int) -> None:
        """Let it happen at an instant, before anything else there [ns]."""
        self._ok, self._value = True, None
        self.env.schedule(self, priority=URGENT, delay=at - self.env.now)


@dataclass
class Work:
    """Work that an instance performs for the control plane."""

    done: Settled
    instance: int


@dataclass
class DataPlane(Movable):
    """The tables of one replication, the compiled functions over them, and the draws that feed them."""

    lowered: Lowered
    requests: list[Blocks]  # of each stream
    seed: int
    replication: int
    over: bool = False  # all requests are answered and none will come
    cut_off: bool = False  # the clock has come to its end before all requests were answered
    full: bool = False  # more requests are under way than the tables may hold; nothing happens any more
    halt: Event | None = None  # ends the run at its next block of requests
    memories: dict[int, MemoryAccount] = field(default_factory=dict)  # what became of each host's, where the control plane follows it
    large: Callable[[], np.ndarray] | None = None  # bytes of large transfers that each link has carried, where there are any
    there: Callable[[int], np.ndarray] | None = None  # how long each host was there up to an instant, where hosts come and go [ns]
    advance: Callable[[Any, int], int] = kernel.advance  # carries out the events of its tables before an instant; a trace stands between
    clock: simpy.Environment = field(default_factory=simpy.Environment)  # the control plane's, in which the events of verbs happen
    _met: dict[int, dict[str, float]] = field(default_factory=dict)
    _hindered: dict[int, Mapping[str, float]] = field(default_factory=dict)
    _lived: dict[int, tuple[int, int | None]] = field(default_factory=dict)
    _works: dict[int, Work] = field(default_factory=dict)  # under way, by their handles
    _performed: dict[int, set[int]] = field(default_factory=dict)  # instance: handles of what it performs
    _handles: int = 0
    _awaited: dict[tuple[int, int], Settled] = field(default_factory=dict)  # signals, by their reason and row
    _due: list[Settled] = field(default_factory=list)
    _samplers: dict[int, list[Sampler]] = field(default_factory=dict)
    _background: dict[int, list[int]] = field(default_factory=dict)
    _blocks: list[Block] = field(default_factory=list)  # of each stream, as the kernel has them

    def __post_init__(self) -> None:
        self.columns, self._records = dict[str, dict[str, Any]](), dict[str, Any]()
        take = room_for(self.lowered.tables, kernel.RECORDS, kernel.WORDS)
        for name, table in self.lowered.tables.items():
            self._keep(name, table, take)
        self._plane = kernel.make_plane()
        self._most_frames = max(MOST_FRAMES, 2 * int(self.columns["run"]["frames"][0]))
        for thread in self.lowered.background:
            self._background.setdefault(thread.instance, []).append(thread.entry)
        for instance in self.lowered.arrangement.instances:
            self._stand(instance.row, instance.place)
        self._bind()
        self._blocks = [nothing(self.lowered.width, False) for _ in self.requests]
        of_class = self.read("source", "stream").tolist()
        for row, clients in enumerate(self.read("source", "clients").tolist()):
            for _ in range(clients):
                kernel.launch_client(self._plane, of_class.index(row), 0)

    def _keep(self, name: str, table: Columns, take: Callable[[int], np.ndarray] = on_lines) -> None:
        """Copy a table as the kernel in use wants it: lists; or arrays, of which some lie together row by row."""
        if kernel.MODE == "plain":
            columns = {key: column.copy() if key in LONG else column.tolist() for key, column in table.items()}
            self.columns[name], self._records[name] = columns, None
        else:
            self.columns[name], self._records[name] = lie_together(table, kernel.RECORDS[name], kernel.WORDS[name], take)

    def _bind(self, *changed: str) -> None:
        """Hand the columns of changed tables to the kernel, all of them when none is named."""
        for name in changed or self.columns:
            kernel.bind(self._plane, name, self.columns[name], self._records[name])

    def replace(self, name: str, table: Columns) -> None:
        """Other columns for a table."""
        self._keep(name, table)
        self._bind(name)

    @property
    def memory(self) -> MemoryAccount | None:
        """What has become of the first host's memory; None where the control plane does not follow it."""
        return self.memories.get(0)

    # --- time ----------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Instant of the last event [ns]."""
        return int(self.columns["run"]["now"][0])

    def catch_up(self, until: float) -> Settled | None:
        """Carry out every request event before `until` [ns], or up to the first one for the control plane, which comes back."""
        horizon = k.NEVER if until == float("inf") else int(until)
        while not self._due:
            reason = self.advance(self._plane, horizon)
            if reason == k.NEEDS_DEMAND:
                self._refill()
            elif reason == k.NEEDS_ROOM:
                if not self._grow():
                    return None
            elif reason == k.SIGNALS:
                self._read_signals()
            elif reason == k.PAUSED:
                self._look_whether_wanted()
            elif reason == k.STANDS_STILL:
                raise StandstillError(self._what_repeats(horizon))
            else:
                self.over = reason == k.DONE
                return None
        return self._due.pop(0)

    def _look_whether_wanted(self) -> None:
        """Stopped where the run is not wanted any more."""
        if self.halt is not None and self.halt.is_set():
            raise Stopped

    def _what_repeats(self, horizon: int) -> str:
        """Why time stands still: what most of the requests end with that end meanwhile."""
        before = {name: int(self.read("tallies", name).sum()) for name in ENDS}
        self.columns["run"]["repeats"][0] = 0
        while kernel.advance(self._plane, horizon) == k.NEEDS_DEMAND:
            self._refill()
        ended = {name: int(self.read("tallies", name).sum()) - count for name, count in before.items()}
        most = max(ended, key=lambda name: ended[name])
        what = f"requests that {ENDS[most]} are followed by others at once" if ended[most] > 0 else "something happens again and again"
        advice = "; give clients a time to think, for example think: 1s" if self.read("source", "clients").any() else ""
        return f"no time passes any more after {self.now / 1e9:.9g} s of the run: {what}{advice}"

    def _refill(self) -> None:
        """Give the kernel the next block of requests of each stream that has used up its own."""
        self._look_whether_wanted()
        source, end = self.columns["source"], 0
        for row, requests in enumerate(self.requests):
            block = self._rest(row)
            if len(block.at) == 0 and not block.last:
                block = requests.next_block()
                source["ended"][0] += int(block.last and len(block.at) == 0)
            self._blocks[row] = block
            source["cursor"][row], end = end, end + len(block.at)
            source["end"][row], source["last"][row] = end, int(block.last)
        source["lacking"][0] = int(any(len(block.at) == 0 and not block.last for block in self._blocks))
        source["fresh"][0] = 1
        self._hand_over(self._blocks[0] if len(self._blocks) == 1 else joined(self._blocks, False))

    def _rest(self, row: int) -> Block:
        """What a stream has not handed out of its block."""
        block = self._blocks[row]
        left = int(self.columns["source"]["end"][row]) - int(self.columns["source"]["cursor"][row])
        return block.between(len(block.at) - left, len(block.at), block.last)

    def _hand_over(self, block: Block) -> None:
        """Let the kernel read a block."""
        columns = {"at": block.at, "category": block.category, "draws": block.draws.ravel()}
        if block.home is not None:
            columns["home"] = block.home
        plain = kernel.MODE == "plain"
        for name, values in columns.items():
            values = values.tolist() if plain else np.ascontiguousarray(values if len(values) else np.zeros(1, values.dtype))
            self.columns["source"][name] = values
        self._bind("source")

    def _grow(self) -> bool:
        """Double the number of frames and threads; false where there may be no more of them, which ends the run."""
        old = int(self.columns["run"]["frames"][0])
        if old >= self._most_frames:
            self.full = True
            return False
        guarded = dict.fromkeys(FRAME_COLUMNS, int(bool(self.lowered.guards)))
        guarded["front"] = int(int(self.columns["run"]["ranks"][0]) > 0)
        guarded |= dict.fromkeys(MESSAGE_COLUMNS, int(bool(self.lowered.subscriptions)))
        self._extend("frames", t.Frames, old, {"spent": k.N_CATEGORIES, "draws": self.lowered.width, **guarded})
        self._extend("entities", t.Entities, old, {})
        self._extend("calendar", t.Calendar, old, {"size": 0})
        widen_links(self.columns["links"], old, 2 * old)
        self.columns["run"]["frames"][0] = 2 * old
        self.columns["run"]["entities"][0] += old
        chain_frames(self.columns, old, 2 * old)
        self._bind("run", "frames", "entities", "calendar", "links")
        return True

    def _extend(self, name: str, table: type[t.Table], rows: int, factors: dict[str, int]) -> None:
        """Add blank rows to a table."""
        lengths = {key: rows * factor for key, factor in factors.items()}
        columns, more = self.columns[name], blank(table, rows=rows, **lengths)
        if kernel.MODE != "plain":
            self.columns[name], self._records[name] = lengthen(columns, self._records[name], more, kernel.RECORDS[name], kernel.WORDS[name])
            return
        for key, added in more.items():
            columns[key] = columns[key] + added.tolist() if isinstance(columns[key], list) else np.concatenate([columns[key], added])

    def _read_signals(self) -> None:
        """Turn the kernel's signals into events of the control plane."""
        run = self.columns["run"]
        for at in range(int(run["pending"][0])):
            reason, row = int(run["signals"][2 * at]), int(run["signals"][2 * at + 1])
            if reason == k.WORK_DONE and (work := self._forget(row)) is not None:
                self._due.append(work.done)
            elif (reason, row) in self._awaited:
                self._due.append(self._awaited.pop((reason, row)))
        run["pending"][0] = 0

    # --- verbs ---------------------------------------------------------------------------------------------------------

    def place(self, instance: int, place: Place) -> None:
        """Give an instance that is down its place: the kernel that schedules it, its cgroup with its limits, the paths of its VM."""
        if self._life(instance) in UP:
            raise ValueError(f"instance {instance} is up: it can be placed once it has stopped")
        self._stand(instance, place)
        groups = self.columns["groups"]
        if place.group is not None:
            for name in LIMITS:
                groups[name][place.group.row] = getattr(place.group.fence, name)
            groups["pool"][place.group.row] = place.group.fence.quota

    def _stand(self, instance: int, place: Place) -> None:
        """Write where an instance stands; the limits of the groups that there are at the start are lowering's."""
        columns = self.columns["instances"]
        columns["machine"][instance], columns["group"][instance] = place.machine, row_of(place.group)
        columns["net_device"][instance], columns["disk_device"][instance] = row_of(place.net), row_of(place.disk)

    def _life(self, instance: int) -> int:
        return int(self.columns["instances"]["life"][instance])

    def start(self, instance: int) -> bool:
        """Let an instance that is down begin to start; false for one that is up."""
        if self._life(instance) not in UP:
            self.columns["instances"]["life"][instance] = k.STARTING
            return self.begins(instance)
        return False

    def admit(self, instance: int) -> None:
        """Let load balancing send requests to an instance."""
        self.columns["instances"]["life"][instance] = k.READY
        self.begins(instance)
        kernel.set_ready(self._plane, instance, 1, int(self.clock.now))

    def drain(self, instance: int) -> simpy.Event:
        """Send an instance no more requests; an event that happens once it has answered the last one."""
        kernel.set_ready(self._plane, instance, 0, int(self.clock.now))
        self.columns["instances"]["life"][instance] = k.DRAINING
        if int(self.columns["instances"]["in_flight"][instance]) == 0:
            return self.clock.event().succeed()
        return self._awaited.setdefault((k.DRAINED, instance), Settled(self.clock))

    def asked(self, service: str) -> simpy.Event:
        """An event that happens when the next request waits for a service of which no replica is ready."""
        return self._awaited.setdefault((k.NOBODY_READY, self.lowered.services.index(service)), Settled(self.clock))

    def is_ready(self, instance: int) -> bool:
        """Whether an instance takes requests."""
        return self._life(instance) == k.READY

    def is_draining(self, instance: int) -> bool:
        """Whether an instance still answers what it has."""
        return self._life(instance) == k.DRAINING

    def stop(self, instance: int) -> int:
        """End an instance that has nothing left to answer: its background threads stop; the number of requests lost where it had."""
        return self.crash(instance, k.STOPPED)

    def crash(self, instance: int, life: int = k.CRASHED, seen: bool = True) -> int:
        """End an instance at once, alone or GONE with its kernel; the number of requests lost. Unless `seen` it is sent further ones."""
        if seen:
            kernel.set_ready(self._plane, instance, 0, int(self.clock.now))
        lost = int(kernel.crash(self._plane, instance, life, int(self.clock.now)))
        self.ends(instance)
        for work in map(self._works.pop, sorted(self._performed.pop(instance, ()))):
            if self.lowered.arrangement.instances[instance].service == MEMORY_SERVICE:  # who looks after memory goes on looking
                work.done.happen(int(self.clock.now))
        if (drained := self._awaited.pop((k.DRAINED, instance), None)) is not None:
            drained.succeed()
        return lost

    def start_background(self, instance: int) -> None:
        """Start an instance's background threads."""
        for entry in self._background.get(instance, ()):
            self._launch(k.BACKGROUND, instance, entry, 0)

    @contextmanager
    def perform(self, errand: Errand, on: int, *draws: float) -> Iterator[simpy.Event]:
        """Let an instance perform an errand, with draws of its own or those given; the event of its end. Leaving early abandons it.

        The event never happens where the tables have no room for the errand: the run ends then.
        """
        handle, work = self._handles, Work(Settled(self.clock), on)
        self._handles += 1
        self._works[handle] = work
        self._performed.setdefault(on, set()).add(handle)
        frame = self._launch(k.WORK, on, errand.entry, handle)
        if frame != k.NONE and (values := draws or self._draw(errand)):
            first = frame * self.lowered.width
            self.columns["frames"]["draws"][first:first + len(values)] = values
        try:
            yield work.done
        finally:
            self._forget(handle)

    def _forget(self, handle: int) -> Work | None:
        """Take a work out of those under way; None where it is none of them."""
        work = self._works.pop(handle, None)
        if work is not None:
            self._performed[work.instance].discard(handle)
        return work

    def _draw(self, errand: Errand) -> Sequence[float]:
        """The next draw of each variable of an errand, each from a stream of its own."""
        if errand.key is None:
            return []
        if errand.key not in self._samplers:
            generators = Generators(self.seed, self.replication)
            self._samplers[errand.key] = [sampler_of(v, generators, errand.key) for v in errand.variables.variables]
        return [float(draw(1)[0]) for draw in self._samplers[errand.key]]

    def _launch(self, kind: int, instance: int, entry: int, handle: int) -> int:
        """Let an instance carry out instructions on a thread of their own; the frame, NONE where there is no room and may be none."""
        run = self.columns["run"]
        while int(run["free_frames"][0]) == 0 or int(run["fresh_entity"][0]) == int(run["entities"][0]):
            if not self._grow():
                return k.NONE
        return int(kernel.launch(self._plane, kind, instance, entry, handle, int(self.clock.now)))

    def share_links(self, used: np.ndarray, flows: np.ndarray) -> None:
        """What large transfers take of each link from now on [bytes/ns], and how many of them are on it; requests get what they leave."""
        links, now = self.columns["links"], int(self.clock.now)
        changed = (np.asarray(links["bulk"]) != used) | (np.asarray(links["bulk_flows"]) != flows)
        for row in np.flatnonzero(changed).tolist():
            kernel.load_link(self._plane, row, float(used[row]), float(flows[row]), now)

    # --- looking -------------------------------------------------------------------------------------------------------

    def read(self, table: str, column: str) -> np.ndarray:
        """A column as an array, as it stands; a look changes nothing."""
        return np.asarray(self.columns[table][column])

    def bytes_passed(self) -> np.ndarray:
        """Bytes of requests that each link has carried up to now."""
        read = self.read
        whole, n, flows = read("links", "bytes_per_ns"), read("links", "transfers"), read("links", "bulk_flows")
        shared = np.maximum(whole - read("links", "bulk"), whole * n / np.maximum(n + flows, 1))
        rate = np.where(n > 0, np.where(flows > 0, shared, whole), 0.0)
        since: np.ndarray = int(self.clock.now) - read("links", "settled_at")
        return np.asarray(read("links", "passed") + rate * since)

    def instances_of(self, service: str) -> list[int]:
        """Rows of a service's instances, in the order of their replica numbers."""
        return self._of_service.get(service, [])

    @cached_property
    def _of_service(self) -> dict[str, list[int]]:
        """Rows of each service's instances, in the order of their replica numbers."""
        found: dict[str, list[int]] = {}
        for instance in sorted(self.lowered.arrangement.instances, key=lambda i: i.replica):
            found.setdefault(instance.service, []).append(instance.row)
        return found

"""The seam, sideways: the data plane as the rest of the program sees it, and the verbs by which the control plane acts on it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import numpy as np
import simpy

from simvirt import kernel
from simvirt.demand.luck import Luck, sampler_of
from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.arrange import MEMORY_SERVICE
from simvirt.lowering.lower import Lowered
from simvirt.lowering.rows import blank, chain_frames
from simvirt.memory.account import MemoryAccount

MOST_FRAMES = 2**20  # calls under way; some 500 bytes each
STARTUP_CLASS = 1_000_000  # key of the streams of start-up work, beyond those of request classes


class Stopped(Exception):
    """The run ends before its time, because somebody has set its `halt`."""


@dataclass(frozen=True)
class Reached:
    """An event that the data plane settled before the control plane's next one."""

    at: int  # [ns]
    event: simpy.Event


@dataclass
class Work:
    """Work that an instance performs for the control plane."""

    done: simpy.Event
    frame: int
    started: int
    open: bool = True


@dataclass
class DataPlane:
    """The tables of one replication, the compiled functions over them, and the luck that feeds them."""

    lowered: Lowered
    luck: Luck
    seed: int
    replication: int
    over: bool = False  # all requests are answered and none will come
    full: bool = False  # more requests are under way than the tables may hold; nothing happens any more
    halt: Event | None = None  # ends the run at its next block of requests
    memory: MemoryAccount | None = None  # what has become of memory, where the control plane follows it
    _works: list[Work] = field(default_factory=list)
    _drained: dict[int, simpy.Event] = field(default_factory=dict)
    _due: list[simpy.Event] = field(default_factory=list)
    _background: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plain = kernel.MODE == "plain"
        self.columns: dict[str, dict[str, Any]] = {
            name: {key: column.tolist() if plain else column.copy() for key, column in table.items()}
            for name, table in self.lowered.tables.items()
        }
        self._plane = kernel.make_plane()
        self._most_frames = max(MOST_FRAMES, 2 * int(self.columns["run"]["frames"][0]))
        self._startups = {name: self._samplers(row, name) for row, name in enumerate(self.lowered.startup)}
        for thread in self.lowered.background:
            self._background.setdefault(thread.instance, []).append(thread.entry)
        self._bind()
        for _ in range(int(self.columns["source"]["clients"][0])):
            kernel.launch_client(self._plane, 0)

    def _samplers(self, row: int, name: str) -> list[Any]:
        """Samplers of a service's start-up work, a stream each."""
        variables = self.lowered.startup[name][1].variables
        return [sampler_of(variable, self.seed, self.replication, STARTUP_CLASS + row) for variable in variables]

    def _bind(self, *changed: str) -> None:
        """Hand the columns of changed tables to the kernel, all of them when none is named."""
        for name in changed or self.columns:
            kernel.bind(self._plane, name, self.columns[name])

    # --- time ----------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Instant of the last event [ns]."""
        return int(self.columns["run"]["now"][0])

    def catch_up(self, until: float) -> Reached | None:
        """Carry out every request event before `until` [ns]; earlier only when one of them is for the control plane."""
        horizon = k.NEVER if until == float("inf") else int(until)
        while not self._due:
            reason = kernel.advance(self._plane, horizon)
            if reason == k.NEEDS_DEMAND:
                self._refill()
            elif reason == k.NEEDS_ROOM and int(self.columns["run"]["frames"][0]) >= self._most_frames:
                self.full = True
                return None
            elif reason == k.NEEDS_ROOM:
                self._grow()
            elif reason == k.SIGNALS:
                self._read_signals()
            else:
                self.over = reason == k.DONE
                return None
        return Reached(self.now, self._due.pop(0))

    def _refill(self) -> None:
        """Give the kernel the next block of requests."""
        if self.halt is not None and self.halt.is_set():
            raise Stopped
        block = self.luck.next_block()
        source = self.columns["source"]
        plain = kernel.MODE == "plain"
        columns = {"at": block.at, "category": block.category, "draws": block.draws.ravel()}
        if block.home is not None:
            columns["home"] = block.home
        for name, values in columns.items():
            source[name] = values.tolist() if plain else np.ascontiguousarray(values if len(values) else np.zeros(1, values.dtype))
        for name, value in (("count", len(block.at)), ("last", int(block.last)), ("cursor", 0)):
            source[name][0] = value
        self._bind("source")

    def _grow(self) -> None:
        """Double the number of frames and threads."""
        old = int(self.columns["run"]["frames"][0])
        self._extend("frames", t.Frames, old, {"spent": k.N_CATEGORIES, "draws": self.lowered.width})
        self._extend("entities", t.Entities, old, {})
        self._extend("calendar", t.Calendar, old, {"size": 0})
        self._widen_links(old, 2 * old)
        run = self.columns["run"]
        run["frames"][0] = 2 * old
        run["entities"][0] += old
        chain_frames(self.columns, old, 2 * old)
        self._bind("run", "frames", "entities", "calendar", "links")

    def _extend(self, name: str, table: type[t.Table], rows: int, factors: dict[str, int]) -> None:
        """Add blank rows to a table."""
        lengths = {key: rows * factor for key, factor in factors.items()}
        for key, more in blank(table, rows=rows, **lengths).items():
            column = self.columns[name][key]
            self.columns[name][key] = column + more.tolist() if isinstance(column, list) else np.concatenate([column, more])

    def _widen_links(self, old: int, new: int) -> None:
        """Give each link's heap room for all frames."""
        links = self.columns["links"]
        for key in ("tags", "frames"):
            wide = np.zeros((2, new), dtype=np.asarray(links[key]).dtype)
            wide[:, :old] = np.asarray(links[key]).reshape(2, old)
            links[key] = wide.ravel().tolist() if isinstance(links[key], list) else wide.ravel()
        links["capacity"][0] = new

    def _read_signals(self) -> None:
        """Turn the kernel's signals into events of the control plane."""
        run = self.columns["run"]
        for at in range(int(run["pending"][0])):
            reason, row = int(run["signals"][2 * at]), int(run["signals"][2 * at + 1])
            if reason == k.WORK_DONE and self._works[row].open:
                self._works[row].open = False
                self._due.append(self._works[row].done)
            elif reason == k.DRAINED and row in self._drained:
                self._due.append(self._drained.pop(row))
        run["pending"][0] = 0

    # --- verbs ---------------------------------------------------------------------------------------------------------

    def admit(self, instance: int) -> None:
        """Let load balancing send requests to an instance."""
        self.columns["instances"]["life"][instance] = k.READY
        kernel.set_ready(self._plane, instance, 1)

    def drain(self, instance: int, clock: simpy.Environment) -> simpy.Event:
        """Send an instance no more requests; an event that happens once it has answered the last one."""
        kernel.set_ready(self._plane, instance, 0)
        self.columns["instances"]["life"][instance] = k.DRAINING
        event = clock.event()
        if int(self.columns["instances"]["in_flight"][instance]) == 0:
            event.succeed()
        else:
            self._drained[instance] = event
        return event

    def stop(self, instance: int, now: int) -> None:
        """End an instance that has nothing left to answer: its background threads stop."""
        kernel.crash(self._plane, instance, now)
        self.columns["instances"]["life"][instance] = k.STOPPED

    def crash(self, instance: int, now: int) -> None:
        """End an instance at once; the requests that it works on are lost."""
        kernel.crash(self._plane, instance, now)
        for work in self._works:
            if work.open and int(self.columns["frames"]["kind"][work.frame]) == k.NONE:
                work.open = False

    def start_background(self, instance: int, now: int) -> None:
        """Start an instance's background threads."""
        for entry in self._background.get(instance, ()):
            kernel.launch(self._plane, k.BACKGROUND, instance, entry, 0, now)

    @contextmanager
    def perform_startup(self, service: str, instance: int, clock: simpy.Environment) -> Iterator[simpy.Event]:
        """Perform a service's start-up work on an instance; the event of its end. Leaving early abandons the work."""
        self.columns["instances"]["life"][instance] = k.STARTING
        luck = [float(draw(1)[0]) for draw in self._startups[service]]
        with self._perform(instance, self.lowered.startup[service][0], luck, clock) as done:
            yield done

    @contextmanager
    def perform_reclaim(self, work: float, writes: int, clock: simpy.Environment) -> Iterator[simpy.Event]:
        """Reclaim on the host: compute for some time [ns], then write clusters of pages to swap; the event of its end."""
        row, = self.instances_of(MEMORY_SERVICE)
        with self._perform(row, self.lowered.memory.reclaim, [work, float(writes)], clock) as done:
            yield done

    @contextmanager
    def _perform(self, instance: int, entry: int, luck: Sequence[float], clock: simpy.Environment) -> Iterator[simpy.Event]:
        """Perform instructions on an instance, with draws of their own; the event of their end. Leaving early abandons them."""
        work = Work(clock.event(), -1, int(clock.now))
        self._works.append(work)
        work.frame = int(kernel.launch(self._plane, k.WORK, instance, entry, len(self._works) - 1, int(clock.now)))
        draws = self.columns["frames"]["draws"]
        for column, value in enumerate(luck):
            draws[work.frame * self.lowered.width + column] = value
        try:
            yield work.done
        finally:
            work.open = False

    def set_faults(self, instance: int, faults: float, spin: float, stall: int) -> None:
        """What a request meets on an instance: pages to be read from swap, work of memory management, a wait for it [ns]."""
        for name, value in (("faults", faults), ("spin", spin), ("stall", stall)):
            self.columns["instances"][name][instance] = value

    def set_misses(self, rows: Sequence[int], ratio: float) -> None:
        """How often a page cache does not serve the reads of some instructions."""
        for row in rows:
            self.columns["program"]["amount"][row] = ratio

    # --- looking -------------------------------------------------------------------------------------------------------

    def read(self, table: str, column: str) -> np.ndarray:
        """A column as an array, as it stands; a look changes nothing."""
        return np.asarray(self.columns[table][column])

    def instances_of(self, service: str) -> list[int]:
        """Rows of a service's instances, in the order of their replica numbers."""
        return [i.row for i in self.lowered.arrangement.instances if i.service == service]

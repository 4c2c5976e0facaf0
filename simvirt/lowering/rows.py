"""Columns of the tables before the run: what lowering says, and how the kernel's own columns begin."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.kernel.tables import Table

Columns = dict[str, np.ndarray]
LINE = 8  # 64-bit words of a cache line

INITIAL: dict[str, dict[str, float]] = {
    "Calendar": {"at": k.NEVER, "slot": k.NONE},
    "Run": {"todo_head": k.NONE, "todo_tail": k.NONE, "decider": k.NONE, "free_frame": k.NONE, "timer": k.NONE},
    "Machines": {"fluid_speed": 1.0},
    "Cpus": {"current": k.NONE, "coasting": k.NONE, "portion": 1.0, "review_at": k.NEVER}
    | dict.fromkeys(("core_slot", "idle_slot", "overloaded_slot", "crowded_slot"), k.NONE)
    | dict.fromkeys(("profile", "running_machine", "process", "polls_for", "ran_last", "holder"), k.NONE),
    "Queues": {"tree": k.NONE, "current": k.NONE, "next_throttled": k.NONE, "next_coasting": k.NONE},
    "Entities": {
        "group": k.NONE, "carries": k.NONE, "pin": k.NONE, "instance": k.NONE, "queue": k.NONE, "weight": k.WEIGHT_ONE, "left": k.NONE,
        "right": k.NONE, "frame": k.NONE, "next_free": k.NONE,
    },
    "Groups": {"first_throttled": k.NONE, "last_throttled": k.NONE, "slack_at": k.NEVER, "fluid_slot": k.NONE, "coasting": k.NONE},
    "Instances": {
        "life": k.STOPPED, "machine": k.NONE, "group": k.NONE, "net_device": k.NONE, "disk_device": k.NONE, "ready_slot": k.NONE,
        "receiver": k.NONE, "softirq": k.NONE, "free_thread": k.NONE, "queue_head": k.NONE, "queue_tail": k.NONE, "next_dirty": k.NONE,
        "previous_dirty": k.NONE,
    },
    "Caches": {"owner": k.NONE, "used_at": -1},
    "Devices": {"interrupted_at": -k.NEVER},
    "Locks": dict.fromkeys(("holder", "below", "head", "tail"), k.NONE),
    "Frames": dict.fromkeys(("kind", "thread", "parent", "instance", "next", "lock", "lock_line", "held_lock"), k.NONE),
    "Hosts": {"lottery": 1},
    "Disks": {"slow": 1.0} | dict.fromkeys(("head", "tail", "flusher", "first_dirty", "last_dirty", "first_writer", "last_writer"), k.NONE),
    "Source": {"parked": k.NONE, "lacking": 1, "guard": k.NONE},
    "Callers": {"opened": k.NEVER, "probe": k.NONE, "head": k.NONE, "tail": k.NONE},
    "Subscriptions": {"latency_min": k.NEVER, "head": k.NONE, "tail": k.NONE, "idle_head": k.NONE, "idle_tail": k.NONE},
    "Ranks": {"last": k.NONE},
    "Consumers": dict.fromkeys(("head", "tail", "next", "previous"), k.NONE),
    "Services": {"latency_min": k.NEVER},
    "Tallies": {"batch_size": 5, "latency_min": k.NEVER},
}
"""Starting values other than zero."""


def blank(table: type[Table], **lengths: int) -> Columns:
    """All columns of a table at their starting values; `rows` is the length of those not named."""
    initial = INITIAL.get(table.__name__, {})
    columns = {}
    for name, annotation in table.__annotations__.items():
        kind = np.float64 if annotation == t.Floats else np.int64
        columns[name] = np.full(lengths.get(name, lengths["rows"]), initial.get(name, 0), dtype=kind)
    return columns


def fill(columns: Columns, **given: Any) -> Columns:
    """Write columns that lowering owns; a wrong name or length is an error."""
    for name, values in given.items():
        column = columns[name]
        column[:] = np.asarray(values, dtype=column.dtype)
    return columns


def on_lines(words: int) -> np.ndarray:
    """So many 64-bit words, zero, from the beginning of a cache line on."""
    room = np.zeros(words + LINE, np.int64)
    first = -(room.ctypes.data // room.itemsize) % LINE
    return room[first:first + words]


class Room:
    """Memory for all tables in one piece, so that the system's large pages, which few entries of a TLB find, hold the small ones too."""

    def __init__(self, words: int) -> None:
        self._left = on_lines(words)

    def take(self, words: int) -> np.ndarray:
        """So many 64-bit words from the beginning of a cache line on; of their own where there are no more."""
        lines = -(-words // LINE) * LINE
        if lines > len(self._left):
            return on_lines(words)
        taken, self._left = self._left[:words], self._left[lines:]
        return taken


def room_for(tables: Mapping[str, Columns], fields: Mapping[str, Sequence[str]], words: Mapping[str, int]) -> Callable[[int], np.ndarray]:
    """What gives memory to some tables, of one room as large as they need."""
    return Room(sum(words_of(table, fields[name], words[name]) for name, table in tables.items())).take


def words_of(columns: Columns, fields: Sequence[str], words: int) -> int:
    """Most 64-bit words that a table takes of a room, each array in whole cache lines."""
    rows = len(columns[fields[0]]) if fields else 0
    lengths = [rows * words, *(len(column) for name, column in columns.items() if name not in fields)]
    return sum(-(-length // LINE) * LINE for length in lengths)


def lie_together(
    columns: Columns, fields: Sequence[str], words: int, take: Callable[[int], np.ndarray] = on_lines,
) -> tuple[Columns, np.ndarray]:
    """Copies of columns, of which some are fields of records of so many words, one record a row; the records as 64-bit words."""
    rows = len(columns[fields[0]]) if fields else 0
    records = take(rows * words)
    apart = {name: take(len(column)).view(column.dtype) for name, column in columns.items() if name not in fields}
    found = columns | apart | fields_of(records, {name: columns[name] for name in fields}, words)
    for name, column in columns.items():
        found[name][:] = column
    return found, records


def lengthen(columns: Columns, records: np.ndarray, more: Columns, fields: Sequence[str], words: int) -> tuple[Columns, np.ndarray]:
    """Columns that lie together, and their records, with more behind them; the rows that are added are all alike."""
    longer = {name: np.concatenate([columns[name], added]) for name, added in more.items() if name not in fields}
    if not fields:
        return longer, records
    _, row = lie_together({name: more[name][:1] for name in fields}, fields, words)
    whole = on_lines(len(records) + words * len(more[fields[0]]))
    whole[:len(records)] = records
    whole[len(records):].reshape(-1, words)[:] = row
    return longer | fields_of(whole, {name: more[name] for name in fields}, words), whole


def fields_of(records: np.ndarray, columns: Columns, words: int) -> Columns:
    """The columns that records of so many words begin with, in their order."""
    kinds = [column.dtype for column in columns.values()]
    offsets = [at * records.itemsize for at in range(len(kinds))]
    names, size = list(columns), max(words, 1) * records.itemsize
    rows = records.view(np.dtype({"names": names, "formats": kinds, "offsets": offsets, "itemsize": size}))
    return {name: rows[name] for name in names}


def column_of(items: list[Any], attribute: str) -> list[Any]:
    """One attribute of every item."""
    return [getattr(item, attribute) for item in items]


def chain_frames(tables: dict[str, Columns], first: int, last: int) -> None:
    """Put frames first to last - 1 at the head of the free list."""
    run, chain = tables["run"], tables["frames"]["next"]
    chain[first:last] = np.arange(first + 1, last + 1)
    chain[last - 1] = run["free_frame"][0]
    run["free_frame"][0] = first
    run["free_frames"][0] += last - first

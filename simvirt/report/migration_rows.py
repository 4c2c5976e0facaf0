"""Live migrations in the table of a run: each of a few, the sums of many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from simvirt.result import figures
from simvirt.result.migrations import MigrationResult
from simvirt.result.run_document import PlatformResult

FEW: Final = 4
"""So many migrations are shown one by one."""
Line = tuple[str, list[str | None]]
"""A label, and what is known of each platform."""


def migration_lines(platforms: Sequence[PlatformResult]) -> Iterator[Line]:
    """What moved, how long that took, how long it stood still, what crossed the network."""
    names = list(dict.fromkeys(_name(move) for platform in platforms for move in platform.migrations))
    if len(names) > FEW:
        yield from _all(platforms)
        return
    for name in names:
        yield from _one(name, [next((move for move in platform.migrations if _name(move) == name), None) for platform in platforms])


def _name(move: MigrationResult) -> str:
    """What moves where, and from when on: several may move the same way."""
    return f"{move.service}-{move.replica} to {move.to}, {figures.time(move.asked_s)}"


def _one(name: str, moves: Sequence[MigrationResult | None]) -> Iterator[Line]:
    """The lines of one migration."""
    yield name, [None if move is None else "not done" if not move.ended else figures.time(move.total_s) for move in moves]
    yield "  stood still", _each(moves, lambda move: figures.time(move.downtime_s) if move.ended else None)
    yield "  memory sent", _each(moves, lambda move: figures.size(move.sent_bytes))
    yield "  disk sent", _each(moves, lambda move: figures.size(move.disk_bytes) if move.disk_bytes else None)
    yield "  rounds", _each(moves, lambda move: figures.scaled(move.rounds) if move.rounds else None)
    yield "  time taken away", _each(moves, lambda move: figures.time(move.throttled_s) if move.throttled_s else None)
    yield "  pages fetched", _each(moves, lambda move: figures.count(move.faults) if move.faults else None)


def _each(moves: Sequence[MigrationResult | None], form: Callable[[MigrationResult], str | None]) -> list[str | None]:
    """A number of each platform's migration."""
    return [None if move is None else form(move) for move in moves]


def _all(platforms: Sequence[PlatformResult]) -> Iterator[Line]:
    """The lines of many migrations together."""
    done = [[move for move in platform.migrations if move.ended] for platform in platforms]
    yield "asked for", [str(len(platform.migrations)) for platform in platforms]
    yield "done", [str(len(moves)) for moves in done]
    yield "all done after", [_longest(moves, lambda move: move.asked_s + (move.total_s.value or 0.0)) for moves in done]
    yield "longest", [_longest(moves, lambda move: move.total_s.value or 0.0) for moves in done]
    yield "longest pause", [_longest(moves, lambda move: move.downtime_s.value or 0.0) for moves in done]
    yield "memory sent", [figures.size(sum(move.sent_bytes for move in moves)) if moves else None for moves in done]


def _longest(moves: Sequence[MigrationResult], of: Callable[[MigrationResult], float]) -> str | None:
    """The largest time of any."""
    return figures.time(max(map(of, moves))) if moves else None

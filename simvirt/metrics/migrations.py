"""Live migrations as numbers: each over the replications of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simvirt.control.records import Move
from simvirt.metrics.statistics import mean_interval
from simvirt.result.migrations import MigrationResult, RoundResult

S = 1e9


def migrations(replications: Sequence[Sequence[Move]], names: Sequence[str]) -> tuple[MigrationResult, ...]:
    """The migrations of a run, in the order in which they were asked for; `names` are those of hosts."""
    found: dict[tuple[object, ...], list[Move]] = {}
    for moves in replications:
        for move in moves:
            found.setdefault((move.asked, move.service, move.replica, move.source, move.to, move.how), []).append(move)
    return tuple(_result(those, names) for _, those in sorted(found.items(), key=lambda item: item[1][0].asked))


def _result(those: Sequence[Move], names: Sequence[str]) -> MigrationResult:
    """One of them."""
    first, ended = those[0], [move for move in those if move.ended is not None]

    def mean(of: Callable[[Move], float]) -> float:
        return sum(of(move) for move in those) / len(those)

    return MigrationResult(
        service=first.service, replica=first.replica, source=names[first.source], to=names[first.to], how=first.how,
        asked_s=first.asked / S, ended=len(ended), total_s=mean_interval([((move.ended or 0) - move.asked) / S for move in ended]),
        waited_s=mean_interval([((move.began or 0) - move.asked) / S for move in ended]),
        downtime_s=mean_interval([(move.downtime or 0) / S for move in ended]), rounds=mean(lambda move: len(move.rounds)),
        memory_bytes=mean(lambda move: move.memory), sent_bytes=mean(lambda move: move.sent), disk_bytes=mean(lambda move: move.copied),
        throttled_s=mean(lambda move: move.throttled / S), logging_s=mean(lambda move: move.logged / S),
        faults=mean(lambda move: move.faults), why=first.why,
        copied=tuple(RoundResult(sent_bytes=one.sent, took_s=one.seconds, dirtied_bytes=one.dirtied, throttled=one.throttled)
                     for one in first.rounds),
    )

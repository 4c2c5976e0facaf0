"""What indices, knees and the Pareto front of a sweep come to, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simvirt.result import figures
from simvirt.result.sweep_document import ParetoFront, SobolIndex, SweptKnee


def said(indices: Sequence[SobolIndex], knees: Sequence[SweptKnee], front: ParetoFront | None) -> str:
    """A sentence for each of them that says something; each begins with a space."""
    return "".join(f" {sentence}" for sentence in (*_indices(indices), *_knees(knees), *_front(front)))


def _indices(found: Sequence[SobolIndex]) -> Iterator[str]:
    """What the first measure depends on most."""
    mine = [one for one in found if (one.measure, one.platform) == (found[0].measure, found[0].platform)]
    if len(mine) > 1 and mine[0].measure == "latency_p99_s":
        yield (
            f"The p99 on {mine[0].platform} depends most on {mine[0].axis}: {figures.percent(mine[0].total)} of its variance goes with it, "
            f"{figures.percent(mine[0].first)} with it alone."
        )


def _knees(found: Sequence[SweptKnee]) -> Iterator[str]:
    """Where the objective breaks on each platform, of a sweep of the load alone."""
    lone = [one for one in found if not one.at and one.missed is not None]
    if lone:
        where = (f"between {one.met} and {one.missed}" if one.met else f"below {one.missed}" for one in lone)
        yield f"The objective breaks {', '.join(f'{at} on {one.platform}' for at, one in zip(where, lone, strict=True))}."


def _front(front: ParetoFront | None) -> Iterator[str]:
    """How many are on the front."""
    if front is not None:
        yield f"{len(front.points)} rows are on the Pareto front."

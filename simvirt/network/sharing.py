"""Rates of transfers that share links: max-min fair, each over all links of its route.

*Model*: a rate can grow only at the cost of one that is not larger. All rates grow together until a link is full, whose flows stay as they
    are, or a flow reaches its cap; the others go on. A link is full for good once none of its flows is held back elsewhere before it, so
    that many links are settled in one turn.
*Ignores*: round-trip times, which bias TCP; its ramp-up and loss.
*Source*: Bertsekas and Gallager, Data Networks, 2nd ed. 1992, section 6.5.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.float64]]"
Rows: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.int64]]"


def max_min(
    capacities: Sequence[float] | Array, paths: Sequence[Sequence[int]], caps: Sequence[float] | None = None,
    counts: Sequence[int] | None = None,
) -> Array:
    """The rate of each flow.

    `capacities`: of each link, in any unit, which is that of the rates; `paths`: rows of the links of each flow, none twice; `caps`: most
    that each may have, infinity for no cap; `counts`: how many like it there are, each of which has the rate. A flow over no link has its
    cap.
    """
    n = len(paths)
    rates = np.array(caps, dtype=float) if caps is not None else np.full(n, np.inf)
    weights = np.ones(n) if counts is None else np.asarray(counts, dtype=float)
    lengths = np.fromiter((len(path) for path in paths), np.int64, n)
    flows = np.repeat(np.arange(n), lengths)
    links = np.fromiter((link for path in paths for link in path), np.int64, len(flows))
    return fill(np.asarray(capacities, dtype=float), flows, links, rates, weights)


def fill(capacities: Array, flows: Rows, links: Rows, caps: Array, weights: Array) -> Array:
    """Progressive filling: flow `flows[i]` takes link `links[i]`; the entries of a flow lie together."""
    rates, left = caps.copy(), capacities.copy()
    while len(flows):
        share = np.maximum(left, 0.0) / np.maximum(np.bincount(links, weights[flows], len(left)), 1e-300)
        level = caps.copy()
        np.minimum.at(level, flows, share[links])
        least = share.copy()
        np.minimum.at(least, links, level[flows])
        settled = caps <= level
        settled[flows[(share <= least)[links]]] = True
        done = settled[flows]
        rates[flows[done]] = level[flows[done]]
        left -= np.bincount(links[done], rates[flows[done]] * weights[flows[done]], len(left))
        flows, links = flows[~done], links[~done]
    return rates

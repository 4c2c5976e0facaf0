"""Several workloads whose requests come at instants, as one stream of requests in the order of their instants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simvirt.workload.draws import Block, Blocks, joined, nothing


class Merged:
    """The requests of several workloads in turn, `limit` of them in all where there is one; at the same instant in the workloads' order.

    A workload that ends leaves the others as they are.
    """

    def __init__(self, parts: Sequence[Blocks], width: int, limit: int | None) -> None:
        self._parts, self._width, self._left = list(parts), width, limit
        self._waiting = [nothing(width, False) for _ in parts]

    def next_block(self) -> Block:
        """The requests up to the first instant behind which one of the workloads is not drawn yet; the last block says so."""
        if self._left == 0:
            return nothing(self._width, True)
        for row, part in enumerate(self._parts):
            if len(self._waiting[row].at) == 0 and not self._waiting[row].last:
                self._waiting[row] = part.next_block()
        until = min((int(block.at[-1]) for block in self._waiting if not block.last), default=None)
        taken = [self._take(row, until) for row in range(len(self._parts))]
        return self._limited(_in_order(taken, all(block.last and len(block.at) == 0 for block in self._waiting)))

    def _take(self, row: int, until: int | None) -> Block:
        """What a workload has up to an instant; the rest keeps waiting."""
        block = self._waiting[row]
        n = len(block.at) if until is None else int(np.searchsorted(block.at, until, side="right"))
        self._waiting[row] = block.between(n, len(block.at), block.last)
        return block.between(0, n, False)

    def _limited(self, block: Block) -> Block:
        """A block without what is beyond the limit."""
        if self._left is None:
            return block
        n = min(self._left, len(block.at))
        self._left -= n
        return block.between(0, n, block.last or self._left == 0)


def _in_order(blocks: list[Block], last: bool) -> Block:
    """Requests of several blocks in the order of their instants."""
    whole = joined(blocks, last)
    order = np.argsort(whole.at, kind="stable")
    home = None if whole.home is None else whole.home[order]
    return Block(whole.at[order], whole.category[order], whole.draws[order], last, home)

"""Lines for threads in which calls of a higher rank stand before those of a lower one.

*Model*: a request has the rank of its class, and so has all that is done for it. A call stands behind all of its own rank and before all of
    lower ones; who computes is not interrupted. Where the line is full, a call takes the place of the last one of the lowest rank, which
    is rejected, if that is lower than its own.
*Ignores*: ranks at devices, locks and pools of connections, which are first come, first served.
*Source*: A. Cobham, Priority assignment in waiting line problems, Operations Research 2(1), 1954; for the full line: Google, Site
    Reliability Engineering, chapter 21 (criticality).
"""

from simvirt.kernel.constants import ATTEMPT, MESSAGE, NONE, REQUEST
from simvirt.kernel.marks import rare
from simvirt.kernel.tables import Plane


def rank_of(p: Plane, f: int) -> int:
    """Rank of what a call is made for, 0 before all others, which is also that of what no request asks for."""
    root: int = p.frames.root[f]
    kind: int = p.frames.kind[root]
    if kind == REQUEST or kind == ATTEMPT or kind == MESSAGE:
        return p.source.rank[p.frames.category[root]]
    return 0


def is_ranked(p: Plane, i: int) -> bool:
    """Whether calls stand in line at an instance by their rank."""
    return p.run.ranks[0] > 0 and p.instances.first_rank[i] != NONE


@rare
def join_by_rank(p: Plane, f: int, i: int) -> None:
    """Stand behind the last call of the same rank, or of the next higher one that has some."""
    first: int = p.instances.first_rank[i]
    own: int = first + rank_of(p, f)
    at: int = own
    while at > first and p.ranks.last[at] == NONE:
        at -= 1
    ahead: int = p.ranks.last[at]
    after: int = p.frames.next[ahead] if ahead != NONE else NONE
    if ahead == NONE:
        after = p.instances.queue_head[i] if p.instances.queue_length[i] > 0 else NONE
        p.instances.queue_head[i] = f
    else:
        p.frames.next[ahead] = f
    p.frames.next[f] = after
    p.frames.front[f] = ahead
    if after == NONE:
        p.instances.queue_tail[i] = f
    else:
        p.frames.front[after] = f
    p.ranks.last[own] = f
    p.instances.queue_length[i] += 1


@rare
def leave_by_rank(p: Plane, f: int, i: int) -> None:
    """The first call has left a line."""
    own: int = p.instances.first_rank[i] + rank_of(p, f)
    if p.ranks.last[own] == f:
        p.ranks.last[own] = NONE
    after: int = p.frames.next[f]
    if after != NONE:
        p.frames.front[after] = NONE


@rare
def give_way(p: Plane, f: int, i: int) -> int:
    """The last call in line leaves it for one of a higher rank; NONE where its own rank is as high."""
    v: int = p.instances.queue_tail[i]
    if p.instances.queue_length[i] == 0 or p.instances.loops[i] != 0 or rank_of(p, v) <= rank_of(p, f):
        return NONE
    own: int = p.instances.first_rank[i] + rank_of(p, v)
    ahead: int = p.frames.front[v]
    p.ranks.last[own] = ahead if ahead != NONE and rank_of(p, ahead) == rank_of(p, v) else NONE
    p.instances.queue_tail[i] = ahead
    if ahead == NONE:
        p.instances.queue_head[i] = NONE
    else:
        p.frames.next[ahead] = NONE
    p.instances.queue_length[i] -= 1
    return v

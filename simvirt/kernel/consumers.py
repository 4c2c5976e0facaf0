"""Replicas that take messages: whose turn it is, and what each has in hand that it has not begun."""

from simvirt.kernel.constants import NONE
from simvirt.kernel.tables import Plane


def is_consumer_of(p: Plane, i: int, q: int) -> bool:
    """Whether an instance is a replica of the service that subscribes."""
    return p.subscriptions.service[q] == p.instances.service[i]


# --- whose turn it is -------------------------------------------------------------------------------------------------


def list_if_free(p: Plane, q: int, w: int) -> None:
    """A consumer that takes another message is the last of those that do; nothing where it is one of them, or takes none."""
    if p.consumers.listed[w] != 0 or p.consumers.joined[w] == 0 or p.consumers.held[w] >= p.subscriptions.prefetch[q]:
        return
    tail: int = p.subscriptions.idle_tail[q]
    p.consumers.listed[w] = 1
    p.consumers.next[w] = NONE
    p.consumers.previous[w] = tail
    if tail == NONE:
        p.subscriptions.idle_head[q] = w
    else:
        p.consumers.next[tail] = w
    p.subscriptions.idle_tail[q] = w


def leave_list(p: Plane, q: int, w: int) -> None:
    """A consumer is none of those that take another message."""
    if p.consumers.listed[w] == 0:
        return
    after: int = p.consumers.next[w]
    before: int = p.consumers.previous[w]
    p.consumers.listed[w] = 0
    if before == NONE:
        p.subscriptions.idle_head[q] = after
    else:
        p.consumers.next[before] = after
    if after == NONE:
        p.subscriptions.idle_tail[q] = before
    else:
        p.consumers.previous[after] = before


def take_turn(p: Plane, q: int) -> int:
    """The consumer whose turn it is takes one more message."""
    w: int = p.subscriptions.idle_head[q]
    leave_list(p, q, w)
    p.consumers.held[w] += 1
    list_if_free(p, q, w)
    return w


# --- what it has not begun --------------------------------------------------------------------------------------------


def keep_in_hand(p: Plane, w: int, m: int) -> None:
    """A consumer keeps a message for later."""
    tail: int = p.consumers.tail[w]
    p.frames.after[m] = NONE
    p.frames.ahead[m] = tail
    if tail == NONE:
        p.consumers.head[w] = m
    else:
        p.frames.after[tail] = m
    p.consumers.tail[w] = m


def drop_from_hand(p: Plane, w: int, m: int) -> None:
    """A message is none of those that a consumer keeps for later."""
    after: int = p.frames.after[m]
    ahead: int = p.frames.ahead[m]
    if ahead == NONE:
        p.consumers.head[w] = after
    else:
        p.frames.after[ahead] = after
    if after == NONE:
        p.consumers.tail[w] = ahead
    else:
        p.frames.ahead[after] = ahead


def next_in_hand(p: Plane, w: int) -> int:
    """The message that a consumer has kept longest, which it takes up; NONE without one."""
    m: int = p.consumers.head[w]
    if m != NONE:
        drop_from_hand(p, w, m)
    return m

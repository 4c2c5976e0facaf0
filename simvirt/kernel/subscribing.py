"""Replicas that begin to take messages, leave, or die with what they have in hand."""

from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import BUFFERED, GIVEN_UP, GONE, MESSAGE, NEVER, NONE, REPLACED, WORKED_ON
from simvirt.kernel.consumers import is_consumer_of, leave_list, list_if_free
from simvirt.kernel.marks import rare
from simvirt.kernel.messages import lose_message, offer, return_message, take_back
from simvirt.kernel.tables import Plane


@rare
def join_topics(p: Plane, i: int, now: int) -> None:
    """A replica begins to take messages."""
    for q in range(p.run.subscriptions[0]):
        if is_consumer_of(p, i, q):
            w: int = p.subscriptions.first[q] + i - p.subscriptions.least[q]
            p.consumers.joined[w] = 1
            list_if_free(p, q, w)
            p.run.now[0] = max(p.run.now[0], now)
            offer(p, q, now)


@rare
def leave_topics(p: Plane, i: int, now: int) -> None:
    """A replica takes no more messages, and gives back those that it has not begun; these deliveries do not count."""
    for q in range(p.run.subscriptions[0]):
        if is_consumer_of(p, i, q):
            w: int = p.subscriptions.first[q] + i - p.subscriptions.least[q]
            p.consumers.joined[w] = 0
            leave_list(p, q, w)
            p.run.now[0] = max(p.run.now[0], now)
            hand_back(p, q, w, now)
            offer(p, q, now)


def hand_back(p: Plane, q: int, w: int, now: int) -> None:
    """What a consumer has not begun comes back into the line, or is lost."""
    m: int = p.consumers.tail[w]
    while m != NONE:
        ahead: int = p.frames.ahead[m]
        if p.subscriptions.keeps[q] != 0:
            p.frames.deliveries[m] -= 1
            return_message(p, q, m, now)
        else:
            take_back(p, q, m)
            lose_message(p, q, m, False)
        m = ahead


@rare
def lose_consumer(p: Plane, i: int, life: int, now: int) -> None:
    """A replica has died with all messages that it has in hand."""
    for q in range(p.run.subscriptions[0]):
        if is_consumer_of(p, i, q):
            w: int = p.subscriptions.first[q] + i - p.subscriptions.least[q]
            p.consumers.joined[w] = 0
            leave_list(p, q, w)
            forget_hand(p, q, w, life, now)


def forget_hand(p: Plane, q: int, w: int, life: int, now: int) -> None:
    """A consumer has nothing in hand any more."""
    for m in range(p.run.frames[0]):
        if p.frames.kind[m] == MESSAGE and p.frames.subscription[m] == q and p.frames.consumer[m] == w:
            p.frames.consumer[m] = NONE
            if p.frames.standing[m] != BUFFERED:
                p.subscriptions.busy[q] += now - p.frames.began[m]
            if p.frames.standing[m] != REPLACED:
                forsake(p, q, m, life, now)
    p.consumers.held[w] = 0
    p.consumers.working[w] = 0
    p.consumers.head[w] = NONE
    p.consumers.tail[w] = NONE


def forsake(p: Plane, q: int, m: int, life: int, now: int) -> None:
    """The consumer of a message has died: it is lost, or comes back when that is noticed."""
    if p.subscriptions.keeps[q] == 0:
        lose_message(p, q, m, p.frames.standing[m] == WORKED_ON)
        return
    if p.frames.standing[m] == BUFFERED:
        p.frames.standing[m] = GIVEN_UP
    if p.subscriptions.visibility[q] == NEVER:
        notice: int = p.run.notice[0] if life == GONE else 0
        set_timer(p.calendar, p.run.first_frame_timer[0] + m, now + notice)

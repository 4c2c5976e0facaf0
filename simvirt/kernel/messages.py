"""Messages between services: a topic hands each to all that subscribe to it, whose replicas take them when they can.

*Model*: a subscription is a line, first come, first served. A replica in load balancing takes messages while it has fewer in hand than it
    may, in turn with the others, and works on so many of them at once; what it has beyond these it keeps by it. A message that is not kept
    is lost where its consumer fails or dies. One that is kept comes back to the head of the line, until it has been delivered as often as
    it may be: at once where its consumer fails, is taken out of load balancing, or dies and its kernel closes the connection; after
    `run.notice` where that kernel is gone; or, with a time of visibility, after that time alone, whatever became of the consumer. A
    consumer that still works on such a message works on it to the end, in vain. A line with a bound drops what comes, or what has waited
    longest, or lets those who publish wait. A message has the draws of the request that it comes from, at each delivery the same.
*Ignores*: what publishing and polling take of a broker (a call to an operation of one says that); the order of messages by key; that a late
    acknowledgement may still delete a message that nobody has taken yet; that a consumer which fails its checks goes on with messages.
*Source*: AMQP 0-9-1, basic.qos and basic.reject, and RabbitMQ's guides "Consumer Acknowledgements", "Queue Length Limit" and "Quorum
    Queues" (delivery limit); Amazon SQS Developer Guide, "Visibility timeout" and "Dead-letter queues".
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.calendar import clear_timer, set_timer
from simvirt.kernel.constants import (
    BLOCKS,
    BUFFERED,
    DROPS_NEWEST,
    GIVEN_UP,
    IN_LINE,
    LOST,
    MESSAGE,
    NEVER,
    NONE,
    N_BUCKETS,
    OP_DELIVER,
    OP_PUBLISH,
    QUEUE,
    REPLACED,
    WAITING,
    WORKED_ON,
)
from simvirt.kernel.consumers import drop_from_hand, keep_in_hand, list_if_free, next_in_hand, take_turn
from simvirt.kernel.devices import call_instance, copy_draws
from simvirt.kernel.histogram import record
from simvirt.kernel.marks import rare
from simvirt.kernel.requests import append_todo, body_on, clear_account, free_frame, new_frame
from simvirt.kernel.tables import Plane


@rare
def run_message_instruction(p: Plane, f: int, pc: int, now: int) -> bool:
    """Publish, begin to work on a message, or have done with it; whether the frame can go on at once."""
    op: int = p.program.op[pc]
    if op == OP_PUBLISH:
        return publish(p, f, pc, now)
    if op == OP_DELIVER:
        begin_message(p, f, pc, now)
    else:
        settle_message(p, f, now)
    return False


# --- publishing -------------------------------------------------------------------------------------------------------


def publish(p: Plane, f: int, pc: int, now: int) -> bool:
    """Leave a message in each line of a topic; false where one of them has no room, and who publishes waits for it."""
    first: int = p.program.inside[pc]
    last: int = first + p.program.entry[pc]
    for q in range(first, last):
        if p.subscriptions.full[q] == BLOCKS and p.subscriptions.waiting[q] >= p.subscriptions.limit[q]:
            p.frames.pc[f] = pc
            wait_for_room(p, f, q, now)
            let_in_any(p, first, last)
            return False
    enter(p, f, WAITING, now)
    for q in range(first, last):
        post(p, f, q, p.program.branches[p.program.target[pc] + q - first], now)
    let_in_any(p, first, last)
    return True


def wait_for_room(p: Plane, f: int, q: int, now: int) -> None:
    """Wait behind others who publish."""
    enter(p, f, QUEUE, now)
    p.frames.next[f] = NONE
    if p.subscriptions.blocked[q] == 0:
        p.subscriptions.blocked_head[q] = f
    else:
        p.frames.next[p.subscriptions.blocked_tail[q]] = f
    p.subscriptions.blocked_tail[q] = f
    p.subscriptions.blocked[q] += 1


def let_in_any(p: Plane, first: int, last: int) -> None:
    """Let those go on who wait for room in lines that have some."""
    for q in range(first, last):
        let_in(p, q)


def let_in(p: Plane, q: int) -> None:
    """Where a line has room let the first of those go on who wait for it, past those that have failed meanwhile."""
    while p.subscriptions.blocked[q] > 0 and p.subscriptions.waiting[q] < p.subscriptions.limit[q]:
        f: int = p.subscriptions.blocked_head[q]
        p.subscriptions.blocked_head[q] = p.frames.next[f]
        p.subscriptions.blocked[q] -= 1
        append_todo(p, f)
        if p.frames.failed[p.frames.root[f]] == 0:
            return


def post(p: Plane, f: int, q: int, script: int, now: int) -> None:
    """Leave a message in a line, as far as that has room."""
    p.subscriptions.published[q] += 1
    if p.subscriptions.waiting[q] >= p.subscriptions.limit[q]:
        p.subscriptions.dropped[q] += 1
        if p.subscriptions.full[q] == DROPS_NEWEST:
            return
        free_frame(p, first_in_line(p, q, now))
    m: int = new_message(p, f, q, script, now)
    p.frames.arrived[m] = now
    p.frames.deliveries[m] = 0
    come_last(p, q, m, now)
    offer(p, q, now)


def new_message(p: Plane, f: int, q: int, script: int, now: int) -> int:
    """A message of its own, with the draws of the request that a frame belongs to."""
    m: int = new_frame(p, MESSAGE, NONE, script, now)
    root: int = p.frames.root[f]
    clear_account(p, m)
    copy_draws(p, f, m)
    p.frames.home[m] = p.frames.home[root]
    p.frames.category[m] = p.frames.category[root]
    p.frames.subscription[m] = q
    p.frames.script[m] = script
    p.frames.consumer[m] = NONE
    return m


# --- the line ---------------------------------------------------------------------------------------------------------


def follow_line(p: Plane, q: int, change: int, now: int) -> None:
    """Follow the length of a line over time."""
    waiting: int = p.subscriptions.waiting[q]
    p.subscriptions.area[q] += float(waiting) * (now - p.subscriptions.area_at[q])
    p.subscriptions.area_at[q] = now
    p.subscriptions.waiting[q] = waiting + change
    p.subscriptions.longest[q] = max(p.subscriptions.longest[q], waiting + change)


def stand_in_line(p: Plane, q: int, m: int, now: int) -> None:
    """A message waits from now on."""
    p.frames.standing[m] = IN_LINE
    enter(p, m, QUEUE, now)
    follow_line(p, q, 1, now)


def come_last(p: Plane, q: int, m: int, now: int) -> None:
    """A message comes to the end of a line."""
    p.frames.after[m] = NONE
    if p.subscriptions.waiting[q] == 0:
        p.subscriptions.head[q] = m
    else:
        p.frames.after[p.subscriptions.tail[q]] = m
    p.subscriptions.tail[q] = m
    stand_in_line(p, q, m, now)


def come_first(p: Plane, q: int, m: int, now: int) -> None:
    """A message that has been delivered comes back to the head of a line."""
    p.frames.after[m] = p.subscriptions.head[q]
    if p.subscriptions.waiting[q] == 0:
        p.frames.after[m] = NONE
        p.subscriptions.tail[q] = m
    p.subscriptions.head[q] = m
    stand_in_line(p, q, m, now)


def first_in_line(p: Plane, q: int, now: int) -> int:
    """The first message leaves a line."""
    m: int = p.subscriptions.head[q]
    p.subscriptions.head[q] = p.frames.after[m]
    follow_line(p, q, -1, now)
    return m


# --- deliveries -------------------------------------------------------------------------------------------------------


def offer(p: Plane, q: int, now: int) -> None:
    """Hand out messages while there are some, and consumers that take them; then there may be room for others."""
    while p.subscriptions.waiting[q] > 0 and p.subscriptions.idle_head[q] != NONE:
        hand_out(p, q, take_turn(p, q), now)
    let_in(p, q)


def hand_out(p: Plane, q: int, w: int, now: int) -> None:
    """The first message in line goes to a consumer, which begins with it or keeps it by it."""
    m: int = first_in_line(p, q, now)
    p.subscriptions.wait[q] += now - p.frames.since[m]
    p.subscriptions.delivered[q] += 1
    p.subscriptions.under_way[q] += 1
    p.frames.deliveries[m] += 1
    p.frames.failed[m] = 0
    p.frames.consumer[m] = w
    enter(p, m, WAITING, now)
    if p.subscriptions.keeps[q] != 0 and p.subscriptions.visibility[q] < NEVER:
        set_timer(p.calendar, p.run.first_frame_timer[0] + m, now + p.subscriptions.visibility[q])
    if p.consumers.working[w] < p.subscriptions.concurrency[q]:
        work_on(p, w, m, now)
    else:
        p.frames.pc[m] = p.frames.script[m] + 1
        p.frames.standing[m] = BUFFERED
        keep_in_hand(p, w, m)


def work_on(p: Plane, w: int, m: int, now: int) -> None:
    """A consumer turns to a message that it has."""
    p.consumers.working[w] += 1
    p.frames.standing[m] = WORKED_ON
    p.frames.began[m] = now
    p.frames.pc[m] = p.frames.script[m]
    append_todo(p, m)


def begin_message(p: Plane, m: int, pc: int, now: int) -> None:
    """A thread of the consumer is asked for a message, unless the consumer has died at this very instant."""
    w: int = p.frames.consumer[m]
    if w == NONE:
        p.frames.failed[m] = LOST
        settle_message(p, m, now)
        return
    q: int = p.frames.subscription[m]
    i: int = w - p.subscriptions.first[q] + p.subscriptions.least[q]
    call_instance(p, m, i, body_on(p, i, p.program.entry[pc]), now)


def settle_message(p: Plane, m: int, now: int) -> None:
    """A consumer has done with a message: it is acknowledged, lost, or comes back sooner or later."""
    q: int = p.frames.subscription[m]
    enter(p, m, WAITING, now)
    lay_down(p, q, m, now)
    if p.frames.standing[m] == REPLACED:
        p.subscriptions.repeated[q] += 1 if p.frames.failed[m] == 0 else 0
        free_frame(p, m)
    elif p.frames.failed[m] == 0:
        acknowledge(p, q, m, now)
    elif p.subscriptions.keeps[q] == 0:
        lose_message(p, q, m, False)
    else:
        p.frames.standing[m] = GIVEN_UP
        p.frames.pc[m] = p.frames.script[m] + 1
        if p.subscriptions.visibility[q] == NEVER:
            return_message(p, q, m, now)
    offer(p, q, now)


def lay_down(p: Plane, q: int, m: int, now: int) -> None:
    """The consumer that worked on a message has it in hand no longer, and turns to the next one that it has."""
    w: int = p.frames.consumer[m]
    if w == NONE:
        return
    p.frames.consumer[m] = NONE
    p.subscriptions.busy[q] += now - p.frames.began[m]
    p.consumers.held[w] -= 1
    p.consumers.working[w] -= 1
    n: int = next_in_hand(p, w)
    if n != NONE:
        work_on(p, w, n, now)
    list_if_free(p, q, w)


def acknowledge(p: Plane, q: int, m: int, now: int) -> None:
    """A message has been worked on to the end."""
    latency: int = now - p.frames.arrived[m]
    clear_timer(p.calendar, p.run.first_frame_timer[0] + m)
    p.subscriptions.under_way[q] -= 1
    p.subscriptions.consumed[q] += 1
    p.subscriptions.latency_sum[q] += latency
    p.subscriptions.latency_min[q] = min(p.subscriptions.latency_min[q], latency)
    p.subscriptions.latency_max[q] = max(p.subscriptions.latency_max[q], latency)
    record(p.subscriptions.histogram, q * N_BUCKETS, latency)
    free_frame(p, m)


def lose_message(p: Plane, q: int, m: int, worked_on: bool) -> None:
    """A message that is not kept is lost; what is still worked on is worked on in vain."""
    p.subscriptions.under_way[q] -= 1
    p.subscriptions.lost[q] += 1
    if worked_on:
        p.frames.standing[m] = REPLACED
    else:
        free_frame(p, m)


def return_message(p: Plane, q: int, m: int, now: int) -> None:
    """A message that was not acknowledged comes back into the line, unless it has been delivered as often as it may be."""
    clear_timer(p.calendar, p.run.first_frame_timer[0] + m)
    p.subscriptions.under_way[q] -= 1
    if p.frames.standing[m] == BUFFERED:
        take_back(p, q, m)
    worked_on: bool = p.frames.standing[m] == WORKED_ON
    if worked_on:
        p.frames.standing[m] = REPLACED
    if p.frames.deliveries[m] >= p.subscriptions.most[q]:
        p.subscriptions.dead[q] += 1
        if not worked_on:
            free_frame(p, m)
        return
    p.subscriptions.returned[q] += 1
    come_first(p, q, twin(p, q, m, now) if worked_on else m, now)


def twin(p: Plane, q: int, m: int, now: int) -> int:
    """The same message, to be delivered anew while a consumer still works on the one before."""
    n: int = new_message(p, m, q, p.frames.script[m], now)
    p.frames.arrived[n] = p.frames.arrived[m]
    p.frames.deliveries[n] = p.frames.deliveries[m]
    return n


def take_back(p: Plane, q: int, m: int) -> None:
    """A consumer has a message in hand no longer that it has not begun."""
    w: int = p.frames.consumer[m]
    drop_from_hand(p, w, m)
    p.frames.consumer[m] = NONE
    p.consumers.held[w] -= 1
    list_if_free(p, q, w)


def on_message_timer(p: Plane, m: int, now: int) -> None:
    """A message that was not acknowledged in time is visible again; or its consumer's end is noticed."""
    q: int = p.frames.subscription[m]
    return_message(p, q, m, now)
    offer(p, q, now)

"""Calls that are guarded: time limits, retries, second copies, breakers, budgets, pools of connections.

*Model*: each try of a guarded call is a request of its own below that of its caller: it can fail, be cancelled or go on without harm to
    the rest. A caller that no longer waits for a try turns to the next one, or fails; its callee goes on with it (an orphan), or hears of
    it (a cancellation) and stops at its next step, with all calls that it has made itself. A deadline belongs to a call with all its
    tries; callees below have it too, and it always cancels. A retry is sent again by the caller, at its cost, with demands drawn anew, to a
    replica chosen anew, after base x growth^n, of which jitter draws all or half. A budget is a bucket: each call deposits one unit, each
    retry takes 1 / ratio of them, deposits expire after ten slices of time, a reserve is always there. A breaker opens after so many
    failures in a row, refuses for so long, then lets one try through, which closes or opens it. A second copy goes out where the first has
    not been answered in time; the first answer counts. A connection is held from before a try is sent until it is answered or given up.
*Ignores*: that what computes for a cancelled try stops within a step; what sending a second copy or a cancellation takes; that a cancelled
    call in line for a thread leaves the line before its turn.
*Source*: the budget is Finagle's (finagle-core RetryBudget, WindowedAdder of ten slices); jitter as in "Exponential Backoff And Jitter"
    (AWS Architecture Blog, 2015); the breaker's states as in M. Nygard, Release It!, and Polly; hedging as in J. Dean, L. A. Barroso,
    "The Tail at Scale", CACM 56(2), 2013; deadlines and cancellation as in gRPC.
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.buffering import find_none
from simvirt.kernel.calendar import clear_timer, set_timer
from simvirt.kernel.adapting import adapt
from simvirt.kernel.constants import (
    ATTEMPT,
    BREAKER_OPEN,
    BUDGET_UNIT,
    CANCELLED,
    CPU,
    DELAY,
    FULL_JITTER,
    HOLDS_CONNECTION,
    INTERFERENCE,
    LONGEST,
    NEVER,
    NO_CONNECTION,
    NO_JITTER,
    N_CATEGORIES,
    NONE,
    OP_ADAPT,
    OP_CONNECT,
    OP_PUBLISH,
    OP_SEND,
    OP_SETTLE,
    OP_SHED,
    OP_TRY,
    POOL_FULL,
    TIMED_OUT,
    VIRTUALIZATION,
    WAITING,
    WAITS_FOR_CONNECTION,
)
from simvirt.kernel.callers import (
    affords,
    deposit,
    forget_probe,
    return_connection,
    leave_pool,
    note_failure,
    note_success,
    refuses,
    take_connection,
)
from simvirt.kernel.devices import new_call
from simvirt.kernel.doors import is_shut, knock
from simvirt.kernel.marks import rare
from simvirt.kernel.messages import run_message_instruction
from simvirt.kernel.replicas import choose_entry
from simvirt.kernel.requests import admit, append_todo, body_on, clear_account, draw, free_frame, new_frame
from simvirt.kernel.shedding import shed
from simvirt.kernel.tables import Plane


@rare
def run_guard_instruction(p: Plane, f: int, pc: int, now: int) -> bool:
    """Carry out an instruction of a guarded call, a try, a message or a service that sheds; whether the frame can go on at once."""
    op: int = p.program.op[pc]
    if op >= OP_PUBLISH:
        return run_message_instruction(p, f, pc, now)
    if op == OP_SHED:
        return shed(p, f, pc, now)
    if op == OP_ADAPT:
        return adapt(p, f, now)
    if op == OP_CONNECT:
        return connect(p, f, now)
    if op == OP_SEND:
        send_request(p, f, pc, now)
    elif op == OP_SETTLE:
        settle_attempt(p, f, now)
    else:
        if op == OP_TRY:
            begin_guarded(p, f, pc, now)
        launch_attempt(p, f, pc, now)
    return False


# --- a call and its tries ---------------------------------------------------------------------------------------------


def begin_guarded(p: Plane, f: int, pc: int, now: int) -> None:
    """A guarded call begins: it has its deadline, and deposits into its budget."""
    g: int = p.program.inside[pc]
    p.guards.calls[g] += 1
    p.frames.tries[f] = 0
    p.frames.until[f] = min(deadline_of(p, f), now + p.guards.deadline[g])
    p.frames.attempt[f] = NONE
    p.frames.hedge[f] = NONE
    if p.guards.withdrawal[g] > 0:
        deposit(p, g, caller_row(p, f, g), BUDGET_UNIT, now)


def deadline_of(p: Plane, f: int) -> int:
    """Deadline of the try that a frame works for, NEVER without one [ns]."""
    root: int = p.frames.root[f]
    return p.frames.until[root] if p.frames.kind[root] == ATTEMPT else NEVER


def guard_of(p: Plane, f: int) -> int:
    """Guard of the call that a frame waits for."""
    return p.program.inside[p.frames.pc[f] - 1]


def caller_row(p: Plane, f: int, g: int) -> int:
    """Row of a caller among those of a guard."""
    return p.guards.first[g] + p.frames.instance[f] - p.guards.least[g]


def launch_attempt(p: Plane, f: int, pc: int, now: int) -> None:
    """The next try of a guarded call sets out, unless the breaker is open or the deadline has passed."""
    g: int = p.program.inside[pc]
    enter(p, f, WAITING, now)
    p.frames.tried_at[f] = now
    enroll(p, f)
    w: int = caller_row(p, f, g)
    if refuses(p, g, w, now):
        p.guards.refused[g] += 1
        give_up(p, f, BREAKER_OPEN, now)
        return
    if now >= p.frames.until[f]:
        give_up(p, f, TIMED_OUT, now)
        return
    a: int = new_attempt(p, f, pc, now)
    p.frames.attempt[f] = a
    if p.callers.opened[w] != NEVER:
        p.callers.probe[w] = a
    p.frames.expires[f] = min(p.frames.until[f], now + p.guards.timeout[g])
    first: int = p.frames.expires[f]
    if p.guards.hedge[g] > 0:
        first = min(first, now + p.guards.hedge[g])
    if first < NEVER:
        set_timer(p.calendar, p.run.first_frame_timer[0] + f, first)


def new_attempt(p: Plane, f: int, pc: int, now: int) -> int:
    """A try of a guarded call: it has the draws of the request that it is made for, and an account of its own."""
    g: int = p.program.inside[pc]
    p.guards.tries[g] += 1
    a: int = new_frame(p, ATTEMPT, p.frames.instance[f], p.program.entry[pc] + p.frames.tries[f] * p.program.flag[pc], now)
    p.frames.tries[f] += 1
    clear_account(p, a)
    root: int = p.frames.root[f]
    p.frames.parent[a] = f
    p.frames.home[a] = p.frames.home[root]
    p.frames.category[a] = p.frames.category[root]
    p.frames.until[a] = p.frames.until[f]
    p.frames.below[a] = NONE
    p.frames.connection[a] = NO_CONNECTION
    width: int = p.source.width[0]
    for c in range(width):
        p.frames.draws[a * width + c] = p.frames.draws[root * width + c]
    append_todo(p, a)
    return a


def send_request(p: Plane, a: int, pc: int, now: int) -> None:
    """A try of a client reaches the service."""
    i: int = choose_entry(p, p.program.target[pc], a, p.program.column[pc])
    if i == NONE:
        find_none(p, a, p.program.target[pc], a, now)
    else:
        g: int = new_call(p, a, i, body_on(p, i, p.program.entry[pc]), now)
        if is_shut(p, i):
            knock(p, g, now)
        else:
            admit(p, g, now)


@rare
def on_guard_timer(p: Plane, f: int, now: int) -> None:
    """A guarded call has waited: it tries again, sends a second copy, or waits no longer."""
    pc: int = p.frames.pc[f] - 1
    g: int = p.program.inside[pc]
    if p.frames.attempt[f] == NONE and p.frames.hedge[f] == NONE:
        try_again(p, f, now)
    elif now < p.frames.expires[f]:
        p.guards.hedged[g] += 1
        p.frames.hedge[f] = new_attempt(p, f, pc, now)
        if p.frames.expires[f] < NEVER:
            set_timer(p.calendar, p.run.first_frame_timer[0] + f, p.frames.expires[f])
    else:
        p.guards.timed_out[g] += 1
        w: int = caller_row(p, f, g)
        note_failure(p, g, w, p.frames.attempt[f], now)
        abandon_both(p, f, p.guards.cancels[g] != 0 or now >= p.frames.until[f], now)
        try_again_or_give_up(p, f, TIMED_OUT, now)


def connect(p: Plane, a: int, now: int) -> bool:
    """A try takes a connection of its caller; whether it has one. One that was given up before it set out does not set out."""
    f: int = p.frames.parent[a]
    if f == NONE:
        settle_attempt(p, a, now)
        return False
    g: int = guard_of(p, f)
    if not take_connection(p, g, caller_row(p, f, g), a, now):
        p.frames.failed[a] = POOL_FULL
        settle_attempt(p, a, now)
        return False
    return p.frames.connection[a] == HOLDS_CONNECTION


# --- how a try ends ---------------------------------------------------------------------------------------------------


def settle_attempt(p: Plane, a: int, now: int) -> None:
    """A try has been answered or has failed; its caller goes on, if it still waits."""
    enter(p, a, WAITING, now)
    f: int = p.frames.parent[a]
    if f == NONE:
        count_waste(p, p.frames.guard[a], a)
        free_frame(p, a)
        return
    g: int = guard_of(p, f)
    w: int = caller_row(p, f, g)
    return_connection(p, w, a, now)
    if p.frames.failed[a] == 0:
        succeed(p, f, a, g, w, now)
        return
    count_waste(p, g, a)
    cause: int = p.frames.failed[a]
    if cause == POOL_FULL:
        p.guards.full[g] += 1
        forget_probe(p, w, a)
    else:
        note_failure(p, g, w, a, now)
    take_off(p, f, a)
    free_frame(p, a)
    if p.frames.attempt[f] == NONE and p.frames.hedge[f] == NONE:
        clear_timer(p.calendar, p.run.first_frame_timer[0] + f)
        try_again_or_give_up(p, f, cause, now)


def succeed(p: Plane, f: int, a: int, g: int, w: int, now: int) -> None:
    """A caller has its answer: what the try took goes to the caller's account, another copy is given up."""
    note_success(p, g, w, a)
    clear_timer(p.calendar, p.run.first_frame_timer[0] + f)
    into: int = p.frames.account[f] * N_CATEGORIES
    p.frames.spent[into + DELAY] += p.frames.began[a] - p.frames.tried_at[f]
    for c in range(N_CATEGORIES):
        p.frames.spent[into + c] += p.frames.spent[a * N_CATEGORIES + c]
    take_off(p, f, a)
    free_frame(p, a)
    abandon_both(p, f, p.guards.cancels[g] != 0, now)
    withdraw_from_root(p, f)
    append_todo(p, f)


def take_off(p: Plane, f: int, a: int) -> None:
    """A call no longer waits for a try."""
    if p.frames.attempt[f] == a:
        p.frames.attempt[f] = NONE
    else:
        p.frames.hedge[f] = NONE


def try_again_or_give_up(p: Plane, f: int, cause: int, now: int) -> None:
    """Send again after the back-off where attempts, deadline and budget allow it."""
    g: int = guard_of(p, f)
    if p.frames.tries[f] < p.guards.attempts[g] and cause != POOL_FULL and p.frames.failed[p.frames.root[f]] == 0:
        at: int = now + backoff(p, f, g)
        if at < p.frames.until[f] and affords(p, g, caller_row(p, f, g), now):
            if at > now:
                set_timer(p.calendar, p.run.first_frame_timer[0] + f, at)
            else:
                try_again(p, f, now)
            return
    give_up(p, f, cause, now)


def backoff(p: Plane, f: int, g: int) -> int:
    """Time before the next try [ns]."""
    time: float = p.guards.backoff[g]
    for _ in range(p.frames.tries[f] - 1):
        time = min(time * p.guards.growth[g], p.guards.longest[g])
    if p.guards.jitter[g] != NO_JITTER:
        share: float = draw(p, f, p.program.column[p.frames.pc[f] - 1] + p.frames.tries[f] - 1, 0.0)
        time *= share if p.guards.jitter[g] == FULL_JITTER else 0.5 + 0.5 * share
    return int(min(time, LONGEST) + 0.5)


def try_again(p: Plane, f: int, now: int) -> None:
    """The caller sends its request again."""
    p.guards.retried[guard_of(p, f)] += 1
    p.frames.pc[f] = p.program.target[p.frames.pc[f] - 1]
    leave_waiting(p, f, now)


def give_up(p: Plane, f: int, cause: int, now: int) -> None:
    """A call has failed for good, and so has what it was made for."""
    p.guards.given_up[guard_of(p, f)] += 1
    if p.frames.failed[p.frames.root[f]] == 0:
        p.frames.failed[p.frames.root[f]] = cause
    leave_waiting(p, f, now)


def leave_waiting(p: Plane, f: int, now: int) -> None:
    """A caller goes on after tries that have failed; the time that they took was a delay."""
    p.frames.spent[p.frames.account[f] * N_CATEGORIES + DELAY] += now - p.frames.tried_at[f]
    withdraw_from_root(p, f)
    append_todo(p, f)


# --- tries that nobody waits for any more -----------------------------------------------------------------------------


def abandon_both(p: Plane, f: int, cancels: bool, now: int) -> None:
    """A call no longer waits for any try."""
    if p.frames.attempt[f] != NONE:
        abandon(p, f, p.frames.attempt[f], cancels, now)
        p.frames.attempt[f] = NONE
    if p.frames.hedge[f] != NONE:
        abandon(p, f, p.frames.hedge[f], cancels, now)
        p.frames.hedge[f] = NONE


def abandon(p: Plane, f: int, a: int, cancels: bool, now: int) -> None:
    """Nobody waits for a try any more: it goes on as an orphan, or stops where it is."""
    g: int = guard_of(p, f)
    w: int = caller_row(p, f, g)
    forget_probe(p, w, a)
    if p.frames.connection[a] == WAITS_FOR_CONNECTION:
        leave_pool(p, w, a)
        free_frame(p, a)
        return
    return_connection(p, w, a, now)
    p.frames.parent[a] = NONE
    p.frames.guard[a] = g
    p.guards.orphaned[g] += 1
    if cancels:
        cancel(p, a, now)


def cancel(p: Plane, a: int, now: int) -> None:
    """A try stops at its next step, with all calls that it waits for."""
    p.frames.failed[a] = CANCELLED
    f: int = p.frames.below[a]
    while f != NONE:
        clear_timer(p.calendar, p.run.first_frame_timer[0] + f)
        abandon_both(p, f, True, now)
        leave_waiting(p, f, now)
        f = p.frames.below[a]


def enroll(p: Plane, f: int) -> None:
    """A call is one that its try waits for, where it was made for one."""
    root: int = p.frames.root[f]
    p.frames.enrolled[f] = NONE
    if p.frames.kind[root] != ATTEMPT:
        return
    p.frames.enrolled[f] = root
    p.frames.beside[f] = p.frames.below[root]
    p.frames.before[f] = NONE
    if p.frames.below[root] != NONE:
        p.frames.before[p.frames.below[root]] = f
    p.frames.below[root] = f


def withdraw_from_root(p: Plane, f: int) -> None:
    """Its try waits for a call no longer."""
    root: int = p.frames.enrolled[f]
    if root == NONE:
        return
    p.frames.enrolled[f] = NONE
    after: int = p.frames.beside[f]
    before: int = p.frames.before[f]
    if after != NONE:
        p.frames.before[after] = before
    if before != NONE:
        p.frames.beside[before] = after
    else:
        p.frames.below[root] = after


def count_waste(p: Plane, g: int, a: int) -> None:
    """What was computed for a try that did not count."""
    row: int = a * N_CATEGORIES
    p.guards.wasted[g] += p.frames.spent[row + CPU] + p.frames.spent[row + VIRTUALIZATION] + p.frames.spent[row + INTERFERENCE]

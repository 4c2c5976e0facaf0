"""How requests come in: clients that think before the next one, arrivals at their instants, and the way to a replica."""

from simvirt.kernel.accounting import enter
from simvirt.kernel.buffering import find_none
from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import CLOCK_MASK, ENTERING, HELD, NETWORK, NONE, REQUEST, THERE, THINKING, UNANSWERED, WAITING
from simvirt.kernel.doors import is_shut, knock
from simvirt.kernel.fetching import fetch_next
from simvirt.kernel.marks import rare
from simvirt.kernel.replicas import choose_entry
from simvirt.kernel.requests import admit, append_todo, body_on, clear_account, follow_population, free_frame, reach, tally_request
from simvirt.kernel.severing import hold_on
from simvirt.kernel.tables import Plane


def think(p: Plane, f: int, now: int) -> None:
    """A client of a closed workload thinks before its next request, if there is one."""
    s: int = p.source.stream[p.frames.category[f]]
    k: int = p.source.cursor[s]
    if k == p.source.end[s]:
        p.frames.next[f] = p.source.parked[s]
        p.source.parked[s] = f
        return
    take_luck(p, f, s)
    p.frames.pc[f] = THINKING
    set_timer(p.calendar, p.run.first_frame_timer[0] + f, now + p.source.at[k])


def take_luck(p: Plane, f: int, s: int) -> None:
    """Give a request the next row of a stream, and note where that was the last one of its block."""
    k: int = p.source.cursor[s]
    p.source.cursor[s] = k + 1
    if k + 1 == p.source.end[s]:
        if p.source.last[s] == 0:
            p.source.lacking[0] = 1
        else:
            p.source.ended[0] += 1
    copy_luck(p, f, k, s)


def copy_luck(p: Plane, f: int, k: int, s: int) -> None:
    """Give a request its class and its draws from row k of the blocks."""
    width: int = p.source.width[0]
    p.source.handed[0] += 1
    p.frames.category[f] = p.source.category[k]
    if p.source.homes[0] > 1 and p.source.clients[s] == 0:
        p.frames.home[f] = p.source.home[k]
    for c in range(width):
        p.frames.draws[f * width + c] = p.source.draws[k * width + c]


def arrive(p: Plane, f: int, now: int) -> None:
    """A request enters the system at the service of its class."""
    k: int = p.frames.category[f]
    p.source.issued[0] += 1
    p.tallies.arrived[k] += 1
    p.tallies.arrival_sum[k] = (p.tallies.arrival_sum[k] + now) & CLOCK_MASK
    follow_population(p, 1, now)
    p.frames.arrived[f] = now
    p.frames.since[f] = now
    p.frames.state[f] = WAITING
    p.frames.failed[f] = 0
    clear_account(p, f)
    if p.source.guard[k] != NONE:
        p.frames.instance[f] = NONE
        p.frames.pc[f] = p.source.guard[k]
        append_todo(p, f)
    elif p.source.hop[k] > 0:
        enter(p, f, NETWORK, now)
        p.frames.pc[f] = ENTERING
        set_timer(p.calendar, p.run.first_frame_timer[0] + f, now + p.source.hop[k])
    else:
        enter_service(p, f, now)


def enter_service(p: Plane, f: int, now: int) -> None:
    """A request reaches a replica of the service of its class."""
    k: int = p.frames.category[f]
    enter(p, f, WAITING, now)
    p.frames.began[f] = now
    i: int = choose_entry(p, p.source.service[k], f, p.source.balance_column[k])
    fetch_next(p, p.source.service[k])
    p.frames.instance[f] = i
    if i == NONE:
        p.frames.pc[f] = ENTERING
        if not find_none(p, f, p.source.service[k], f, now):
            p.frames.pc[f] = p.source.entry[k]
    else:
        p.frames.pc[f] = body_on(p, i, p.source.entry[k])
        if is_shut(p, i):
            knock(p, f, now)
        else:
            admit(p, f, now)


def end_request(p: Plane, f: int, now: int) -> None:
    """A client has its answer, or none: the request is booked, and a client of a closed workload thinks."""
    tally_request(p, f, now)
    if p.source.clients[p.source.stream[p.frames.category[f]]] > 0:
        think(p, f, now)
    else:
        free_frame(p, f)


@rare
def knock_again(p: Plane, f: int, now: int) -> None:
    """What was lost between a client and a host is sent again; or the client has given up, or it has failed meanwhile."""
    way: int = p.frames.way[f] - HELD
    root: int = p.frames.root[f]
    if p.frames.failed[root] == 0 and is_shut(p, p.frames.instance[f]):
        if hold_on(p, f, now):
            return
        p.frames.failed[root] = UNANSWERED
    p.frames.way[f] = 0
    enter(p, f, WAITING, now)
    p.frames.began[f] = now
    if way == THERE and p.frames.failed[root] == 0:
        reach(p, f, now)
    elif way == THERE:
        append_todo(p, f)
    elif p.frames.kind[f] == REQUEST:
        end_request(p, f, now)
    else:
        append_todo(p, p.frames.parent[f])
        free_frame(p, f)

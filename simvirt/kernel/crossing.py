"""Calls between hosts: the request and its answer cross the network.

*Model*: a call to a replica on another host is on all links between the two NICs at once, then takes the latency of the way; so does its
    answer, after the callee's thread has turned to the next call. A balancer counts the call from when it is sent.
*Ignores*: acknowledgements; what a connection between services takes to open; that a refusal travels too.
*Source*: as `network`.
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import BACK, HELD, NETWORK, NONE, OP_ASK, OP_CALL, THERE, UNANSWERED, WAITING
from simvirt.kernel.devices import new_call
from simvirt.kernel.fetching import fetch_addressee, fetch_further
from simvirt.kernel.network import link_begin
from simvirt.kernel.requests import append_todo, count_call, free_frame, host_of, reach
from simvirt.kernel.severing import hold, hold_on, is_severed
from simvirt.kernel.tables import Plane


def call_away(p: Plane, f: int, i: int, entry: int, pc: int, now: int) -> None:
    """Call an instance on another host."""
    g: int = new_call(p, f, i, entry, now)
    count_call(p, g)
    cross(p, g, THERE, host_of(p, f), host_of(p, g), p.program.amount[pc], now)


def goes_back(p: Plane, f: int, parent: int) -> bool:
    """Whether the answer of a call has to cross the network."""
    if p.routes.hosts[0] < 2 or p.frames.failed[p.frames.root[f]] != 0:
        return False
    asked: int = p.program.op[p.frames.pc[parent] - 1]
    if asked != OP_CALL and asked != OP_ASK:
        return False
    return host_of(p, f) != host_of(p, parent)


def answer_away(p: Plane, f: int, parent: int, now: int) -> None:
    """The answer of a call sets out; what it was called for is no longer concerned."""
    a: int = host_of(p, f)
    p.frames.instance[f] = NONE
    cross(p, f, BACK, a, host_of(p, parent), p.program.fixed[p.frames.pc[parent] - 1], now)


def cross(p: Plane, f: int, way: int, a: int, b: int, amount: float, now: int) -> None:
    """A message from host a to host b sets out, unless it is lost."""
    enter(p, f, NETWORK, now)
    if is_severed(p, a, b):
        hold(p, f, way, a, now)
    else:
        set_out(p, f, way, a, b, amount, now)


def set_out(p: Plane, f: int, way: int, a: int, b: int, amount: float, now: int) -> None:
    """A message is on all links at once."""
    p.frames.way[f] = way
    fetch_addressee(p, f)
    pair: int = p.hosts.spot[a] * p.routes.spots[0] + p.hosts.spot[b]
    p.frames.rest[f] = p.routes.latency[pair]
    first: int = p.routes.first[pair]
    last: int = p.routes.first[pair + 1]
    p.frames.pending[f] = last - first + 2
    link_begin(p, f, p.hosts.first_link[a], amount, now)
    link_begin(p, f, p.hosts.first_link[b] + 1, amount, now)
    for at in range(first, last):
        link_begin(p, f, p.routes.links[at], amount, now)


def pass_link(p: Plane, f: int, now: int) -> None:
    """A link has carried a transfer; a message that the last one has carried takes the latency of its way."""
    if p.frames.way[f] == 0:
        append_todo(p, f)
        return
    p.frames.pending[f] -= 1
    fetch_further(p, f, p.frames.pending[f])
    if p.frames.pending[f] == 0:
        set_timer(p.calendar, p.run.first_frame_timer[0] + f, now + p.frames.rest[f])


def send_again(p: Plane, f: int, now: int) -> None:
    """A message that was lost is sent again; or its caller has given up, or what it is part of has failed meanwhile."""
    way: int = p.frames.way[f] - HELD
    parent: int = p.frames.parent[f]
    a: int = p.frames.next[f]
    b: int = host_of(p, f) if way == THERE else host_of(p, parent)
    if p.frames.failed[p.frames.root[f]] == 0:
        if not is_severed(p, a, b):
            pc: int = p.frames.pc[parent] - 1
            set_out(p, f, way, a, b, p.program.amount[pc] if way == THERE else p.program.fixed[pc], now)
            return
        if hold_on(p, f, now):
            return
        p.frames.failed[p.frames.root[f]] = UNANSWERED
    p.frames.way[f] = way
    arrive_from_away(p, f, now)


def arrive_from_away(p: Plane, f: int, now: int) -> None:
    """A call has come to its callee, or an answer to its caller."""
    way: int = p.frames.way[f]
    p.frames.way[f] = 0
    enter(p, f, WAITING, now)
    if way == BACK:
        append_todo(p, p.frames.parent[f])
        free_frame(p, f)
    elif p.frames.failed[p.frames.root[f]] != 0:
        append_todo(p, f)
    else:
        p.frames.began[f] = now
        reach(p, f, now)

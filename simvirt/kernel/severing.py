"""Hosts that do not reach each other: what a message meets that is lost on its way.

*Model*: a message between hosts of different islands is lost; of those from and to a host that loses some, each is lost at that
    ratio. Its sender sends it again after the least time-out of retransmission, doubled by each further one, until it passes or the
    caller gives up (`run.notice`).
*Ignores*: that a long message is many packets, of which the lost ones alone are sent again; fast retransmissions; connections that
    have to be opened anew.
*Source*: RFC 6298; Linux include/net/tcp.h (TCP_RTO_MIN: 200 ms); Park and Miller, Random number generators: good ones are hard to find,
    CACM 31(10), 1988 (the draws).
"""

from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import HELD, RETRANSMISSION
from simvirt.kernel.marks import rare
from simvirt.kernel.tables import Plane

MULTIPLIER = 48271
MODULUS = 2147483647


def is_severed(p: Plane, a: int, b: int) -> bool:
    """Whether a message from host a to host b is lost."""
    if p.hosts.island[a] != p.hosts.island[b]:
        return True
    if p.hosts.loss[a] <= 0.0 and p.hosts.loss[b] <= 0.0:
        return False
    return is_dropped(p, a) or is_dropped(p, b)


@rare
def is_dropped(p: Plane, h: int) -> bool:
    """Whether a host loses a message."""
    if p.hosts.loss[h] <= 0.0:
        return False
    p.hosts.lottery[h] = p.hosts.lottery[h] * MULTIPLIER % MODULUS
    return p.hosts.lottery[h] < p.hosts.loss[h] * MODULUS


@rare
def hold(p: Plane, f: int, way: int, a: int, now: int) -> None:
    """A message from host a is lost for the first time: it is sent again later."""
    p.frames.way[f] = way + HELD
    p.frames.next[f] = a
    p.frames.rest[f] = RETRANSMISSION
    set_timer(p.calendar, p.run.first_frame_timer[0] + f, now + RETRANSMISSION)


@rare
def hold_on(p: Plane, f: int, now: int) -> bool:
    """A message is lost again; whether its sender goes on trying."""
    left: int = p.frames.since[f] + p.run.notice[0] - now
    if left <= 0:
        return False
    p.frames.rest[f] *= 2
    set_timer(p.calendar, p.run.first_frame_timer[0] + f, now + min(p.frames.rest[f], left))
    return True

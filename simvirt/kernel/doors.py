"""Clients that do not reach some hosts: what they send there, and what is answered from there, is lost on the way.

*Model*: as between hosts of different islands: who has sent sends again after the least time-out of retransmission, doubled by each further
    one, until it passes or the client gives up (`run.notice`).
*Ignores*: that what balances requests may be told of a host's fate by somebody else than its own checks.
*Source*: as `severing`.
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.constants import BACK, NETWORK, NONE, REQUEST, THERE
from simvirt.kernel.marks import rare
from simvirt.kernel.requests import count_call, host_of
from simvirt.kernel.severing import hold
from simvirt.kernel.tables import Plane


def is_shut(p: Plane, i: int) -> bool:
    """Whether no client reaches the host that an instance stands on."""
    return p.run.shut[0] != 0 and i != NONE and p.hosts.shut[p.machines.host[p.instances.machine[i]]] != 0


def is_clients(p: Plane, f: int) -> bool:
    """Whether a client waits for a frame itself: a request, or one of its tries."""
    if p.frames.kind[f] == REQUEST:
        return True
    parent: int = p.frames.parent[f]
    return parent != NONE and p.frames.instance[parent] == NONE


@rare
def knock(p: Plane, f: int, now: int) -> None:
    """What a client sends to its instance is lost."""
    count_call(p, f)
    enter(p, f, NETWORK, now)
    hold(p, f, THERE, host_of(p, f), now)


@rare
def holds_answer(p: Plane, f: int, now: int) -> bool:
    """Whether the answer to a client is lost."""
    if p.frames.failed[p.frames.root[f]] != 0 or not is_shut(p, p.frames.instance[f]) or not is_clients(p, f):
        return False
    enter(p, f, NETWORK, now)
    hold(p, f, BACK, host_of(p, f), now)
    return True

"""Requests to the servers of volumes, on whichever hosts those are.

*Model*: a volume has one server, or several of which a request goes to any, by its own draw, and from that to the next ones in order.
    A request crosses the network where its server is on another host.
*Ignores*: which pieces of a volume are asked for more often than others; servers that a client finds out to be down.
*Source*: Weil et al., CRUSH: Controlled, Scalable, Decentralized Placement of Replicated Data, SC 2006: pieces are spread evenly.
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.crossing import call_away
from simvirt.kernel.devices import call_instance
from simvirt.kernel.replicas import any_of
from simvirt.kernel.requests import body_on, host_of
from simvirt.kernel.tables import Plane


def ask_server(p: Plane, f: int, pc: int, now: int) -> None:
    """Send a request to a server of a volume and wait for its answer."""
    i: int = server_of(p, f, pc)
    entry: int = body_on(p, i, p.program.beyond[pc])
    if host_of(p, f) != p.machines.host[p.instances.machine[i]]:
        call_away(p, f, i, entry, pc, now)
    else:
        call_instance(p, f, i, entry, now)


def server_of(p: Plane, f: int, pc: int) -> int:
    """The server that a request goes to: so many behind the one that asks, the only one, or any."""
    first: int = p.program.target[pc]
    n: int = p.program.entry[pc]
    if p.program.flag[pc] > 0:
        return first + (p.frames.instance[f] - first + p.program.flag[pc]) % n
    if p.program.column[pc] == NONE:
        return first
    return first + any_of(p, n, p.frames.root[f], p.program.column[pc])

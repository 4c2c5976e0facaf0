"""Services without a replica: what is sent to them waits in a buffer in front of them until one is ready, where they have one.

*Model*: a request that finds no ready replica joins the line of its service, unless that is full. As soon as a replica is ready all of the
    line is sent on, in order, each as if it came now; its wait is part of its latency. The control plane is told when a line begins.
*Ignores*: what the buffer itself computes, and the way through it; that it sends on no more than replicas have room for.
*Source*: Knative Serving, cmd/activator and pkg/activator/net (throttler, breaker).
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import NOBODY_READY, ENTERING, NONE, QUEUE, REJECTED, WAITING
from simvirt.kernel.marks import rare
from simvirt.kernel.requests import append_todo, signal
from simvirt.kernel.tables import Plane


@rare
def find_none(p: Plane, f: int, s: int, root: int, now: int) -> bool:
    """A frame has found no replica of a service: it waits in its line, or is rejected and goes on; whether it waits."""
    if p.services.line_length[s] >= p.services.line_limit[s]:
        p.services.line_refused[s] += 1 if p.services.line_limit[s] > 0 else 0
        p.frames.failed[root] = REJECTED
        append_todo(p, f)
        return False
    enter(p, f, QUEUE, now)
    p.frames.next[f] = NONE
    if p.services.line_length[s] == 0:
        p.services.line_head[s] = f
        signal(p, NOBODY_READY, s)
    else:
        p.frames.next[p.services.line_tail[s]] = f
    p.services.line_tail[s] = f
    p.services.line_length[s] += 1
    p.services.line_joined[s] += 1
    p.services.line_most[s] = max(p.services.line_most[s], p.services.line_length[s])
    return True


def send_on(p: Plane, s: int, now: int) -> None:
    """All that waits in the line of a service looks for a replica once more."""
    f: int = p.services.line_head[s] if p.services.line_length[s] > 0 else NONE
    p.services.line_length[s] = 0
    while f != NONE:
        g: int = p.frames.next[f]
        p.services.line_wait[s] += now - p.frames.since[f]
        enter(p, f, WAITING, now)
        if p.frames.pc[f] == ENTERING:
            set_timer(p.calendar, p.run.first_frame_timer[0] + f, now)
        else:
            p.frames.pc[f] -= 1
            append_todo(p, f)
        f = g

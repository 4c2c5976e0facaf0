"""Services that shed load: calls that have waited too long are dropped when their turn comes, while the line does not empty.

*Model*: a replica notes the shortest wait of each interval. While that of the last one exceeded the target, it is overloaded, and a call
    that has waited for more than twice the target is dropped when a thread takes it up. The first call of an interval is never dropped.
    What dropping takes is what receiving the call took.
*Ignores*: that waits are measured from the thread pool's line: here they count from when the call is sent to the replica.
*Source*: facebook/folly folly/executors/Codel.cpp (overloaded, getSloughTimeout); B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015;
    RFC 8289 has the target and the interval.
"""

from simvirt.kernel.constants import SHED
from simvirt.kernel.tables import Plane


def shed(p: Plane, f: int, pc: int, now: int) -> bool:
    """Drop a call that has waited too long for an overloaded replica; it goes on either way, to its end where it is dropped."""
    if overloaded(p, p.frames.instance[f], now - p.frames.began[f], int(p.program.amount[pc]), int(p.program.fixed[pc]), now):
        p.frames.failed[p.frames.root[f]] = SHED
    return True


def overloaded(p: Plane, i: int, wait: int, target: int, interval: int, now: int) -> bool:
    """Note a wait at a replica; whether it is too long there now."""
    if now >= p.instances.looks_at[i]:
        p.instances.looks_at[i] = now + interval
        p.instances.overloaded[i] = 1 if p.instances.least_wait[i] > target else 0
        p.instances.least_wait[i] = wait
        return False
    p.instances.least_wait[i] = min(p.instances.least_wait[i], wait)
    return p.instances.overloaded[i] != 0 and wait > 2 * target

"""What callers meet of hosts and guests that are gone: nothing answers, and they wait until they give up.

*Model*: a process that has ended on a kernel that lives is missed at once, for that kernel refuses calls and closes connections. A kernel
    that is gone sends nothing: what it was asked for fails for its caller once that has waited for so long without an answer
    (`run.notice`), and so does what is sent to it meanwhile. The caller's threads are held as long.
*Ignores*: that a kernel which is up again refuses what is sent anew, so that some callers learn of it earlier.
*Source*: RFC 9293, sections 3.5.3 (resets) and 3.8.3 (time-outs).
"""

from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import BRANCH, CALLEE, GONE, IN_VAIN, NONE, WORK
from simvirt.kernel.eventloops import holds_loop, leave_loop
from simvirt.kernel.locks import abandon_locks
from simvirt.kernel.marks import rare
from simvirt.kernel.requests import drop_thread, leave_instance
from simvirt.kernel.tables import Plane


@rare
def waits_in_vain(p: Plane, f: int, now: int) -> bool:
    """Whether the caller of what is lost on a kernel that is gone still waits for an answer; what it held there is free."""
    if not is_unanswered(p, f):
        return False
    if p.frames.held_lock[f] != NONE or p.frames.lock[f] != NONE:
        abandon_locks(p, f, now)
    if holds_loop(p, f):
        leave_loop(p, f, now)
    leave_instance(p, f, now)
    drop_thread(p, f)
    p.frames.way[f] = IN_VAIN
    set_timer(p.calendar, p.run.first_frame_timer[0] + f, now + p.run.notice[0])
    return True


def is_unanswered(p: Plane, f: int) -> bool:
    """Whether a frame is on a kernel that is gone, and who waits for it is not."""
    i: int = p.frames.instance[f]
    if i == NONE or p.instances.life[i] != GONE or p.frames.kind[f] == BRANCH or p.frames.kind[f] == WORK:
        return False
    if p.frames.kind[f] != CALLEE:
        return True
    parent: int = p.frames.parent[f]
    if parent == NONE:
        return False
    caller: int = p.frames.instance[parent]
    return caller == NONE or p.instances.life[caller] != GONE

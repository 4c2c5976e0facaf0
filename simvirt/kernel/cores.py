"""Hardware threads of one core: which belong together, and what each gets while others of them are busy.

Model: `cpus.sibling` is the next hardware thread of the core, and that of the last one the first: a ring. With k busy threads each
    computes at 1 / (1 + b (k - 1)) of its lone speed, where b makes two yield what is known of two; the core yields
    k / (1 + b (k - 1)): Amdahl's law for the parts of a core that one thread has at a time.
Ignores: that threads of different software take more or less from each other than their mean; cores that split their units between
    halves of the threads.
Source: Gunther, "Guerrilla Capacity Planning", Springer 2007, chapter 4 (the law with contention only); that it holds for threads of a core
    is estimated: published yields are of two threads.
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.tables import Plane


def thread_speed(share: float, busy: int) -> float:
    """Speed of each of so many busy threads of a core, where each of two has `share` of its lone speed."""
    if busy <= 1:
        return 1.0
    if busy == 2:
        return share
    return 1.0 / (1.0 + (1.0 / share - 1.0) * (busy - 1))


def threads_of_core(p: Plane, c: int) -> int:
    """Number of hardware threads of a core."""
    n: int = 1
    s: int = p.cpus.sibling[c]
    while s != NONE and s != c:
        n += 1
        s = p.cpus.sibling[s]
    return n


def busy_beside(p: Plane, c: int) -> int:
    """Busy hardware threads of a core, one of them apart."""
    n: int = 0
    s: int = p.cpus.sibling[c]
    while s != NONE and s != c:
        if p.cpus.idle_slot[s] == NONE:
            n += 1
        s = p.cpus.sibling[s]
    return n


def busy_siblings(p: Plane, c: int) -> int:
    """Other busy threads of a pCPU's core that slow it (none under interference, where classes say what that costs)."""
    if p.cpus.sibling[c] == NONE or p.hosts.interference[p.cpus.host[c]] != 0:
        return 0
    return busy_beside(p, c)

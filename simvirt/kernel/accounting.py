"""Where a request's time goes: a frame is in one state at a time, whose time goes to the account of its request."""

from simvirt.kernel.constants import (
    CPU,
    INTERFERENCE,
    LOCK,
    N_CATEGORIES,
    NONE,
    RUN_QUEUE,
    STEAL,
    THROTTLED,
    VIRTUALIZATION,
    WAITING,
)
from simvirt.kernel.marks import apart
from simvirt.kernel.quota import throttled_clock
from simvirt.kernel.tables import Plane


def enter(p: Plane, f: int, state: int, now: int) -> None:
    """A frame begins to wait for something else, or to compute; the time since its last change is booked."""
    elapsed: int = now - p.frames.since[f]
    if elapsed > 0 and p.frames.state[f] != WAITING:
        book(p, f, p.frames.state[f], elapsed, now)
    p.frames.state[f] = state
    p.frames.since[f] = now


@apart
def book(p: Plane, f: int, state: int, elapsed: int, now: int) -> None:
    """Add time spent in a state to the account."""
    row: int = p.frames.account[f] * N_CATEGORIES
    if state == CPU:
        book_running(p, f, row, elapsed)
    elif state == RUN_QUEUE or state == STEAL:
        stopped: int = throttled_clock(p, waiting_queue(p, f), now) - p.entities.mark[p.frames.thread[f]]
        blocked: int = max(min(stopped, elapsed), 0)
        p.frames.spent[row + THROTTLED] += blocked
        p.frames.spent[row + state] += elapsed - blocked
    else:
        p.frames.spent[row + state] += elapsed


def book_running(p: Plane, f: int, row: int, elapsed: int) -> None:
    """Divide time on a CPU: demand, the platform's addition, what others slowed, what a fluid scheduler gave them."""
    c: int = p.entities.cpu[p.frames.thread[f]]
    portion: float = p.cpus.portion[c]
    speed: float = p.cpus.speed[c]
    if portion < 1.0:
        lost: int = int(elapsed * (1.0 - portion))
        p.frames.spent[row + STEAL] += lost
        elapsed -= lost
        speed /= portion
    if p.frames.switching[f] > 0.0:
        elapsed = book_switching(p, f, row, speed, elapsed)
    share: float = p.frames.overhead[f]
    if share < 0.0:
        p.frames.spent[row + LOCK] += elapsed
        return
    spin: float = p.cpus.spin[c]
    if spin > 0.0 or share > 0.0:
        p.instances.overhead_time[p.frames.instance[f]] += int(elapsed * (1.0 - (1.0 - share) * (1.0 - spin)))
    spun: int = int(elapsed * spin)
    slowed: int = 0
    if speed < 1.0:
        slowed = max(int(elapsed * (1.0 - speed) + 0.5) - spun, 0)
        p.frames.spent[row + INTERFERENCE] += slowed
    extra: int = spun + int((elapsed - slowed - spun) * share)
    p.frames.spent[row + VIRTUALIZATION] += extra
    p.frames.spent[row + CPU] += elapsed - slowed - extra


def book_switching(p: Plane, f: int, row: int, speed: float, elapsed: int) -> int:
    """The first time on a CPU after a change of processes goes to the change; what is left of it [ns]."""
    left: float = p.frames.switching[f]
    if elapsed * speed < left:
        p.frames.switching[f] = left - elapsed * speed
        p.frames.spent[row + INTERFERENCE] += elapsed
        return 0
    took: int = min(int(left / speed + 0.5), elapsed)
    p.frames.switching[f] = 0.0
    p.frames.spent[row + INTERFERENCE] += took
    return elapsed - took


def waiting_queue(p: Plane, f: int) -> int:
    """Queue whose throttling stops a runnable frame: its own, or in steal that of its vCPU; NONE on a pCPU."""
    t: int = p.frames.thread[f]
    if p.frames.state[f] == RUN_QUEUE:
        return p.entities.queue[t]
    vcpu: int = p.cpus.vcpu[p.entities.cpu[t]]
    return p.entities.queue[vcpu] if vcpu != NONE else NONE


def mark_wait(p: Plane, f: int, state: int, now: int) -> None:
    """A frame becomes runnable without running: in a run queue, or on a vCPU that has lost its pCPU."""
    enter(p, f, state, now)
    p.entities.mark[p.frames.thread[f]] = throttled_clock(p, waiting_queue(p, f), now)

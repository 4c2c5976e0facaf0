"""Page faults and reclaim as a request meets them: pages to read from the disk, work and waits of memory management.

*Model*: how many pages a request finds missing is drawn around the mean of its instance, which the control plane
    follows; each is read from the disk in turn. Decompression and copies of shared pages are work in the instance; an
    allocation beyond memory.high waits.
*Ignores*: that pages are missed at certain places of a request: all are met when it begins.
*Source*: Linux mm/memory.c (do_swap_page), mm/memcontrol.c (mem_cgroup_handle_over_high).
"""

from simvirt.kernel.accounting import enter
from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import DELAY, OP_BELL, OP_REPEAT, OP_SHED, OP_SPIN, OP_STALL
from simvirt.kernel.eventloops import compute
from simvirt.kernel.marks import rare
from simvirt.kernel.tables import Plane


def stall(p: Plane, f: int, now: int) -> bool:
    """Wait for reclaim beyond memory.high; whether there is nothing to wait for."""
    time: int = p.instances.stall[p.frames.instance[f]]
    if time <= 0:
        return True
    enter(p, f, DELAY, now)
    set_timer(p.calendar, p.run.first_frame_timer[0] + f, now + time)
    return False


def spin(p: Plane, f: int, now: int) -> bool:
    """Compute what memory management adds to a request; whether there is nothing."""
    work: float = p.instances.spin[p.frames.instance[f]]
    if work <= 0.0:
        return True
    p.frames.work[f] = work
    p.frames.overhead[f] = 0.0
    compute(p, f, now)
    return False


def begin_repeat(p: Plane, f: int, pc: int) -> None:
    """Find out how often to do what follows: as often as pages are missing, or as often as the frame has been told."""
    p.frames.pending[f] = times_of(p, f, pc)
    if p.frames.pending[f] == 0:
        p.frames.pc[f] = p.program.target[pc]


def times_of(p: Plane, f: int, pc: int) -> int:
    """How often a frame does what follows."""
    times: float = p.frames.draws[p.frames.root[f] * p.source.width[0] + p.program.column[pc]]
    if p.program.flag[pc] != 0:
        times += p.instances.faults[p.frames.instance[f]]
    return int(times)


def past_idle_faults(p: Plane, f: int, pc: int) -> int:
    """Instruction after one of memory management that does nothing to a frame now; that instruction itself otherwise."""
    i: int = p.frames.instance[f]
    op: int = p.program.op[pc]
    if op == OP_STALL and p.instances.stall[i] <= 0:
        return pc + 1
    if op == OP_SPIN and p.instances.spin[i] <= 0.0:
        return pc + 1
    if op == OP_REPEAT and times_of(p, f, pc) == 0:
        return p.program.target[pc]
    return pc


def first_instruction(p: Plane, i: int) -> int:
    """Where the next call in an instance's line begins, past bells, its look at how long it waited, and idle memory management."""
    f: int = p.instances.queue_head[i]
    pc: int = p.frames.pc[f]
    op: int = p.program.op[pc]
    while op == OP_BELL or op == OP_SHED or (OP_STALL <= op <= OP_REPEAT and past_idle_faults(p, f, pc) != pc):
        pc = past_idle_faults(p, f, pc) if op != OP_BELL and op != OP_SHED else pc + 1
        op = p.program.op[pc]
    return pc


def end_repeat(p: Plane, f: int, pc: int) -> None:
    """Do it once more, or go on."""
    p.frames.pending[f] -= 1
    if p.frames.pending[f] > 0:
        p.frames.pc[f] = p.program.target[pc]


@rare
def run_memory_instruction(p: Plane, f: int, pc: int, now: int) -> bool:
    """Carry out an instruction of memory management; whether the frame can go on at once."""
    op: int = p.program.op[pc]
    if op == OP_STALL:
        return stall(p, f, now)
    if op == OP_SPIN:
        return spin(p, f, now)
    if op == OP_REPEAT:
        begin_repeat(p, f, pc)
    else:
        end_repeat(p, f, pc)
    return True

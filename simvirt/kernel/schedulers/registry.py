"""Which schedulers of run queues there are, and which function carries out each of their moves.

A new scheduler is a file beside this one and an entry in the table. Plain Python looks moves up here; the build writes
the table out as comparisons. The number of a scheduler is its place.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from simvirt.kernel.schedulers.cfs import (
    cfs_charged,
    cfs_check_at,
    cfs_join_alone,
    cfs_left,
    cfs_left_alone,
    cfs_line_up,
    cfs_pick,
    cfs_place,
)
from simvirt.kernel.schedulers.credit import (
    credit_charged,
    credit_check_at,
    credit_join_alone,
    credit_left,
    credit_left_alone,
    credit_line_up,
    credit_pick,
    credit_place,
    credit_reweigh,
    credit_tick,
)
from simvirt.kernel.schedulers.credit2 import (
    credit2_begin,
    credit2_charged,
    credit2_check_at,
    credit2_join_alone,
    credit2_left,
    credit2_left_alone,
    credit2_line_up,
    credit2_pick,
    credit2_place,
)
from simvirt.kernel.schedulers.defaults import (
    nothing_at_ticks,
    nothing_begun,
    nothing_charged,
    nothing_delayed,
    nothing_left,
    nothing_left_alone,
    owes_nothing,
    take_weight,
)
from simvirt.kernel.schedulers.eevdf import (
    eevdf_begin,
    eevdf_charged,
    eevdf_check_at,
    eevdf_join_alone,
    eevdf_leave_delayed,
    eevdf_left,
    eevdf_left_alone,
    eevdf_line_up,
    eevdf_owes,
    eevdf_pick,
    eevdf_place,
    eevdf_reweigh,
    eevdf_wake_delayed,
)
from simvirt.kernel.schedulers.hyperv import hyperv_charged, hyperv_pick
from simvirt.kernel.schedulers.round_robin import (
    round_robin_charged,
    round_robin_check_at,
    round_robin_join_alone,
    round_robin_line_up,
    round_robin_pick,
    round_robin_place,
)
from simvirt.kernel.schedulers.shares import (
    shares_begin,
    shares_charged,
    shares_check_at,
    shares_join_alone,
    shares_left,
    shares_left_alone,
    shares_line_up,
    shares_pick,
    shares_place,
    shares_tick,
)
from simvirt.kernel.schedulers.turns import turn_begins
from simvirt.kernel.tables import Plane

OfEntity: TypeAlias = Callable[[Plane, int, int], None]
OfEntityNow: TypeAlias = Callable[[Plane, int, int, int], None]


class Scheduler(NamedTuple):
    """The moves of a scheduler, for an entity e of a queue q; waiting entities stand in the order of `entities.key`."""

    name: str
    place: Callable[[Plane, int, int, int, bool], None]  # (now, waking): e begins to compete, and waits
    join_alone: OfEntityNow  # e is the current entity of a queue that was empty
    line_up: OfEntity  # e was the current one and waits again
    pick: Callable[[Plane, int, int, bool], int]  # (now, waking): which entity should run; NONE in an empty queue
    check_at: Callable[[Plane, int, int, int], int]  # instant at which e, which runs, is up for replacement [ns]
    begin: OfEntity = nothing_begun  # e, which waited, becomes the current one
    charged: Callable[[Plane, int, int, int, int], None] = nothing_charged  # (since, now): e has run
    left: OfEntityNow = nothing_left  # e is about to leave
    left_alone: OfEntity = nothing_left_alone  # e sleeps, which had the CPU to itself, so that q does not hold it
    reweigh: Callable[[Plane, int, int, float], None] = take_weight  # e, which is not in the tree, gets another weight
    tick: Callable[[Plane, int, int], None] = nothing_at_ticks  # (now): those that wait are lined up anew where that changes
    owes: Callable[[Plane, int, int], bool] = owes_nothing  # whether e, which sleeps, competes until its debt is paid
    leave_delayed: OfEntity = nothing_delayed  # its debt is paid, and it is about to leave
    wake_delayed: OfEntity = nothing_delayed  # it wakes before


SCHEDULERS = (
    Scheduler(
        "eevdf",
        place=eevdf_place, join_alone=eevdf_join_alone, line_up=eevdf_line_up, pick=eevdf_pick,
        check_at=eevdf_check_at,
        begin=eevdf_begin, charged=eevdf_charged, left=eevdf_left, left_alone=eevdf_left_alone, reweigh=eevdf_reweigh,
        owes=eevdf_owes, leave_delayed=eevdf_leave_delayed, wake_delayed=eevdf_wake_delayed,
    ),
    Scheduler(
        "cfs",
        place=cfs_place, join_alone=cfs_join_alone, line_up=cfs_line_up, pick=cfs_pick,
        check_at=cfs_check_at, begin=turn_begins, charged=cfs_charged, left=cfs_left, left_alone=cfs_left_alone,
    ),
    Scheduler(
        "credit",
        place=credit_place, join_alone=credit_join_alone, line_up=credit_line_up, pick=credit_pick,
        check_at=credit_check_at,
        begin=turn_begins, charged=credit_charged, left=credit_left, left_alone=credit_left_alone, reweigh=credit_reweigh,
        tick=credit_tick,
    ),
    Scheduler(
        "round-robin",
        place=round_robin_place, join_alone=round_robin_join_alone, line_up=round_robin_line_up, pick=round_robin_pick,
        check_at=round_robin_check_at, charged=round_robin_charged,
    ),
    Scheduler(
        "credit2",
        place=credit2_place, join_alone=credit2_join_alone, line_up=credit2_line_up, pick=credit2_pick,
        check_at=credit2_check_at,
        begin=credit2_begin, charged=credit2_charged, left=credit2_left, left_alone=credit2_left_alone,
    ),
    Scheduler(
        "esxi",
        place=shares_place, join_alone=shares_join_alone, line_up=shares_line_up, pick=shares_pick,
        check_at=shares_check_at,
        begin=shares_begin, charged=shares_charged, left=shares_left, left_alone=shares_left_alone,
        tick=shares_tick,
    ),
    Scheduler(
        "hyperv",
        place=shares_place, join_alone=shares_join_alone, line_up=shares_line_up, pick=hyperv_pick,
        check_at=shares_check_at,
        begin=shares_begin, charged=hyperv_charged, left=shares_left, left_alone=shares_left_alone,
        tick=shares_tick,
    ),
)

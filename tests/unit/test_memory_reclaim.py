"""What a host does when memory runs short: every mechanism by itself, in its order, and bytes that add up after every step."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simvirt.catalog import Catalog
from simvirt.memory.balloons import price
from simvirt.memory.boxes import UNBOUNDED, Box, Guest, Replica, follow_guest
from simvirt.memory.cache import DataSet
from simvirt.memory.host_memory import HostMemory
from simvirt.memory.missing import hot_absent, hot_swapped
from simvirt.memory.reclaim import Moved, alike, step
from simvirt.memory.working_set import Load, Needs

MIB, GIB = 2**20, 2**30
COSTS = Catalog.load().reclaim()


def needs(base: float, **more: Any) -> Needs:
    """A replica that needs `base` MiB, half of it hot."""
    given = {"per_connection": 0, "per_request": 0, "growth": 0, "heap": float("inf"), "files": 0, "hot": 0.5, "same": 0.0, "touch": 0, "disk": 0, "writable": 0}
    return Needs(base=round(base * MIB), **(given | more))


def container(row: int, base: float, **more: Any) -> Box:
    """A container with one replica."""
    return Box(f"c{row}", [Replica(f"c{row}", row, "app", needs(base), **more)])


def machine(row: int, base: float, size: float = 1024, swap: float = 0, **more: Any) -> Box:
    """A VM with one replica, a system of 100 MiB, files of 100 MiB, and 50 MiB touched while booting."""
    guest = Guest(size=size * MIB, os=100 * MIB, file_cache=100 * MIB, boot=50 * MIB, same=0.5, swap=swap * MIB, **more)
    return Box(f"v{row}", [Replica(f"v{row}", row, "app", needs(base))], guest)


def host(*boxes: Box, memory: float = 4096, **more: Any) -> HostMemory:
    """A host with nothing of its own."""
    return HostMemory(capacity=memory * MIB, kernel=0.0, boxes=list(boxes), costs=COSTS, **more)


def test_where_there_is_room_nothing_moves() -> None:
    memory = host(container(0, 1000), machine(1, 500))
    assert step(memory) == Moved()
    assert memory.ledger().balance == 0
    assert memory.ledger().application == 1500 * MIB


def test_a_vm_keeps_what_it_once_touched_unless_it_reports_free_pages() -> None:
    for reports, kept in ((False, 750), (True, 300)):
        box = machine(0, 0, reports=reports)
        box.replicas[0].needs = needs(0, per_connection=MIB)
        box.replicas[0].load = Load(connections=500)
        follow_guest(box)
        box.replicas[0].load = Load(connections=100)
        follow_guest(box)
        assert box.wanted == kept * MIB


def test_a_preallocated_vm_takes_all_at_once() -> None:
    box = machine(0, 10, preallocated=True)
    follow_guest(box)
    assert box.wanted == 1024 * MIB


def test_containers_give_cold_pages_first() -> None:
    memory = host(container(0, 3000), container(1, 3000), swap=8 * GIB)
    moved = step(memory)
    assert moved.swapped_out == pytest.approx(6000 * MIB + memory.reserve - 4096 * MIB, abs=10)
    assert memory.boxes[0].out == memory.boxes[1].out
    assert hot_absent(memory.boxes[0]) == 0.0, "half of each is cold, which is more than what had to go"


def test_a_host_does_not_know_what_is_hot_in_a_guest() -> None:
    memory = host(machine(0, 900), machine(1, 900), memory=1800, swap=8 * GIB)
    step(memory)
    box = memory.boxes[0]
    assert 0 < hot_absent(box) == box.out / box.wanted


def test_a_guest_swaps_what_is_cold_first_and_kills_when_its_swap_is_full() -> None:
    box = machine(0, 1200, swap=400)
    assert follow_guest(box) == 0
    assert box.guest is not None
    assert box.guest.swapped == 276 * MIB
    assert hot_swapped(box) == 0
    full = host(machine(0, 1200, swap=100), machine(1, 100))
    kill, = step(full).kills
    assert [replica.name for replica in kill.replicas] == ["v0"]
    assert "the guest of 1.00 GiB lacks 176.0 MiB" in kill.why


def test_the_largest_process_of_a_guest_is_killed() -> None:
    box = machine(0, 300)
    box.replicas.append(Replica("big", 7, "app", needs(900)))
    kill, = step(host(box)).kills
    assert [replica.name for replica in kill.replicas] == ["big"]


def test_a_container_beyond_its_limit_swaps_and_is_killed_where_it_may_not() -> None:
    box = container(0, 700, limit=500 * MIB)
    assert step(host(box, swap=GIB)).kills == []
    assert box.out == 200 * MIB
    kill, = step(host(container(0, 700, limit=500 * MIB, swap_most=100 * MIB), swap=GIB)).kills
    assert kill.why == "600.0 MiB exceed memory.max 500.0 MiB"
    assert len(step(host(container(0, 700, limit=500 * MIB))).kills) == 1
    assert step(host(container(0, 700, limit=500 * MIB), fenced=False)).kills == []


@pytest.mark.parametrize(("swap", "most", "swapped", "killed"), [(0, UNBOUNDED, 0, 1), (500, UNBOUNDED, 100, 0), (500, 50 * MIB, 100, 1)])
def test_a_container_in_a_guest_has_its_limit_there(swap: float, most: float, swapped: float, killed: int) -> None:
    """Beyond memory.max it swaps within the guest as far as it may, and is killed alone then, however much the guest has free."""
    box = machine(0, 300, size=2000, swap=swap)
    box.replicas[0].limit, box.replicas[0].swap_most = 200.0 * MIB, most
    moved = step(host(box, machine(1, 300, size=2000), memory=8000))
    assert [kill.replicas for kill in moved.kills] == [(box.replicas[0],)] * killed
    assert box.guest is not None and box.guest.swapped == swapped * MIB


def test_memory_high_is_reclaimed_but_nobody_is_killed_for_it() -> None:
    box = container(0, 700, high=500 * MIB)
    assert step(host(box, swap=GIB)).kills == []
    assert box.out == 200 * MIB
    assert step(host(container(0, 700, high=500 * MIB))).kills == []


def test_a_reservation_is_left_alone_while_there_is_other_memory() -> None:
    kept, other = container(0, 3000, low=3000 * MIB), container(1, 3000)
    step(host(kept, other, swap=8 * GIB))
    assert kept.out == 0 < other.out
    both = host(container(0, 3000, low=3000 * MIB), container(1, 3000, low=3000 * MIB), swap=8 * GIB)
    step(both)
    assert all(box.out > 0 for box in both.boxes)


def test_compressed_pages_take_a_third_and_go_before_swap() -> None:
    memory = host(container(0, 6000), swap=8 * GIB, pool=2000 * MIB)
    moved = step(memory)
    assert moved.swapped_out == 0
    assert memory.compressed == pytest.approx(moved.packed / COSTS.compression)
    assert moved.packed - memory.compressed == pytest.approx(6000 * MIB + memory.reserve - 4096 * MIB, abs=10)
    assert memory.ledger().balance == 0
    small = host(container(0, 6000), swap=8 * GIB, pool=100 * MIB)
    assert step(small).swapped_out > 0
    assert small.compressed == pytest.approx(100 * MIB)


def test_balloons_come_before_swap_and_take_what_guests_can_spare() -> None:
    boxes = [machine(row, 500) for row in range(3)]
    memory = host(*boxes, memory=2000, swap=8 * GIB, auto_balloon=True)
    moved = step(memory)
    assert moved.inflated > 0 == moved.swapped_out
    assert memory.excess <= 1
    tight = host(*(machine(row, 850) for row in range(4)), memory=2000, swap=8 * GIB, auto_balloon=True)
    assert step(tight).swapped_out > 0
    assert not step(tight).kills


def test_a_balloon_gives_way_when_there_is_room_again() -> None:
    boxes = [machine(row, 500) for row in range(3)]
    memory = host(*boxes, memory=2000, auto_balloon=True)
    step(memory)
    assert sum(box.guest.balloon for box in boxes if box.guest) > 0
    boxes[0].replicas[0].live = False
    for _ in range(60):
        step(memory)
    assert sum(box.guest.balloon for box in boxes[1:] if box.guest) < MIB


def test_a_balloon_gives_back_before_its_guest_kills() -> None:
    box = machine(0, 500)
    memory = host(box, machine(1, 500), machine(2, 500), memory=2000, swap=GIB, auto_balloon=True)
    step(memory)
    box.replicas[0].needs = needs(800)
    assert step(memory).kills == []


def test_idle_memory_is_cheaper() -> None:
    """With a tax of 75 % an idle page costs four times as much as one in use: the idle VM gives first."""
    busy, idle = machine(0, 800), machine(1, 800)
    busy.replicas[0].needs = needs(800, hot=1.0)
    idle.replicas[0].needs = needs(800, hot=0.0)
    for box in (busy, idle):
        follow_guest(box)
    assert price(idle, 0.75) < price(busy, 0.75)
    assert price(idle, 0.0) == price(busy, 0.0)


def test_what_guests_have_alike_goes_by_the_kind_of_page() -> None:
    """Files and what booting left in all of them, half of the system but for its page structs, those of memory never touched; no data."""
    box = machine(0, 200, size=2000, same_files=1.0, structs=40 * MIB)
    memory = host(box)
    memory.follow_data()
    step(memory)
    touched = 100 + 200 + 100 + 50
    assert alike(box) == pytest.approx((100 + 50 + 0.5 * 60 + 40 * (1 - touched / 2000)) * MIB)
    before = alike(box)
    box.replicas[0].needs = needs(200, data=(DataSet(blocks=1000, size=MIB, zipf=0.0),))
    memory.follow_data()
    step(memory)
    assert alike(box) == pytest.approx(before - 1000 * 40 / 2000 * MIB)


def test_merging_begins_after_a_first_pass_and_ends_after_a_second() -> None:
    boxes = [machine(row, 200) for row in range(4)]
    memory = host(*boxes, merging=True)
    step(memory)
    total = sum(box.wanted for box in boxes)
    for passes, share in ((1.0, 0.0), (1.5, 0.5), (2.0, 1.0), (5.0, 1.0)):
        memory.scanned = passes * total
        step(memory)
        assert boxes[0].merged == pytest.approx(share * 0.75 * alike(boxes[0]))
        assert memory.ledger().balance == 0


def test_the_host_kills_the_largest_unless_it_is_biased() -> None:
    def victims(**bias: int) -> list[str]:
        boxes = [container(0, 2500, bias=bias.get("first", 0)), container(1, 2000, bias=bias.get("second", 0))]
        return [replica.name for kill in step(host(*boxes)).kills for replica in kill.replicas]

    assert victims() == ["c0"]
    assert victims(second=500) == ["c1"]
    assert victims(first=-1000) == ["c1"]
    assert victims(first=-1000, second=-1000) == []


def test_a_host_that_kills_a_vm_kills_all_that_is_in_it() -> None:
    box = machine(0, 300, size=4000)
    box.replicas.append(Replica("other", 9, "app", needs(3000)))
    kill, = step(host(box, memory=2000)).kills
    assert [replica.name for replica in kill.replicas] == ["v0", "other"]


def test_swapping_goes_before_killing() -> None:
    assert step(host(container(0, 5000), swap=4 * GIB)).kills == []
    assert len(step(host(container(0, 5000), container(1, 3000), swap=GIB)).kills) == 1


@settings(max_examples=80, deadline=None)
@given(
    bases=st.lists(st.integers(0, 3000), min_size=1, max_size=6), vms=st.lists(st.integers(0, 2000), max_size=5), memory=st.integers(800, 20_000),
    swap=st.integers(0, 8000), pool=st.integers(0, 1000), guest_swap=st.integers(0, 500), auto=st.booleans(), merging=st.booleans(),
    loads=st.lists(st.integers(0, 800), min_size=3, max_size=3),
)
@example(bases=[290], vms=[0, 0, 0, 0, 573], memory=800, swap=1101, pool=130, guest_swap=0, auto=False, merging=True, loads=[0, 0, 0])
def test_every_byte_is_somewhere_after_every_step(
    bases: list[int], vms: list[int], memory: int, swap: int, pool: int, guest_swap: int, auto: bool, merging: bool, loads: list[int],
) -> None:
    boxes = [container(row, base, limit=UNBOUNDED) for row, base in enumerate(bases)]
    boxes += [machine(100 + row, base, swap=guest_swap) for row, base in enumerate(vms)]
    whole = host(*boxes, memory=memory, swap=swap * MIB, pool=pool * MIB, auto_balloon=auto, merging=merging)
    for load in loads:
        whole.scanned += 3 * GIB
        for box in boxes:
            box.replicas[0].needs = needs(box.replicas[0].needs.base / MIB, per_connection=MIB)
            box.replicas[0].load = Load(connections=load)
        for kill in step(whole).kills:
            for replica in kill.replicas:
                replica.live = False
        for box in boxes:
            assert min(box.out, box.packed, box.merged, box.resident) >= 0
            assert box.out + box.packed + box.merged <= box.wanted + 1 or not box.live
        assert sum(box.absent for box in boxes) <= swap * MIB + 1
        assert abs(whole.ledger().balance) == 0


READ = (DataSet(blocks=512 * 1024, size=8192, zipf=0.9),)
"""4 GiB that are read repeatedly."""


@pytest.mark.parametrize("swappiness", [0, 60, 100, 200])
def test_applications_give_way_to_data_by_swappiness(swappiness: int) -> None:
    """2000 MiB of which half is cold and data of 4096 MiB in 4096 MiB: 2000 are short, of which 30 % are 600, and no hot page goes."""
    memory = host(container(0, 2000, swap_most=UNBOUNDED), swap=8 * GIB, swappiness=swappiness)
    memory.boxes[0].replicas[0].needs = needs(2000, data=READ)
    memory.follow_data()
    step(memory)
    assert memory.boxes[0].absent == pytest.approx(min(1000 * MIB, swappiness / 200 * (2000 * MIB + memory.reserve)))
    assert memory.ledger().balance == 0


def test_without_swap_space_or_data_that_is_read_again_nothing_gives_way() -> None:
    for swap, data in ((0, READ), (8 * GIB, ())):
        memory = host(container(0, 3500), swap=swap, swappiness=100)
        memory.boxes[0].replicas[0].needs = needs(3500, data=data)
        memory.follow_data()
        step(memory)
        assert memory.boxes[0].absent == 0


def test_a_limit_and_a_guest_lean_on_what_is_in_them() -> None:
    """In a limit of 1000 MiB, 800 of which 400 are cold, 4 GiB of data: 30 % of what is short are more than is cold; in a guest alike."""
    box, vm = container(0, 800, limit=1000 * MIB), machine(1, 800, size=1200, swap=2000, swappiness=60)
    memory = host(box, vm, memory=16 * 1024, swap=8 * GIB, swappiness=60)
    for replica in memory.replicas:
        replica.needs = needs(800, data=READ)
    memory.follow_data()
    step(memory)
    assert box.absent == pytest.approx(400 * MIB)
    assert vm.guest is not None
    assert vm.guest.swapped == pytest.approx(400 * MIB)
    memory.follow_data()
    assert box.replicas[0].cacheable(1) == pytest.approx(600 * MIB)

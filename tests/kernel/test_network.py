"""A link's bandwidth sharing against the integration of equal shares, event by event."""

import random

import pytest
from helpers.twins import plane, table

from simvirt.kernel import network as net
from simvirt.kernel import tables as t
from simvirt.kernel.calendar import next_instant, pop_timer
from simvirt.kernel.constants import HEAP_PAGE, NEVER, NONE


def slow_twin(arrivals: list[tuple[int, float]], speed: float) -> dict[int, float]:
    """End of each transfer [ns] when all under way share a link equally: remaining bytes, stepped from event to event."""
    left: dict[int, float] = {}
    ends: dict[int, float] = {}
    now, coming = 0.0, 0
    while left or coming < len(arrivals):
        soonest = now + min(left.values()) * len(left) / speed if left else float("inf")
        until = min(soonest, arrivals[coming][0]) if coming < len(arrivals) else soonest
        share = (until - now) * speed / len(left) if left else 0.0
        left = {f: bytes_left - share for f, bytes_left in left.items()}
        now = until
        for f in [f for f, bytes_left in left.items() if bytes_left <= 1e-6]:
            ends[f] = now
            del left[f]
        while coming < len(arrivals) and arrivals[coming][0] <= now:
            left[coming] = arrivals[coming][1]
            coming += 1
    return ends


def simulated(arrivals: list[tuple[int, float]], speed: float) -> tuple[dict[int, int], t.Links]:
    """Ends of the transfers as the kernel has them [ns]."""
    n = len(arrivals)
    width = -(-n // HEAP_PAGE)
    pages = 2 + 2 * width
    room = {"tags": pages * HEAP_PAGE, "frames": pages * HEAP_PAGE, "page": 2 * width, "width": [width]}
    links = table(t.Links, 2, bytes_per_ns=[speed, speed], free_page=list(range(pages)), free_pages=[pages], **room)
    p = plane(links=links, run=table(t.Run, 1), calendar=table(t.Calendar, 2, size=[0]))
    ends: dict[int, int] = {}
    coming = 0
    while coming < n or next_instant(p.calendar) < NEVER:
        at = next_instant(p.calendar)
        if coming < n and arrivals[coming][0] < at:
            net.link_begin(p, coming, 1, arrivals[coming][1], arrivals[coming][0])
            coming += 1
            continue
        assert pop_timer(p.calendar) == 1  # the timer of link 1
        f = net.link_end(p, 1, at)
        if f != NONE:
            ends[f] = at
    return ends, p.links


@pytest.mark.parametrize("seed", range(40))
def test_link_against_equal_shares(seed: int) -> None:
    rng = random.Random(seed)
    n, speed = rng.choice([1, 2, 5, 40]), rng.choice([0.125, 1.25, 3.125])
    spread = rng.choice([1, 1000, 1_000_000])
    arrivals = sorted((rng.randrange(spread), float(rng.randrange(1, 100_000))) for _ in range(n))
    ends, links = simulated(arrivals, speed)
    twin = slow_twin(arrivals, speed)
    assert ends.keys() == twin.keys()
    for f in ends:
        assert abs(ends[f] - twin[f]) <= n + 1, f  # each end is rounded up to a whole ns, which the others share
    assert links.bytes == [0.0, sum(amount for _, amount in arrivals)]
    assert links.transfers == [0, 0]
    assert links.busy[1] >= sum(amount for _, amount in arrivals) / speed - 1


def test_a_lone_transfer_takes_its_size_over_the_bandwidth() -> None:
    ends, _ = simulated([(100, 1250.0)], 1.25)
    assert ends == {0: 1100}

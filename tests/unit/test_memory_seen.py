"""Memory as operators see it, and whom a kubelet evicts, against sums by hand."""

from __future__ import annotations

from typing import Any

from types import SimpleNamespace
from typing import cast

import pytest

from simvirt.clock import Clock
from simvirt.control.pressure import Kubelet
from simvirt.memory.killers import Kill
from simvirt.memory.host_memory import HostMemory
from simvirt.scenario.spec.memory_demand import EvictionSpec
from simvirt.catalog import Catalog
from simvirt.memory.boxes import Box, Replica
from simvirt.memory.cache import DataSet
from simvirt.memory.reclaim import step
from simvirt.memory.seen import Seen, available, seen, working_set
from simvirt.memory.working_set import Load, Needs

MIB, GIB = 2**20, 2**30
COSTS = Catalog.load().reclaim()


def pod(row: int, base: float, limit: float = 1024, answered: float = 0, request: float = 0, **more: Any) -> Box:
    """A container that needs so many MiB, alone with its image."""
    given = {"per_connection": 0, "per_request": 0, "growth": 0, "heap": float("inf"), "files": 0, "hot": 1.0, "same": 0.0, "touch": 0, "disk": 0, "writable": 0}
    one = Needs(base=round(base * MIB), **(given | more))
    replica = Replica(f"p{row}", row, f"p{row}", one, image=f"i{row}", limit=limit * MIB, load=Load(answered=answered), request=request * MIB)
    return Box(f"p{row}", [replica])


def host(*boxes: Box, memory: float = 8192) -> HostMemory:
    """A host with nothing of its own, after a first look."""
    found = HostMemory(capacity=memory * MIB, kernel=0.0, boxes=list(boxes), costs=COSTS)
    found.follow_data()
    step(found)
    return found


def of(memory: HostMemory, name: str = "p0") -> Seen:
    """What is seen of a replica."""
    return seen((memory, 1))[name]


def test_written_files_stay_in_the_cache_and_out_of_the_working_set() -> None:
    """300 files of 1 MiB written at once: memory.current has them, docker stats and the kubelet do not."""
    found = of(host(pod(0, 100, answered=300, written=float(MIB))))
    assert found.usage == pytest.approx(400 * MIB)
    assert found.working_set == pytest.approx(100 * MIB)


def test_lines_of_a_log_are_active_and_in_the_working_set() -> None:
    """Pages that are touched by many small writes are used again: the kubelet counts them."""
    found = of(host(pod(0, 100, answered=3_000_000, written=100.0, appended=True)))
    assert found.working_set == found.usage == pytest.approx(100 * MIB + 300e6)


def test_cache_stays_within_the_limit() -> None:
    found = of(host(pod(0, 100, limit=200, answered=300, written=float(MIB))))
    assert found.usage == pytest.approx(200 * MIB)


def test_data_that_does_not_fit_is_half_active() -> None:
    """Below a GiB of file pages the kernel keeps as many active as inactive ones; data that fits is active."""
    data = (DataSet(blocks=100_000, size=8192, zipf=0.9),)
    short, fits = of(host(pod(0, 100, limit=500, data=data))), of(host(pod(0, 100, limit=2000, data=data)))
    assert (short.usage, short.working_set) == (pytest.approx(500 * MIB), pytest.approx(300 * MIB))
    assert fits.usage == fits.working_set == pytest.approx(100 * MIB + data[0].bytes)


def test_files_in_memory_count_against_the_limit() -> None:
    """150 MiB in tmpfs beside 100 MiB in a limit of 200: killed, for nothing of it can be dropped; with a size of 50 it fits."""
    full, bounded = (host(pod(0, 100, limit=200, answered=150, tmpfs_growth=float(MIB), tmpfs_size=size * MIB)) for size in (1000.0, 50.0))
    assert len(step(full).kills) == 1
    assert step(bounded).kills == []
    assert of(bounded).tmpfs == pytest.approx(50 * MIB)


def ended(memory: HostMemory, threshold: int) -> Kill | None:
    """What a kubelet with a threshold ends at its first look, where nothing orchestrates."""
    spec = EvictionSpec(memory_available=f"{threshold}B")
    found = Kubelet(spec, 0).look(cast(Clock, SimpleNamespace(now=0, starts=None)), memory)
    return found[0] if found else None


def test_a_kubelet_counts_active_pages_as_used() -> None:
    """2 GiB of which pods have 1000 MiB and active pages 500: 548 MiB are available, and page cache that is not active with them."""
    memory = host(pod(0, 1000, answered=500, written=float(MIB), appended=True), pod(1, 0, answered=100, written=float(MIB)), memory=2048)
    assert available(memory) == pytest.approx(548 * MIB)
    assert ended(memory, 500 * MIB) is None
    assert working_set(memory, memory.boxes[0]) == pytest.approx(1024 * MIB)  # its limit


@pytest.mark.parametrize(("requests", "victim"), [((0, 0), "p0"), ((900, 100), "p1"), ((100, 900), "p0"), ((2000, 2000), "p1")])
def test_who_exceeds_its_request_most_goes_first(requests: tuple[int, int], victim: str) -> None:
    memory = host(pod(0, 800, request=requests[0]), pod(1, 700, request=requests[1] + 0 if requests[1] != 2000 else 1800), memory=1700)
    decision = ended(memory, 300 * MIB)
    assert decision is not None
    assert decision.replicas[0].name == victim

"""Tables of counts of which most are none are kept as those that are not, and come back as they were."""

from __future__ import annotations

import numpy as np
import pytest

import simvirt
from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.gauges import Sparse
from simvirt.runs.replicate import SNAPSHOTS, Recorder, make_plane

SECOND = 1_000_000_000


@pytest.mark.parametrize("shape", [(1, 8), (5, 3712), (0, 4)])
def test_a_table_comes_back_as_it_was(shape: tuple[int, int]) -> None:
    table = np.random.default_rng(1).poisson(0.02, shape).astype(np.int64)
    kept = Sparse.of(table)
    assert (kept.whole() == table).all() and kept.whole().dtype == table.dtype
    assert all((kept.row(number) == row).all() for number, row in enumerate(table))
    assert len(kept.places) == len(kept.counts) == np.count_nonzero(table)


def test_it_is_a_copy() -> None:
    table = np.array([[0, 3], [4, 0]])
    kept = Sparse.of(table)
    table[:] = 7
    assert kept.whole().tolist() == [[0, 3], [4, 0]]


def held(seconds: int) -> tuple[int, int]:
    """How many marks a run of so long keeps, and how many counts of latencies are in them."""
    spec = simvirt.Scenario.model_validate({
        "simvirt": 1, "name": "marks", "host": {"cores": 2, "memory": "4GiB"}, "platforms": ["bare-metal"],
        "services": {"web": {"threads": 4, "operations": {"get": [{"cpu": {"exponential": "10ms"}}]}}},
        "workload": {"open": {"rate": "100/s"}, "mix": {"web.get": 1}}, "run": {"duration": f"{seconds}s", "replications": 1, "warmup": "0s"}})
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0))
    recorder = Recorder(clock.plane, 50_000_000, 0)
    while recorder.next_at() < seconds * SECOND:
        at = recorder.next_at()
        clock.run(until=at)
        clock.plane.catch_up(at)
        recorder.take(at)
    return len(recorder.kept), sum(len(mark.latencies.places) for mark in recorder.kept)


def test_a_run_twice_as_long_keeps_no_more() -> None:
    """Marks are thinned out at equal distances, and each has what latencies there are: those of all kinds have been seen soon."""
    (marks, counts), (more, others) = held(40), held(80)
    assert max(marks, more) <= SNAPSHOTS
    assert more == marks
    assert others == pytest.approx(counts, rel=0.15)

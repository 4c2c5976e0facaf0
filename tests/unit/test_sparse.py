"""Tables of counts of which most are none are kept as those that are not, and come back as they were."""

from __future__ import annotations

import numpy as np
import pytest

from simvirt.gauges import Sparse


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

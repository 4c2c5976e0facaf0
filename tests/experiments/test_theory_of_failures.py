"""The lab about failures: what its table says against the formula that it teaches, and the table in its text."""

from __future__ import annotations

import math

import pytest
from helpers.labs import expected, shows

RATE, INSTANCES, NOTICED_S, REQUESTS = 80.0, 16, 6.0, 24_000
GONE = {"docker": INSTANCES // 2, "kvm": 1, "firecracker": 1}


def test_24_what_shares_a_kernel_shares_its_end(update_golden: bool) -> None:
    lines = []
    for row in expected(24):
        panic = row["how"] == "kernel-panic"
        gone = GONE[row["platform"]] if panic else 1
        said = RATE * gone / INSTANCES * min(NOTICED_S, row["recovered_after_s"]) if panic else 0.0
        lost = REQUESTS * (1 - row["available"])
        assert row["blast_instances"] == gone
        assert lost == pytest.approx(said, abs=max(2.0, 3 * math.sqrt(said) / 10))
        assert (row["services.store.ready"] < 1) == (panic and row["platform"] == "docker")
        lines.append((
            "a panic" if panic else "a process ends", row["platform"], f"{gone}", f"{row['recovered_after_s']:.2f} s", f"{lost:.0f}", f"{said:.0f}"))
    shows(24, lines, update_golden)

"""The scheduler against a real Linux kernel: rows measured in cgroups, replayed job by job."""

import json
from pathlib import Path

import numpy as np
import pytest

from simvirt.errors import UsageError
from simvirt.validation import linux

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "linux-cgroups.json"
MEDIAN_AT_MOST = 0.05
MEAN_AT_MOST = 0.15


@pytest.fixture(scope="module")
def cells() -> list[linux.Cell]:
    """All predictions beside their measurements."""
    if not REFERENCE.is_file():
        pytest.skip(f"no measured rows: {REFERENCE} is absent")
    return linux.compare_all(REFERENCE, replications=3)


def test_predictions_are_near_the_measured_kernel(cells: list[linux.Cell]) -> None:
    """Half of all means, medians and 95th percentiles are within 5 %, and no mean of a quiet run is off by more than 15 %."""
    noisy = sorted({f"{cell.row} {cell.seed}: {cell.steal:.1%} steal" for cell in cells if cell.noisy})
    quiet = [cell for cell in cells if not cell.noisy]
    far = [f"{cell.row} {cell.seed}: {cell.error:+.1%}" for cell in quiet if cell.measure == "mean" and abs(cell.error) > MEAN_AT_MOST]
    assert linux.median_error(quiet) <= MEDIAN_AT_MOST, noisy
    assert not far, (far, noisy)


def measured(folder: Path, jobs: int = 3) -> Path:
    """A reference file of one row: jobs of 2 ms, far apart, on an idle CPU."""
    lines = [f"{0.1 * number:.6f},2.0000,2.0700" for number in range(1, jobs + 1)]
    (folder / "rows").mkdir()
    (folder / "rows" / "alone-1.csv").write_text("\n".join(["arrives_s,demand_ms,response_ms", *lines]) + "\n")
    row = {
        "name": "alone",
        "seed": 1,
        "cpus": 1,
        "workers": 1,
        "demand_mean_ms": 2,
        "quota_us": None,
        "period_us": 100000,
        "shares": 1024,
        "hogs": [],
        "seconds": 1.0,
        "steal_s": 0.02,
        "trace": "alone-1.csv",
    }
    (folder / "reference.json").write_text(json.dumps({"rows": [row]}))
    return folder / "reference.json"


def test_a_lone_job_takes_its_demand_and_its_release(tmp_path: Path) -> None:
    """Without contention the prediction is exact: demand, release work and timer slack."""
    (row,) = linux.read_rows(measured(tmp_path))
    np.testing.assert_allclose(linux.predicted_responses(row), [0.00207] * 3, rtol=1e-9)


def test_noise_is_told(tmp_path: Path) -> None:
    """A run of which more than 1 % was stolen is marked."""
    cells = linux.compare_all(measured(tmp_path), replications=1)
    assert [cell.measure for cell in cells] == ["mean", "p50", "p95"]
    assert all(cell.noisy for cell in cells)
    assert linux.median_error(cells) < 1e-9


def test_a_missing_trace_is_named(tmp_path: Path) -> None:
    """A row without its trace says which file is missing."""
    reference = measured(tmp_path)
    (tmp_path / "rows" / "alone-1.csv").unlink()
    with pytest.raises(UsageError, match=r"alone-1\.csv"):
        linux.read_rows(reference)

"""Writes the section about the Linux kernel into docs/accuracy.md: `python docs/generate_accuracy.py REFERENCE.json [REPLICATIONS]`.

REFERENCE.json is a file of measured rows as `simvirt.validation.linux` reads them. The page keeps the results.
"""

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from simvirt.validation.linux import NOISY_STEAL, Cell, compare_all, median_error

PAGE = Path(__file__).with_name("accuracy.md")
BEGIN, END = "<!-- linux: made by docs/generate_accuracy.py -->", "<!-- /linux -->"
TITLE = "# Accuracy\n\nWhat was predicted, what is true, and the test that defends it.\n"
HEAD = """## A real Linux kernel

An open-loop program in a cgroup on Linux 6.18 (EEVDF, HZ=250, two CPUs), alone, under a CPU quota and beside busy loops; every job's
arrival and demand is replayed, so there is no sampling error. Base slice 1.4 ms, tick 4 ms, bandwidth slice 5 ms and timer slack 50 us are
the kernel's own. The measurement says that its release thread costs some tens of microseconds a job; 20 us stand for them, of 11 to 41 us
that a program of the same build took elsewhere. No constant is fitted to the rows, but the scheduler's model was worked out with them in
sight. Predictions are averages over {replications} phases of ticks and quota periods. Defended by `tests/published/test_linux_cgroups.py`.
Times in ms: predicted / measured.

| row | mean | | p50 | | p95 | |
|---|---|---|---|---|---|---|
"""


def line(cells: Sequence[Cell]) -> str:
    """A row of the table."""
    numbers = [f"{cell.predicted * 1e3:.2f} / {cell.measured * 1e3:.2f} | {cell.error:+.1%}" for cell in cells]
    note = f" ({cells[0].steal:.1%} steal)" if cells[0].noisy else ""
    return f"| {cells[0].row} {cells[0].seed}{note} | " + " | ".join(numbers) + " |\n"


def section(cells: Sequence[Cell], replications: int) -> str:
    """The section's text."""
    rows = [line(list(group)) for _, group in groupby(cells, key=lambda cell: (cell.row, cell.seed))]
    worst = max((cell for cell in cells if cell.measure == "mean"), key=lambda cell: abs(cell.error))
    tail = f"\nMedian absolute error {median_error(cells):.1%}; the mean furthest off: {worst.row} {worst.seed}, {worst.error:+.1%}. "
    tail += f"Rows with more than {NOISY_STEAL:.0%} steal are noted: {sum(cell.noisy for cell in cells) // 3} of {len(rows)}.\n"
    return HEAD.format(replications=replications) + "".join(rows) + tail


def put(page: str, text: str) -> str:
    """The page with its section replaced, or added at the end."""
    if BEGIN not in page:
        return page.rstrip() + f"\n\n{BEGIN}\n{text}{END}\n"
    return page[: page.index(BEGIN)] + f"{BEGIN}\n{text}{END}" + page[page.index(END) + len(END) :]


def main() -> None:
    """Compare, and write the page."""
    replications = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    page = PAGE.read_text() if PAGE.exists() else TITLE
    PAGE.write_text(put(page, section(compare_all(Path(sys.argv[1]), replications), replications)))


if __name__ == "__main__":
    main()

"""Writes docs/accuracy.md and docs/accuracy.svg: `python docs/generate_accuracy.py [--leave-one-out] [REFERENCE.json]`.

Sections are generated from what `simvirt validate` finds; the one about a Linux kernel only where REFERENCE.json, a file of measured rows
as `simvirt.validation.linux` reads them, is given: otherwise the page keeps it. So it keeps those about leaving tables
out, which take many minutes, without `--leave-one-out`.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, groupby
from pathlib import Path

from simvirt.report import accuracyplot, leave_one_out_report, validation_report
from simvirt.report.as_markdown import escape, page, table
from simvirt.report.blocks import PAGE, Block, Title
from simvirt.report.scored import percent, share
from simvirt.result.validation_document import TableResult, ValidationDocument
from simvirt.validation.facts import chosen
from simvirt.validation.linux import NOISY_STEAL, Cell, compare_all, median_error
from simvirt.validation.predict import Conditions
from simvirt.validation.score import differ, in_order
from simvirt.validation.suite import validate

ACCURACY = Path(__file__).with_name("accuracy.md")
PLOT = Path(__file__).with_name("accuracy.svg")
CONDITIONS = Conditions(seed=1, replications=1)
LINUX_PHASES = 6
LEAVE_ONE_OUT = "--leave-one-out"
FAR = 0.25  # absolute relative error from which the page names a prediction a failure
BEGIN, END = "<!-- {}: made by docs/generate_accuracy.py -->", "<!-- /{} -->"

HEAD = """# Accuracy

Predictions, measurements, and the tests that defend them. On a table that no constant of the catalogue knows, the median error of a
prediction is **{all}**, on tables to validate on {validate}: each table is predicted without itself, every constant that is fitted to it
being fitted to other tables instead, or taken as what the catalogue gives without them (`otherwise`). By constants that know all tables
it is {fitted_all} and {fitted_validate}. `simvirt validate --leave-one-out` recomputes these numbers.

"""

REFITS = """## Constants without a table that they are fitted to

Each table with its median error, predicted by these constants instead of those that are fitted to it. A constant that serves cells of
other tables is solved for there, by a bracketing method, until the geometric mean of predicted over measured numbers is one; factors are
over the shipped value. Where that fails, or nothing else determines it, it is what the catalogue gives as `otherwise`, with the reason.

"""

SCORES = """## By constants that know all tables

`simvirt validate` recomputes the numbers from here on (replications: {replications}, seed {seed}); `tests/published/test_tables.py`
defends them.

![Predicted over measured, one line per table, one dot per cell]({plot})

A **prediction** is a run of the table's scenario on a platform of the catalogue. A **calibration** is a cell on which something was
calibrated: the demand of the workload, on one column of the table, or a constant of the catalogue, which then names the cell as `fitted`.
Calibrations are shown but not scored. The costs of a platform are in the catalogue, the same for every scenario, never in a table. *Median
error* is the median of the absolute relative errors of predictions; *in order* counts pairs of a table's cells whose measurements differ by
more than 10 %: of two platforms under one condition, or of one platform under two conditions.
"""

CONSTANTS = """## Fitted constants on tables that they were not fitted to

A table is served by a constant if its cells move when the constant is changed by 5 %.

"""

LINUX = """## A real Linux kernel

An open-loop program in a cgroup on Linux 6.18 (EEVDF, HZ=250, two CPUs), alone, under a CPU quota and beside busy loops; every job's
arrival and demand is replayed, so there is no sampling error. Base slice 1.4 ms, tick 4 ms, bandwidth slice 5 ms and timer slack 50 us are
the kernel's own. The measurement states that its release thread costs some tens of microseconds per job; the model uses 20 us, within the
11 to 41 us that a program of the same build took elsewhere. No constant is fitted to the rows, but the scheduler's model was developed
with them known. Predictions are averages over {replications} phases of ticks and quota periods.
Defended by `tests/published/test_linux_cgroups.py`. Times in ms: predicted / measured.

| row | mean | | p50 | | p95 | |
|---|---|---|---|---|---|---|
"""


def scores(document: ValidationDocument) -> str:
    """What the words mean, and the scores."""
    words = SCORES.format(plot=PLOT.name, replications=document.replications, seed=document.seed)
    return words + "\n" + page([replace(validation_report.scores(document), figures=True)])


def failures(document: ValidationDocument) -> str:
    """Predictions that are far off, table by table, with what the model is known to lack."""
    rows = [[escape(cell) for cell in row] for found in document.tables for row in _far(found)]
    lines = table(["table", "condition", "system", "error", "what the model lacks"], rows, right=False)
    return f"## Where it fails\n\nPredictions that are off by more than {FAR:.0%}.\n\n" + "\n".join(lines) + "\n"


def _far(found: TableResult) -> Iterator[list[str]]:
    """A table's cells that are far off; what is missing is given with the first."""
    why = found.missing or "not known"
    for cell in found.cells:
        if cell.kind == "prediction" and (cell.error is None or abs(cell.error) > FAR):
            yield [found.id, cell.row, cell.column, cell.failure or percent(cell.error), why]
            why = "as above"


def disorder(document: ValidationDocument) -> str:
    """Pairs of platforms whose predictions stand in the other order than their measurements, with what the model is known to lack."""
    rows = [[escape(cell) for cell in row] for found in document.tables if found.ranks == "columns" for row in _swapped(found)]
    lines = table(["table", "condition", "better", "worse", "measured", "predicted", "what the model lacks"], rows, right=False)
    words = "Pairs of platforms of which one was measured to be better, with its number over that of the other; predictions say otherwise."
    return f"## Platforms in the wrong order\n\n{words}\n\n" + "\n".join(lines) + "\n"


def _swapped(found: TableResult) -> Iterator[list[str]]:
    """A table's pairs of platforms that are not in order; what is missing is given with the first."""
    why, sign = found.missing or "not known", 1 if found.better == "higher" else -1
    for one, other in combinations(found.cells, 2):
        compared = one.row == other.row and "bound" not in (one.kind, other.kind) and "prediction" in (one.kind, other.kind)
        if compared and differ(one.measured, other.measured) and not in_order(one, other):
            best, worst = sorted((one, other), key=lambda cell: -sign * cell.measured)
            told = [share(best.measured / worst.measured), share((best.predicted or 0.0) / (worst.predicted or 1.0))]
            yield [found.id, one.row, best.column, worst.column, *told, why]
            why = "as above"


def left_out(document: ValidationDocument) -> str:
    """Published tables that were read and are not predicted, and why."""
    rows = [[escape(name), escape(why)] for topic in document.topics for name, why in topic.left_out.items()]
    lines = table(["table", "why it is left out"], rows, right=False)
    return "## What is not predicted\n\nTables of the same sources and topics that have no scenario.\n\n" + "\n".join(lines) + "\n"


def head(document: ValidationDocument) -> str:
    """The headline: the score on tables that constants do not know, and the same by topic."""
    assert document.leave_one_out is not None
    own, all_ = document.leave_one_out.summary, document.summary
    found = {"all": own.all, "validate": own.validate_, "fitted_all": all_.all, "fitted_validate": all_.validate_}
    text = HEAD.format(**{name: share(score.median_error) for name, score in found.items()})
    return text + page([leave_one_out_report.scores(document)])


def refits(document: ValidationDocument) -> str:
    """What constants are without a table."""
    assert document.leave_one_out is not None
    return REFITS + page([leave_one_out_report.refits(document.leave_one_out)])


def constants(document: ValidationDocument) -> str:
    """Each fitted constant on the tables that depend on it and that it was not fitted to."""
    assert document.leave_one_out is not None
    return CONSTANTS + page([leave_one_out_report.constants(document.leave_one_out)])


LEFT_OUT = {"leave-one-out": head, "refits": refits, "constants": constants}
"""Sections that are made with `--leave-one-out`, and kept without."""


def tables(document: ValidationDocument) -> str:
    """All tables, topic by topic."""
    blocks: list[Block] = []
    for topic in document.topics:
        blocks.append(Title(topic.title))
        blocks += [block for found in document.tables if found.topic == topic.number for block in validation_report.about(found)]
    return page(block for block in blocks if block.where in ("", PAGE))


def theory(document: ValidationDocument) -> str:
    """Closed forms beside simulation."""
    words = "Systems with a closed form, on bare metal. Defended by `tests/theory` and `tests/published/test_tables.py`."
    return f"## Theory\n\n{words}\n\n" + page([validation_report.theory(document.theory)])


def line(cells: Sequence[Cell]) -> str:
    """A row of the table about the Linux kernel."""
    numbers = [f"{cell.predicted * 1e3:.2f} / {cell.measured * 1e3:.2f} | {cell.error:+.1%}" for cell in cells]
    note = f" ({cells[0].steal:.1%} steal)" if cells[0].noisy else ""
    return f"| {cells[0].row} {cells[0].seed}{note} | " + " | ".join(numbers) + " |\n"


def linux(cells: Sequence[Cell]) -> str:
    """The section about the Linux kernel."""
    rows = [line(list(group)) for _, group in groupby(cells, key=lambda cell: (cell.row, cell.seed))]
    worst = max((cell for cell in cells if cell.measure == "mean"), key=lambda cell: abs(cell.error))
    tail = f"\nMedian absolute error {median_error(cells):.1%}; the mean furthest off: {worst.row} {worst.seed}, {worst.error:+.1%}. "
    tail += f"Rows with more than {NOISY_STEAL:.0%} steal are noted: {sum(cell.noisy for cell in cells) // 3} of {len(rows)}.\n"
    return LINUX.format(replications=LINUX_PHASES) + "".join(rows) + tail


def kept(page: str, name: str) -> str | None:
    """A section as the page has it, None where it has none."""
    found = re.search(re.escape(BEGIN.format(name)) + "\n(.*?)" + re.escape(END.format(name)), page, re.DOTALL)
    return found.group(1) if found else None


def joined(sections: Mapping[str, str | None]) -> str:
    """The page of its sections."""
    return "\n".join(f"{BEGIN.format(name)}\n{text}{END.format(name)}\n" for name, text in sections.items() if text is not None)


def main() -> None:
    """Predict everything, and write page and picture."""
    leaves = LEAVE_ONE_OUT in sys.argv
    document = validate(chosen(), CONDITIONS, jobs=2, left_out=leaves)
    old = ACCURACY.read_text() if ACCURACY.exists() else ""
    files = [name for name in sys.argv[1:] if name != LEAVE_ONE_OUT]
    left = {name: made(document) if leaves else kept(old, name) for name, made in LEFT_OUT.items()}
    sections = {
        "leave-one-out": left["leave-one-out"], "scores": scores(document), "failures": failures(document), "order": disorder(document),
        "refits": left["refits"],
        "constants": left["constants"], "linux": linux(compare_all(Path(files[0]), LINUX_PHASES)) if files else kept(old, "linux"),
        "theory": theory(document), "tables": tables(document), "left-out": left_out(document),
    }
    ACCURACY.write_text(joined(sections))
    PLOT.write_text(accuracyplot.svg(document))


if __name__ == "__main__":
    main()

"""Makes the table and the figure of each lab from its sweep: `python experiments/make.py [--check] [LAB...]`.

The header of `expected.csv` says which columns of the sweep are kept: by their names, or by the last parts of axes (`rate` for
`workload.open.rate`). Numbers have five significant digits, so that the last bits of another machine do not matter.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import simvirt
from simvirt.sweep import load

HERE: Final = Path(__file__).resolve().parent
DIGITS: Final = 5


def labs(names: Sequence[str] = ()) -> list[Path]:
    """The folders of the labs whose names begin so, in their order; all of them by default."""
    found = sorted(path.parent for path in HERE.glob("*/sweep.yaml"))
    return [folder for folder in found if not names or any(folder.name.startswith(Path(name).name) for name in names)]


def table(folder: Path, jobs: int = 1, sets: Sequence[str] = ()) -> str:
    """What the sweep of a lab gives, as the text of its expected.csv."""
    asked = load(folder / "sweep.yaml", sets=sets)
    with TemporaryDirectory() as kept, ThreadPoolExecutor(1) as here:
        frame = simvirt.sweep(asked, kept, jobs=jobs, executor=here if jobs == 1 else None).frame()
    columns = header(folder)
    rows = zip(*(frame[_found(column, frame)] for column in columns), strict=True)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([columns, *([_text(value) for value in row] for row in rows)])
    return out.getvalue()


def header(folder: Path) -> list[str]:
    """The columns that a lab keeps."""
    return (folder / "expected.csv").read_text(encoding="utf-8").splitlines()[0].split(",")


def _found(column: str, frame: dict[str, list[Any]]) -> str:
    """The column of a sweep that a name of the header means: itself, or the one that ends so."""
    ends = [name for name in frame if name.endswith(f".{column}")]
    if column not in frame and len(ends) != 1:
        raise SystemExit(f"{column}: expected a column of the sweep, for example latency_mean_s; got {ends or 'none'}")
    return column if column in frame else ends[0]


def _text(value: Any) -> str:
    """A value of a table."""
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)


def rows_of(text: str) -> list[dict[str, Any]]:
    """The rows of a table, numbers as numbers."""
    return [{key: _number(value) for key, value in row.items()} for row in csv.DictReader(io.StringIO(text))]


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def differences(folder: Path, made: str) -> Iterator[str]:
    """The lines of a table that are not as expected."""
    expected = (folder / "expected.csv").read_text(encoding="utf-8").splitlines()
    found = made.splitlines()
    if len(found) != len(expected):
        yield f"{len(found) - 1} rows, expected {len(expected) - 1}"
    yield from (f"{now}, expected {then}" for now, then in zip(found, expected, strict=False) if now != then)


def draw(folder: Path) -> None:
    """The figure of a lab from figure.json."""
    from simvirt.charts import save

    save(specification(folder), folder / "figure.svg")


def specification(folder: Path) -> dict[str, Any]:
    """The Vega-Lite specification of a lab's figure, with the data of expected.csv, in the one look of all charts."""
    from simvirt.charts import theme

    found: dict[str, Any] = json.loads((folder / "figure.json").read_text(encoding="utf-8"))
    rows = rows_of((folder / "expected.csv").read_text(encoding="utf-8"))
    scales = theme.platform_scales(dict.fromkeys(str(row.get("platform", "")) for row in rows))
    styled: dict[str, Any] = _styled(found, scales)
    hues = {"range": {"category": [style.colour for style in theme.STYLES[1:]]}}
    return {"background": theme.PAPER, "config": {**theme.CONFIG, **hues}, "data": {"values": rows}, **styled}


def _styled(part: Any, scales: dict[str, dict[str, Any]]) -> Any:
    """A part of a specification in which platforms have the colours and shapes that they have everywhere."""
    if isinstance(part, list):
        return [_styled(one, scales) for one in part]
    if not isinstance(part, dict):
        return part
    named = isinstance(part.get("color"), dict) and part["color"].get("field") == "platform"
    fixed = {key: scales[key] | part[key] for key in scales if key in part} if named else {}
    return {key: fixed.get(key) or _styled(value, scales) for key, value in part.items()}


def make(folder: Path, jobs: int) -> bool:
    """Writes the table and the figure of a lab."""
    (folder / "expected.csv").write_text(table(folder, jobs), encoding="utf-8")
    if (folder / "figure.json").exists():
        draw(folder)
    print(f"{folder.name}: made")
    return True


def check(folder: Path, jobs: int) -> bool:
    """Compares the table of a lab with the sweep's, and says how they differ."""
    wrong = list(differences(folder, table(folder, jobs)))
    print(f"{folder.name}: " + ("as expected" if not wrong else f"{len(wrong)} lines differ"), *wrong, sep="\n  ")
    return not wrong


def main(arguments: Sequence[str]) -> int:
    """0 where all is as expected."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("lab", nargs="*", help="labs by how their names begin, for example 01; all by default")
    parser.add_argument("--check", action="store_true", help="compare with what is kept, write nothing")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, help="cells at a time; one per CPU by default")
    given = parser.parse_args(arguments)
    chosen = labs(given.lab)
    if not chosen:
        parser.error(f"no such lab; there are {', '.join(folder.name for folder in labs())}")
    done = [(check if given.check else make)(folder, given.jobs) for folder in chosen]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

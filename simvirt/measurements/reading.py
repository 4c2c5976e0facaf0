"""Points from files and folders: each file by its form; the files of a folder, and single files that tell one half, are one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from simvirt.errors import UsageError
from simvirt.measurements import prometheus
from simvirt.measurements.points import Point, at_instants, averaged, merged, refuse
from simvirt.measurements.registry import FORMATS

MOST_BYTES: Final = 256 << 20


def points(sources: Sequence[str], form: str | None = None) -> list[Point]:
    """The points of sources in order: files, folders (one run each), `cpu=FILE` of expressions; all of a form where it is told.

    ScenarioError with file and line of what is wrong in one, UsageError where there is none.
    """
    found: list[Point] = []
    halves: list[list[Point]] = []
    for source in sources:
        kind, path = _kind(source)
        if path.is_dir():
            files = [each for each in sorted(path.iterdir()) if each.is_file() and not each.name.startswith(".")]
            if not files:
                raise UsageError(f"{path}: an empty folder; expected the files of a run, for example k6.json and docker-stats.json")
            found += [replace(point, file=str(path), line=None) for point in _run([_file(each, kind, form)[0] for each in files])]
            continue
        read, whole = _file(path, kind, form)
        found += read if whole else []
        halves += [] if whole else [read]
    return found + (_run(halves) if halves else [])


def each(sources: Sequence[str], form: str) -> list[Point]:
    """The points of files of one form, each file for itself."""
    return [point for kind, path in map(_kind, sources) for point in _file(path, kind, form)[0]]


def _kind(source: str) -> tuple[str | None, Path]:
    """What an expression is, and its file."""
    before, equals, after = source.partition("=")
    return (before, Path(after)) if equals and before in prometheus.KINDS and not Path(source).exists() else (None, Path(source))


def _file(path: Path, kind: str | None, form: str | None) -> tuple[list[Point], bool]:
    """The points of a file, and whether they tell both halves."""
    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected measurements, for example --from points.csv, or --from run-1 of a folder")
    if path.stat().st_size > MOST_BYTES:
        raise UsageError(f"{path}: expected a file of at most {MOST_BYTES >> 20} MiB")
    text = path.read_text(encoding="utf-8", errors="replace")
    if kind is not None:
        return prometheus.read(text, str(path), kind), False
    name = form or next((name for name, each in FORMATS.items() if each.recognises(text)), None)
    if name is None:
        known = "; ".join(f"{name}: {each.title}" for name, each in FORMATS.items())
        refuse(str(path), 1, "", f'expected measurements in a form that is known ({known}); got "{text[:40].strip()}"')
    return FORMATS[name].read(text, str(path)), FORMATS[name].whole


def _run(files: Sequence[list[Point]]) -> list[Point]:
    """What the files of one run tell together: points at common instants where all are series, else one."""
    if all(points[0].at_s is not None for points in files):
        found = at_instants(files)
        if not found:
            refuse(files[-1][0].file, None, "data.result",
                   "expected instants that the other files have too; ask for the same start, end and step")
        return found
    if any(points[0].at_s is None and len(points) > 1 for points in files):
        if len(files) == 1:
            return files[0]
        refuse(files[0][0].file, None, "", "a table of several points cannot be joined with other files; expected it alone")
    return [merged([averaged(points) if len(points) > 1 else points[0] for points in files])]

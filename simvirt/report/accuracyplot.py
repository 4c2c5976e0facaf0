"""Predicted over measured as a picture: one line a table, one dot a cell, the band of 15 % shaded. Plain SVG, no library."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from simvirt.result.validation_document import CellResult, TableResult, TopicResult, ValidationDocument

Line = TopicResult | TableResult
WIDTH, LEFT, RIGHT, TOP, LINE, GAP = 960, 300, 96, 84, 20, 30
MOST = 4.0  # ratio at which the axis ends on either side
TICKS = ((0.25, "1/4"), (0.5, "1/2"), (0.8, "0.8"), (1.0, "1"), (1.25, "1.25"), (2.0, "2"), (4.0, "4"))
BAND = (1 / 1.15, 1.15)
INK, QUIET, FAINT, PREDICTED, GIVEN = "#1f2933", "#616e7c", "#e4e7eb", "#0b69a3", "#9aa5b1"
STYLE = (
    f"text{{font:13px system-ui,sans-serif;fill:{INK}}} .q{{fill:{QUIET};font-size:12px}}"
    " .h{font-weight:600} .t{font-size:16px;font-weight:600}"
)


def svg(document: ValidationDocument) -> str:
    """The picture of a result of `simvirt validate`."""
    lines = list(_lines(document))
    height = TOP + sum(map(_step, lines)) + 56
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<style>{STYLE}</style><title>Predicted over measured</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *_head(document),
        *_axis(height - 48),
        *_body(lines),
        *_key(height - 14),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _lines(document: ValidationDocument) -> Iterator[Line]:
    """Topics and their tables from top to bottom."""
    for topic in document.topics:
        yield topic
        yield from (table for table in document.tables if table.topic == topic.number)


def _step(line: Line) -> int:
    """How far below the one before a line is."""
    return GAP if isinstance(line, TopicResult) else LINE


def x_of(ratio: float) -> float:
    """Place of a ratio on the axis, logarithmic, held inside it."""
    inside = min(max(ratio, 1 / MOST), MOST)
    return LEFT + (WIDTH - LEFT - RIGHT) * (math.log(inside) / math.log(MOST) + 1) / 2


def _head(document: ValidationDocument) -> Iterator[str]:
    """What the picture shows."""
    score = document.summary.all
    median = "-" if score.median_error is None else f"{score.median_error:.1%}"
    said = f"{score.predicted} predicted cells, half of them within {median};"
    said += f" rank order right in {score.pairs_right} of {score.pairs} pairs"
    yield f'<text x="20" y="30" class="t">Predicted over measured</text><text x="20" y="50" class="q">{said}</text>'


def _axis(bottom: float) -> Iterator[str]:
    """The band, the grid and its labels."""
    left, right = x_of(BAND[0]), x_of(BAND[1])
    yield f'<rect x="{left:.1f}" y="{TOP - 8}" width="{right - left:.1f}" height="{bottom - TOP + 8:.1f}" fill="#e6f4ea"/>'
    for ratio, label in TICKS:
        x, colour = x_of(ratio), QUIET if ratio == 1.0 else FAINT
        yield f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom:.1f}" stroke="{colour}"/>'
        yield f'<text x="{x:.1f}" y="{TOP - 14}" class="q" text-anchor="middle">{label}</text>'
    yield f'<text x="{WIDTH - 20}" y="{TOP - 14}" class="q" text-anchor="end">median</text>'


def _body(lines: Sequence[Line]) -> Iterator[str]:
    """A line for each topic and table."""
    y = float(TOP)
    for line in lines:
        y += _step(line)
        if isinstance(line, TopicResult):
            yield f'<text x="20" y="{y - 6:.1f}" class="h">{escape(_short(line.title, 90))}</text>'
        else:
            yield from _table(line, y)


def _table(table: TableResult, y: float) -> Iterator[str]:
    """A table's name, its dots and its median error."""
    yield f'<text x="32" y="{y - 5:.1f}">{escape(_short(table.id, 34))}</text>'
    for cell in sorted(table.cells, key=lambda cell: cell.kind):
        if cell.predicted is not None:
            yield _dot(cell, y - 9)
    median = table.score.median_error
    if median is not None:
        yield f'<text x="{WIDTH - 20}" y="{y - 5:.1f}" class="q" text-anchor="end">{median:.1%}</text>'


def _dot(cell: CellResult, y: float) -> str:
    """A cell: filled where it was predicted, hollow where it was a given, a triangle at the edge where it is beyond the axis."""
    ratio = max((cell.predicted or 0.0) / cell.measured, 1e-9)
    x, given = x_of(ratio), cell.kind == "calibration"
    paint = f'fill="none" stroke="{GIVEN}"' if given else f'fill="{PREDICTED}" fill-opacity="0.7"'
    told = f"<title>{escape(cell.row)}, {escape(cell.column)}: {ratio:.2f}</title>"
    if 1 / MOST <= ratio <= MOST:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" {paint}>{told}</circle>'
    tip = 6 if ratio > 1 else -6
    return f'<path d="M{x + tip:.1f} {y:.1f} L{x - tip / 2:.1f} {y - 4.5:.1f} L{x - tip / 2:.1f} {y + 4.5:.1f} Z" {paint}>{told}</path>'


def _key(y: float) -> Iterator[str]:
    """What the marks mean."""
    marks = (
        (0, f'<circle r="4" fill="{PREDICTED}" fill-opacity="0.7"/>', "prediction"),
        (100, f'<circle r="4" fill="none" stroke="{GIVEN}"/>', "calibration"),
        (205, f'<path d="M6 0 L-3 -4.5 L-3 4.5 Z" fill="{PREDICTED}" fill-opacity="0.7"/>', "beyond the axis"),
        (330, '<rect x="-8" y="-6" width="16" height="12" fill="#e6f4ea"/>', "within 15 %"),
    )
    for x, mark, words in marks:
        yield f'<g transform="translate({LEFT + x} {y - 4})">{mark}<text x="12" y="4" class="q">{words}</text></g>'


def _short(words: str, most: int) -> str:
    """Words that fit."""
    return words if len(words) <= most else words[: most - 1].rstrip(" ,:") + "…"

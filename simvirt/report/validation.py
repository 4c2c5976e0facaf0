"""Predictions beside measurements: as text and Markdown, as flat rows for CSV."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from simvirt.report import grid, markdown
from simvirt.report.text import printed

Document = Mapping[str, Any]
GOOD, BAD = 0.15, 0.50  # absolute relative errors up to which a number is green, and from which red
CELL = ("condition", "system", "predicted", "measured", "error", "")
SCORE = ("predicted", "median error", "within 15 %", "platforms in order", "conditions in order", "calibrated", "fitted constants")


# --- figures ---------------------------------------------------------------------------------------------------------------


def figure(value: float | None) -> str:
    """A number with four digits, thousands set apart."""
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.4g}"


def percent(error: float | None) -> str:
    """A relative error with its sign."""
    return "-" if error is None else f"{error * 100:+.1f} %"


def share(part: float | None) -> str:
    """A ratio in percent."""
    return "-" if part is None else f"{part * 100:.1f} %"


def order(right: int, pairs: int) -> str:
    """How many pairs stand in the right order."""
    return f"{right} of {pairs}" if pairs else "-"


def orders(score: Document) -> tuple[str, str]:
    """How many pairs of platforms, and of conditions, stand in the right order."""
    pairs, right = score["platform_pairs"], score["platform_pairs_right"]
    return order(right, pairs), order(score["pairs_right"] - right, score["pairs"] - pairs)


def score_cells(score: Document) -> list[str]:
    """A score as the cells of a table, in the order of SCORE."""
    return [
        str(score["predicted"]), share(score["median_error"]), str(score["within_15"]), *orders(score), str(score["calibrated"]),
        str(score["fitted_constants"]),
    ]


def sentence(score: Document) -> str:
    """A table's score in one line."""
    if score["bounds"]:
        kept = f"{score['bounds_kept']} of {score['bounds']} bounds kept"
        return kept if not score["predicted"] else f"{kept}, {sentence({**score, 'bounds': 0})}"
    if not score["predicted"]:
        return "nothing predicted: all cells calibrate"
    parts = [f"{score['predicted']} predicted, median error {share(score['median_error'])}"]
    if score["pairs"]:
        parts.append(f"rank order right in {order(score['pairs_right'], score['pairs'])} pairs")
    parts.append(f"{score['fitted_constants']} fitted constants")
    return ", ".join(parts)


def rows_of(table: Document) -> Iterator[tuple[str, ...]]:
    """A table's cells as text; a condition is named once."""
    before = None
    for cell in table["cells"]:
        told = cell.get("failure") or ("" if cell["kind"] == "prediction" else cell["kind"])
        measured = f"{figure(cell['low'])} to {figure(cell['high'])}" if "low" in cell else figure(cell["measured"])
        name = cell["row"] if cell["row"] != before else ""
        yield name, cell["column"], figure(cell["predicted"]), f"{measured} {cell['unit']}", percent(cell["error"]), told
        before = cell["row"]


def summary_rows(document: Document) -> Iterator[list[str]]:
    """The scores of topics and of all."""
    for topic in document["topics"]:
        yield [f"{topic['number']} {topic['title']}", *score_cells(topic["score"])]
    named = {"validate": "tables to validate on", "calibrate": "tables to calibrate on", "all": "all"}
    yield from ([title, *score_cells(document["summary"][key])] for key, title in named.items())


def theory_rows(document: Document) -> Iterator[tuple[str, ...]]:
    """Closed forms beside simulation."""
    before = None
    for row in document.get("theory", ()):
        name = row["measure"].removesuffix("_per_s").removesuffix("_s").replace("_", " ")
        interval = f"{figure(row['low'])} to {figure(row['high'])}"
        model = row["model"] if row["model"] != before else ""
        yield model, name, figure(row["simulated"]), figure(row["theory"]), percent(row["error"]), interval
        before = row["model"]


def linux_rows(document: Document) -> Iterator[tuple[str, ...]]:
    """Replayed rows of a Linux kernel."""
    for row in document.get("linux", {}).get("rows", ()):
        noisy = "noisy" if row["noisy"] else ""
        yield row["row"], row["measure"], figure(row["predicted_s"]), figure(row["measured_s"]), percent(row["error"]), noisy


THEORY = ("model", "measure", "simulated", "theory", "error", "95 % interval")
LINUX = ("row", "measure", "predicted s", "measured s", "error", "")


def heading(document: Document) -> str:
    """What was run, and how."""
    n, simvirt = document["replications"], document["simvirt"]
    how = f"seed {document['seed']}, {n} replication{'' if n == 1 else 's'}"
    return f"{how}, simvirt {simvirt['version']} ({simvirt['kernel']})"


# --- text ------------------------------------------------------------------------------------------------------------------


def text(document: Document, width: int = 120) -> str:
    """The report as plain text without colour."""
    return printed(report(document, width), width)


def report(document: Document, width: int) -> RenderableType:
    """Topics with their tables, theory, the rows of a Linux kernel, and the scores."""
    parts: list[RenderableType] = [Text.assemble(("Predictions beside measurements", "bold"), ("   " + heading(document), "dim"))]
    for topic in document["topics"]:
        parts.append(_title(f"{topic['number']}  {topic['title']}"))
        parts += [_table(table, width - 2) for table in document["tables"] if table["topic"] == topic["number"]]
    if theory := list(theory_rows(document)):
        parts += [_title("Theory beside simulation"), _grid(THEORY, theory, width)]
    if rows := list(linux_rows(document)):
        parts += [_title("A Linux kernel, job by job"), _grid(LINUX, rows, width)]
    if document["tables"]:
        parts += [_title("Score"), _grid(("", *SCORE), list(summary_rows(document)), width, toned=False)]
    return Group(*parts)


def _title(words: str) -> RenderableType:
    return Padding(Text(words, "bold cyan"), (1, 0, 0, 0))


def _table(table: Document, width: int) -> RenderableType:
    """One table: what it is, its cells, its score."""
    head = Text.assemble((table["id"], "bold"), f"  {table['title']}", (f"  ({table['use']})", "dim"))
    tail = [Text(sentence(table["score"]), "dim")]
    if table["missing"]:
        tail.append(Text(f"not in the model: {table['missing']}", "dim"))
    return Padding(Group(head, _grid(CELL, list(rows_of(table)), width, names=2), *tail), (1, 0, 0, 2))


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]], width: int, toned: bool = True, names: int = 1) -> RenderableType:
    """Rows under their head: words to the left, figures to the right."""
    quiet = [toned and row[-1] == "calibration" for row in rows]
    cells = [[Text(cell, "dim" if dim else _tone(cell) if toned else "") for cell in row] for dim, row in zip(quiet, rows, strict=True)]
    left = [place for place, name in enumerate(head) if name in ("", *WORDS)]
    return grid.table(head, cells, width, names=names, left=left, prose=len(head) - 1 if names == 2 else None, style="dim")


WORDS = ("condition", "system", "model", "measure", "row")


def _tone(cell: str) -> str:
    """The colour of an error."""
    if not cell.endswith(" %") or cell[:1] not in "+-" or len(cell) < 3:
        return ""
    error = abs(float(cell.removesuffix(" %"))) / 100
    return "green" if error <= GOOD else "bold red" if error > BAD else ""


# --- Markdown and rows -------------------------------------------------------------------------------------------------------


def as_markdown(document: Document) -> str:
    """The report as GitHub's Markdown."""
    parts = ["# Predictions beside measurements", markdown.escape(heading(document))]
    if document["tables"]:
        parts += ["## Score", _md(("", *SCORE), summary_rows(document))]
    for topic in document["topics"]:
        parts.append(f"## {topic['number']} {markdown.escape(topic['title'])}")
        parts += [section for table in document["tables"] if table["topic"] == topic["number"] for section in table_sections(table)]
    if document.get("theory"):
        parts += ["## Theory beside simulation", _md(THEORY, theory_rows(document))]
    if document.get("linux"):
        parts += ["## A Linux kernel, job by job", _md(LINUX, linux_rows(document))]
    return "\n\n".join(parts) + "\n"


def table_sections(table: Document) -> Iterator[str]:
    """One table in Markdown: title, source, cells, score."""
    yield f"### {table['id']}: {markdown.escape(table['title'])}"
    yield markdown.escape(f"{table['source']} ({table['found']}). {table['setup']}.")
    yield _md(CELL, rows_of(table))
    yield markdown.escape(sentence(table["score"]).capitalize() + ".")
    if table["calibration"]:
        yield markdown.escape(f"Calibration: {'; '.join(table['calibration'])}.")
    if table["missing"]:
        yield markdown.escape(f"Not in the model: {table['missing']}.")


def _md(head: Sequence[str], rows: Iterator[Sequence[str]] | Iterator[list[str]] | Iterator[tuple[str, ...]]) -> str:
    """Rows as a Markdown table."""
    return "\n".join(markdown.table(head, ([markdown.escape(cell) for cell in row] for row in rows), right=False))


def flat_rows(document: Document) -> list[dict[str, Any]]:
    """Every compared number as a flat row: of tables, theory and the Linux kernel."""
    rows: list[dict[str, Any]] = []
    for table in document["tables"]:
        what = {"topic": table["topic"], "table": table["id"], "use": table["use"]}
        rows += [{**what, **{key: value for key, value in cell.items() if key != "failure"}} for cell in table["cells"]]
    for row in document.get("theory", ()):
        rows.append({"table": "theory", "row": row["model"], "column": row["measure"], "predicted": row["simulated"],
                     "measured": row["theory"], "error": row["error"], "kind": "theory"})
    for row in document.get("linux", {}).get("rows", ()):
        rows.append({"table": "linux", "row": row["row"], "column": row["measure"], "unit": "s", "predicted": row["predicted_s"],
                     "measured": row["measured_s"], "error": row["error"], "kind": "prediction"})
    return rows

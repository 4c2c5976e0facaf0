"""A density as text, Markdown and CSV: the answers side by side, why they are what they are, the curves, the memory."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simvirt.memory.ledger import PARTS
from simvirt.report import figures, grid
from simvirt.report.csvtable import flat, rows_csv
from simvirt.report.markdown import escape, table
from simvirt.report.sections import AT_LEAST, HOLDERS, title_of
from simvirt.report.text import printed

Document = Mapping[str, Any]
Rows = list[list[str]]
NAMES = {
    "host.cpu": "host CPU", "host.disk": "disk", "host.nic": "NIC", "max": "density.max", "request": "the request",
    "bridge.ports": "bridge ports", "subnet.ips": "IP addresses", "pids": "PIDs", "files": "open files", "inotify.instances": "inotify",
    "loop.devices": "loop devices", "virtual.functions": "NIC functions",
    "disk.space": "disk space", "memory.committed": "memory_ratio", "guest.memory": "guest memory",
}
GIB, MIB = 2**30, 2**20
LEDGER = "Memory at n, in GiB"
BAR = 18  # columns of the longest bar
EIGHTHS = " ▏▎▍▌▋▊▉"
BEYOND = 1.5  # bars end at so many times the limit
POINTS = 9  # of a curve in a text; all are in JSON and CSV
OF_POINT = ("platform", "n", "verdict")


def name_of(resource: str) -> str:
    """A resource in words."""
    return NAMES.get(resource, resource.replace(".cpu", " CPU").replace(".threads", " threads").replace(".event_loops", " event loops"))


def quantity(key: str, value: Any, interval: bool = False) -> str:
    """An objective's figure in the unit of its kind."""
    if key.startswith("latency"):
        return figures.time(value, interval=interval)
    return figures.rate(value, interval=interval) if key in AT_LEAST else figures.percent(value, interval=interval)


def label(key: str) -> str:
    """An objective's name, short."""
    return title_of(key).removeprefix("latency ")


def main_objective(document: Document) -> str:
    """The limit that latencies of a curve are held against: the strictest quantile, else whatever comes first."""
    limits = document["objective"]
    order = ("latency_p999", "latency_p99", "latency_p95", "latency_p90", "latency_p50", "latency_mean")
    return next((key for key in order if key in limits), next(iter(limits)))


def heading(document: Document) -> tuple[str, list[str]]:
    """The scenario's name; what is counted and held; how it was found."""
    unit, simvirt = document["unit"], document["simvirt"]
    what = "copies of all services" if unit["service"] is None else f"replicas of {unit['service']}"
    each = f"{unit['clients']} clients" if unit["clients"] is not None else figures.rate(unit["rate_per_s"])
    limits = ", ".join(f"{label(k)} {'≥' if k in AT_LEAST else '≤'} {quantity(k, v)}" for k, v in document["objective"].items())
    held = f"n counts {what}, each with {each}; they hold {limits} with {100 * document['confidence']:g} % confidence"
    how = (f"seed {document['seed']}, {document['simulations']} simulations, scenario {document['scenario']['digest'][:8]}, "
           f"simvirt {simvirt['version']} ({simvirt['kernel']})")
    return str(document["scenario"]["name"]), [held, how]


# -- tables -----------------------------------------------------------------------------------------------------------------------


def answers(document: Document) -> tuple[list[str], Rows]:
    """One row a platform: n, what binds, what would bind next, and how it is there."""
    key = main_objective(document)
    head = ["", "n", "binding", "second", label(key), "CPU", "memory"]
    return head, [_answer(name, answer, key) for name, answer in document["density"].items()]


def _answer(name: str, answer: Document, key: str) -> list[str]:
    second, memory = answer["second"], answer["memory"]
    return [
        name,
        f"{answer['n']:,}",
        name_of(answer["binding"]["resource"]),
        "–" if second is None else name_of(second["resource"]),
        quantity(key, answer.get("objective", {}).get(key), interval=True),
        figures.percent(answer.get("cpu", {}).get("utilisation"), interval=False),
        _short(memory["demand_bytes"]),
    ]


def reasons(document: Document) -> Rows:
    """Why n + 1 does not hold on each platform, and what shows it."""
    return [[name, f"{_reason(answer)}{_next(answer)}"] for name, answer in document["density"].items()]


def _next(answer: Document) -> str:
    """What would end it next."""
    second = answer["second"]
    if second is None:
        return ""
    return f". Next: {name_of(second['resource'])}, {'at' if second['hard'] else 'used up by'} {second['n']:,}"


def _reason(answer: Document) -> str:
    binding, beyond = answer["binding"], answer["n"] + 1
    point = next((p for p in answer["curve"] if p["n"] == beyond), None)
    if point is None and binding["resource"] == "max":
        return f"density.max ends the search at {answer['n']:,}, which hold"
    if point is None:
        return f"{beyond:,} do not fit: {binding['why']}"
    if binding["check"] == "oom":
        return f"{beyond:,} run out of memory: {binding['why']}"
    return "; ".join([_missed(binding["check"], point, beyond), *(_relieved(r) for r in binding["reliefs"])])


def _missed(check: str, point: Document, n: int) -> str:
    """What n instances come to."""
    found = point.get("objective", {}).get(check)
    if found is None or point.get("given_up"):
        return f"{n:,} are overloaded" if point.get("overload", True) else f"{n:,} miss the {label(check)} by far"
    came = f"{n:,} come to {label(check)} {quantity(check, found, interval=True)}"
    limit = f"the limit of {quantity(check, found['limit'])}"
    return f"{came}, {'which is not surely within' if found['verdict'] == 'undecided' else 'beyond'} {limit}"


def _relieved(relief: Document) -> str:
    """What doubling a resource does."""
    value = quantity(relief["check"], relief["value"]) if relief.get("value") is not None else "overload still"
    return f"with twice the {name_of(relief['resource'])}: {value}"


def ledger(document: Document) -> tuple[list[str], Rows]:
    """Memory at the answer in GiB: what needs it, a column a platform; what an instance takes in MiB."""
    platforms = document["density"]

    def row(title: str, key: str) -> list[str]:
        return [title, *(_gib(a["memory"]["ledger"][key]) for a in platforms.values())]

    parts = [row(HOLDERS[part], f"{part}_bytes") for part in PARTS]
    total = ["in all", *(_gib(a["memory"]["demand_bytes"]) for a in platforms.values())]
    keys = {"swapped out": "swapped", "of": "capacity", "shared": "shared", "promised": "committed"}
    rest = [row(title, f"{key}_bytes") for title, key in keys.items()]
    n = ["n", *(f"{a['n']:,}" for a in platforms.values())]
    each = ["each, in MiB", *(_each(a) for a in platforms.values())]
    return ["", *platforms], [n, each, *(cells for cells in [*parts, total, *rest] if any(cell != "0" for cell in cells[1:]))]


def _each(answer: Document) -> str:
    """What an instance beyond the first takes on average up to the answer [MiB]."""
    n, first = answer["n"], next((point for point in answer["curve"] if point["n"] == 1), None)
    if n < 2 or first is None:
        return figures.UNKNOWN
    return figures.scaled((answer["memory"]["demand_bytes"] - first["memory_bytes"]) / (n - 1) / MIB, most=1)


def _short(size: float) -> str:
    """Bytes in three digits."""
    return f"{size / GIB:,.{min(figures.decimals(size / GIB, 2), 2)}f} GiB"


def _gib(size: float) -> str:
    return figures.scaled(size / GIB, most=2) if size else "0"


# -- curves -----------------------------------------------------------------------------------------------------------------------


def curve(document: Document, answer: Document) -> Rows:
    """Some points of a platform's curve: n, a bar of the latency up to its limit and beyond, and what else changes with n."""
    key = main_objective(document)
    return [_point(point, key, document["objective"][key]) for point in chosen(answer)]


def _curved(document: Document) -> list[tuple[str, Document]]:
    """The platforms of which something has been simulated."""
    return [(name, answer) for name, answer in document["density"].items() if answer["curve"]]


def chosen(answer: Document) -> list[Document]:
    """The points of a curve that a text shows: its ends, the answer and the next, and others evenly between."""
    points, n = answer["curve"], answer["n"]
    needed = [p for p in points if p["n"] in (n, n + 1, points[0]["n"], points[-1]["n"])]
    others = [p for p in points if p not in needed]
    while len(others) > POINTS - len(needed):
        spacing = [_room(points, p) for p in others]
        others.pop(spacing.index(min(spacing)))
    return sorted([*needed, *others], key=lambda p: int(p["n"]))


def _room(points: Sequence[Document], point: Document) -> float:
    """How far a point is from its nearest neighbour, over its n."""
    return float(min(abs(p["n"] - point["n"]) for p in points if p is not point) / point["n"])


def _point(point: Document, key: str, limit: float) -> list[str]:
    found = point.get("objective", {}).get(key)
    value = figures.middle(found) if found is not None else None
    memory, verdict = _short(point["memory_bytes"]), "" if point["verdict"] == "holds" else point["verdict"]
    if point.get("given_up") or value is None:
        return [f"{point['n']:,}", bar(BEYOND), "overload" if point.get("overload", True) else "far beyond", "", "", memory, verdict]
    throughput = figures.rate(point["throughput_per_s"], interval=False)
    cpu = figures.percent(point["cpu"]["utilisation"], interval=False)
    return [f"{point['n']:,}", bar(value / limit if limit else 0.0), quantity(key, found), throughput, cpu, memory, verdict]


def bar(ratio: float) -> str:
    """A bar as long as a value over its limit, which is marked; one that ends beyond `BEYOND` says so."""
    eighths = round(min(ratio, BEYOND) / BEYOND * BAR * 8)
    full = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
    place = round(BAR / BEYOND)
    padded = full.ljust(BAR)
    return padded if len(full) > place else padded[:place] + "│" + padded[place + 1 :]


# -- forms ------------------------------------------------------------------------------------------------------------------------


def text(document: Document, width: int = 100) -> str:
    """The report as plain text without colour."""
    return printed(report(document, width), width)


def report(document: Document, width: int) -> RenderableType:
    """Heading, answers, reasons, curves, memory, warnings."""
    name, how = heading(document)
    parts: list[RenderableType] = [Text.assemble("\n", (name, "bold")), *(Text(line, "dim") for line in how)]
    parts.append(Padding(_table(*answers(document), width), (1, 0, 0, 0)))
    parts.append(_section("Why", Padding(_listed(reasons(document)), (0, 0, 0, 2))))
    for platform, answer in _curved(document):
        title = f"Curve of {platform}: {label(main_objective(document))} against n, │ is the limit"
        parts.append(_section(title, Padding(_bars(curve(document, answer), width - 2), (0, 0, 0, 2))))
    parts.append(_section(LEDGER, _table(*ledger(document), width)))
    parts += [Padding(Text.assemble(("warning: ", "bold yellow"), note), (1, 0, 0, 0)) for note in notes(document)]
    return Group(*parts)


def notes(document: Document) -> list[str]:
    """The warnings, and that a search was interrupted."""
    cut = ["interrupted: only the platforms that were answered are reported"] if document.get("interrupted") else []
    return [*cut, *document["warnings"]]


def _section(title: str, inner: RenderableType) -> RenderableType:
    return Padding(Group(Text(title, "bold cyan"), inner), (1, 0, 0, 0))


def _listed(rows: Rows) -> RenderableType:
    """Names with a sentence each, which may wrap."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for row in rows:
        made.add_row(*map(Text, row))
    return made


def _table(head: list[str], rows: Rows, width: int) -> RenderableType:
    """A table, its first column to the left, the others to the right."""
    return grid.table(head, [[Text(cell) for cell in row] for row in rows], width)


def _bars(rows: Rows, width: int) -> RenderableType:
    """A curve: numbers to the right, bars and verdicts to the left; columns that do not fit are left out, the last ones first."""
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    kept = next(grid.blocks(wide[:-1], width - wide[-1] - grid.GAP, 2))
    made = Table.grid(padding=(0, grid.GAP, 0, 0))
    for i in [*kept, len(wide) - 1]:
        made.add_column(justify="left" if i in (1, len(wide) - 1) else "right", no_wrap=True)
    for row in rows:
        made.add_row(*(Text(row[i]) for i in [*kept, len(wide) - 1]))
    return made


def markdown(document: Document) -> str:
    """The report as GitHub's Markdown."""
    name, how = heading(document)
    parts = [f"# {escape(name)}", *map(escape, how), _markdown_table(*answers(document))]
    parts.append("\n".join(f"* **{escape(platform)}**: {escape(why)}" for platform, why in reasons(document)))
    for platform, answer in _curved(document):
        head = ["n", "", label(main_objective(document)), "throughput", "CPU", "memory", ""]
        parts += [f"## {escape(platform)}", _markdown_table(head, curve(document, answer))]
    parts += [f"## {LEDGER}", _markdown_table(*ledger(document))]
    parts.append("\n".join(f"> **warning:** {escape(note)}" for note in notes(document)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_table(head: list[str], rows: Rows) -> str:
    return "\n".join(table([escape(cell) for cell in head], [[escape(cell) for cell in row] for row in rows]))


def csv(document: Document) -> str:
    """All curves as CSV: one row a point, with its platform's answer; keys joined by dots."""
    return rows_csv([dict(_csv_row(name, answer, p)) for name, answer in document["density"].items() for p in answer["curve"]], OF_POINT)


def _csv_row(name: str, answer: Document, point: Document) -> Iterator[tuple[str, Any]]:
    """One point's cells."""
    yield "platform", name
    yield from flat(point)
    yield from (("answer.n", answer["n"]), ("answer.binding", answer["binding"]["resource"]))

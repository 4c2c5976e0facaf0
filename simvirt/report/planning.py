"""A plan as tables: ranked alternatives, what runs where, how the need grows, what an uncertain load makes of the choice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from simvirt.report import figures, grid
from simvirt.report.markdown import escape
from simvirt.report.markdown import table as lines
from simvirt.report.sections import Cell
from simvirt.report.text import STYLES, printed
from simvirt.units import format_size

Document = Mapping[str, Any]
SHORT = 12
"""Choices that a table of regrets shows."""


@dataclass(frozen=True, slots=True)
class Block:
    """A table under a title; the columns in `words` are to the left, the first `names` of them name a row, one may be `prose`."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: tuple[int, ...] = (0,)
    names: int = 1
    prose: int | None = None


def text(document: Document, width: int) -> str:
    """The plan as plain text without colour."""
    return printed(report(document, width), width)


def report(document: Document, width: int) -> RenderableType:
    """The plan as tables and sentences."""
    name, about = heading(document)
    parts: list[RenderableType] = [Text.assemble("\n", (name, "bold"), "   ", (about, "dim"), overflow="fold")]
    parts += [Text(sentence) for sentence in sentences(document)]
    parts += [_drawn(block, width) for block in blocks(document)]
    parts += [Padding(Text.assemble(("warning: ", "bold yellow"), note), (1, 0, 0, 0)) for note in document["warnings"]]
    return Group(*parts)


def markdown(document: Document) -> str:
    """The plan as GitHub's Markdown."""
    name, about = heading(document)
    parts = [f"# {escape(name)}", escape(about), *(escape(sentence) for sentence in sentences(document))]
    for block in blocks(document):
        rows = [[escape(cell.text) for cell in row] for row in block.rows]
        parts += [f"## {escape(block.title)}", "\n".join(lines([escape(h) for h in block.head], rows))]
    if document["warnings"]:
        parts.append("\n".join(f"> **warning:** {escape(note)}" for note in document["warnings"]))
    return "\n\n".join(parts) + "\n"


def rows(document: Document) -> list[dict[str, Any]]:
    """The alternatives as flat rows, for CSV."""
    return [_flat(alternative) for alternative in document["alternatives"]]


def _flat(alternative: Document) -> dict[str, Any]:
    """One alternative without its placement."""
    cost, binding, headroom = (alternative.get(key) or {} for key in ("cost", "binding", "headroom"))
    latency = {f"latency_{key}_s": value for key, value in ((alternative.get("peak") or {}).get("latency_s") or {}).items()}
    return {
        "rank": alternative["rank"], "platform": alternative["platform"], "host": alternative["host"], "feasible": alternative["feasible"],
        "hosts": alternative["hosts"], "lower_bound": alternative.get("lower_bound"), "binding": binding.get("resource"),
        "utilisation": binding.get("utilisation"), "headroom": headroom.get("peak"), "headroom_lost": headroom.get("lost"),
        **latency, **cost, "simulations": alternative["simulations"], "reason": alternative["reason"],
    }


# -- heading --------------------------------------------------------------------------------------------------------------------


def heading(document: Document) -> tuple[str, str]:
    """The scenario's name, and how the plan was made."""
    simvirt = document["simvirt"]
    parts = (
        f"seed {document['seed']}",
        f"{_several(document['simulations'], 'simulation')} of {_several(document['replications'], 'replication')}",
        f"scenario {document['scenario']['digest'][:8]}", f"simvirt {simvirt['version']} ({simvirt['kernel']})",
    )
    return f"{document['scenario']['name']}: plan", ", ".join(parts)


def _several(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def sentences(document: Document) -> Iterator[str]:
    """What was asked, in words."""
    plan = document["plan"]
    load, site = plan["load"], plan["site"]
    growth = f", {_several_years(load['years'])} at {figures.percent(load['growth'])} growth" if load["growth"] and load["years"] else ""
    peak = f", at peak {load['peak_to_mean']:g} x that" if load["peak_to_mean"] != 1 else ""
    yield f"Load: {figures.rate(load['stated_per_s'])}{growth}{peak}: {figures.rate(load['peak_per_s'])} to be carried."
    lost = f"{_several(plan['survive'], 'host')} may be lost" if plan["survive"] else "no host may be lost"
    yield (
        f"{lost[0].upper()}{lost[1:]}; {figures.percent(plan['headroom'])} stay free at peak; "
        f"hosts are paid for in {_several_years(plan['amortisation_years'])}; "
        f"energy costs {site['energy_price_usd_per_kwh']:.3g} USD/kWh at a PUE of {site['pue']:.3g}."
    )


def _several_years(years: float) -> str:
    return f"{years:g} year{'' if years == 1 else 's'}"


# -- tables ---------------------------------------------------------------------------------------------------------------------


def blocks(document: Document) -> list[Block]:
    """All tables that have something to say."""
    best = document["alternatives"][0]
    made = [_alternatives(document), _latencies(document), _mean(document), _bills(document)]
    if best["feasible"]:
        made += [_placement(best), _growth(document, best)]
    made += [_refused(document), _regret(document)]
    return [block for block in made if block.rows]


def _alternatives(document: Document) -> Block:
    """The ranked table."""
    head = ("#", "platform", "host", "hosts", "USD/month", "fullest", "used", "least", "MWh/year")
    found = []
    for a in _able(document):
        binding, cost = a["binding"], a["cost"]
        found.append(_cells(
            a["rank"], a["platform"], a["host"], a["hosts"], f"{cost['month_usd']:,.0f}", binding["resource"],
            figures.percent(binding["utilisation"]), a["lower_bound"], f"{cost['energy_kwh'] / 1000:,.1f}",
        ))
    return Block("Alternatives, the cheapest first", head, tuple(found), (1, 2, 5))


def _able(document: Document) -> list[Document]:
    return [a for a in document["alternatives"] if a["feasible"]]


def _latencies(document: Document) -> Block:
    """What the objective comes to at peak, and after the loss; the headroom of each."""
    able = _able(document)
    names = list(able[0]["peak"]["objective"]) if able else []
    survive = document["plan"]["survive"]
    states = [("at peak", "peak")] + ([(f"with {survive} lost", "lost")] if survive else [])
    head = ["#", "platform", "host", *(f"free {label}" for label, _ in states)]
    head += [f"{_objective_name(name)} {label}" for name in names or ["latency_p99"] for label, _ in states]
    found = []
    for a in able:
        cells: list[Any] = [a["rank"], a["platform"], a["host"], figures.percent(a["headroom"]["peak"])]
        cells += [figures.percent(a["headroom"]["lost"])] if survive else []
        for name in names or [None]:
            cells += [_verdict(a[state], name) for _, state in states]
        found.append(_cells(*cells))
    return Block("Headroom and objective", tuple(head), tuple(found), (1, 2))


def _objective_name(name: str) -> str:
    return name.replace("latency_", "").replace("_", " ")


def _verdict(state: Document | None, name: str | None) -> Cell:
    """What came of one limit of the objective; the p99 where there is no objective."""
    if state is None:
        return Cell(figures.UNKNOWN, "quiet")
    if name is None:
        return Cell(figures.time(state["latency_s"]["p99"]))
    found = state["objective"][name]
    form = figures.time if name.startswith("latency") else figures.rate if name == "throughput" else figures.percent
    sure = found["met"] is not None
    return Cell(form(found["value"]) + ("" if sure else " ?"), ("good" if found["met"] else "bad") if sure else "quiet")


def _mean(document: Document) -> Block:
    """Peak against mean: how busy hosts are, and what they draw."""
    title = f"Mean against peak, which is {document['plan']['load']['peak_to_mean']:g} x the mean"
    if document["plan"]["load"]["peak_to_mean"] == 1:
        return Block(title, (), ())
    head = ("#", "platform", "host", "CPU", "CPU at peak", "p99", "p99 at peak", "power", "power at peak")
    found = [
        _cells(
            a["rank"], a["platform"], a["host"], *(figures.percent(a[state]["resources"]["host.cpu"]) for state in ("mean", "peak")),
            *(figures.time(a[state]["latency_s"]["p99"]) for state in ("mean", "peak")),
            *(f"{a['cost'][key]:,.0f} W" for key in ("mean_w", "peak_w")),
        )
        for a in _able(document)
    ]
    return Block(title, head, tuple(found), (1, 2))


COSTS = ("year_usd", "hardware_usd", "upkeep_usd", "building_usd", "energy_usd", "rent_usd")


def _bills(document: Document) -> Block:
    """What a year costs, part by part; parts that cost nothing anywhere are left out."""
    able = _able(document)
    keys = [key for key in COSTS if any(a["cost"][key] for a in able)]
    head = ("#", "platform", "host", "to buy", *(key.removesuffix("_usd") for key in keys))
    found = [_cells(a["rank"], a["platform"], a["host"], *(f"{a['cost'][key]:,.0f}" for key in ("buy_usd", *keys))) for a in able]
    return Block("Costs [USD]: to buy, and of a year", head, tuple(found), (1, 2))


def _placement(best: Document) -> Block:
    """What runs where in the best alternative."""
    found = [
        _cells(
            place["hosts"], ", ".join(f"{name} x {count}" for name, count in place["replicas"].items()) or "spare",
            figures.percent(place["cpu"]), format_size(place["memory_bytes"]) if place["memory_bytes"] else "0",
            figures.percent(place["disk"]), figures.percent(place["nic"]),
        )
        for place in best["placement"]
    ]
    head = ("hosts", "replicas on each", "CPU", "memory", "disk", "NIC")
    return Block(f"Placement of 1: {best['platform']} on {best['host']}", head, tuple(found), (1,), prose=1)


def _growth(document: Document, best: Document) -> Block:
    """Hosts that the best alternative needs year by year."""
    load = document["plan"]["load"]
    peaks = [load["stated_per_s"] * load["peak_to_mean"] * (1 + load["growth"]) ** year for year in range(len(best["hosts_by_year"]))]
    found = [
        _cells(year, figures.rate(peak), figures.UNKNOWN if hosts is None else hosts)
        for year, (peak, hosts) in enumerate(zip(peaks, best["hosts_by_year"], strict=True))
    ]
    title = f"Hosts of 1 by year, for growth of {figures.percent(load['growth'])}"
    return Block(title, ("after years", "load at peak", "hosts"), tuple(found), ())


def _refused(document: Document) -> Block:
    """Alternatives that do not suffice, and why."""
    found = [_cells(a["platform"], a["host"], a["reason"]) for a in document["alternatives"] if not a["feasible"]]
    return Block("Not possible", ("platform", "host", "why"), tuple(found), (0, 1, 2), names=2, prose=2)


def _regret(document: Document) -> Block:
    """Regrets of the choices at each level of the load."""
    regret = document.get("regret")
    if regret is None:
        return Block("Regret", (), ())
    head = ("platform", "host", "hosts", "largest", "lacks", *(f"at x {level:g}" for level in regret["levels"]))
    found = []
    for choice in regret["choices"][:SHORT]:
        missing = max(choice["missing_hosts"])
        found.append(_cells(
            choice["platform"], choice["host"], choice["hosts"], f"{choice['max_regret_usd']:,.0f}", missing or figures.UNKNOWN,
            *(f"{value:,.0f}" for value in choice["regrets_usd"]),
        ))
    title = "Regret [USD/year]: cost beyond the best choice in hindsight; the first line is the minimax choice"
    return Block(title, head, tuple(found), (0, 1), names=3)


def _cells(*values: Any) -> tuple[Cell, ...]:
    return tuple(value if isinstance(value, Cell) else Cell(str(value)) for value in values)


def _drawn(block: Block, width: int) -> RenderableType:
    """A table in the style of all reports."""
    cells = [[Text(cell.text, STYLES[cell.tone]) for cell in row] for row in block.rows]
    table = grid.table(block.head, cells, width, names=block.names, left=block.words, prose=block.prose)
    return Group(Padding(Text(block.title, "bold cyan"), (1, 0, 0, 0)), table)

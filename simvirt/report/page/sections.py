"""What the page shows of each result: sections with tables, figures and text, ready for the template, which escapes all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import yaml

from simvirt import charts
from simvirt.charts.chart import Chart
from simvirt.report import as_html, limits
from simvirt.report.blocks import PAGE, Block, Data, Notes, Prose, Title
from simvirt.report.of_document import report_of
from simvirt.report.page import drawings, network_drawing
from simvirt.result import figures
from simvirt.result.compare_document import CompareDocument
from simvirt.result.density_document import DensityDocument
from simvirt.result.deploy_document import DeployDocument
from simvirt.result.document import Document
from simvirt.result.fit_document import FitDocument
from simvirt.result.knee_document import KneeDocument
from simvirt.result.limit_words import stated
from simvirt.result.plan_document import PlanDocument
from simvirt.result.rules_document import RulesDocument
from simvirt.result.run_document import PlatformResult, RunDocument
from simvirt.result.sweep_document import SweepDocument
from simvirt.result.theory import NoTheory, TheoryResult
from simvirt.result.validation_document import ValidationDocument

WIDE: Final = 600
NARROW: Final = 390
"""Widths at which charts are drawn [px]."""
KINDS: Final[Mapping[type[Document], str]] = {
    RunDocument: "run", DensityDocument: "density", DeployDocument: "deploy", KneeDocument: "knee", PlanDocument: "plan",
    SweepDocument: "sweep", CompareDocument: "compare", ValidationDocument: "validate", RulesDocument: "rules",
    FitDocument: "fit",
}
GROUPS: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "density": ("How many fit", ("answers", "curve")),
    "knee": ("Where it breaks", ("breaks", "loads")),
    "change": ("What changed", ("changes",)),
    "deploy": ("How long it takes, and what takes it", ("stages", "ready-cold", "ready-warm", "starts-cold", "starts-warm")),
    "acting": ("How many there were, and what happened", ("replicas", "answered", "events", "placed")),
    "plan": ("What it costs", ("alternatives", "regret", "placement")),
    "sweep": ("What it depends on", ("effects", "surface", "lines-readiness", "lines-p99", "lines-mean", "lines-throughput")),
    "accuracy": ("Predicted and measured", ("accuracy",)),
    "latency": ("How long requests take", ("latency", "percentiles", "compared")),
    "time": ("Where the time goes", ("breakdown", "added")),
    "resources": ("What is used, and what gives way", ("throughput", "utilisation", "memory")),
    "course": ("Over time", ("series", "series-throughput", "series-cpus", "series-queued")),
}
SHORT: Final = {
    "latency": "Latency", "time": "Time", "resources": "Resources", "course": "Over time", "density": "Density", "knee": "Knee",
    "change": "Changes", "deploy": "Starts", "acting": "Events", "plan": "Cost", "sweep": "Effects", "accuracy": "Accuracy",
}
THREE: Final = ("latency", "resources", "course")
"""Sections whose three figures stand side by side where there is room."""
BADGES: Final = {"met": "good", "missed": "bad", "undecided": "open"}
WORDS: Final = ("missed", "met", "undecided")
UNVERSIONED: Final = "a version that is not known"


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its table: drawn at two widths, and its specification for a pointer; nothing drawn where that is not possible."""

    name: str
    title: str
    description: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    wide: str = ""
    narrow: str = ""
    spec: str = ""


@dataclass(frozen=True, slots=True)
class Badge:
    """A word with what it means: `good`, `bad`, `open` or nothing."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its first column names rows."""

    head: tuple[str, ...]
    rows: tuple[tuple[Badge, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A section: where links lead, its title, and what stands in it."""

    key: str
    title: str
    short: str
    grids: tuple[Grid, ...] = ()
    figures: tuple[Figure, ...] = ()
    drawings: tuple[drawings.Drawing, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    html: str = ""
    code: str = ""
    three: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A result on the page."""

    key: str
    name: str
    kind: str
    answer: str
    about: str
    warnings: tuple[str, ...]
    parts: tuple[Part, ...] = field(default=())


def result(document: Document, key: str, draws: bool) -> Shown:
    """Everything that the page shows of a document."""
    kind = KINDS[type(document)]
    found = _parts(document, draws)
    parts = tuple(_keyed(part, key) for part in found if any((part.grids, part.figures, part.drawings, part.notes, part.html, part.code)))
    return Shown(key, _name(document), kind, _answer(document), _about(document), tuple(getattr(document, "warnings", ())), parts)


def _keyed(part: Part, key: str) -> Part:
    """The part with a key that no other result has."""
    return replace(part, key=f"{key}-{part.key}")


def _parts(document: Document, draws: bool) -> Iterator[Part]:
    """The sections of a document from top to bottom; those that are empty are left out later."""
    if isinstance(document, RunDocument):
        yield Part("compare", "Platforms side by side", "Compare", grids=(_verdicts(document),))
    made = {chart.name: chart for chart in charts.charts_of(document)}
    for name, (title, names) in GROUPS.items():
        shown = tuple(_figure(made[one], draws) for one in names if one in made)
        yield Part(name, title, SHORT[name], figures=shown, three=name in THREE and len(shown) == 3)
    drawn = (*drawings.of(document), *network_drawing.of(document))
    yield Part("layout", "What calls what, and what stands where", "Topology", drawings=drawn)
    yield Part("numbers", "All numbers", "Numbers", html=_report(document))
    yield Part("scenario", "The scenario, with all defaults", "Scenario", code=_scenario(document))
    if isinstance(document, RunDocument):
        yield Part("checks", "Checks and theory", "Checks", grids=(_checks(document),), notes=tuple(_theory(document)))
    yield Part("provenance", "Where this comes from", "Provenance", grids=(_provenance(document),), notes=_assumed(document))


def _name(document: Document) -> str:
    if isinstance(document, SweepDocument):
        return document.sweep.name
    if isinstance(document, CompareDocument):
        return f"{document.before.name} and {document.after.name}"
    scenario = getattr(document, "scenario", None)
    return "validation" if scenario is None else str(scenario.name)


def _answer(document: Document) -> str:
    """The answer of a document; of a validation its score."""
    if isinstance(document, ValidationDocument):
        score = document.summary.all
        median = "not known" if score.median_error is None else f"{score.median_error:.1%}"
        return f"Of {score.predicted} predictions half are within {median} of what was measured, and {score.within_15} within 15 %."
    return str(getattr(document, "answer", ""))


def _about(document: Document) -> str:
    """How a document was made."""
    said = [f"seed {document.seed}"] if hasattr(document, "seed") else []
    if replications := getattr(document, "replications", None):
        said.append(f"{replications} replication{'s' if replications != 1 else ''}")
    if getattr(document, "interrupted", False):
        said.append("interrupted")
    return ", ".join(said)


# -- tables ---------------------------------------------------------------------------------------------------------------------


def _verdicts(document: RunDocument) -> Grid:
    """A row a platform: whether it meets the objective, what requests take, the difference from the baseline, what gives way first."""
    asked = list(dict.fromkeys(key for platform in document.platforms.values() for key in platform.objective))
    goals = [stated(key, next(float(p.objective[key].limit) for p in document.platforms.values() if key in p.objective)) for key in asked]
    baseline = document.comparison.baseline if document.comparison.others else ""
    head = ("platform", *goals, "mean", "p99", *([f"mean over {baseline}"] if baseline else []), "gives way first", "at", "used now")
    return Grid(head, tuple(tuple(_verdict(document, name, asked)) for name in document.platforms), "Each platform under the same load")


def _verdict(document: RunDocument, name: str, asked: Sequence[str]) -> Iterator[Badge]:
    """The cells of a platform."""
    found = document.platforms[name]
    yield Badge(name)
    for key in asked:
        verdict = found.objective.get(key)
        said = None if verdict is None else limits.verdict(key, verdict, WORDS).text
        yield Badge("–") if verdict is None or said is None else Badge(said, BADGES[verdict.verdict])
    yield Badge(figures.time(found.latency_s.mean))
    yield Badge(figures.time(found.latency_s.p99), "bad" if found.overload else "")
    if document.comparison.others:
        yield _difference(document, name)
    yield Badge(found.bottleneck.resource)
    yield Badge(_reaches(found))
    yield Badge(figures.percent(found.bottleneck.utilisation))


def _difference(document: RunDocument, name: str) -> Badge:
    """How much longer requests take than on the baseline; what is not certain steps back."""
    others = document.comparison.others
    if name not in others:
        return Badge("baseline")
    ratio = others[name].latency_mean
    sure = ratio.low is not None and ratio.high is not None and (ratio.low > 1 or ratio.high < 1)
    return Badge(f"{figures.ratio(ratio)}{'' if sure else ' (not certain)'}")


def _reaches(found: PlatformResult) -> str:
    """The maximum throughput of a platform, or why it is not known."""
    most = found.bottleneck.max_throughput_per_s
    if most is not None:
        return figures.rate(most, beside=found.throughput_per_s)
    low, high = found.bottleneck.max_throughput_low_per_s, found.bottleneck.max_throughput_high_per_s
    known = [figures.rate(end, beside=found.throughput_per_s) for end in (low, high) if end is not None]
    return " to ".join(known) if known else found.bottleneck.reason or "–"


def _checks(document: RunDocument) -> Grid:
    """The laws that a run's own counters must keep."""
    laws = {"little": "Little's law", "flow": "flow conservation", "utilisation_law": "utilisation law"}
    found = {name: {law: how for law, how in platform.checks if how is not None} for name, platform in document.platforms.items()}
    rows = ((Badge(name), *(_check(checks.get(law, "ok")) for law in laws)) for name, checks in found.items())
    return Grid(("platform", *laws.values()), tuple(rows), "Laws on the counters of each run")


def _check(said: str) -> Badge:
    return Badge(said, "good" if said == "ok" else "bad")


def _theory(document: RunDocument) -> Iterator[tuple[str, str]]:
    """The closed form beside the simulation, or why there is none."""
    from simvirt.report.run_report import theory

    found = document.theory
    if isinstance(found, NoTheory):
        yield "No closed form", found.reason
    elif isinstance(found, TheoryResult) and found.platform in document.platforms:
        said = theory(document.platforms[found.platform], found)
        yield said.label, said.text


def _provenance(document: Document) -> Grid:
    """What made the document."""
    program = getattr(document, "simvirt", None)
    rows = [
        ("simvirt", f"{program.version} ({program.kernel} kernel), form {program.number}" if program else UNVERSIONED),
        ("scenario", f"{document.scenario.name}, SHA-256 {document.scenario.digest}" if hasattr(document, "scenario") else ""),
        ("sweep", f"{document.sweep.name}, SHA-256 {document.sweep.digest}" if isinstance(document, SweepDocument) else ""),
        ("seed", str(getattr(document, "seed", ""))), ("replications", str(getattr(document, "replications", ""))),
        ("simulated in", figures.time(getattr(document, "wall_s", None)) if getattr(document, "wall_s", None) else ""),
    ]
    return Grid(("what", "which"), tuple((Badge(name), Badge(said)) for name, said in rows if said))


def _assumed(document: Document) -> tuple[tuple[str, str], ...]:
    return tuple(("Assumed", text) for text in getattr(document, "assumptions", ()))


# -- text -----------------------------------------------------------------------------------------------------------------------


def _report(document: Document) -> str:
    """The report that the command prints, as HTML; its title and answer stand above already."""
    answer = _answer(document)
    return "\n".join(part for block in report_of(document).on(PAGE) if not _stands_above(block, answer) for part in as_html.parts(block))


def _stands_above(block: Block, answer: str) -> bool:
    """Whether the page has said a block already, or never says it."""
    told = isinstance(block, Prose) and block.text == answer
    return told or isinstance(block, Data | Notes) or (isinstance(block, Title) and block.level == 1)


def _scenario(document: Document) -> str:
    """The scenario as YAML."""
    content = getattr(getattr(document, "scenario", None), "content", None)
    return yaml.safe_dump(json.loads(json.dumps(content)), sort_keys=False, allow_unicode=True, width=100) if content else ""


def _figure(chart: Chart, draws: bool) -> Figure:
    """A chart as a figure; its title stands above it, and its paper is the page's."""
    head, rows = chart.table
    figure = Figure(chart.name, chart.title, chart.description, head, rows)
    if not draws:
        return figure
    bare: dict[str, Any] = {key: value for key, value in chart.items() if key not in ("title", "usermeta", "width")} | {"background": None}
    spec = json.dumps(bare, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    wide, narrow = (charts.svg(bare, width) for width in (WIDE, NARROW))
    return Figure(chart.name, chart.title, chart.description, head, rows, wide, narrow, spec)

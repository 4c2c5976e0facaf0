"""What a report says, as sections of rows with one cell a platform: the one content of the text and the Markdown form."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simvirt.report import figures

Document = Mapping[str, Any]
BREAKDOWN = ("queue", "run_queue", "throttled", "steal", "cpu", "virtualization", "disk", "network")
LATENCIES = ("mean", "p50", "p95", "p99")
AT_LEAST = ("throughput",)  # objectives that hold above their limit; all others hold below
HOLDERS = {
    "application": "application", "guest_os": "guest OS", "held": "held idle", "page_cache": "page cache", "vmm": "VMM",
    "runtime": "runtime", "kernel": "host", "swapped": "swapped out", "free": "free", "shared": "shared (saved)",
}
BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Cell:
    """Text with a tone: `good`, `bad`, `quiet` or none."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what, and a cell for each platform."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a title."""

    title: str
    rows: tuple[Row, ...]


def sections(document: Document) -> list[Section]:
    """All sections of a result that have something to say."""
    makers = (_latency, _load, _cpu, _breakdown, _services, _memory, _bottleneck, _objective, _comparison, _run)
    made = (maker(document) for maker in makers)
    return [section for section in made if section.rows]


def names(document: Document) -> list[str]:
    """The platforms in their order."""
    return list(document["platforms"])


def heading(document: Document) -> tuple[str, str]:
    """The scenario's name, and how it was run."""
    scenario, simvirt = document["scenario"], document.get("simvirt", {})
    version = f"simvirt {simvirt.get('version', '')}".strip()
    mode = simvirt.get("kernel") or simvirt.get("mode")
    n = document.get("replications")
    parts = [
        f"seed {document['seed']}" if "seed" in document else "",
        f"{n} replication{'' if n == 1 else 's'}" if n is not None else "",
        f"scenario {scenario['digest'][:8]}" if scenario.get("digest") else "",
        f"{version} ({mode})" if mode else version,
    ]
    return str(scenario.get("name", "")), ", ".join(p for p in parts if p)


def title_of(key: str) -> str:
    """A key as words: `latency_p99` is `latency p99`."""
    return key.replace("_", " ")


# -- rows -----------------------------------------------------------------------------------------------------------------------


def _row(label: str, document: Document, cell: Callable[[Mapping[str, Any]], Cell | str | None]) -> Iterator[Row]:
    """A row with what `cell` says of each platform; no row where it says nothing of any."""
    found = [cell(platform) for platform in document["platforms"].values()]
    if any(c is not None for c in found):
        yield Row(label, tuple(_as_cell(c) for c in found))


def _acting(label: str, document: Document, cell: Callable[[Mapping[str, Any]], Cell | str | None]) -> Iterator[Row]:
    """A row, unless it holds nothing but zeros and unknowns."""
    yield from (row for row in _row(label, document, cell) if any(c.tone != "quiet" for c in row.cells))


def _as_cell(value: Cell | str | None) -> Cell:
    """Text as a cell; zeros and unknowns step back."""
    if isinstance(value, Cell):
        return value
    text = figures.UNKNOWN if value is None else value
    return Cell(text, "quiet" if text in (figures.UNKNOWN, "0") else "")


def _at(data: Mapping[str, Any], *path: str) -> Any:
    """What lies at a path of keys, None where a key is missing or an estimate is empty."""
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None  # type: ignore[assignment]
    return None if data == {} else data


def _figure(format_: Callable[[Any], str], *path: str) -> Callable[[Mapping[str, Any]], str | None]:
    """A cell that formats what lies at a path."""
    return lambda platform: None if (value := _at(platform, *path)) is None else format_(value)


# -- sections -------------------------------------------------------------------------------------------------------------------


def _latency(document: Document) -> Section:
    """Mean and quantiles of the latency."""
    rows = [row for key in LATENCIES for row in _row(key, document, _figure(figures.time, "latency_s", key))]
    return Section("Latency", tuple(rows))


def _load(document: Document) -> Section:
    """What went through, and what was turned away."""
    rows = [
        *_row("throughput", document, _figure(figures.rate, "throughput_per_s")),
        *_acting("rejected", document, _figure(figures.percent, "rejected")),
        *_acting("failed", document, _figure(figures.percent, "failed")),
    ]
    return Section("Load", tuple(rows))


def _cpu(document: Document) -> Section:
    """Shares of CPU time."""
    keys = ("utilisation", "steal", *(("costop",) if "costop" in document.get("cpu", {}) else ()), "throttled", "virtualization")
    return Section("CPU", tuple(row for key in keys for row in _row(key, document, _figure(figures.percent, "cpu", key))))


def _breakdown(document: Document) -> Section:
    """Where the mean latency goes: time and share of each part; parts that take none anywhere are left out."""
    parts = [p.get("breakdown_s") or {} for p in document["platforms"].values()]
    keys = [*BREAKDOWN, *dict.fromkeys(key for part in parts for key in part if key not in BREAKDOWN)]
    taken = [key for key in keys if any(figures.middle(part.get(key)) for part in parts)]
    rows = [row for key in taken for row in _row(title_of(key), document, lambda p, key=key: _part(p, key))]  # type: ignore[misc]
    return Section("Breakdown", tuple(rows))


def _part(platform: Mapping[str, Any], key: str) -> str | None:
    """One part of a platform's mean latency, as time and share."""
    parts = {k: figures.middle(v) or 0.0 for k, v in (platform.get("breakdown_s") or {}).items()}
    if key not in parts:
        return None
    total = sum(parts.values())
    if not parts[key] or not total:
        return "0"
    return f"{figures.time(parts[key])} {100 * parts[key] / total:3.0f} %"


def _services(document: Document) -> Section:
    """Mean latency, busy cores and throttled periods of each service, where there are several."""
    known = dict.fromkeys(s for p in document["platforms"].values() for s in p.get("services", {}))
    if len(known) < 2:
        return Section("Services", ())
    rows: list[Row] = []
    for name in known:
        rows += _row(f"{name} mean", document, _figure(_plain_time, "services", name, "latency_s", "mean"))
        rows += _row(f"{name} cores", document, _figure(_plain_number, "services", name, "cpu_cores"))
        rows += _acting(f"{name} throttled", document, _figure(_times, "services", name, "nr_throttled"))
    return Section("Services", tuple(rows))


def _plain_time(value: Any) -> str:
    return figures.time(value, interval=False)


def _plain_number(value: Any) -> str:
    return figures.scaled(value, interval=False)


def _times(value: Any) -> str:
    """How often, as a whole number."""
    return f"{figures.count(value)} x" if figures.middle(value) else "0"


def _memory(document: Document) -> Section:
    """Who holds the memory of the host at the end, where limits or VMs promise some of it."""
    promised = [_at(p, "memory", "parts", part) for p in document["platforms"].values() for part in ("application", "vm")]
    if not any(promised):
        return Section("Memory", ())
    at = {label: ("memory", "ledger", f"{key}_bytes") for key, label in HOLDERS.items()}
    rows = [row for label, path in at.items() for row in _acting(label, document, _figure(figures.size, *path))]
    return Section("Memory", tuple(rows))


def _bottleneck(document: Document) -> Section:
    """What limits the throughput, and to how much."""
    rows = [
        *_row("resource", document, _figure(str, "bottleneck", "resource")),
        *_row("utilisation", document, _figure(figures.percent, "bottleneck", "utilisation")),
        *_row("max throughput", document, _figure(figures.rate, "bottleneck", "max_throughput_per_s")),
    ]
    return Section("Bottleneck", tuple(rows))


def _objective(document: Document) -> Section:
    """Each objective with its limit, what came, and whether that is met."""
    limits = {key: o["limit"] for p in document["platforms"].values() for key, o in (p.get("objective") or {}).items()}
    rows = [
        row
        for key, limit in limits.items()
        for row in _row(_limit_label(key, limit), document, lambda p, key=key: _verdict(key, _at(p, "objective", key)))  # type: ignore[misc]
    ]
    return Section("Objective", tuple(rows))


def _limit_label(key: str, limit: float) -> str:
    """`p99 ≤ 100 ms`."""
    return f"{title_of(key).removeprefix('latency ')} {'≥' if key in AT_LEAST else '≤'} {_quantity(key, limit)}"


def _quantity(key: str, value: Any) -> str:
    """An objective's figure in the unit of its kind."""
    if key.startswith("latency"):
        return figures.time(value, interval=False)
    return figures.rate(value, interval=False) if key in AT_LEAST else figures.percent(value, interval=False)


def _verdict(key: str, objective: Mapping[str, Any] | None) -> Cell | None:
    """What came of an objective on one platform."""
    if objective is None:
        return None
    met = objective.get("met")
    word, tone = ("undecided", "quiet") if met is None else ("met", "good") if met else ("NOT MET", "bad")
    return Cell(f"{_quantity(key, objective.get('value'))} {word}", tone)


def missed(document: Document) -> list[str]:
    """Of each limit that is missed, on which platform."""
    return [
        f"{name}: {_limit_label(key, found['limit'])} is missed"
        for name, platform in document["platforms"].items()
        for key, found in (platform.get("objective") or {}).items() if found.get("met") is False
    ]


def undecided(document: Document) -> list[str]:
    """Of each limit that is undecided, on which platform, and how much more has to be simulated until it is decided."""
    return [
        f"{name}: {_limit_label(key, found['limit'])} is undecided{_longer(found.get('longer'))}"
        for name, platform in document["platforms"].items()
        for key, found in (platform.get("objective") or {}).items() if found.get("met") is None
    ]


def _longer(factor: float | None) -> str:
    """How much more has to be simulated."""
    if factor is None:
        return "; more replications, or a longer run, may decide it"
    return f"; some {factor:g} x the duration, or the replications, would decide it"


def _comparison(document: Document) -> Section:
    """Ratios to the first platform, with intervals."""
    comparison = document.get("comparison") or {}
    baseline = comparison.get(BASELINE, "")
    measures = dict.fromkeys(m for name, c in comparison.items() if name != BASELINE for m in c)
    rows = [Row(title_of(m), tuple(_compared(comparison, baseline, name, m) for name in names(document))) for m in measures]
    return Section(f"vs {baseline}", tuple(rows))


def _compared(comparison: Mapping[str, Any], baseline: str, name: str, measure: str) -> Cell:
    """One platform's ratio; an interval that holds 1 is no difference."""
    if name == baseline:
        return Cell("1", "quiet")
    found = _at(comparison, name, measure)
    return _as_cell(None) if found is None else Cell(figures.ratio(found))


def _run(document: Document) -> Section:
    """How much was simulated, how fast, and whether the run's own checks hold."""
    rows = [
        *_row("requests", document, _figure(figures.count, "requests")),
        *_row("simulated", document, _figure(_plain_time, "simulated_s")),
        *_row("warm-up", document, _figure(_plain_time, "warmup_s")),
        *_row("speed", document, _speed),
        *_row("checks", document, _checks),
    ]
    return Section("Run", tuple(rows))


def _speed(platform: Mapping[str, Any]) -> str | None:
    """Requests simulated in a second of wall time."""
    wall, requests = platform.get("wall_s"), platform.get("requests")
    return f"{figures.short_count(requests / wall)} req/s" if wall and requests else None


def _checks(platform: Mapping[str, Any]) -> Cell | None:
    """`ok`, or the checks that failed by name."""
    checks = platform.get("checks")
    if not checks:
        return None
    failed = [f"{title_of(name)}: {verdict}" for name, verdict in checks.items() if verdict not in ("ok", True)]
    return Cell("; ".join(failed), "bad") if failed else Cell(f"{len(checks)} ok", "good")


# -- below the table ------------------------------------------------------------------------------------------------------------


def theory(document: Document) -> list[tuple[str, str]]:
    """Theory beside simulation: for each prediction its title and one sentence a figure, then what it assumes."""
    return [_beside(document, platform, prediction) for platform, prediction in _predictions(document)]


def _predictions(document: Document) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(platform, prediction): the document's own, for bare metal or the first platform, and each platform's."""
    known = names(document)
    general = document.get("theory")
    if general and known:
        yield str(general.get("platform") or ("bare-metal" if "bare-metal" in known else known[0])), general
    yield from ((name, p["theory"]) for name, p in document["platforms"].items() if p.get("theory"))


def _beside(document: Document, platform: str, prediction: Mapping[str, Any]) -> tuple[str, str]:
    """`M/M/1 on bare-metal` and `mean 50.0 ms, simulated 49.9 ± 0.4 ms (-0.2 %); ...`."""
    latency = _at(document["platforms"], platform, "latency_s") or {}
    said = [_against(key, prediction.get(f"latency_{key}_s"), latency.get(key)) for key in ("mean", "p95")]
    text = "; ".join(s for s in said if s)
    assumptions = prediction.get("assumptions")
    return f"{prediction['model']} on {platform}", f"{text}. Holds for: {assumptions}" if assumptions else text


def _against(key: str, predicted: float | None, simulated: Any) -> str:
    """One predicted figure beside the simulated one."""
    came = figures.middle(simulated)
    if not predicted or came is None:
        return ""
    difference = 100 * (came / predicted - 1)
    return f"{key} {figures.time(predicted)}, simulated {figures.time(simulated)} ({difference:+.1f} %)"


def notes(document: Document) -> Sequence[str]:
    """The warnings, and that a run was interrupted."""
    cut = ["interrupted: only the replications that were complete are reported"] if document.get("interrupted") else []
    return [*cut, *undecided(document), *(w if isinstance(w, str) else str(w.get("message", w)) for w in document.get("warnings", []))]

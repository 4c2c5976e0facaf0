"""The report of `simvirt run`: platforms side by side, theory, warnings; a row a platform as data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from simvirt.report import available, guarded, happened, hired, limits, messaging, scaled
from simvirt.report.as_csv import flat
from simvirt.report.blocks import Block, Cell, Data, Points, Prose, Report, Table, Title, assumed, notes
from simvirt.report.heading import counted, made_by, scenario
from simvirt.report.host_cells import extreme, fullest_link, host_use
from simvirt.report.migration_rows import migration_lines
from simvirt.result import figures, holders
from simvirt.result.document import Estimate
from simvirt.result.limit_words import label, stated, title_of
from simvirt.result.objective import within
from simvirt.result.run_document import (
    NOT_ASKED,
    Bottleneck,
    OperationResult,
    PlatformResult,
    RunDocument,
    ServiceResult,
)
from simvirt.result.theory import NoTheory, TheoryBeside, TheoryResult
from simvirt.scenario.spec.experiment import parts_of

Found = Cell | str | None
Format = Callable[[Any], str]
HOLDERS: Final = {**{name: of for name, of in holders.PARTS.items() if name != "host"}, "host": holders.PARTS["host"], **holders.REST}
FEW: Final = 8
"""Hosts that have a row each."""
FIRST: Final = ("scenario", "digest", "seed", "replications", "platform")
ELSEWHERE: Final = {"replications", "series", "latency_histogram", "layout", "hosts", "by_replication"}
"""Not among a platform's data: one stands in FIRST, the others have no row to themselves."""
READY: Final = {"p50": "ready, p50", "p99": "ready, p99", "last": "slowest"}
VERDICTS: Final = ("NOT MET", "met", "undecided")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what, and a cell for each platform."""

    label: str
    cells: tuple[Cell, ...]


Section = tuple[str, list[Row]]
"""Rows under a title."""


def report(document: RunDocument) -> Report:
    """All that is said of a result; nothing where no platform has one."""
    return Report(document, tuple(_blocks(document)) if document.platforms else ())


def _blocks(document: RunDocument) -> Iterator[Block]:
    yield from [Prose(document.answer, tone="lead")] if document.answer else []
    yield Title(document.scenario.name, (heading(document),), level=1)
    grouped = [row for section in sections(document) for row in _grouped(*section, len(document.platforms))]
    yield Table(("", *document.platforms), tuple(grouped), folds=True)
    yield from available.story(document.platforms)
    yield from scaled.story(document.platforms)
    yield from happened.story(document.platforms)
    yield from _theory(document)
    yield from assumed(document.assumptions)
    yield from notes("the replications that were complete are reported" if document.interrupted else "", document.warnings)
    yield Data(tuple(dict(_data(document, name)) for name in document.platforms), FIRST)


def _grouped(title: str, rows: Sequence[Row], platforms: int) -> Iterator[tuple[Cell, ...]]:
    """A section as rows of the one table."""
    yield (Cell(title, "group"), *[Cell("")] * platforms)
    yield from ((Cell(row.label), *row.cells) for row in rows)


def heading(document: RunDocument) -> str:
    """How it was run."""
    how = (f"seed {document.seed}", counted(document.replications, "replication"))
    parts = (*how, scenario(document.scenario), made_by(document.simvirt))
    return ", ".join(part for part in parts if part)


def sections(document: RunDocument) -> list[Section]:
    """All sections of a result that have something to say."""
    platforms = list(document.platforms.values())
    made: dict[str, Iterator[Row]] = {
        "Latency": _latency(platforms), "Load": _load(platforms), **_workloads(document),
        "Availability": (row for line in available.lines(platforms) for row in _row(*line)),
        "Instances": (row for line in happened.lines(platforms) for row in _row(*line)),
        "Guards": (row for line in guarded.lines(platforms) for row in _row(*line)),
        "Messages": (row for line in messaging.lines(platforms) for row in _row(*line)),
        "CPU": _cpu(platforms), "Breakdown": _breakdown(platforms),
        "Operations": _operations(platforms), "Services": _services(platforms),
        "Hosts": _hosts(platforms), "Lifecycle": _lifecycle(platforms),
        "Scaling": (row for line in scaled.lines(platforms) for row in _row(*line)),
        "Machines": (row for line in hired.lines(platforms) for row in _row(*line)),
        "Migrations": (row for line in migration_lines(platforms) for row in _row(*line)), "Memory": _memory(platforms),
        "Bottleneck": _bottleneck(platforms),
        "Objective": _objective(platforms), f"vs {document.comparison.baseline}": _comparison(document), "Run": _run(platforms),
    }
    return [(title, rows) for title, found in made.items() if (rows := list(found))]


def _workloads(document: RunDocument) -> dict[str, Iterator[Row]]:
    """The sections of several workloads."""
    return {title: rows for name in document.workloads if name for title, rows in _workload(document.of(name), name)}


def _workload(document: RunDocument, name: str) -> Iterator[tuple[str, Iterator[Row]]]:
    """The sections of one of several workloads."""
    platforms = list(document.platforms.values())
    yield f"Workload {name}", chain(_latency(platforms), _load(platforms), _operations(platforms))
    yield f"{name}: breakdown", _breakdown(platforms)
    yield f"{name}: objective", _objective(platforms)
    yield f"{name}: vs {document.comparison.baseline}", _comparison(document)


# -- rows -----------------------------------------------------------------------------------------------------------------------


def _row(label: str, found: Sequence[Found]) -> Iterator[Row]:
    """A row with what is known of each platform; no row where nothing is of any."""
    if any(cell is not None for cell in found):
        yield Row(label, tuple(_as_cell(cell) for cell in found))


def _acting(label: str, found: Sequence[Found]) -> Iterator[Row]:
    """A row, unless it holds nothing but zeros and unknowns."""
    yield from (row for row in _row(label, found) if any(cell.tone != "quiet" for cell in row.cells))


def _as_cell(value: Found) -> Cell:
    """Text as a cell; zeros and unknowns step back."""
    if isinstance(value, Cell):
        return value
    text = figures.UNKNOWN if value is None else value
    return Cell(text, "quiet" if text in (figures.UNKNOWN, "0") else "")


def _each(form: Format, values: Sequence[Any]) -> list[str | None]:
    """Values as texts, None where there is none."""
    return [None if value is None else form(value) for value in values]


# -- sections -------------------------------------------------------------------------------------------------------------------


def _latency(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """Mean and quantiles of the latency."""
    found = [p.latency_s for p in platforms]
    yield from _row("mean", [figures.time(latency.mean) for latency in found])
    yield from _row("p50", [figures.time(latency.p50) for latency in found])
    yield from _row("p95", [figures.time(latency.p95) for latency in found])
    yield from _row("p99", [figures.time(latency.p99) for latency in found])


def _load(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """What went through, and what was turned away."""
    yield from _row("throughput", [figures.rate(p.throughput_per_s) for p in platforms])
    yield from _acting("rejected", [figures.percent(p.rejected) for p in platforms])
    yield from _acting("failed", [figures.percent(p.failed) for p in platforms])


def _cpu(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """Shares of CPU time; co-stop where a scheduler knows it."""
    shares = [p.cpu for p in platforms]
    yield from _row("utilisation", [figures.percent(s.utilisation) for s in shares])
    yield from _row("steal", [figures.percent(s.steal) for s in shares])
    yield from _row("costop", _each(figures.percent, [s.costop if s.costop.value is not None else None for s in shares]))
    yield from _row("throttled", [figures.percent(s.throttled) for s in shares])
    yield from _row("virtualization", [figures.percent(s.virtualization) for s in shares])


def _breakdown(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """Where the mean latency goes: time and share of each part; parts that take none anywhere are left out."""
    parts = [{key: figures.middle(value) or 0.0 for key, value in p.breakdown_s} for p in platforms]
    for key in parts[0] if parts else ():
        if any(part[key] for part in parts):
            yield from _row(title_of(key), [_part(part[key], sum(part.values())) for part in parts])


def _part(part: float, total: float) -> str:
    """One part of a mean latency, as time and share."""
    return f"{figures.time(part)} {100 * part / total:3.0f} %" if part and total else "0"


def _operations(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """Rate, mean and tail of each operation of the mix, where there are several; the tails that the objective limits, else p99."""
    known = dict.fromkeys(name for p in platforms for name in p.operations)
    asked = {key: found.limit for p in platforms for key, found in p.objective.items() if key.startswith("latency_p")}
    for name in known if len(known) > 1 else ():
        limits_of = _limits_on(name, asked)
        found = [p.operations.get(name) for p in platforms]
        yield from _row(name, _each(_operation_rate, found))
        yield from _row("  mean", _each(_service_time, found))
        for key in limits_of or ("latency_p99",):
            yield from _row(f"  {label(key)}", [_tail(operation, key, limits_of.get(key)) for operation in found])


def _limits_on(operation: str, asked: Mapping[str, float]) -> dict[str, float]:
    """The limits that the latencies of an operation are held against, by what they are about: its own, else those of all requests."""
    parts = [(*parts_of(key), limit) for key, limit in asked.items()]
    return {measure: limit for of in (None, operation) for measure, found, limit in parts if found == of}


def _operation_rate(operation: OperationResult) -> str:
    return figures.rate(operation.throughput_per_s, interval=False)


def _tail(operation: OperationResult | None, key: str, limit: float | None) -> Found:
    """A quantile of an operation's latency; seen where it is beyond the operation's limit, or alone beyond the limit for all requests."""
    if operation is None:
        return None
    value: Estimate = getattr(operation.latency_s, key.removeprefix("latency_"))
    beyond = limit is not None and value.value is not None and not within(key, value.value, limit)
    return Cell(figures.time(value, interval=False), "off" if beyond else "")


def _services(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """Mean latency, busy cores and throttled periods of each service, where there are several, or where one has a limit that adapts."""
    known = dict.fromkeys(name for p in platforms for name in p.services)
    adapts = any(service.limit.value is not None for p in platforms for service in p.services.values())
    for name in known if len(known) > 1 or adapts else ():
        found = [p.services.get(name) for p in platforms]
        yield from _row(f"{name} mean", _each(_service_time, found))
        yield from _acting(f"{name} limit", _each(lambda service: figures.scaled(service.limit, interval=False), found))
        yield from _row(f"{name} cores", _each(_service_cores, found))
        yield from _acting(f"{name} throttled", _each(_service_throttled, found))


def _service_time(service: ServiceResult | OperationResult) -> str:
    return figures.time(service.latency_s.mean, interval=False)


def _service_cores(service: ServiceResult) -> str:
    return figures.scaled(service.cpu_cores, interval=False)


def _service_throttled(service: ServiceResult) -> str:
    """How often, as a whole number."""
    return f"{figures.count(service.nr_throttled)} x" if figures.middle(service.nr_throttled) else "0"


def _hosts(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """The CPUs of each host where they are few, else the fullest and the emptiest; the fullest of each other kind that is used."""
    names = list(dict.fromkeys(name for p in platforms for name in p.hosts))
    if len(names) <= FEW:
        for name in names:
            yield from _row(f"{name} CPU", [host_use(p, name) for p in platforms])
    else:
        yield from _row("fullest CPU", [extreme(p, "cpu", max) for p in platforms])
        yield from _row("emptiest CPU", [extreme(p, "cpu", min) for p in platforms])
    for kind, title in (("disk", "disk"), ("nic", "NIC"), ("memory", "memory")):
        yield from _acting(f"fullest {title}", [extreme(p, kind, max) for p in platforms])
    yield from _acting("fullest link", [fullest_link(p) for p in platforms])


def _lifecycle(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """Instances that were started, after how long they were ready, and what took the slowest of them."""
    lives = [p.lifecycle for p in platforms]
    if any(life is not None and life.started for life in lives):
        yield from _row("started", _each(figures.scaled, [life and life.started for life in lives]))
        yield from _row("ready", _each(figures.scaled, [life and life.ready for life in lives]))
        for key, name in READY.items():
            yield from _row(name, _each(_plain_time, [life and getattr(life.readiness_s, key) for life in lives]))
        for name in dict.fromkeys(phase.phase for life in lives if life is not None for phase in life.phases):
            yield from _acting(f"  {name}", _each(figures.time, [life and life.slowest_s(name) for life in lives]))


def _memory(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """Who holds the memory of the host at the end, where limits or VMs promise some of it; what operators see, where it is followed."""
    if any(p.memory.parts.get(part) for p in platforms for part in ("application", "vm")):
        for label, held in HOLDERS.items():
            yield from _acting(label, [figures.size(held(p.memory.ledger)) for p in platforms])
    if any(p.memory.reclaim is not None for p in platforms):
        yield from _row("available", [figures.size(p.memory.available_bytes or 0) for p in platforms])
        for name in dict.fromkeys(name for p in platforms for name in p.services):
            yield from _row(f"working set of {name}", [_working_set(p.services.get(name)) for p in platforms])


def _working_set(service: ServiceResult | None) -> str | None:
    """Working set of a replica, as the kubelet and docker stats have it."""
    return None if service is None or service.memory is None else figures.size(service.memory.working_set_bytes)


def _bottleneck(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """What limits the throughput, and to how much."""
    yield from _row("resource", [p.bottleneck.resource for p in platforms])
    yield from _row("utilisation", [figures.percent(p.bottleneck.utilisation) for p in platforms])
    named = next((p.bottleneck.max_throughput_of for p in platforms), "")
    maxima = [_maximum(p.bottleneck, p.throughput_per_s) for p in platforms]
    yield from _row(f"max throughput of {named}" if named else "max throughput", maxima)
    yield from _row("  why no value", [p.bottleneck.reason.replace(NOT_ASKED, "") or None for p in platforms])


def _maximum(found: Bottleneck, beside: Estimate) -> str | None:
    """The maximum throughput; where it is not known the range that it lies in, as far as that is."""
    low, high = found.max_throughput_low_per_s, found.max_throughput_high_per_s
    if found.max_throughput_per_s is not None:
        return figures.rate(found.max_throughput_per_s, beside=beside)
    if low is not None and high is not None:
        return f"{figures.rate(low, beside=beside)} to {figures.rate(high, beside=beside)}"
    return f"above {figures.rate(low, beside=beside)}" if low is not None else f"below {figures.rate(high)}" if high is not None else None


def _objective(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """Each objective with its limit, what came, and whether that is met."""
    asked = {key: found.limit for p in platforms for key, found in p.objective.items()}
    for key, limit in asked.items():
        found = [p.objective.get(key) for p in platforms]
        verdicts = [None if o is None else limits.verdict(key, o, VERDICTS) for o in found]
        yield from _row(stated(key, limit), verdicts)


def _comparison(document: RunDocument) -> Iterator[Row]:
    """Ratios to the first platform, with intervals; an interval that holds 1 is no difference."""
    others, baseline = document.comparison.others, document.comparison.baseline
    ratios = {name: {key: ratio for key, ratio in found if key != "workloads"} for name, found in others.items()}
    for measure in dict.fromkeys(key for found in ratios.values() for key in found):
        cells = {name: _as_cell(figures.ratio(ratios[name][measure]) if name in ratios else None) for name in document.platforms}
        yield Row(title_of(measure), tuple((cells | {baseline: Cell("1", "quiet")}).values()))


def _run(platforms: Sequence[PlatformResult]) -> Iterator[Row]:
    """How much was simulated, how fast, and whether the run's own checks hold."""
    yield from _row("requests", [figures.count(p.requests) for p in platforms])
    yield from _row("simulated", _each(_plain_time, [p.simulated_s for p in platforms]))
    yield from _row("warm-up", _each(_plain_time, [p.warmup_s for p in platforms]))
    yield from _row("speed", [_speed(p) for p in platforms])
    yield from _row("checks", [_checks({law: found for law, found in p.checks if found is not None}) for p in platforms])


def _speed(platform: PlatformResult) -> str | None:
    """Requests simulated in a second of wall time."""
    wall, requests = platform.wall_s, platform.requests
    return f"{figures.short_count(requests / wall)} req/s" if wall and requests else None


def _plain_time(seconds: figures.Value) -> str:
    return figures.time(seconds, interval=False)


def _checks(found: dict[str, str]) -> Cell:
    """`ok`, or the checks that failed by name."""
    failed = [f"{title_of(name)}: {verdict}" for name, verdict in found.items() if verdict != "ok"]
    return Cell("; ".join(failed), "bad") if failed else Cell(f"{len(found)} ok", "good")


# -- below the table ------------------------------------------------------------------------------------------------------------


def _theory(document: RunDocument) -> Iterator[Block]:
    """The closed form beside the simulation of each platform, or why there is none."""
    found = document.theory
    if isinstance(found, NoTheory):
        yield Prose(f"No closed form: {found.reason}", "Theory")
    elif found is not None and found.platform in document.platforms:
        yield theory(document.platforms[found.platform], found)
        others = [(name, _elsewhere(document.platforms[name], said)) for name, said in found.others.items() if name in document.platforms]
        yield from [Points(tuple(others))] if others else []


def theory(platform: PlatformResult, predicted: TheoryResult) -> Prose:
    """`M/M/1 on bare-metal`: `mean 50.0 ms, simulated 49.9 ± 0.4 ms (-0.2 %); ...`, then what it assumes."""
    text = _figures(platform, predicted.latency_mean_s, predicted.latency_p95_s)
    return Prose(f"{text}. Holds for: {predicted.assumptions}", f"Theory: {predicted.model} on {predicted.platform}")


def _elsewhere(platform: PlatformResult, said: TheoryBeside) -> str:
    """What theory says of another platform, with what that adds to each demand; or why nothing."""
    if said.reason:
        return f"no closed form: {said.reason}"
    added = f", {figures.percent(said.overhead)} of work added" if said.overhead else ""
    return f"{_figures(platform, said.latency_mean_s, said.latency_p95_s)}{added}"


def _figures(platform: PlatformResult, mean_s: float | None, p95_s: float | None) -> str:
    """Predicted figures beside the simulated ones."""
    pairs = (("mean", mean_s, platform.latency_s.mean), ("p95", p95_s, platform.latency_s.p95))
    return "; ".join(said for pair in pairs if (said := _beside(*pair)))


def _beside(key: str, predicted: float | None, simulated: Estimate) -> str:
    """One predicted figure beside the simulated one."""
    came = figures.middle(simulated)
    if not predicted or came is None:
        return ""
    return f"{key} {figures.time(predicted)}, simulated {figures.time(simulated)} ({100 * (came / predicted - 1):+.1f} %)"


def _data(document: RunDocument, name: str) -> Iterator[tuple[str, Any]]:
    """One platform's flat data."""
    said, platform = document.scenario, document.platforms[name]
    yield from zip(FIRST, (said.name, said.digest, document.seed, platform.replications, name), strict=True)
    yield from ((key, value) for key, value in flat(platform.document()) if ELSEWHERE.isdisjoint(key.split(".")))
    if name in document.comparison.others:
        yield from flat(document.comparison.others[name].document(), "comparison.")

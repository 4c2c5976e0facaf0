"""The report of `simvirt density`: the answers side by side, why they are what they are, curves, memory; a row a point as data."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from simvirt.report.as_csv import flat
from simvirt.report.blocks import PAGE, SCREEN, Block, Curve, Data, Points, Prose, Report, Table, Title, assumed, cells, notes
from simvirt.report.heading import made_by, scenario
from simvirt.result import figures, holders
from simvirt.result.density_document import AnswerResult, DensityDocument, HostAnswer, PointResult, ReliefResult
from simvirt.result.document import MemoryLedger
from simvirt.result.limit_words import enough, label, quantity, stated
from simvirt.result.resources import name_of, without_number

GIB, MIB = 2**30, 2**20
LEDGER: Final = "Memory at n, in GiB"
MOST: Final = 9  # points of a curve in a report; all are among the data
FIRST: Final = ("platform", "n", "verdict")
REST: Final[dict[str, Callable[[MemoryLedger], int]]] = {
    "swapped out": lambda ledger: ledger.swapped_bytes - ledger.missing_bytes,
    "does not fit": lambda ledger: ledger.missing_bytes, "of": lambda ledger: ledger.capacity_bytes,
    "shared": lambda ledger: ledger.shared_bytes, "promised": lambda ledger: ledger.committed_bytes,
}
"""What stands below the parts of the memory."""
STRICTEST: Final = ("latency_p999", "latency_p99", "latency_p95", "latency_p90", "latency_p50", "latency_mean")


def report(document: DensityDocument) -> Report:
    """All that is said of a density."""
    return Report(document, tuple(_blocks(document)))


def _blocks(document: DensityDocument) -> Iterator[Block]:
    yield Title(document.scenario.name, level=1)
    yield Prose(document.answer)
    yield from (Prose(line, tone="quiet") for line in heading(document))
    yield answers(document)
    yield Title("Why", where=SCREEN)
    yield Points(tuple((name, _reason(answer) + _next(answer)) for name, answer in document.density.items()))
    key = main_objective(document)
    for name, answer in document.density.items():
        if answer.curve:
            yield Title(f"Curve of {name}: {label(key)} against n, │ is the limit", where=SCREEN)
            yield Title(name, where=PAGE)
            yield curve(answer, key, document.objective[key])
    for name, answer in document.density.items():
        if answer.hosts:
            yield from (Title(f"Hosts of {name} at n = {answer.n:,}"), hosts(answer))
    yield from (Title(LEDGER), ledger(document))
    yield from assumed(document.assumptions)
    yield from notes("the platforms that were answered are reported" if document.interrupted else "", document.warnings)
    yield Data(tuple(dict(_data(name, answer, point)) for name, answer in document.density.items() for point in answer.curve), FIRST)


def main_objective(document: DensityDocument) -> str:
    """The limit that latencies of a curve are held against: the strictest quantile, else whatever comes first."""
    return next((key for key in STRICTEST if key in document.objective), next(iter(document.objective)))


def heading(document: DensityDocument) -> Iterator[str]:
    """What is counted and held; how it was found."""
    unit = document.unit
    what = "copies of all services" if unit.service is None else f"replicas of {unit.service}"
    each = f"{unit.clients} clients" if unit.clients is not None else figures.rate(unit.rate_per_s)
    held = ", ".join(stated(key, limit) for key, limit in document.objective.items())
    yield f"n counts {what}, each with {each}; they hold {held} with {100 * document.confidence:g} % confidence"
    made = (f"seed {document.seed}", f"{document.simulations} simulations", scenario(document.scenario), made_by(document.simvirt))
    yield ", ".join(made)


# -- tables -----------------------------------------------------------------------------------------------------------------------


def answers(document: DensityDocument) -> Table:
    """One row a platform: n, what binds, what would bind next, and how it is there."""
    key = main_objective(document)
    head = ("", "n", "binding", "second", label(key), "CPU", "memory")
    return Table(head, tuple(cells(name, *_answer(answer, key)) for name, answer in document.density.items()))


def _answer(answer: AnswerResult, key: str) -> Iterator[str]:
    """A platform's cells."""
    yield f"{answer.n:,}"
    yield name_of(answer.binding.resource)
    yield figures.UNKNOWN if answer.second is None else name_of(answer.second.resource)
    yield quantity(key, answer.objective.get(key), interval=True)
    yield figures.percent(answer.cpu.utilisation if answer.cpu else None, interval=False)
    yield _short(answer.memory.demand_bytes)


def _next(answer: AnswerResult) -> str:
    """What would end it next."""
    second = answer.second
    if second is None:
        return ""
    return f". Next: {name_of(second.resource)}, {'at' if second.hard else 'used up by'} {second.n:,}"


def _reason(answer: AnswerResult) -> str:
    """Why n + 1 does not hold, and what shows it."""
    binding, beyond = answer.binding, answer.n + 1
    point = next((p for p in answer.curve if p.n == beyond), None)
    if answer.open_to is not None:
        return f"{answer.n:,} hold, {answer.open_to:,} do not; between them the search is undecided, as it took all the work that it may"
    if point is None and binding.resource == "max":
        return f"density.max ends the search at {answer.n:,}, which hold"
    if point is None:
        return f"{beyond:,} do not fit: {binding.why}"
    if binding.check == "oom":
        return f"{beyond:,} run out of memory: {binding.why}"
    return "; ".join([_missed(binding.check, point), *map(_relieved, binding.reliefs)])


def _missed(check: str, point: PointResult) -> str:
    """What n instances come to."""
    found, n = point.objective.get(check), f"{point.n:,}"
    if found is None or point.given_up:
        return f"{n} are overloaded" if point.overload else f"{n} miss the {label(check)} by far"
    came = f"{n} come to {label(check)} {quantity(check, found, interval=True)}"
    limit = f"the limit of {quantity(check, found.limit)}"
    if found.verdict != "undecided":
        return f"{came}, beyond {limit}"
    return f"{came}, which is not surely within {limit}: {enough(found.longer, found.setting)}"


def _relieved(relief: ReliefResult) -> str:
    """What doubling a resource does."""
    value = quantity(relief.check, relief.value) if relief.value is not None else "overload still"
    return f"with twice the {name_of(without_number(relief.resource))}: {value}"


def hosts(answer: AnswerResult) -> Table:
    """A row for each host, of more than `MOST` for those that have least left and most; how full it is, and what ends it with how many."""
    head = ("", "replicas", "CPU", "memory", "of", "disk", "NIC", "ended by", "at")
    left = sorted(answer.hosts, key=lambda name: answer.hosts[name].replicas / max(answer.hosts[name].holds, 1), reverse=True)
    shown = set(left if len(left) <= MOST else [*left[: MOST // 2 + 1], *left[-(MOST // 2):]])
    return Table(head, tuple(cells(name, *_host(host)) for name, host in answer.hosts.items() if name in shown))


def _host(host: HostAnswer) -> Iterator[str]:
    """A host's cells."""
    yield f"{host.replicas:,}"
    yield figures.percent(host.cpu)
    yield from (_short(host.memory_bytes), _short(host.capacity_bytes))
    yield from (figures.percent(host.disk), figures.percent(host.nic))
    yield from (name_of(f"host.{host.ended_by}").removeprefix("host "), f"{host.holds:,}")


def ledger(document: DensityDocument) -> Table:
    """Memory at the answer in GiB: what needs it, a column a platform; what an instance takes in MiB."""
    found = list(document.density.values())

    ledgers = [answer.memory.ledger for answer in found]
    needed = [[title, *map(_gib, map(of, ledgers))] for title, of in holders.PARTS.items()]
    needed.append(["in all", *(_gib(answer.memory.demand_bytes) for answer in found)])
    rest = [[title, *map(_gib, map(of, ledgers))] for title, of in REST.items()]
    told = [["n", *(f"{a.n:,}" for a in found)], ["each, in MiB", *map(_each, found)]]
    told += [line for line in (*needed, *rest) if any(cell != "0" for cell in line[1:])]
    return Table(("", *document.density), tuple(cells(*line) for line in told))


def _each(answer: AnswerResult) -> str:
    """What an instance beyond the first takes on average up to the answer [MiB]."""
    n, first = answer.n, next((point for point in answer.curve if point.n == 1), None)
    if n < 2 or first is None:
        return figures.UNKNOWN
    return figures.scaled((answer.memory.demand_bytes - first.memory_bytes) / (n - 1) / MIB, most=1)


def _short(size: float) -> str:
    """Bytes in three digits."""
    return f"{size / GIB:,.{min(figures.decimals(size / GIB, 2), 2)}f} GiB"


def _gib(size: float) -> str:
    return figures.scaled(size / GIB, most=2) if size else "0"


# -- curves -----------------------------------------------------------------------------------------------------------------------


def curve(answer: AnswerResult, key: str, limit: float) -> Curve:
    """Some points of a platform's curve: n, the latency over its limit, and what else changes with n."""
    head = ("n", "", label(key), "throughput", "CPU", "memory", "")
    return Curve(head, tuple((f"{p.n:,}", *_point(p, key, limit)) for p in chosen(answer)))


def chosen(answer: AnswerResult) -> list[PointResult]:
    """The points of a curve that a report shows: its ends, the answer and the next, and others evenly between."""
    points, n = answer.curve, answer.n
    needed = [p for p in points if p.n in (n, n + 1, points[0].n, points[-1].n)]
    others = [p for p in points if p not in needed]
    while len(others) > MOST - len(needed):
        spacing = [_room(points, p) for p in others]
        others.pop(spacing.index(min(spacing)))
    return sorted([*needed, *others], key=lambda p: p.n)


def _room(points: Sequence[PointResult], point: PointResult) -> float:
    """How far a point is from its nearest neighbour, over its n."""
    return min(abs(p.n - point.n) for p in points if p is not point) / point.n


def _point(point: PointResult, key: str, limit: float) -> tuple[float, tuple[str, ...]]:
    """The latency over its limit, and the cells beside it."""
    value = figures.middle(point.objective.get(key))
    memory, verdict = _short(point.memory_bytes), "" if point.verdict == "holds" else point.verdict
    if point.given_up or value is None:
        return math.inf, ("overload" if point.overload else "far beyond", "", "", memory, verdict)
    throughput = figures.rate(point.throughput_per_s, interval=False)
    cpu = figures.percent(point.cpu.utilisation if point.cpu else None, interval=False)
    return value / limit if limit else 0.0, (quantity(key, value), throughput, cpu, memory, verdict)


def _data(name: str, answer: AnswerResult, point: PointResult) -> Iterator[tuple[str, Any]]:
    """One point's flat data."""
    yield "platform", name
    yield from flat(point.document())
    yield from (("answer.n", answer.n), ("answer.binding", answer.binding.resource))

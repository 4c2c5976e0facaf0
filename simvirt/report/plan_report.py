"""The report of `simvirt plan`: ranked alternatives, what runs where, how the need grows, what an uncertain load makes of the choice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simvirt.report import limits
from simvirt.report.blocks import Block, Cell, Data, Prose, Report, Table, Title, assumed, cells, notes, titled
from simvirt.report.heading import counted, made_by, scenario
from simvirt.result import figures
from simvirt.result.limit_words import label
from simvirt.result.plan_document import (
    AlternativeResult,
    Binding,
    Choice,
    Cost,
    Headroom,
    PlacementResult,
    PlanDocument,
    Question,
    Regret,
    SystemResult,
)
from simvirt.units import format_size

SHORT: Final = 12
"""Choices that a table of regrets shows."""
NAMED: Final = ("#", "platform", "host")
WORDS: Final = (1, 2)
COSTS: Final[dict[str, Callable[[Cost], float]]] = {
    "year": lambda cost: cost.year_usd, "hardware": lambda cost: cost.hardware_usd, "upkeep": lambda cost: cost.upkeep_usd,
    "building": lambda cost: cost.building_usd, "energy": lambda cost: cost.energy_usd, "rent": lambda cost: cost.rent_usd,
}
"""Parts of a year's cost."""


@dataclass(frozen=True, slots=True)
class Able:
    """An alternative that suffices, with all that is known of it then."""

    told: AlternativeResult
    binding: Binding
    headroom: Headroom
    peak: SystemResult
    mean: SystemResult
    cost: Cost

    def row(self, *values: Any) -> tuple[Cell, ...]:
        """A row about it."""
        return cells(self.told.rank, self.told.platform, self.told.host, *values)


def report(document: PlanDocument) -> Report:
    """All that is said of a plan."""
    return Report(document, tuple(_blocks(document)))


def _blocks(document: PlanDocument) -> Iterator[Block]:
    able = [a for told in document.alternatives if told.feasible for a in _able(told)]
    yield Title(f"{document.scenario.name}: plan", level=1)
    yield from (Prose(document.answer), Prose(heading(document), tone="quiet"))
    yield from map(Prose, sentences(document.plan))
    yield from titled("Alternatives, the cheapest first", _alternatives(able))
    yield from titled("Replicas that differ from those stated", _scaled(able))
    yield from titled("Headroom and objective", _latencies(able, document.plan.survive))
    yield from _mean(able, document.plan.load.peak_to_mean)
    yield from titled("Costs [USD]: to buy, and of a year", _bills(able))
    if document.alternatives[0].feasible:
        yield from _best(document.alternatives[0], document.plan)
    yield from titled("Not possible", _refused(document.alternatives))
    if document.regret is not None:
        title = "Regret [USD/year]: cost beyond the best choice in hindsight; the first line is the minimax choice"
        yield from titled(title, _regret(document.regret))
    yield from assumed(document.assumptions)
    yield from notes("", document.warnings)
    yield Data(tuple(map(_data, document.alternatives)))


def _able(told: AlternativeResult) -> Iterator[Able]:
    """An alternative, where it suffices."""
    if told.binding and told.headroom and told.peak and told.mean and told.cost:
        yield Able(told, told.binding, told.headroom, told.peak, told.mean, told.cost)


# -- heading --------------------------------------------------------------------------------------------------------------------


def heading(document: PlanDocument) -> str:
    """How the plan was made."""
    simulated = f"{counted(document.simulations, 'simulation')} of {counted(document.replications, 'replication')}"
    return ", ".join((f"seed {document.seed}", simulated, scenario(document.scenario), made_by(document.simvirt)))


def sentences(plan: Question) -> Iterator[str]:
    """What was asked, in words."""
    load, site = plan.load, plan.site
    growth = f", {_several_years(load.years)} at {figures.percent(load.growth)} growth" if load.growth and load.years else ""
    peak = f", at peak {load.peak_to_mean:g} x that" if load.peak_to_mean != 1 else ""
    yield f"Load: {figures.rate(load.stated_per_s)}{growth}{peak}: {figures.rate(load.peak_per_s)} to be carried."
    lost = f"{counted(plan.survive, 'host')} may be lost" if plan.survive else "No host may be lost"
    yield (
        f"{lost}; {figures.percent(plan.headroom)} stay free at peak; hosts are paid for in {_several_years(plan.amortisation_years)}; "
        f"energy costs {site.energy_price_usd_per_kwh:.3g} USD/kWh at a PUE of {site.pue:.3g}."
    )


def _several_years(years: float) -> str:
    return f"{years:g} year{'' if years == 1 else 's'}"


# -- tables ---------------------------------------------------------------------------------------------------------------------


def _alternatives(able: Sequence[Able]) -> Table:
    """The ranked table."""
    head = (*NAMED, "hosts", "USD/month", "fullest", "used", "least", "MWh/year")
    rows = [
        a.row(
            a.told.hosts, f"{a.cost.month_usd:,.0f}", a.binding.resource, figures.percent(a.binding.utilisation),
            a.told.lower_bound, f"{a.cost.energy_kwh / 1000:,.1f}",
        )
        for a in able
    ]
    return Table(head, tuple(rows), (*WORDS, 5))


def _scaled(able: Sequence[Able]) -> Table:
    """Services with more or fewer replicas than stated, and why."""
    rows = [
        a.row(name, found.stated, found.planned, f"the {found.reason}")
        for a in able for name, found in a.told.scaled.items()
    ]
    return Table((*NAMED, "service", "stated", "planned", "for"), tuple(rows), (*WORDS, 3, 6))


def _latencies(able: Sequence[Able], survive: int) -> Table:
    """What the objective comes to at peak, and after the loss; the headroom of each."""
    names = list(able[0].peak.objective) if able else []
    states = ["at peak", f"with {survive} lost"][: 1 + bool(survive)]
    measured = [label(name) for name in names] or ["p99"]
    head = (*NAMED, *(f"{what} {state}" for what in ("free", *measured) for state in states))
    rows = []
    for a in able:
        free = [figures.percent(value) for value in (a.headroom.peak, a.headroom.lost)[: len(states)]]
        systems = (a.peak, a.told.lost)[: len(states)]
        rows.append(a.row(*free, *(_verdict(system, name) for name in names or (None,) for system in systems)))
    return Table(head, tuple(rows), WORDS)


def _verdict(system: SystemResult | None, name: str | None) -> Cell:
    """What came of one limit of the objective; the p99 where there is no objective."""
    if system is None:
        return Cell(figures.UNKNOWN, "quiet")
    return Cell(figures.time(system.latency_s.p99)) if name is None else limits.verdict(name, system.objective[name])


def _mean(able: Sequence[Able], peak_to_mean: float) -> Iterator[Block]:
    """Peak against mean: how busy hosts are, and what they draw."""
    head = (*NAMED, "CPU", "CPU at peak", "p99", "p99 at peak", "power", "power at peak")
    rows = [
        a.row(
            *(figures.percent(system.resources["host.cpu"]) for system in (a.mean, a.peak)),
            *(figures.time(system.latency_s.p99) for system in (a.mean, a.peak)),
            *(f"{watts:,.0f} W" for watts in (a.cost.mean_w, a.cost.peak_w)),
        )
        for a in able
    ]
    if peak_to_mean != 1:
        yield from titled(f"Mean against peak, which is {peak_to_mean:g} x the mean", Table(head, tuple(rows), WORDS))


def _bills(able: Sequence[Able]) -> Table:
    """What a year costs, part by part; parts that cost nothing anywhere are left out."""
    parts = {name: of for name, of in COSTS.items() if any(of(a.cost) for a in able)}
    rows = [a.row(*(f"{usd:,.0f}" for usd in (a.cost.buy_usd, *(of(a.cost) for of in parts.values())))) for a in able]
    return Table((*NAMED, "to buy", *parts), tuple(rows), WORDS)


def _best(best: AlternativeResult, plan: Question) -> Iterator[Block]:
    """What runs where in the best alternative, and the hosts that it needs year by year."""
    head = ("hosts", "replicas on each", "CPU", "memory", "disk", "NIC")
    placed = Table(head, tuple(cells(*_placed(place)) for place in best.placement), (1,), prose=1)
    yield from titled(f"Placement of 1: {best.platform} on {best.host}", placed)
    load = plan.load
    peaks = [load.stated_per_s * load.peak_to_mean * (1 + load.growth) ** year for year in range(len(best.hosts_by_year))]
    rows = [
        cells(year, figures.rate(peak), figures.UNKNOWN if hosts is None else hosts)
        for year, (peak, hosts) in enumerate(zip(peaks, best.hosts_by_year, strict=True))
    ]
    title = f"Hosts of 1 by year, for growth of {figures.percent(load.growth)}"
    yield from titled(title, Table(("after years", "load at peak", "hosts"), tuple(rows), ()))


def _placed(place: PlacementResult) -> Iterator[Any]:
    """What runs on some of the hosts."""
    yield place.hosts
    yield ", ".join(f"{name} x {count}" for name, count in place.replicas.items()) or "spare"
    yield figures.percent(place.cpu)
    yield format_size(place.memory_bytes) if place.memory_bytes else "0"
    yield from (figures.percent(place.disk), figures.percent(place.nic))


def _refused(alternatives: Sequence[AlternativeResult]) -> Table:
    """Alternatives that do not suffice, and why."""
    rows = [cells(a.platform, a.host, a.reason) for a in alternatives if not a.feasible]
    return Table(("platform", "host", "why"), tuple(rows), (0, 1, 2), names=2, prose=2)


def _regret(regret: Regret) -> Table:
    """Regrets of the choices at each level of the load."""
    head = ("platform", "host", "hosts", "largest", "lacks", *(f"at x {level:g}" for level in regret.levels))
    return Table(head, tuple(cells(*_choice(choice)) for choice in regret.choices[:SHORT]), (0, 1), names=3)


def _choice(choice: Choice) -> Iterator[Any]:
    """The regrets of one choice."""
    yield from (choice.platform, choice.host, choice.hosts, f"{choice.max_regret_usd:,.0f}")
    yield max(choice.missing_hosts) or figures.UNKNOWN
    yield from (f"{value:,.0f}" for value in choice.regrets_usd)


def _data(a: AlternativeResult) -> dict[str, Any]:
    """One alternative without its placement, flat."""
    binding, headroom = a.binding, a.headroom
    latency = {f"latency_{key}_s": value for key, value in (a.peak.latency_s.document() if a.peak else {}).items()}
    return {
        "rank": a.rank, "platform": a.platform, "host": a.host, "feasible": a.feasible,
        "hosts": a.hosts, "lower_bound": a.lower_bound if a.cost else None, "binding": binding.resource if binding else None,
        "utilisation": binding.utilisation if binding else None, "headroom": headroom.peak if headroom else None,
        "headroom_lost": headroom.lost if headroom else None, **latency, **(a.cost.document() if a.cost else {}),
        "simulations": a.simulations, "reason": a.reason,
    }

"""The report of `simvirt knee`: where the objective breaks side by side, why, the saturation rate, and the loads that were tried."""

import math
from collections.abc import Iterator
from typing import Any, Final

from simvirt.report.as_csv import flat
from simvirt.report.blocks import PAGE, SCREEN, Block, Curve, Data, Points, Prose, Report, Table, Title, assumed, cells, notes
from simvirt.report.density_report import STRICTEST
from simvirt.report.heading import made_by, scenario
from simvirt.result import figures
from simvirt.result.document import Estimate
from simvirt.result.knee_document import KneeDocument, PlatformKnee, RatePoint
from simvirt.result.limit_words import label, quantity, stated
from simvirt.result.loads import between, load
from simvirt.result.resources import name_of

FIRST: Final = ("platform", "rate", "verdict")


def report(document: KneeDocument) -> Report:
    """All that is said of knees."""
    return Report(document, tuple(_blocks(document)))


def _blocks(document: KneeDocument) -> Iterator[Block]:
    yield Title(f"{document.scenario.name}: knee", level=1)
    yield Prose(document.answer, tone="lead")
    yield Prose(_heading(document), tone="quiet")
    yield knees(document)
    yield from _why(document)
    key = main_objective(document)
    for name, found in document.knees.items():
        yield Title(f"{name}: {label(key)} against the load, │ is the limit", where=SCREEN)
        yield Title(name, where=PAGE)
        yield _curve(document, found, key)
    yield from assumed(document.assumptions)
    yield from notes("the platforms that were answered are reported" if document.interrupted else "", document.warnings)
    yield Data(tuple(dict(_data(name, found, point)) for name, found in document.knees.items() for point in found.curve), FIRST)


def main_objective(document: KneeDocument) -> str:
    """The limit that latencies are shown against: the strictest quantile, else whatever comes first."""
    return next((key for key in STRICTEST if key in document.objective), next(iter(document.objective)))


def _heading(document: KneeDocument) -> str:
    """What is held, how surely and how narrowly; how it was found."""
    held = ", ".join(stated(key, limit) for key, limit in document.objective.items())
    asked = f"ranges {100 * document.precision:g} % wide where replications decide that"
    made = (f"seed {document.seed}", f"{document.simulations} simulations", scenario(document.scenario), made_by(document.simvirt))
    return ", ".join((held, f"each verdict with {100 * document.confidence:g} % confidence", asked, *made))


def knees(document: KneeDocument) -> Table:
    """One row a platform: where it breaks, surely between what, on what, and the saturation rate beside it."""
    head = ("", "breaks at", "met at", "missed at", "broken by", "saturation", "knee over it")
    rows = [cells(name, *_knee(document, found)) for name, found in document.knees.items()]
    return Table(head, tuple(rows), (0, 4))


def _knee(document: KneeDocument, found: PlatformKnee) -> Iterator[str]:
    """A platform's cells."""
    yield from (load(document.counts, value) for value in (found.knee.value, found.knee.low, found.knee.high))
    yield figures.UNKNOWN if found.broken_by is None else name_of(found.broken_by.resource)
    yield saturation(found.saturation.rate)
    yield _share(document, found)


def saturation(found: Estimate) -> str:
    """The saturation rate, or what is known of it."""
    if found.value is not None:
        return figures.rate(found.value)
    if found.low is not None and found.high is not None:
        return between("per_s", found.low, found.high)
    return figures.UNKNOWN if found.low is None else f"over {figures.rate(found.low)}"


def _share(document: KneeDocument, found: PlatformKnee) -> str:
    """The knee over the saturation rate; clients are no rate."""
    most, at = found.saturation.rate.value, found.knee.value
    return figures.percent(at / most) if document.counts == "per_s" and at is not None and most else figures.UNKNOWN


def _why(document: KneeDocument) -> Iterator[Block]:
    """Why the objective is missed, platform by platform."""
    items = [(name, _reason(document, found)) for name, found in document.knees.items() if found.broken_by is not None]
    if items:
        yield Title("Why", where=SCREEN)
        yield Points(tuple(items))


def _reason(document: KneeDocument, found: PlatformKnee) -> str:
    """What comes at the load at which the objective is surely missed, and what shows the resource."""
    broken, at = found.broken_by, load(document.counts, found.knee.high)
    assert broken is not None
    if broken.limit is None or broken.value is None:
        came = f"at {at} {'memory runs out' if broken.check == 'oom' else 'requests pile up'}"
    else:
        came = f"at {at} {label(broken.check)} is {quantity(broken.check, broken.value)}, beyond {quantity(broken.check, broken.limit)}"
    return f"{came}; {name_of(broken.resource)}: {broken.why}"


def _curve(document: KneeDocument, found: PlatformKnee, key: str) -> Curve:
    """The loads of a platform: each with its value over the limit, and what else changes with the load."""
    head, limit = ("load", "", label(key), "throughput", "CPU", ""), document.objective[key]
    return Curve(head, tuple((load(document.counts, p.rate), *_point(p, key, limit)) for p in found.curve))


def _point(point: RatePoint, key: str, limit: float) -> tuple[float, tuple[str, ...]]:
    """The value over its limit, and the cells beside it."""
    judged = point.objective.get(key)
    value, verdict = figures.middle(judged), "" if point.verdict == "holds" else point.verdict
    if point.given_up or value is None:
        return math.inf, ("overload" if point.overload else "far beyond", "", "", verdict)
    throughput = figures.rate(point.throughput_per_s, interval=False)
    cpu = figures.percent(point.cpu.utilisation if point.cpu else None, interval=False)
    return value / limit if limit else 0.0, (quantity(key, judged, interval=True), throughput, cpu, verdict)


def _data(name: str, found: PlatformKnee, point: RatePoint) -> Iterator[tuple[str, Any]]:
    """One load's flat data."""
    yield "platform", name
    yield from flat(point.document())
    yield from (("knee.value", found.knee.value), ("knee.low", found.knee.low), ("knee.high", found.knee.high))
    yield "saturation_per_s", found.saturation.rate.value

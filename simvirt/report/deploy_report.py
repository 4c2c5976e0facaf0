"""The report of `simvirt deploy`: until when everything is ready side by side, what took it, and the phases of each platform."""

from collections.abc import Iterator
from typing import Any, Final

from simvirt.report.blocks import Block, Data, Prose, Report, Table, Title, assumed, cells, notes
from simvirt.report.heading import counted, made_by, scenario
from simvirt.result import figures
from simvirt.result.deploy_document import DeployDocument, Deployment, PlatformDeployment
from simvirt.result.document import UNKNOWN, Estimate
from simvirt.result.lifecycle import PhaseResult

FIRST: Final = ("platform", "state", "ready_s.value", "layer", "phase")
STATES: Final = ("cold", "warm")
NAMED: Final = 3
"""Phases that are named as what took a deployment, at most."""
ENOUGH: Final = 0.8
"""What is named is at least this share of the time, where so few phases are."""
SMALL: Final = 0.05
"""A phase below this share of the time is not named."""
VISIBLE: Final = 0.001
"""A half width below this share of the value is not shown."""
WAITING: Final = " (waiting)"


def report(document: DeployDocument) -> Report:
    """All that is said of deployments."""
    return Report(document, tuple(_blocks(document)))


def _blocks(document: DeployDocument) -> Iterator[Block]:
    yield Title(f"{document.scenario.name}: deploy", level=1)
    yield Prose(document.answer, tone="lead")
    yield Prose(_heading(document), tone="quiet")
    yield deployments(document)
    for name, found in document.deployments.items():
        if table := phases(found):
            yield Title(f"{name}: on the way to the last instance")
            yield table
    yield from assumed(document.assumptions)
    yield from notes("the platforms that are complete are reported" if document.interrupted else "", document.warnings)
    yield Data(tuple(row for name, found in document.deployments.items() for row in _data(name, found)), FIRST)


def _heading(document: DeployDocument) -> str:
    """How it was found."""
    made = (counted(document.replications, "replication"), scenario(document.scenario), made_by(document.simvirt))
    return ", ".join(("everything is asked for at once", f"seed {document.seed}", *made))


def states(found: PlatformDeployment) -> dict[str, Deployment]:
    """The deployments of a platform by state, as far as there are any."""
    return {state: one for state in STATES if (one := getattr(found, state)) is not None}


def _columns(document: DeployDocument) -> tuple[str, ...]:
    """The states that a column is about."""
    return tuple(state for state in STATES if any(getattr(found, state) is not None for found in document.deployments.values()))


def deployments(document: DeployDocument) -> Table:
    """One row a platform: until when all is ready from each state, and what took it from the first of them."""
    there = _columns(document)
    rows = []
    for name, found in document.deployments.items():
        times = [ready(one) if (one := states(found).get(state)) is not None else figures.UNKNOWN for state in there]
        rows.append(cells(name, *times, what_took(next(iter(states(found).values())))))
    return Table(("", *there, "what took it"), tuple(rows), (0, len(there) + 1), prose=len(there) + 1)


def ready(found: Deployment) -> str:
    """Until when all is ready, with its interval where replications differ visibly."""
    half, value = figures.half_width(found.ready_s), found.ready_s.value
    return figures.time(found.ready_s, interval=bool(half and value and half >= VISIBLE * value))


def what_took(found: Deployment) -> str:
    """The phases in which the last instance spent most of its time, with their shares: `init and units 41 %, cloud-init 28 %`."""
    total = found.ready_s.value
    if total is None:
        return "not all are ever ready"
    if total <= 0:
        return "nothing: processes that do nothing before they are ready"
    parts = sorted(_parts(found), key=lambda part: -part[1])
    named, covered = [], 0.0
    for name, seconds in parts[:NAMED]:
        if covered < ENOUGH and seconds >= SMALL * total:
            named.append(f"{name} {figures.scaled(seconds / total, '%', 0.01, digits=2)}")
            covered += seconds / total
    return ", ".join(named)


def _parts(found: Deployment) -> Iterator[tuple[str, float]]:
    """What each phase of the last instance took, its wait apart [s]."""
    for phase in found.phases:
        waited = phase.waited_s.value or 0.0
        yield phase.phase, (phase.last_s.value or 0.0) - waited
        yield phase.phase + WAITING, waited


def phases(found: PlatformDeployment) -> Table | None:
    """One row a phase of the last instance: how long it took it from each state, and how much of that was waiting; None without any."""
    there = states(found)
    names = dict.fromkeys((p.layer, p.phase) for one in there.values() for p in one.phases if (p.last_s.value or 0.0) > 0)
    waits = any((p.waited_s.value or 0.0) > 0 for one in there.values() for p in one.phases)
    if not names:
        return None
    head = ("", "of", *(title for state in there for title in ((state, "waiting") if waits else (state,))))
    return Table(head, tuple(cells(name, layer, *_times(there, layer, name, waits)) for layer, name in names), (0, 1))


def _times(there: dict[str, Deployment], layer: str, name: str, waits: bool) -> Iterator[str]:
    """The cells of a phase."""
    for one in there.values():
        found = phase_of(one, layer, name)
        yield _time(found.last_s if found else UNKNOWN)
        if waits:
            yield _time(found.waited_s if found else UNKNOWN)


def phase_of(found: Deployment, layer: str, name: str) -> PhaseResult | None:
    """A phase by its name."""
    return next((phase for phase in found.phases if (phase.layer, phase.phase) == (layer, name)), None)


def _time(value: Estimate) -> str:
    return figures.time(value, interval=False)


def _data(name: str, found: PlatformDeployment) -> Iterator[dict[str, Any]]:
    """Flat rows: a phase each; one without a phase where there are none."""
    for state, one in states(found).items():
        ready = one.ready_s
        common = {"platform": name, "state": state, "instances": round(one.started)}
        common |= {"ready_s.value": ready.value, "ready_s.low": ready.low, "ready_s.high": ready.high}
        for phase in one.phases:
            yield common | {"layer": phase.layer, "phase": phase.phase} | {
                f"{key}.value": getattr(phase, key).value for key in ("last_s", "waited_s", "mean_s", "mean_waited_s")}
        if not one.phases:
            yield common | {"layer": "", "phase": ""}

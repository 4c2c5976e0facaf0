"""Charts of `simvirt deploy`: what the last instance spent its time on, when how many are ready, how the starts of a platform went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from simvirt.charts import marks, theme
from simvirt.charts.chart import Chart, chart
from simvirt.result import figures
from simvirt.result.deploy_document import DeployDocument, Deployment, StartCourse
from simvirt.units import format_time

FEW: Final = 4
"""Deployments that a sentence speaks of one by one."""
Named = list[tuple[str, str, Deployment]]
"""Platform, state, deployment."""


def deployments(document: DeployDocument) -> Named:
    """The deployments of a document, platform by platform."""
    states = ((name, state, getattr(found, state)) for name, found in document.deployments.items() for state in ("cold", "warm"))
    return [(name, state, one) for name, state, one in states if one is not None]


def stages(document: DeployDocument) -> Chart | None:
    """What each stage took on the way to the last instance, a bar for each platform and state; None where nothing took any time."""
    found = [(f"{name}, {state}", one) for name, state, one in deployments(document) if any(e.value for e in one.stages_s.values())]
    longest = max((one.ready_s.value or 0.0 for _, one in found), default=0.0)
    if not longest:
        return None
    factor, unit = marks.time_unit([longest])
    rows = [row for name, one in found for row in marks.stack_rows(name, _parts(one, factor), longest / factor)]
    colours = {stage: colour for stage, colour in theme.STAGES.items() if any(stage in one.stages_s for _, one in found)}
    return chart(
        "stages", "What the last instance spent its time on", f"{'; '.join(_said(name, one) for name, one in _some(found))}.", rows,
        ("platform", "ready", *colours),
        ([name, figures.time(one.ready_s, interval=False), *(_time(one, stage) for stage in colours)] for name, one in found),
        height=40 + marks.BAR * len(found), layer=marks.stacked([name for name, _ in found], f"time [{unit}]", colours),
    )


def _some(found: Sequence[tuple[str, Deployment]]) -> Iterator[tuple[str, Deployment]]:
    """All of a few deployments, else the fastest and the slowest."""
    if len(found) <= FEW:
        return iter(found)
    known = sorted((one for one in found if one[1].ready_s.value is not None), key=lambda one: one[1].ready_s.value or 0.0)
    return iter([known[0], known[-1]])


def _parts(found: Deployment, factor: float) -> Iterator[tuple[str, float, str]]:
    """Stages with what they took."""
    for stage in theme.STAGES:
        if seconds := (found.stages_s[stage].value or 0.0) if stage in found.stages_s else 0.0:
            yield stage, seconds / factor, format_time(seconds)


def _time(found: Deployment, stage: str) -> str:
    return figures.time(found.stages_s[stage], interval=False) if stage in found.stages_s else ""


def _said(name: str, found: Deployment) -> str:
    """What took longest: `docker, cold: image 19.3 s of 20.4 s`."""
    stage = max(found.stages_s, key=lambda one: found.stages_s[one].value or 0.0)
    return f"{name}: {stage} {_time(found, stage)} of {figures.time(found.ready_s, interval=False)}"


def ready(document: DeployDocument, state: str) -> Chart | None:
    """How many instances are ready after how long from a state, platform by platform; None where that is at once, or of one instance."""
    found = {name: one for name, of, one in deployments(document) if of == state and len(one.ready_at_s) > 1 and one.ready_at_s[-1] > 0}
    if not found:
        return None
    factor, unit = marks.time_unit([one.ready_at_s[-1] for one in found.values()])
    rows = [row for name, one in found.items() for row in _instants(name, one, factor)]
    said = "; ".join(f"the first after {format_time(one.ready_at_s[0])}, the last after {format_time(one.ready_at_s[-1])} on {name}"
                     for name, one in _some(list(found.items())))
    head, where = ("platform", "first", "half", "last"), {"cold": "without images on the hosts", "warm": "with images on the hosts"}[state]
    return chart(
        f"ready-{state}", f"Instances ready over time, {where}", f"In the first replication {said}.", rows, head,
        ([name, *(format_time(at) for at in (one.ready_at_s[0], one.ready_at_s[(len(one.ready_at_s) - 1) // 2], one.ready_at_s[-1]))]
         for name, one in found.items()),
        height=240, layer=_steps(list(found), unit, marks.spread_scale([one.ready_at_s[-1] for one in found.values()])),
    )


def _instants(name: str, found: Deployment, factor: float) -> Iterator[dict[str, Any]]:
    """When how many of a platform's instances are ready."""
    each = found.ready / len(found.ready_at_s)
    yield {"platform": name, "at": found.ready_at_s[0] / factor, "ready": 0, "when": "", "said": "0"}
    for number, at in enumerate(found.ready_at_s, 1):
        count = round(number * each)
        yield {"platform": name, "at": at / factor, "ready": count, "when": format_time(at), "said": str(count)}


def _steps(names: Sequence[str], unit: str, scale: dict[str, Any]) -> list[dict[str, Any]]:
    """A line of steps for each platform."""
    scales = theme.platform_scales(names)
    place = {"x": marks.quantitative("at", f"time [{unit}]", scale), "y": marks.quantitative("ready", "instances ready")}
    return [
        {"mark": {"type": "line", "interpolate": "step-after"}, "params": [marks.PICK], "encoding": {
            **place, "color": scales["color"], "strokeDash": scales["strokeDash"], "opacity": marks.FADED}},
        {"mark": {"type": "point", "size": 40}, "transform": [{"filter": "datum.ready > 0"}], "encoding": {
            **place, "color": scales["color"], "shape": scales["shape"], "opacity": marks.FADED,
            "tooltip": marks.tips(("platform", "platform"), ("when", "time"), ("said", "ready"))}},
    ]


def starts(document: DeployDocument, state: str) -> Chart | None:
    """What each instance did when from a state, of the only platform; None where there are several, or nothing took any time."""
    found = [one for _, of, one in deployments(document) if of == state]
    names = list(document.deployments)
    if len(names) != 1 or not found or not any(start.parts for start in found[0].starts):
        return None
    longest = max(part.to_s for start in found[0].starts for part in start.parts)
    factor, unit = marks.time_unit([longest])
    order = [_name(start, found[0]) for start in found[0].starts]
    rows = [row for name, start in zip(order, found[0].starts, strict=True) for row in _stretches(name, start, factor, longest)]
    colours = {stage: colour for stage, colour in theme.STAGES.items() if any(row["part"] == stage for row in rows)}
    all_of = f"{len(order)} of {round(found[0].started)}" if len(order) < found[0].started else "all"
    return chart(
        f"starts-{state}", f"How {all_of} starts on {names[0]} went, {state}", f"In the order in which they were ready on {names[0]}.",
        rows, ("instance", "ready", "on"),
        ([name, "never" if start.ready_s is None else format_time(start.ready_s), start.host]
         for name, start in zip(order, found[0].starts, strict=True)),
        height=40 + 20 * len(order), layer=marks.stacked(order, f"time [{unit}]", colours),
    )


def _name(start: StartCourse, found: Deployment) -> str:
    return f"{start.service} {start.replica}" if found.services[start.service].started > 1 else start.service


def _stretches(name: str, start: StartCourse, factor: float, longest: float) -> Iterator[dict[str, Any]]:
    """The parts of a start, as bars from when to when."""
    for part in start.parts:
        began, ended = part.from_s / factor, part.to_s / factor
        room = part.to_s - part.from_s >= longest / 8
        yield {"name": name, "part": part.stage, "from": began, "to": ended, "middle": (began + ended) / 2,
               "said": f"{format_time(part.from_s)} to {format_time(part.to_s)}", "label": part.stage if room else ""}

"""Charts of `simvirt run` where something acts on instances: replicas over time, requests answered in time, events, placement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from simvirt.charts import marks, theme
from simvirt.charts.chart import Chart, chart
from simvirt.result import figures
from simvirt.result.availability import Availability
from simvirt.result.events import EventResult, Happened
from simvirt.result.run_document import RunDocument
from simvirt.result.scaling import ServiceScaling
from simvirt.units import format_time

ANSWERED: Final = ("#b3151f", "#e08a3c", "#f2e2a0", "#0e8a61")
"""From no request that is answered in time to all of them."""
MOST_EVENTS: Final = 200
"""Events of a platform that are drawn, and told in the table."""
MOST_HOSTS: Final = 24
AXIS: Final = "replicas: serving (thick), ready, wanted (dashed)"


def replicas(document: RunDocument) -> Chart | None:
    """Replicas wanted, ready, serving over time of the service whose number changes most, platform by platform; None where none changes."""
    found = {name: platform.scaling.services for name, platform in document.platforms.items() if platform.scaling is not None}
    changes: dict[str, int] = {}
    for services in found.values():
        for service, one in services.items():
            changes[service] = max(changes.get(service, 0), len(one.course))
    service = max(changes, key=lambda name: changes[name], default="")
    shown = {name: services[service] for name, services in found.items() if service in services}
    if changes.get(service, 0) < 2:
        return None
    end = max(platform.simulated_s or 0.0 for platform in document.platforms.values())
    rows = [row for name, one in shown.items() for row in _levels(name, one, end)]
    said = "; ".join(f"{_number(one.serving.value)} serving of {_number(one.wanted.value)} wanted on {name}" for name, one in shown.items())
    return chart(
        "replicas", f"Replicas of {service} over time", f"On average over time {said}.", rows,
        ("platform", "wanted", "ready", "serving", "most serving", "too few for"),
        ([name, *(_number(mean.value) for mean in (one.wanted, one.ready, one.serving, one.most)),
          figures.time(one.short_s, interval=False)] for name, one in shown.items()),
        height=240, layer=_courses(list(shown)),
    )


def _number(value: float | None) -> str:
    return figures.UNKNOWN if value is None else f"{value:.3g}"


def _levels(name: str, found: ServiceScaling, end: float) -> Iterator[dict[str, Any]]:
    """The numbers of a service from each instant on, and at the end."""
    for level in [*found.course, *(one.model_copy(update={"at_s": max(end, one.at_s)}) for one in found.course[-1:])]:
        yield {"platform": name, "at": level.at_s, "wanted": level.wanted, "ready": level.ready, "serving": level.serving,
               "said": f"{level.serving}, {level.ready} and {level.wanted}", "when": format_time(level.at_s)}


def _courses(names: list[str]) -> list[dict[str, Any]]:
    """A line a platform for what serves, a thin one for what counts as ready, a thin dashed one for what is wanted."""
    scales = theme.platform_scales(names)
    x = marks.quantitative("at", "time [s]", {"nice": False})
    common = {"x": x, "color": scales["color"], "opacity": marks.FADED}
    tips = marks.tips(("platform", "platform"), ("when", "time"), ("said", "serving, ready, wanted"))
    line = {"type": "line", "interpolate": "step-after"}
    return [
        {"mark": {**line, "strokeWidth": 2.5}, "params": [marks.PICK], "encoding": {**common, "y": marks.quantitative("serving", AXIS)}},
        {"mark": {**line, "strokeWidth": 1}, "encoding": {**common, "y": marks.quantitative("ready", AXIS)}},
        {"mark": {**line, "strokeWidth": 1, "strokeDash": [4, 3]}, "encoding": {**common, "y": marks.quantitative("wanted", AXIS)}},
        {"mark": {"type": "point", "size": 40}, "encoding": {
            **common, "y": marks.quantitative("serving", AXIS), "shape": scales["shape"], "tooltip": tips}},
    ]


def answered(document: RunDocument) -> Chart | None:
    """The ratio of requests that were answered in time, interval by interval, a strip for each platform; None where all were."""
    found = {name: platform.availability for name, platform in document.platforms.items() if platform.availability is not None}
    rows = [row for name, one in found.items() for row in _strip(name, one)]
    if not any(row["ratio"] < 1.0 for row in rows):
        return None
    said = "; ".join(f"{figures.percent(one.answered, interval=False)} on {name}" for name, one in found.items())
    limit = next((one.limit_s for one in found.values() if one.limit_s is not None), None)
    within = "" if limit is None else f" within {format_time(limit)}"
    x = marks.quantitative("at", "time [s]", {"nice": False})
    colour = {"field": "ratio", "type": "quantitative", "scale": {"domain": [0, 0.5, 0.9, 1], "range": list(ANSWERED)}, "title": "answered",
              "legend": {"format": ".0%"}}
    return chart(
        "answered", f"Requests answered{within}, over time", f"Of the requests that ended, answered{within}: {said}.", rows,
        ("platform", "answered", "worst interval", "downtime"),
        ([name, figures.percent(one.answered), figures.percent(one.worst), figures.time(one.downtime_s, interval=False)]
         for name, one in found.items()),
        height=40 + marks.BAR * len(found), layer=[{"mark": {"type": "rect"}, "encoding": {
            "x": x, "x2": {"field": "to"}, "y": marks.named("platform", list(found), labelLimit=140), "color": colour,
            "tooltip": marks.tips(("platform", "platform"), ("when", "time"), ("said", "answered"))}}],
    )


def _strip(name: str, found: Availability) -> Iterator[dict[str, Any]]:
    """The intervals in which requests ended."""
    for number, ratio in enumerate(found.strip):
        if ratio is not None:
            at, to = number * found.interval_s, (number + 1) * found.interval_s
            yield {"platform": name, "at": at, "to": to, "ratio": ratio, "said": figures.percent(ratio),
                   "when": f"{format_time(at)} to {format_time(to)}"}


def events(document: RunDocument) -> Chart | None:
    """What happened when on each platform, by kind, and the story as a table; None where nothing did."""
    found = {name: platform.happened for name, platform in document.platforms.items() if platform.happened is not None}
    told = [(name, event) for name, one in found.items() for event in one.events[:MOST_EVENTS]]
    if not told:
        return None
    kinds = list(dict.fromkeys(event.what for _, event in sorted(told, key=lambda pair: pair[1].at_s)))
    scales = theme.platform_scales(found)
    tips = marks.tips(("platform", "platform"), ("when", "time"), ("who", "who"), ("where", "where"), ("why", "why"))
    said = "; ".join(f"{one.told} on {name}" for name, one in found.items())
    return chart(
        "events", "What happened", f"Events of the first replication: {said}.", [_event(name, event) for name, event in told],
        ("platform", "when", "what", "who", "where", "why"),
        ([name, format_time(one.at_s), one.what, one.who, one.where or "", one.why or ""] for name, one in told),
        height=40 + 26 * len(kinds), layer=[{"mark": {"type": "point", "size": 70}, "params": [marks.PICK], "encoding": {
            "x": marks.quantitative("at", "time [s]", {"nice": False}), "y": marks.named("what", kinds, grid=True),
            "yOffset": {"field": "platform", "type": "nominal", "sort": list(found)},
            "color": scales["color"], "shape": scales["shape"], "opacity": marks.FADED, "tooltip": tips}}],
    )


def _event(name: str, event: EventResult) -> dict[str, Any]:
    return {"platform": name, "at": event.at_s, "when": format_time(event.at_s), "what": event.what, "who": event.who,
            "where": event.where or "", "why": event.why or ""}


def placed(document: RunDocument) -> Chart | None:
    """How many replicas of each service stand on each host at the end; None where hosts are one or very many."""
    found = {name: platform.happened for name, platform in document.platforms.items() if platform.happened is not None}
    hosts = list(dict.fromkeys(host for one in found.values() for on in one.placement.values() for host in on))
    if not 2 <= len(hosts) <= MOST_HOSTS:
        return None
    rows = [row for name, one in found.items() for row in _standing(name, one, hosts)]
    return chart(
        "placed", "Replicas on each host at the end", "At the end of the first replication, by service and platform.", rows,
        ("service and platform", *hosts),
        ([f"{service} on {name}", *(str(on.get(host, 0)) for host in hosts)] for name, one in found.items()
         for service, on in one.placement.items()),
        height=40 + 24 * len({row["of"] for row in rows}), layer=marks.heat(rows, ("host", "of"), "replicas"),
    )


def _standing(name: str, found: Happened, hosts: list[str]) -> Iterator[dict[str, Any]]:
    """The replicas of each service on each host."""
    placement: Mapping[str, Mapping[str, int]] = found.placement
    for service, on in placement.items():
        for host in hosts:
            yield {"of": f"{service} on {name}", "host": host, "replicas": on.get(host, 0), "said": str(on.get(host, 0))}

"""Charts of `simvirt run` about resources: how much of each is used, what gives way first, what holds the memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from simvirt.charts import marks, theme
from simvirt.charts.chart import Chart, chart
from simvirt.result import figures, holders
from simvirt.result.document import MemoryLedger
from simvirt.result.run_document import PlatformResult, RunDocument

USED: Final = 0.005
"""Resources that no platform uses to so much are left out."""
MOST: Final = 12
"""Resources that are shown."""


def utilisation(document: RunDocument) -> Chart | None:
    """How much of each resource is used, platform by platform; None where nothing is."""
    used = {name: platform.bottleneck.resources for name, platform in document.platforms.items()}
    most = {resource: max(found.get(resource, 0.0) for found in used.values()) for found in used.values() for resource in found}
    shown = sorted((resource for resource in most if most[resource] >= USED), key=lambda resource: -most[resource])[:MOST]
    if not shown:
        return None
    rows = [{"platform": name, "resource": resource, "used": found[resource], "said": figures.percent(found[resource])}
            for name, found in used.items() for resource in shown if resource in found]
    top = {name: max(found.items(), key=lambda pair: pair[1]) for name, found in used.items() if found}
    said = "; ".join(f"{resource} to {figures.percent(value)} on {name}" for name, (resource, value) in top.items())
    return chart(
        "utilisation", "How much of each resource is used", f"Used most: {said}.", rows, ("resource", *used),
        ([resource, *(figures.percent(found.get(resource)) for found in used.values())] for resource in shown),
        height=40 + 26 * len(shown), layer=[_points(document, shown, max(1.0, *most.values())), *marks.rule("x", 1.0)],
    )


def _points(document: RunDocument, shown: Sequence[str], to: float) -> dict[str, Any]:
    """A point a resource and platform."""
    scales = theme.platform_scales(document.platforms)
    return {"mark": {"type": "point", "size": 80}, "params": [marks.PICK], "encoding": {
        "x": marks.quantitative("used", "utilisation", {"domain": [0, to]}, format=".0%"),
        "y": marks.named("resource", shown, grid=True),
        "yOffset": {"field": "platform", "type": "nominal", "sort": list(document.platforms)},
        "color": scales["color"], "shape": scales["shape"], "opacity": marks.FADED,
        "tooltip": marks.tips(("platform", "platform"), ("resource", "resource"), ("said", "used")),
    }}


def throughput(document: RunDocument) -> Chart | None:
    """What each platform answers now, and the most that it keeps up with; None where no maximum is known."""
    whole = {name: platform for name, platform in document.platforms.items() if not platform.workloads and _ends(platform)}
    if not whole:
        return None
    longest = max(_ends(platform)[2] for platform in whole.values())
    rows = [_reach(name, platform, longest) for name, platform in whole.items()]
    said = "; ".join(f"{row['resource']} at {row['said']} on {row['platform']}" for row in rows)
    head = ("platform", "now", "maximum", "gives way first")
    return chart(
        "throughput", "What gives way first, and when", f"What saturates first: {said}.", rows, head,
        ([row["platform"], row["said_now"], row["said"], row["resource"]] for row in rows),
        height=40 + marks.BAR * len(rows), layer=_bars_of_rates(document, list(whole)),
    )


def _ends(platform: PlatformResult) -> tuple[float, ...]:
    """Lower end, value and upper end of the maximum throughput, as far as they are known; nothing where none is."""
    found = platform.bottleneck
    low, most, high = found.max_throughput_low_per_s, found.max_throughput_per_s, found.max_throughput_high_per_s
    known = most or low
    return (float(low or known), float(known), float(high or known)) if known else ()


def _bars_of_rates(document: RunDocument, names: Sequence[str]) -> list[dict[str, Any]]:
    """Layers: a bar to the most that is answered, its interval, a tick at what is answered now, and what gives way."""
    colour = {**theme.platform_scales(document.platforms)["color"], "legend": None}
    y = marks.named("platform", names, labelLimit=140)

    def x(field: str) -> dict[str, Any]:
        return marks.quantitative(field, "requests per second: now (tick) and at most (bar)", {"zero": True})

    words = {"type": "text", "fontSize": 11, "aria": False}
    label = {"y": y, "text": {"field": "label", "type": "nominal"}}
    tips = marks.tips(("platform", "platform"), ("resource", "gives way first"), ("said", "at most"), ("said_now", "now"))
    tick = {"type": "tick", "thickness": 3, "height": {"band": 0.9}, "color": theme.INK, "opacity": 1}
    return [
        {"mark": {"type": "bar", "height": {"band": 0.6}}, "encoding": {"x": x("most"), "y": y, "color": colour, "tooltip": tips}},
        {"mark": {"type": "rule", "strokeWidth": 2, "color": theme.INK}, "encoding": {"x": x("low"), "x2": {"field": "high"}, "y": y}},
        {"mark": tick, "encoding": {"x": x("now"), "y": y}},
        {"mark": {**words, "align": "left", "dx": 8}, "transform": [{"filter": "!datum.inside"}], "encoding": {**label, "x": x("high")}},
        {"mark": {**words, "align": "right", "dx": -8, "color": theme.ON_BARS}, "transform": [{"filter": "datum.inside"}],
         "encoding": {**label, "x": x("low")}},
    ]


def _reach(name: str, platform: PlatformResult, longest: float) -> dict[str, Any]:
    """What a platform answers now and at most, and what gives way there: inside its bar where that is long."""
    low, most, high = _ends(platform)
    said, resource = figures.rate(most, beside=platform.throughput_per_s), platform.bottleneck.resource
    return {
        "platform": name, "now": platform.throughput_per_s.value or 0.0, "most": most, "low": low, "high": high, "said": said,
        "said_now": figures.rate(platform.throughput_per_s), "resource": resource,
        "label": f"{resource}, {said}", "inside": most > longest / 2,
    }


def memory(document: RunDocument) -> Chart | None:
    """What holds the host's memory, platform by platform."""
    return of_ledgers({name: platform.memory.ledger for name, platform in document.platforms.items()})


def of_ledgers(ledgers: Mapping[str, MemoryLedger]) -> Chart | None:
    """What holds the memory of a host, a bar for each ledger by its name; None where nothing does."""
    parts = {**holders.PARTS, "swapped out": holders.REST["swapped out"], "does not fit": holders.REST["does not fit"]}
    held = {name: {part: of(ledger) for part, of in parts.items() if of(ledger) > 0} for name, ledger in ledgers.items()}
    largest = max((sum(found.values()) for found in held.values()), default=0)
    if not largest:
        return None
    factor, unit = marks.size_unit([largest])
    rows = [row for name, found in held.items() for row in marks.stack_rows(
        name, [(part, size / factor, figures.size(size)) for part, size in found.items()], largest / factor)]
    colours = {part: colour for part, colour in theme.MEMORY.items() if any(part in found for found in held.values())}
    capacity = max(ledger.capacity_bytes for ledger in ledgers.values())
    limit = marks.rule("x", capacity / factor, "all of the host", True) if capacity <= 2 * largest else []
    said = "; ".join(f"{figures.size(sum(found.values()))} on {name}" for name, found in held.items())
    return chart(
        "memory", f"What holds the {figures.size(capacity)} of memory", f"Memory in use: {said}, of {figures.size(capacity)}.", rows,
        ("platform", *colours, "free"), (
            [name, *(figures.size(found.get(part, 0)) for part in colours), figures.size(ledgers[name].free_bytes)]
            for name, found in held.items()),
        height=40 + marks.BAR * len(held), layer=[*marks.stacked(list(held), f"memory [{unit}]", colours), *limit],
    )

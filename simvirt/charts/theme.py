"""One look for all charts: what stands for a platform, a cause and a part of memory is the same in each of them.

Colours have a contrast of at least 3 on white and on near-black, and none is alone in telling things apart: platforms have a shape and a
dash each, stacked parts are named where there is room and stand in one order.
Source of the hues: Okabe and Ito, Color Universal Design, 2008, darkened or lightened into that range.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

INK: Final = "#24292f"
QUIET: Final = "#59636e"
GRID: Final = "#d8dee4"
PAPER: Final = "#ffffff"
ON_BARS: Final = "white"
"""Letters inside bars, whatever the paper."""
LIMIT: Final = "#cf222e"
FONT: Final = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
"""The page replaces the first five by colours of its own in the dark; charts use no others of that kind."""


@dataclass(frozen=True, slots=True)
class Style:
    """What stands for a platform: a colour, the shape of its points, the dashes of its lines (lengths on and off, none for a whole one)."""

    colour: str
    shape: str
    dash: tuple[int, ...]


BLUE, ORANGE, GREEN, PURPLE, GREY, GOLD, CYAN, BROWN = (
    "#0f75b5", "#cc5200", "#0e8a61", "#a65a8c", "#6b7580", "#967200", "#2b84a6", "#8c5a3c")
STYLES: Final = (
    Style(GREY, "circle", ()), Style(BLUE, "square", (8, 3)), Style(ORANGE, "triangle-up", (3, 2)),
    Style(PURPLE, "diamond", (10, 3, 2, 3)), Style(GREEN, "cross", (5, 5)), Style(GOLD, "triangle-down", (2, 4)),
    Style(CYAN, "triangle-right", (12, 4)), Style(BROWN, "triangle-left", (6, 2, 2, 2, 2, 2)),
)
KNOWN: Final[Mapping[str, int]] = {
    "bare-metal": 0, "docker": 1, "kvm": 2, "docker-on-kvm": 3, "gvisor": 4, "firecracker": 5, "esxi": 6, "xen-hvm": 7,
    "podman": 6, "containerd": 4, "kata": 5, "lxc": 7, "hyperv": 7, "xen-pv": 5, "kvm-tuned": 4,
}
"""Which of the styles is a platform's, where it is not taken by one before it."""

CAUSES: Final[Mapping[str, tuple[str, str]]] = {
    "cpu": ("CPU work", "#69737d"), "virtualization": ("virtualization", ORANGE), "interference": ("interference", GOLD),
    "run_queue": ("run queue", BLUE), "steal": ("steal", "#b8434b"), "throttled": ("throttled", PURPLE), "queue": ("queue", CYAN),
    "lock": ("lock", BROWN), "disk": ("disk", GREEN), "network": ("network", "#5f7a1f"), "delay": ("delay", "#6d61a8"),
}
"""Parts of a latency by their key: what they are called, and their colour; work is grey, what is lost is not."""

MEMORY: Final[Mapping[str, str]] = {
    "host": "#6b7580", "application": BLUE, "guest OS": ORANGE, "held idle": GOLD, "page cache": GREEN, "VMM": "#b8434b",
    "runtime": PURPLE, "swapped out": BROWN, "does not fit": LIMIT,
}
"""Parts of memory by the names of reports."""

COSTS: Final[Mapping[str, tuple[str, str]]] = {
    "hardware_usd": ("hardware", BLUE), "upkeep_usd": ("upkeep", CYAN), "building_usd": ("building", GREY),
    "energy_usd": ("energy", ORANGE), "rent_usd": ("rent", PURPLE),
}
"""Parts of a year's cost."""

STAGES: Final[Mapping[str, str]] = {
    "image": BLUE, "monitor": BROWN, "guest": ORANGE, "runtime": PURPLE, "application": GREEN, "waiting": GREY,
}
"""Stages of a start."""

HEAT: Final = ("#eaf3fa", "#9ecae1", "#4a98c9", "#0f6cad", "#08306b")
"""From little to much."""


def styles(platforms: Iterable[str]) -> dict[str, Style]:
    """What stands for each of some platforms: its own style, else the first that none before it has; all of them again beyond eight."""
    names, found = list(platforms), dict[str, Style]()
    for name in names:
        if name in KNOWN and STYLES[KNOWN[name]] not in found.values():
            found[name] = STYLES[KNOWN[name]]
    for name in names:
        if name not in found:
            free = [style for style in STYLES if style not in found.values()]
            found[name] = free[0] if free else STYLES[len(found) % len(STYLES)]
    return {name: found[name] for name in names}


def platform_scales(platforms: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The encodings `color`, `shape` and `strokeDash` of a field `platform`, with one legend for all."""
    found = styles(platforms)
    names = list(found)

    def encoding(values: list[Any]) -> dict[str, Any]:
        return {"field": "platform", "type": "nominal", "title": None, "sort": None, "scale": {"domain": names, "range": values}}

    return {
        "color": encoding([style.colour for style in found.values()]),
        "shape": encoding([style.shape for style in found.values()]),
        "strokeDash": encoding([list(style.dash) or [1, 0] for style in found.values()]),
    }


CONFIG: Final[Mapping[str, Any]] = {
    "font": FONT,
    "view": {"stroke": None},
    "title": {"color": INK, "subtitleColor": QUIET, "anchor": "start", "fontSize": 15, "subtitleFontSize": 12, "offset": 12},
    "axis": {
        "labelColor": QUIET, "titleColor": QUIET, "gridColor": GRID, "domainColor": GRID, "tickColor": GRID, "labelFontSize": 12,
        "titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 8, "labelLimit": 200, "labelOverlap": "greedy",
    },
    "axisQuantitative": {"tickCount": 6},
    "legend": {
        "labelColor": INK, "titleColor": QUIET, "labelFontSize": 12, "orient": "top", "direction": "horizontal", "title": None,
        "symbolStrokeWidth": 2, "symbolSize": 90, "labelLimit": 220, "offset": 8, "columnPadding": 14, "columns": 4,
    },
    "header": {"labelColor": INK, "labelFontSize": 12, "titleColor": QUIET},
    "text": {"color": INK, "fontSize": 12},
    "line": {"strokeWidth": 2},
    "point": {"size": 60, "filled": True, "opacity": 1},
    "rule": {"color": QUIET},
}

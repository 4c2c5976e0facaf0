"""Opens the catalogue: every constant behind an entry with unit, spread and source, and one row for each entry of a kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from simvirt import units
from simvirt.catalog.cost_breakdown import sourced_share
from simvirt.catalog.entries.costs import PARTS, CostSpec
from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.entries.files import FilesystemEntry
from simvirt.catalog.entries.software import REFERENCES, HypervisorSpec, PlatformEntrySpec, RuntimeSpec
from simvirt.catalog.entries.startups import StartupEntry
from simvirt.catalog.operations import FILE_OPERATIONS, OPERATIONS
from simvirt.catalog.records import HostEntry, Layer, Row, work_ns
from simvirt.catalog.resolve.layers import costs_of, named_platform
from simvirt.catalog.sourced import Sourced, SourcedWork, number
from simvirt.catalog.store import Store

LAYERS = (HypervisorSpec, RuntimeSpec)
UNION = {"layer": "one further layer in which a name is looked for", "copy_up": "one file copied up, its bytes not counted"}


@dataclass(frozen=True, slots=True)
class Constant(Row):
    """One number of the catalogue. `ns` is what a cost is on the host asked for; None where it is no cost.

    `fitted` names the cells of published tables on which it was calibrated.
    """

    kind: str
    layer: str
    name: str
    part: str
    value: float | None
    unit: str
    spread: tuple[float, float] | None
    source: str
    estimated: bool
    meaning: str
    ns: float | None = None
    fitted: str = ""


@dataclass(frozen=True, slots=True)
class Listed(Row):
    """One entry of a kind: its name, what it is, its main figures, its source; `facts` are figures of a platform by their names."""

    name: str
    title: str
    figures: str
    source: str
    facts: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """The row as JSON takes it."""
        return {"name": self.name, "title": self.title, "figures": self.figures, "source": self.source, **self.facts}


def constants(store: Store, kind: str, name: str, host: HostEntry) -> list[Constant]:
    """Every constant behind one entry, costs also in ns on a host; of a platform, those of all its layers."""
    if kind == "platforms":
        return [row for layer in named_platform(store, name).layers for row in _layer_constants(store, layer, host)]
    return list(_entry_constants(store, kind, name, host))


def _layer_constants(store: Store, layer: Layer, host: HostEntry) -> list[Constant]:
    """Those of a hypervisor or runtime, with the costs of the devices that it has on this platform."""
    kind = f"{layer.kind}s"
    own = [row for row in _entry_constants(store, kind, layer.name, host) if row.name not in OPERATIONS]
    files = [] if layer.files is None else list(_entry_constants(store, "filesystems", layer.files.name, host))
    return [*own, *_cost_constants(kind, layer.name, layer.costs, host), *files]


def _entry_constants(store: Store, kind: str, name: str, host: HostEntry) -> Iterator[Constant]:
    entry = store.entry(kind, name)
    for field in type(entry).model_fields:
        value = getattr(entry, field)
        if isinstance(value, Sourced):
            yield _sourced(kind, name, field, "", value, field.replace("_", " "))
        elif field == "rates":
            yield from (_sourced(kind, name, op, "rate", rate, OPERATIONS[op]) for op, rate in value.items())
        elif isinstance(entry, FilesystemEntry) and field in ("costs", "request", "layer", "copy_up"):
            yield from _file_constants(kind, name, field, value, host)
        elif field == "costs":
            yield from _cost_constants(kind, name, costs_of(store, entry) if isinstance(entry, LAYERS) else value, host)
        elif isinstance(value, BaseModel):
            yield from _inner_constants(kind, name, field, value)
        elif isinstance(entry, StartupEntry) and field == "phases":
            for phase in value:
                yield from _inner_constants(kind, name, phase.name, phase)
        elif field == "cstates":
            for state, times in value.items():
                yield from _inner_constants(kind, name, f"{field}.{state}", times)
        elif field not in ("title", "source", "aliases") and value not in (None, ()):
            shown = _plain(field, value)
            yield Constant(kind, name, field, "", None, shown, None, entry.source, False, f"{field}: {shown}")
    yield from _referred_constants(store, kind, entry, host)


def _inner_constants(kind: str, name: str, field: str, value: BaseModel) -> Iterator[Constant]:
    """The numbers of a part of an entry, such as the vCPUs of the domain that owns the devices."""
    for inner in type(value).model_fields:
        number = getattr(value, inner)
        for key, one in number.items() if isinstance(number, dict) else ((inner, number),):
            if isinstance(one, Sourced):
                yield _sourced(kind, name, f"{field}.{key}", "", one, f"{key} of {field}".replace("_", " "))


def _referred_constants(store: Store, kind: str, entry: Entry, host: HostEntry) -> Iterator[Constant]:
    """The constants of the entries that this one names: a host's processor and devices, a hypervisor's guest."""
    for field, (referred, *_) in REFERENCES.get(kind, {}).items():
        if referred not in ("techniques", "devices") and getattr(entry, field) is not None:
            yield from _entry_constants(store, referred, getattr(entry, field), host)


def _cost_constants(kind: str, name: str, costs: Mapping[str, CostSpec], host: HostEntry) -> Iterator[Constant]:
    """The parts of each cost, also in ns on a host; a cost that does not exist says why."""
    for operation, cost in costs.items():
        if cost.none is not None:
            yield Constant(kind, name, operation, "cpu", 0.0, "ns", None, cost.none, False, OPERATIONS[operation], 0.0)
        for part, meaning in PARTS.items():
            for term in getattr(cost, part) or ():
                yield _sourced(kind, name, operation, part, term, f"{OPERATIONS[operation]}: {meaning}", host)


def _file_constants(kind: str, name: str, field: str, value: Any, host: HostEntry) -> Iterator[Constant]:
    """The numbers of a file system: what each operation costs, a request to its server, a further layer of a union."""
    if field in UNION:
        yield from (_sourced(kind, name, field, "cpu", term, UNION[field], host) for term in value or ())
    elif field == "request" and value is not None:
        for part, meaning in PARTS.items():
            yield from (_sourced(kind, name, field, part, term, f"one request to the server: {meaning}", host)
                        for term in getattr(value, part) or ())
    elif field == "costs":
        for operation, cost in value.items():
            told = FILE_OPERATIONS[operation]
            yield from (_sourced(kind, name, operation, "cpu", term, f"{told}: {PARTS['cpu']}", host) for term in cost.cpu or ())
            for part, meaning in (("requests", "requests to the server"), ("cached", "requests that are left where caches answer")):
                if getattr(cost, part) is not None:
                    yield _sourced(kind, name, operation, part, getattr(cost, part), f"{told}: {meaning}")


def _sourced(kind: str, layer: str, name: str, part: str, number: Sourced, meaning: str, host: HostEntry | None = None) -> Constant:
    ns = work_ns(number, host) if host is not None and isinstance(number, SourcedWork) else None
    return Constant(
        kind, layer, name, part, number.value, number.unit, number.spread, number.source, number.estimated, meaning, ns,
        ", ".join(number.fitted),
    )


def listed(store: Store, kind: str, name: str) -> Listed:
    """The row of one entry in the list of its kind."""
    entry = store.entry(kind, name)
    if not isinstance(entry, PlatformEntrySpec):
        return Listed(name, entry.title, ", ".join(_figures(entry)), entry.source, {})
    facts = platform_facts(store, name)
    return Listed(name, entry.title, "; ".join(_told(facts)), entry.source, facts)


def platform_facts(store: Store, name: str) -> dict[str, Any]:
    """What a platform is: its layers, how they virtualize and isolate, their devices, how many of its constants are measured."""
    platform = named_platform(store, name)
    layers = platform.layers
    numbers, estimated = sourced_share([cost for layer in layers for cost in layer.costs.values()])
    return {
        "stack": [layer.name for layer in layers], "technique": _each(layers, "technique"),
        "type": [layer.type for layer in layers if layer.type],
        "isolation": _each(layers, "isolation"), "net": [layer.net.name for layer in layers], "disk": [layer.disk.name for layer in layers],
        "files": [layer.files.name for layer in layers if layer.files is not None],
        "pin": platform.pin, "topology": platform.topology, "pages": platform.pages, "numbers": numbers, "estimated": estimated,
    }


def _each(layers: Sequence[Layer], field: str) -> list[str]:
    """A field of all layers, "none" left out."""
    return [value for layer in layers if (value := getattr(layer, field)) != "none"]


def _told(facts: Mapping[str, Any]) -> Iterator[str]:
    """The facts of a platform as phrases."""
    if not facts["stack"]:
        yield "no layer, no costs"
        return
    yield " in ".join(reversed(facts["stack"]))
    yield ", ".join([*facts["technique"], *(f"type {number}" for number in facts["type"]), f"isolation {' and '.join(facts['isolation'])}"])
    yield f"net {', '.join(facts['net'])}"
    yield f"disk {', '.join(facts['disk'])}"
    if setting := settings(facts):
        yield setting
    yield measured(facts)


def settings(facts: Mapping[str, Any]) -> str:
    """How a platform is set up where that is not the default."""
    told = ["pinned"] if facts["pin"] else []
    told += ["topology exposed"] if facts["topology"] != "hidden" else []
    return ", ".join([*told, *([f"pages {facts['pages']}"] if facts["pages"] != "thp" else [])])


def measured(facts: Mapping[str, Any]) -> str:
    """How many constants of a platform are measured."""
    if not facts["numbers"]:
        return "no constants"
    known = facts["numbers"] - facts["estimated"]
    return f"{known} of {facts['numbers']} costs from sources, {facts['estimated'] / facts['numbers']:.0%} estimated"


def _figures(entry: BaseModel) -> Iterator[str]:
    """The main figures of an entry: its plain fields and its first sourced numbers, as text."""
    for field in type(entry).model_fields:
        value = getattr(entry, field)
        if field in ("title", "source", "costs", "rates", "request", "layer", "copy_up"):
            continue
        if field == "phases":
            yield ", ".join(phase.name for phase in value)
        elif isinstance(value, Sourced):
            yield f"{field} {number(value.value, value.unit)}"
        elif isinstance(value, BaseModel):
            yield f"{field} {' '.join(_figures(value))}"
        elif value is True:
            yield field
        elif value not in (None, (), False, {}):
            yield f"{field} {_plain(field, value)}"


def _plain(field: str, value: Any) -> str:
    """A plain field as text, with its unit."""
    if field == "clock":
        return f"{value / 1e9:g} GHz"
    if field in ("memory", "virtual"):
        return units.format_size(value)
    if field == "bandwidth":
        return f"{value / 1e9:g} Gbps"
    if field == "layers" and isinstance(value, Mapping):
        return f"{len(value)}, {units.format_size(sum(value.values()))} packed"
    if field == "watts":
        return " ".join(f"{watts:g}" for watts in value) + " W"
    return " ".join(map(str, value)) if isinstance(value, (tuple, Mapping)) else str(value)

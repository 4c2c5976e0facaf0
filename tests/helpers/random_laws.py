"""What holds in the document of every run, whatever the scenario; each law yields a sentence for each place where it is broken."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

Document = Mapping[str, Any]
Law = Callable[[Document], Iterator[str]]
QUANTILES: Final = ("p50", "p90", "p95", "p99", "p999", "max")
LEDGER: Final = ("application", "guest_os", "held", "kernel", "page_cache", "runtime", "vmm", "free")
MOST_EVENTS: Final = 2_000_000
"""Events of a run that was meant to have some ten thousand."""


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """All numbers of a document with their paths."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}/{key}")
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from numbers(inner, f"{path}/{index}")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, float(value)


def estimates(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All values with intervals of a document with their paths."""
    if isinstance(value, Mapping):
        if {"value", "low", "high"} <= value.keys():
            yield path, value
        for key, inner in value.items():
            yield from estimates(inner, f"{path}/{key}")


def finite(document: Document) -> Iterator[str]:
    """No number is infinite or none."""
    yield from (f"{path} = {number}" for path, number in numbers(document) if not math.isfinite(number))


def not_negative(document: Document) -> Iterator[str]:
    """No time, rate, size or ratio is negative."""
    found = numbers(document["platforms"])
    yield from (f"{path} = {number:g}" for path, number in found if number < 0 and not path.endswith(("/low", "/high")))


def intervals_not_negative(document: Document) -> Iterator[str]:
    """No end of an interval is negative."""
    found = numbers(document["platforms"])
    yield from (f"{path} = {number:g}" for path, number in found if number < 0 and path.endswith(("/low", "/high")))


def intervals_in_order(document: Document) -> Iterator[str]:
    """A value lies within its interval."""
    for path, found in estimates(document["platforms"]):
        ends = [found[key] for key in ("low", "value", "high")]
        if None not in ends and sorted(ends) != ends:
            yield f"{path} = {ends}"


def quantiles_in_order(document: Document) -> Iterator[str]:
    """Quantiles rise, up to the largest value."""
    for path, latencies in _latencies(document["platforms"]):
        values = [(name, latencies[name]["value"]) for name in QUANTILES if latencies.get(name, {}).get("value") is not None]
        yield from (f"{path}: {a} {x:g} > {b} {y:g}" for (a, x), (b, y) in pairwise(values) if x > y * (1 + 1e-9))


def _latencies(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        if "p50" in value:
            yield path, value
        for key, inner in value.items():
            yield from _latencies(inner, f"{path}/{key}")


def utilised_at_most_fully(document: Document) -> Iterator[str]:
    """No CPU, device or thread is busier than always."""
    for name, platform in document["platforms"].items():
        found = {"cpu": platform["cpu"]["utilisation"]["value"]} | platform["bottleneck"].get("resources", {})
        shared = {resource: ratio for resource, ratio in found.items() if resource.removesuffix(".cpu") not in platform["services"]}
        yield from (f"{name}/{resource} = {ratio:.4g}" for resource, ratio in shared.items() if ratio is not None and ratio > 1.0005)


def breakdown_adds_up(document: Document) -> Iterator[str]:
    """The parts of the mean latency sum to it, where every replication answered requests."""
    for name, platform in document["platforms"].items():
        mean, parts = platform["latency_s"]["mean"]["value"], [part for part in platform["breakdown_s"].values() if part is not None]
        if mean and parts and not math.isclose(math.fsum(parts), mean, rel_tol=1e-6, abs_tol=2e-9):
            yield f"{name}: parts {math.fsum(parts):.9g}, mean {mean:.9g}"


def counters_agree(document: Document) -> Iterator[str]:
    """Arrivals are answers, rejections, failures and those under way; Little's law; CPU time used is CPU time given."""
    for name, platform in document["platforms"].items():
        yield from (f"{name}/{law}: {found}" for law, found in platform["checks"].items() if found != "ok")


def instances_add_up(document: Document) -> Iterator[str]:
    """Instances that were started are there, or have ended of some cause."""
    for name, platform in document["platforms"].items():
        if (happened := platform.get("happened")) is not None:
            there = happened["running"]["value"] + sum(ended["value"] for ended in happened["ended"].values())
            if abs(happened["started"]["value"] - there) > 1e-9 * max(there, 1.0):
                yield f"{name}: started {happened['started']['value']}, there or ended {there}"


def ledger_adds_up(document: Document) -> Iterator[str]:
    """What uses memory and what is free are what the host has."""
    for name, platform in document["platforms"].items():
        ledger = platform["memory"]["ledger"]
        total = sum(ledger[f"{part}_bytes"] for part in LEDGER) - ledger["swapped_bytes"]
        if abs(total - ledger["capacity_bytes"]) > 1e-9 * ledger["capacity_bytes"] + 10:
            yield f"{name}: parts {total}, capacity {ledger['capacity_bytes']}"


def memory_is_counted_once(document: Document) -> Iterator[str]:
    """What is promised is one number wherever it stands; what no swap space holds is a part of what does not fit."""
    for name, platform in document["platforms"].items():
        memory = platform["memory"]
        ledger = memory["ledger"]
        if memory["committed_bytes"] != ledger["committed_bytes"]:
            yield f"{name}: committed {memory['committed_bytes']}, in the ledger {ledger['committed_bytes']}"
        if not 0 <= ledger["missing_bytes"] <= ledger["swapped_bytes"]:
            yield f"{name}: missing {ledger['missing_bytes']} of {ledger['swapped_bytes']}"


def events_are_bounded(document: Document) -> Iterator[str]:
    """The work of a run is about what was asked for."""
    for name, platform in document["platforms"].items():
        yield from (f"{name}: {number:g} events" for path, number in numbers(platform["events"]) if number > MOST_EVENTS)


LAWS: Final[Mapping[str, Law]] = {
    law.__name__: law for law in (
        finite, not_negative, intervals_not_negative, intervals_in_order, quantiles_in_order, utilised_at_most_fully, breakdown_adds_up,
        counters_agree, instances_add_up, ledger_adds_up, memory_is_counted_once, events_are_bounded,
    )
}

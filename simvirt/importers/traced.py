"""A scenario from a graph of calls: services with the times that spans have, who calls whom, how often; what is guessed is the load.

*Model*: an operation's own time is CPU time; the way to another service, and what has no span behind it, are delays. Each time is drawn
by itself, from those that were seen: at most `ROWS` quantiles of each, in a table beside the scenario; without a table from a lognormal
distribution of the same mean and spread.
Calls that are made at once begin as late as was seen, times the factor that makes all of them together last as long in the mean as they
did: begins and times that were late in the same request are not late in the same draw.
*Ignores*: waiting for a CPU or a lock inside an operation's own time; load that was there while traces were taken.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from statistics import fmean, pstdev
from typing import Any, Final

from simvirt.catalog import Catalog
from simvirt.catalog.entries.demands import AssumedSpec, DemandEntry
from simvirt.catalog.images import GENERIC
from simvirt.importers import values
from simvirt.importers.callgraph import Graph, Operation, Wait, graph
from simvirt.importers.checking import check
from simvirt.importers.spans import spans_of
from simvirt.importers.writing import comment, commented, flow

ROWS: Final = 200
"""Quantiles of a time in the table."""
LEAST_NS: Final = 1.0
"""Mean below which a time is none."""
DRAWS: Final = 2000
HALVINGS: Final = 12
"""How many draws the factor of begins is found with, and how exactly."""


@dataclass(slots=True)
class Traced:
    """A scenario's text, the table beside it, and how many of its values are assumed."""

    text: str
    table: str
    assumed: int


@dataclass(slots=True)
class _Times:
    """The distributions of a scenario: columns of a table, or laws."""

    table: str | None
    columns: dict[str, list[float]] = field(default_factory=dict)

    def said(self, times: Sequence[int]) -> Any:
        """A distribution of times [ns] as a scenario says it; None where all are nothing."""
        mean = fmean(times) if times else 0.0
        if mean < LEAST_NS:
            return None
        if min(times) == max(times):
            return values.said_time(mean * 1e-9)
        if self.table is None:
            return {"lognormal": {"mean": values.said_time(round(mean) * 1e-9), "cv": round(min(max(pstdev(times) / mean, 0.01), 20), 3)}}
        name = f"t{len(self.columns) + 1}_us"
        self.columns[name] = _quantiles(times)
        return {"empirical": {"file": self.table, "column": name}}

    def written(self) -> str:
        """The table."""
        lines = zip(*self.columns.values(), strict=True)
        rows = [",".join(self.columns), *(",".join(f"{value / 1000:g}" for value in line) for line in lines)]
        return "\n".join(rows) + "\n" if self.columns else ""


def _quantiles(times: Sequence[int]) -> list[float]:
    """`ROWS` values that stand for all: each value as often as it was seen, of more values the means of as many parts."""
    ordered = sorted(times)
    count = len(ordered)
    bounds = [number * count / ROWS for number in range(ROWS + 1)]
    return [fmean(ordered[int(low):max(int(high), int(low) + 1)]) for low, high in pairwise(bounds)]


def traced(kind: str, files: Sequence[str], table: str | None) -> Traced:
    """Traces of a kind as a scenario; the name of the table for its times, None where there is to be none."""
    found = graph(spans_of(files, kind))
    assumed = Catalog.load(None).typed("demands", GENERIC, DemandEntry).assumed
    assert assumed is not None
    check("\n".join(_lines(found, files, assumed, _Times(None))), files[0], {})
    times = _Times(table)
    lines = _lines(found, files, assumed, times)
    return Traced("\n".join(lines) + "\n", times.written(), sum("# assumed" in line for line in lines))


def _lines(found: Graph, files: Sequence[str], assumed: AssumedSpec, times: _Times) -> list[str]:
    """The lines of the scenario."""
    names = _names(found)
    lines = [*_head(found, files), *_host(found, assumed), "platforms: [docker, kvm]", "services:"]
    for service in dict.fromkeys(service for service, _ in found.operations):
        lines += [f"  {names[service]}:", "    operations:"]
        for name, operation in found.operations.items():
            if name[0] == service:
                lines.append(commented(f"      {flow(_plain(name[1]))}:", _seen(operation)))
                lines += [f"        - {flow(step)}" for step in _steps(operation, names, times, found)]
    return [*lines, *_load(found, names, assumed)]


def _names(found: Graph) -> dict[str, str]:
    """Services as a scenario may call them."""
    names: dict[str, str] = {}
    for service, _ in found.operations:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", service).strip("-_")[:80] or "service"
        taken = {name for other, name in names.items() if other != service}
        names.setdefault(service, plain if plain not in taken else f"{plain}-{len(names) + 1}")
    return names


def _plain(operation: str) -> str:
    """An operation as a scenario may call it."""
    return comment(operation).strip()[:150] or "request"


def _head(found: Graph, files: Sequence[str]) -> Iterator[str]:
    """What it is."""
    names = comment(", ".join(os.path.basename(file) for file in files))
    yield f"# Imported from {names}: {found.traces} traces, {len(found.operations)} operations."
    yield "# Who calls whom, how often and how long each takes is what spans say. Own times are taken as CPU time, as no span says what"
    yield "# they are: where services wait for locks or CPUs, they are too long. Measure CPU time beside traces to tell."
    if found.orphans:
        yield f"# {found.orphans} spans have a parent that is in no file: they are taken as what users ask."
    yield "simvirt: 1"
    yield f"name: {flow(comment(os.path.basename(files[0]).partition('.')[0])[:100] or 'traces')}"


def _seen(operation: Operation) -> str:
    """How often an operation was seen, and how long it took in the middle."""
    ordered = sorted(operation.durations)
    return f"seen {operation.count} times, half of them in {values.said_time(ordered[len(ordered) // 2] * 1e-9)}"


def _steps(operation: Operation, names: Mapping[str, str], times: _Times, found: Graph) -> Iterator[dict[str, Any]]:
    """The steps of an operation."""
    some = False
    lengths: list[Sequence[int]] = [*operation.lengths, []]
    for gap, group, length in zip(operation.gaps, [*operation.groups, []], lengths, strict=True):
        if (own := times.said(gap)) is not None:
            yield {"cpu": own}
            some = True
        factor = _factor(group, length, found) if len(group) > 1 else 0.0
        branches = [list(_branch(wait, names, times, factor)) for wait in group]
        branches = [branch for branch in branches if branch]
        if len(branches) == 1:
            yield from branches[0]
        elif branches:
            yield {"parallel": branches}
        some = some or bool(branches)
    if not some:
        yield {"cpu": "0ns"}


def _branch(wait: Wait, names: Mapping[str, str], times: _Times, factor: float) -> Iterator[dict[str, Any]]:
    """The steps of one wait; begins times a factor."""
    steps: list[dict[str, Any]] = []
    for each in ([round(factor * offset) for offset in wait.offsets], wait.times):
        if (said := times.said(each)) is not None:
            steps.append({"delay": said})
    if wait.target is not None:
        steps.append({"call": f"{names[wait.target[0]]}.{_plain(wait.target[1])}"})
    if wait.share < 1 and steps:
        yield {"repeat": steps, "probability": round(wait.share, 6)}
    else:
        yield from steps


def _factor(group: Sequence[Wait], lengths: Sequence[int], found: Graph) -> float:
    """What begins of a group are multiplied by so that all of it lasts as long in the mean as it did, 0 to 1."""
    draws = [_drawn(group, found, Random(seed)) for seed in range(DRAWS)]
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        mean = fmean(max(middle * begin + time for begin, time in draw) for draw in draws)
        low, high = (middle, high) if mean < fmean(lengths) else (low, middle)
    return high if high == 1.0 else (low + high) / 2


def _drawn(group: Sequence[Wait], found: Graph, draws: Random) -> list[tuple[int, int]]:
    """Begin and time of each wait of a group that a request has, each drawn by itself."""
    there = [wait for wait in group if draws.random() < wait.share] or [group[0]]
    callee = [draws.choice(found.operations[wait.target].durations) if wait.target else 0 for wait in there]
    return [(draws.choice(wait.offsets), draws.choice(wait.times) + time) for wait, time in zip(there, callee, strict=True)]


def _cpu_time(found: Graph) -> float:
    """CPU time of a request in the mean [s]."""
    own = sum(sum(map(sum, operation.gaps)) for operation in found.operations.values())
    return own * 1e-9 / max(sum(found.entries.values()), 1)


def _host(found: Graph, assumed: AssumedSpec) -> Iterator[str]:
    """A host with room for the load."""
    cores = int(assumed.cores)
    while cores < 2048 and cores < 2 * float(assumed.rate) * _cpu_time(found):
        cores *= 2
    size = flow({"cores": cores, "memory": values.said_size(int(assumed.memory))})
    yield commented(f"host: {size}", "assumed: no span says where services ran")


def _load(found: Graph, names: Mapping[str, str], assumed: AssumedSpec) -> Iterator[str]:
    """What users ask, as often as it was seen."""
    yield "workload:"
    yield commented(f"  open: {{rate: {assumed.rate:g}/s}}", "assumed: traces are samples; no span says how many requests came")
    yield "  mix:"
    for (service, operation), count in found.entries.items():
        yield commented(f"    {flow(f'{names[service]}.{_plain(operation)}')}: {count}", "seen so often, asked by nobody")
    yield commented(f"objective: {{latency_p99: {values.said_time(assumed.objective * 1e-9)}}}", "assumed: no file says what users expect")
    yield "run: {duration: 2min, replications: 5, seed: 1}"



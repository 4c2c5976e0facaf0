"""What points say of a scenario: the rate at which each operation is executed, and the CPUs that services were using.

*Source*: visit counts and the utilisation law of operational analysis, Denning and Buzen 1978: a resource is busy for its throughput times
    its demand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simvirt.errors import UsageError
from simvirt.measurements.points import Point, refuse
from simvirt.scenario.graph import Name, calls, visits
from simvirt.scenario.spec.models import Scenario

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Observed:
    """Points as the scenario has them: rates of entries and of all operations [per second], cores by service, NaN where not measured."""

    points: Sequence[Point]
    rates: Sequence[Mapping[str, float]]
    visited: Sequence[Mapping[Name, float]]
    cores: Mapping[str, Floats]
    memory: Mapping[str, Floats]
    host: Floats
    unknown: tuple[str, ...] = ()
    """Names in the measurements that are none of the scenario's."""
    errors: Mapping[str, Floats] = field(default_factory=dict)
    alone: Mapping[str, Mapping[Name, float]] = field(default_factory=dict)
    """How often a request of each entry executes each operation."""


def observed(scenario: Scenario, points: Sequence[Point]) -> Observed:
    """The points by the names of the scenario; a mistake where one has no load."""
    if scenario.workloads or scenario.workload is None:
        raise UsageError("fit needs a scenario with one workload, for example workload: {open: {rate: 100/s}, mix: {web.get: 1}}")
    rates = [_rates(scenario, point) for point in points]
    edges = calls(scenario)
    visited = [{name: count * math.fsum(each.values()) for name, count in visits(edges, each).items()} for each in rates]
    services = list(scenario.services)
    names = {name: service_of(name, services) for point in points for name in (*point.cpu_cores, *point.memory_bytes)}
    unknown = tuple(name for name, service in names.items() if service is None)
    used = {service: _column([_sum(point.cpu_cores, names, service) for point in points]) for service in services}
    memory = {service: _column([_sum(point.memory_bytes, names, service) for point in points]) for service in services}
    errors = {service: _column([_error(point, names, service) for point in points]) for service in services}
    host = _column([point.host_cpu for point in points])
    alone = {entry: visits(edges, {entry: 1.0}) for entry in scenario.mix}
    return Observed(points, rates, visited, _measured(used), _measured(memory), host, unknown, errors, alone)


def _column(values: Iterable[float | None]) -> Floats:
    return np.array([math.nan if value is None else value for value in values])


def _measured(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name: column for name, column in columns.items() if not np.isnan(column).all()}


def _sum(values: Mapping[str, float], names: Mapping[str, str | None], service: str) -> float | None:
    """What all replicas of a service take."""
    own = [value for name, value in values.items() if names[name] == service]
    return math.fsum(own) if own else None


def _error(point: Point, names: Mapping[str, str | None], service: str) -> float | None:
    """The standard error of what all replicas take over that, from samples."""
    own = [(value, point.errors.get(name)) for name, value in point.cpu_cores.items() if names[name] == service]
    total = math.fsum(value for value, _ in own)
    if not own or total <= 0 or any(error is None for _, error in own):
        return None
    return math.sqrt(math.fsum((value * (error or 0.0)) ** 2 for value, error in own)) / total


def service_of(name: str, services: Sequence[str]) -> str | None:
    """The service of a container, by the names that Compose, Swarm and Kubernetes give: `shop-web-1`, `shop_web.1.x7k`, `web-5d9f-abc`."""
    if name in services:
        return name
    plain = name.lstrip("/")
    found = [one for one in services if re.search(rf"(?:^|[-_./]){re.escape(one)}(?:$|[-_.][\w.-]*\d[\w.-]*$)", plain)]
    return max(found, key=len, default=None)


def _rates(scenario: Scenario, point: Point) -> dict[str, float]:
    """Requests per second at each entry: by their names where the point tells them, else the mix of the scenario."""
    mix = {name: weight for name, weight in scenario.mix.items() if weight > 0}
    named = {entry: rate for name, rate in point.operations.items() if (entry := entry_of(name, mix)) is not None and rate > 0}
    if named:
        return named
    if not point.throughput_per_s:
        refuse(point.file, point.line, "throughput_per_s", "expected the throughput of requests beside what was used, above 0, for example "
               "400; a load generator's output in the same folder tells it too")
    total = math.fsum(mix.values())
    return {entry: point.throughput_per_s * weight / total for entry, weight in mix.items()}


def entry_of(name: str, mix: Iterable[str]) -> str | None:
    """The operation of the mix that is meant: by its whole name, by the operation's, or by the operation's without a method."""
    entries = list(mix)
    if name in entries:
        return name
    own = [entry for entry in entries if entry.partition(".")[2] == name]
    own = own or [entry for entry in entries if entry.partition(".")[2].split(" ")[-1] == name.split(" ")[-1]]
    return own[0] if len(own) == 1 else None

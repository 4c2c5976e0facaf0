"""How far a scenario reaches: times within the clock, sizes and work within bounds, calls not too deep."""

from __future__ import annotations

from math import ceil
from typing import Iterator, Mapping

from simvirt.scenario.bounds import (
    CHANGES_OF_A_PERIOD,
    CPU_TIME_NS,
    LATEST_NS,
    MOST_CHANGES,
    MOST_GROWN,
    MOST_LEVELS,
    MOST_REQUESTS,
    MOST_SAMPLES,
    MOST_TRANSFER,
)
from simvirt.scenario.graph import Name, callees_first, calls, targets
from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.distributions import AnyDistribution, Empirical
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.steps import AnyStep, CallStep, CpuStep, DelayStep, DiskStep, FilesStep, NetStep, ParallelStep
from simvirt.scenario.spec.workload import OpenSpec
from simvirt.scenario.walk import walk
from simvirt.units import format_size, format_time

Mistake = tuple[Path, str]
"""The path of a value and the message about it."""
CLOCK: str = f"the clock ends after {LATEST_NS / 86400e9:.0f} days"


def beyond(scenario: Scenario) -> Iterator[Mistake]:
    """Everything in a scenario that reaches too far."""
    yield from _too_deep(scenario)
    yield from _too_long(scenario)
    yield from _too_large(scenario)
    yield from _too_often(scenario)
    yield from _too_much_growth(scenario)


def length_ns(scenario: Scenario) -> float | None:
    """How long a run is about [ns]; None where only a simulation can tell."""
    run, workload = scenario.run, scenario.workload
    if run.duration is not None:
        return float(run.duration)
    if run.requests is not None and scenario.workloads:
        rates = [spec.open.mean_rate for spec in scenario.workloads.values() if spec.open is not None]
        return run.requests / sum(rates) * 1e9 if rates else None
    if workload is None or run.requests is None:
        return None
    if workload.open is not None:
        return run.requests / workload.open.mean_rate * 1e9
    return run.requests / workload.closed.clients * _mean(workload.closed.think) if workload.closed is not None else None


def _mean(law: AnyDistribution) -> float:
    """Mean of a distribution [ns], 0 where a file would have to be read for it."""
    return 0.0 if isinstance(law, Empirical) else law.mean


def depths(scenario: Scenario) -> dict[Name, int]:
    """Levels of calls and parallel branches below each operation."""
    found: dict[Name, int] = {}
    for name in callees_first(calls(scenario)):
        service, operation = name
        steps = scenario.services[service].operations[operation]
        found[name] = max((_depth(scenario, visit.step, visit.path, found) for visit in walk(steps)), default=0)
    return found


def _depth(scenario: Scenario, step: AnyStep, path: Path, found: Mapping[Name, int]) -> int:
    """Levels from an operation down to the end of a step at `path` in it."""
    own = path.count("parallel") + isinstance(step, ParallelStep)
    return own + max((1 + found[name] for name in targets(scenario, step)), default=0)


def _too_deep(scenario: Scenario) -> Iterator[Mistake]:
    """Calls of calls beyond the bound, at the first operation from which they are too deep."""
    for (service, operation), depth in depths(scenario).items():
        if depth > MOST_LEVELS:
            yield ("services", service, "operations", operation), (
                f"expected at most {MOST_LEVELS} levels of calls and parallel steps; there are {depth} from here")
            return


def _too_long(scenario: Scenario) -> Iterator[Mistake]:
    """A run, a request or the CPU time of a run beyond the clock."""
    length = length_ns(scenario)
    if length is not None and length > LATEST_NS:
        yield ("run", "requests"), f"{CLOCK}; {scenario.run.requests} requests take some {format_time(length / 1e9)}"
    each = [pool.cpus * pool.slots for pool in scenario.pools.values() if pool.cpus is not None]
    cpus = sum(each) if len(each) == len(scenario.pools) else None
    if length is not None and cpus is not None and length * cpus > CPU_TIME_NS and length <= LATEST_NS:
        most, asked = format_time(CPU_TIME_NS / 1e9), format_time(length * cpus / 1e9)
        yield ("run",), f"expected at most {most} of CPU time in a run; {cpus} CPUs have {asked}"
    for (service, operation), time in _times(scenario).items():
        if time > LATEST_NS:
            yield ("services", service, "operations", operation), f"{CLOCK}; a request takes some {format_time(time / 1e9)}"
            return


def _times(scenario: Scenario) -> dict[Name, float]:
    """Time that a request works and waits in each operation at least on average, calls and repetitions counted [ns]."""
    found: dict[Name, float] = {}
    for service, operation in callees_first(calls(scenario)):
        steps = scenario.services[service].operations[operation]
        found[service, operation] = sum(visit.expected * _time(visit.step, found) for visit in walk(steps) if visit.expected > 0)
    return found


def _time(step: AnyStep, found: Mapping[Name, float]) -> float:
    """Time of one execution of a step, branches left out [ns]."""
    match step:
        case CpuStep():
            return _mean(step.cpu)
        case DelayStep():
            return _mean(step.delay)
        case CallStep():
            return found[step.target]
    return 0.0


def _too_large(scenario: Scenario) -> Iterator[Mistake]:
    """Transfers larger than any device could serve within the clock."""
    for name, service in scenario.services.items():
        bodies = [(("services", name, "operations", operation), steps) for operation, steps in service.operations.items()]
        for where, steps in [(("services", name, "startup"), service.startup), *bodies]:
            for visit in walk(steps, where):
                for key, size in _sizes(visit.step):
                    if size > MOST_TRANSFER:
                        yield (*visit.path, *key), f"expected at most {format_size(MOST_TRANSFER)} at a time; got {format_size(size)}"


def _sizes(step: AnyStep) -> Iterator[tuple[Path, int]]:
    """Bytes that a step moves, with where they are stated in it."""
    if isinstance(step, DiskStep):
        yield ("disk", "read" if step.disk.read is not None else "write"), step.disk.size
    if isinstance(step, FilesStep):
        yield from ((("files", "size"), ceil(step.files.size * step.files.moves)), (("files", "copy_up"), step.files.copy_up))
    if isinstance(step, NetStep):
        yield from ((("net", "out"), step.net.out), (("net", "in"), step.net.in_))


def _too_often(scenario: Scenario) -> Iterator[Mistake]:
    """What happens by itself, and too often in a run."""
    length = length_ns(scenario)
    if length is None:
        return
    every = scenario.run.observe
    if every is not None and length / every > MOST_SAMPLES:
        yield ("run", "observe"), _often(length, every, MOST_SAMPLES, "samples")
    for name, service in scenario.services.items():
        load = service.background
        if load is not None and load.duty < 1 and length / load.period * load.threads * service.replicas > MOST_REQUESTS:
            yield ("services", name, "background", "period"), _often(
                length, load.period, MOST_REQUESTS, "cycles of all its threads", load.threads * service.replicas)
    for name, pool in scenario.pools.items():
        for key in pool.scheduler.model_fields_set:
            value = getattr(pool.scheduler, key)
            if isinstance(value, int) and 0 < value < length / MOST_REQUESTS:
                yield (*scenario.path_of_pool(name), "scheduler", key), _often(length, value, MOST_REQUESTS, "of these times")
    if scenario.workload is not None and scenario.workload.open is not None:
        yield from _changes(scenario.workload.open, length, ("workload", "open"))
    for name, spec in scenario.workloads.items():
        if spec.open is not None:
            yield from _changes(spec.open, length, ("workloads", name, "open"))


def _changes(spec: OpenSpec, length: float, path: Path) -> Iterator[Mistake]:
    """Rates that change too often."""
    if spec.diurnal is not None and length / spec.diurnal.period * CHANGES_OF_A_PERIOD > MOST_CHANGES:
        yield (*path, "diurnal", "period"), _often(length, spec.diurnal.period, MOST_CHANGES // CHANGES_OF_A_PERIOD, "periods")
    if spec.piecewise is not None and length * len(spec.piecewise) > MOST_CHANGES * sum(piece.for_ for piece in spec.piecewise):
        mean = sum(piece.for_ for piece in spec.piecewise) / len(spec.piecewise)
        yield (*path, "piecewise"), _often(length, mean, MOST_CHANGES, "pieces")
    if spec.mmpp is not None and length * len(spec.mmpp.sojourn) > MOST_CHANGES * sum(spec.mmpp.sojourn):
        yield (*path, "mmpp", "sojourn"), _often(length, sum(spec.mmpp.sojourn) / len(spec.mmpp.sojourn), MOST_CHANGES, "states")


def _often(length: float, every: float, most: int, what: str, times: int = 1) -> str:
    """The message about something that happens so many times every so many ns."""
    return (f"expected at most {most:,} {what} in a run; every {format_time(every / 1e9)} in {format_time(length / 1e9)} are more, "
            f"for example {format_time(_rounded_up(times * length / most) / 1e9, 1).replace(' ', '')}")


def _rounded_up(value: float) -> float:
    """A power of ten not below a value."""
    power = 1.0
    while power < value:
        power *= 10
    return power


def _too_much_growth(scenario: Scenario) -> Iterator[Mistake]:
    """A plan for more than a million times the load."""
    plan = scenario.plan
    if plan is not None and plan.growth_factor > MOST_GROWN:
        yield ("plan", "growth"), (
            f"expected a load of at most {MOST_GROWN:,} times today's; {plan.growth:.0%} a year for {plan.years:g} years are "
            f"{plan.growth_factor:.2g} times")

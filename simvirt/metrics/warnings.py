"""What makes a platform's numbers misleading, in sentences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simvirt.metrics.outcome import BEHIND, Growth, Outcome
from simvirt.metrics.saturated import Saturation
from simvirt.metrics.statistics import QUANTILES, quantile_supported
from simvirt.metrics.steadiness import course_of
from simvirt.metrics.summary import memory
from simvirt.scenario.spec.host import SchedulerSpec
from simvirt.scenario.spec.models import Scenario
from simvirt.units import format_time

YEAR_S: Final = 365.25 * 86_400
UNKNOWN: Final = Saturation()


@dataclass(frozen=True)
class Seen:
    """The replications of a platform."""

    scenario: Scenario
    outcomes: Sequence[Outcome]
    most: Saturation = UNKNOWN
    """The maximum throughput, where it is known."""

    @property
    def offered_per_s(self) -> float:
        """What was offered while requests arrived, of the replications whose backlog grew [per second]."""
        return float(np.mean([o.offered_per_s for o in self.growing]))

    @property
    def capacity_per_s(self) -> float:
        """The maximum throughput, or else what was answered meanwhile, which a backlog may lower [per second]."""
        return self.most.per_s or float(np.mean([o.answered_per_s for o in self.growing]))

    @property
    def surely(self) -> bool:
        """Whether more was offered than the maximum throughput may be."""
        highest = self.most.high_per_s if self.most.per_s else None
        return self.offered_per_s > max(BEHIND * self.capacity_per_s, highest or 0.0)

    @property
    def growing(self) -> list[Growth]:
        """The replications whose backlog grew."""
        return [o.unstable for o in self.outcomes if o.unstable is not None]

    @property
    def full(self) -> list[float]:
        """When replications ended because a table was full [s]."""
        return [o.full_at_s for o in self.outcomes if o.full_at_s is not None]


Check = Callable[[Seen], Iterator[str]]


def warnings(seen: Seen) -> Iterator[str]:
    """All of them."""
    yield from seen.outcomes[0].notes
    for of in (_overload, _of_each(_length), _window, _commitments, _limits, _kills, _working_sets, _of_each(_too_few_requests),
               _of_each(_lost_requests)):
        yield from of(seen)


def _of_each(check: Check) -> Check:
    """The same of each workload, by its name where it has one."""
    def checked(seen: Seen) -> Iterator[str]:
        for name, view in seen.scenario.alone.items():
            found = check(Seen(view, [o.of(name) for o in seen.outcomes]))
            yield from (f"{name}: {said}" if name else said for said in found)

    return checked


def _overload(seen: Seen) -> Iterator[str]:
    """More is offered than can be answered."""
    growing = seen.growing
    if 2 * len(growing) > len(seen.outcomes):
        yield f"{_load(seen)}; the numbers of requests and latencies {'grow without end' if seen.surely else 'grew to the end of the run'}"
    if seen.full:
        yield f"ended at {min(seen.full):.3g} s simulated, with a million calls under way; offered load is far beyond capacity"
    cut = [o.simulated_s for o in seen.outcomes if o.cut_off]
    if cut:
        yield f"ended after {min(cut) / YEAR_S:.3g} years simulated, the end of the clock, before all requests were answered"


def _load(seen: Seen) -> str:
    """What is offered, against what can be answered."""
    if not any(one.answered_per_s for one in seen.growing):
        return "requests arrive and none is answered"
    if seen.surely:
        return f"offered load is {seen.offered_per_s / seen.capacity_per_s:.2f} x capacity"
    return "offered load is about the capacity, too near to it to say which is more"


def _length(seen: Seen) -> Iterator[str]:
    """The run is too short for its intervals to be believed."""
    course = course_of(seen.scenario, seen.outcomes)
    if course is None or not course.short:
        return
    asked, factor = seen.scenario.run.requests, course.short_by
    enough = f"duration: {math.ceil(course.needed_s):,}s".replace(",", "") if asked is None else f"requests: {math.ceil(asked * factor)}"
    yield (
        f"the run is too short for its intervals: latencies are alike for some {format_time(course.relaxation_s)}, "
        f"{format_time(course.simulated_s)} are simulated; run.{enough} would do"
    )


def _window(seen: Seen) -> Iterator[str]:
    """A run ended before its warm-up did."""
    early = [o.simulated_s for o in seen.outcomes if o.warmup_s >= o.simulated_s]
    if early:
        yield f"nothing was measured: the run ended at {format_time(min(early))}, before its warm-up did"


def _commitments(seen: Seen) -> Iterator[str]:
    """More memory is committed than there is."""
    found = memory(seen.outcomes)
    if found.committed_bytes > found.capacity_bytes:
        yield f"{_gib(found.committed_bytes)} of memory are committed on a host of {_gib(found.capacity_bytes)}"


def _limits(seen: Seen) -> Iterator[str]:
    """More is taken of something else than there is."""
    for row in seen.outcomes[0].limits:
        if row["demand"] > row["capacity"] and row["resource"] != "memory":
            yield f"the replicas take {row['demand']:,.0f} of {row['resource']}, of which there are {row['capacity']:,.0f}"


def _kills(seen: Seen) -> Iterator[str]:
    """Somebody was killed for want of memory."""
    kills = [kill for o in seen.outcomes if o.reclaim is not None for kill in o.reclaim[1]]
    if kills:
        yield kills[0] + (f", and {len(kills) - 1} more in all replications" if len(kills) > 1 else "")


def _working_sets(seen: Seen) -> Iterator[str]:
    """Memory in use does not fit."""
    found = seen.outcomes[0].ledger
    if not found.fits:
        yield f"{_gib(found.swapped)} of the working sets do not fit into memory"


def _too_few_requests(seen: Seen) -> Iterator[str]:
    """Answers are too few for a mean or for a tail."""
    if not seen.scenario.loaded:
        return
    if all(o.warmup_s >= o.simulated_s for o in seen.outcomes):
        return
    if not any(o.requests for o in seen.outcomes):
        yield "no request was answered after the warm-up"
    elif not all(quantile_supported(o.histogram, QUANTILES["p99"]) for o in seen.outcomes):
        yield "p99 rests on fewer than 10 slower requests in each replication; make the run longer"


def _lost_requests(seen: Seen) -> Iterator[str]:
    """Requests were not answered."""
    if any(o.rejected for o in seen.outcomes):
        yield f"{np.mean([o.rejected for o in seen.outcomes]):.2%} of the requests were rejected; latencies are those of the others"
    if any(o.failed for o in seen.outcomes):
        cut = seen.scenario.failures is not None or any(event.how in ("partition", "loss") for event in seen.scenario.timeline)
        of = "failed" if cut or any(o.guarded is not None for o in seen.outcomes) else "were lost in crashes"
        yield f"{np.mean([o.failed for o in seen.outcomes]):.2%} of the requests {of}"


def short_slices(spec: SchedulerSpec, tick_ns: float, host: str = "host") -> Iterator[str]:
    """Slices that a scenario states and that last until a tick all the same, on a host with such a tick."""
    tick = tick_ns if spec.tick is None else spec.tick
    for name in ("base_slice", "latency", "min_granularity"):
        stated = getattr(spec, name)
        if stated is not None and stated < tick:
            short, long = format_time(stated / 1e9), format_time(tick / 1e9)
            yield f"{host}.scheduler.{name} of {short} is shorter than the tick, {long}; turns last that long: {spec.policy} looks at ticks"


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"

"""What fails: as an event of the timeline, by chance, or as a trace says."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from simvirt.scenario.fields import InnerRatio, Nanoseconds, Number, PositiveNanoseconds, PositiveRatio, Title
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.distributions import Distribution
from simvirt.scenario.spec.migration import WAYS, MigrationEvent, Way
from simvirt.scenario.spec.workload import Column, TimeColumn

How = Literal["power", "kernel-panic", "process", "slow-disk", "partition", "loss", "registry"]
"""What happens to what fails.

`power`: hosts lose it, with all on them. `kernel-panic`: of hosts, or the kernel on which a service's instance runs, a guest's where it is
in a VM, ends with all on it and starts anew. `process`: instances of a service end. `slow-disk`: drives of hosts are slower. `partition`:
hosts do not reach the others. `loss`: messages from and to hosts get lost. `registry`: a registry does not answer.
"""
Clients = Literal["both", "rest", "cut"]
"""On which side of a partition clients are, and what lies outside: they reach both, those that are not cut off, or those that are alone.

What looks after the cluster (an orchestrator's managers) is always on the side of the rest.
"""
OF_HOSTS: Final = ("power", "kernel-panic", "slow-disk", "partition", "loss")
OF_SERVICES: Final = ("process", "kernel-panic")
FAILURES: Final[tuple[str, ...]] = get_args(How)
UNANSWERED_NS: Final = 15_000_000_000
"""Time after which a caller gives up on a host that does not answer [ns]. Source: Envoy, route.RouteAction.timeout: 15 s by default."""
SLOWER: Final = 10.0
"""How many times as long accesses to a slow drive take. Source: Gunawi et al., Fail-Slow at Scale, FAST 2018, section 3: often by a factor
of ten, up to several thousand."""
LOST: Final = 0.05
"""The ratio of messages that get lost. Source: Gunawi et al., Fail-Slow at Scale, FAST 2018, table 3: from a few per cent on."""


RESTARTED: Final = "has no effect: a process that ended is started anew as its restart policy says, for example restart: always"


def refuse_idle(spec: Spec, how: str) -> None:
    """Raises the ValidationError of a word that means nothing in the way in which something fails."""
    for name, needed in (("factor", "slow-disk"), ("ratio", "loss"), ("clients", "partition")):
        if getattr(spec, name) is not None and how != needed:
            refuse(f"has no effect without how: {needed}", name)


class FailEvent(MigrationEvent):
    """Something that fails, and when it is repaired. Times in ns."""

    later: ClassVar[tuple[str, ...]] = (*MigrationEvent.later, "fail", "how", "for_", "factor", "ratio", "clients")
    fail: Title | None = Field(
        default=None, examples=['"node[1]"'],
        description="what fails: hosts by name (node[1], node[0-2]), by pool, zone or label (zone == b); a service; a registry")
    how: Literal[How, Way] = Field(
        default="power", examples=["power"],
        description=f"what happens to what fails ({', '.join(FAILURES)}); or how what moves gets to the other host: its memory crosses "
        "while it runs (pre-copy, the default then), after it has begun to run there (post-copy), one round before and the rest after "
        "(hybrid), while it stands still (stop-and-copy), through a disk (checkpoint), or not: it starts anew elsewhere (restart)")
    for_: PositiveNanoseconds | None = Field(
        default=None, alias="for", examples=["10min"],
        description="time until it is repaired, or reset after a panic; for ever by default, a panic until its kernel has been dumped")
    factor: Annotated[float, Number(1, 1e6, 10, above=True)] | None = Field(
        default=None, description=f"how many times as long accesses to a slow disk take; {SLOWER:g} by default", examples=["10"])
    ratio: PositiveRatio | None = Field(
        default=None, description=f"ratio of messages that get lost; {100 * LOST:g}% by default", examples=["5%"])
    clients: Clients | None = Field(
        default=None, examples=["rest"],
        description="whom clients, and registries outside, reach in a partition: both sides (the default), the rest of the hosts, where an "
        "orchestrator's managers are too, or what is cut off")

    @model_validator(mode="after")
    def _fails(self) -> Self:
        if self.fail is not None and self.how in WAYS:
            refuse(f"is how something moves; expected one of {', '.join(FAILURES)}", "how")
        stray = next((name for name in ("how", "for_", "factor", "ratio", "clients") if name in self.model_fields_set), None)
        if self.fail is None and stray is not None and not (self.moves and stray == "how"):
            refuse('says how something fails, and nothing does; expected fail, for example fail: "node[1]"', stray.rstrip("_"))
        refuse_idle(self, self.how)
        if self.for_ is not None and self.how == "process":
            refuse(RESTARTED, "for")
        return self


class RandomFailureSpec(Spec):
    """What fails by chance, again and again: each host, or each instance of a service, by itself. Times in ns.

    The time from a repair to the next failure has a Weibull distribution: an exponential one with a shape of 1, and below 1 failures that
    come in clusters. Source: Schroeder and Gibson, A large-scale study of failures in high-performance computing systems, DSN 2006:
    shapes of 0.7 to 0.8, times to repair that are lognormal.
    """

    example = "{fail: node, mtbf: 30d, mttr: {exponential: 2h}}"
    fail: Title = Field(description="what fails: hosts, by name, pool, zone or label; a service; a registry", examples=["node"])
    how: How = Field(default="power", description="what happens to it", examples=["kernel-panic"])
    mtbf: PositiveNanoseconds = Field(description="mean time from a repair to the next failure", examples=["30d"])
    shape: Annotated[float, Number(0.1, 10, 0.7)] = Field(default=1.0, description="shape of the distribution of that", examples=["0.7"])
    mttr: Distribution | None = Field(
        default=None, examples=["{exponential: 2h}"],
        description="time to the repair, at random or constant; for a panic until the reset, by default until its kernel has been dumped")
    factor: Annotated[float, Number(1, 1e6, 10, above=True)] | None = Field(
        default=None, description=f"how many times as long accesses to a slow disk take; {SLOWER:g} by default", examples=["10"])
    ratio: PositiveRatio | None = Field(
        default=None, description=f"ratio of messages that get lost; {100 * LOST:g}% by default", examples=["5%"])
    clients: Clients | None = Field(
        default=None, examples=["rest"],
        description="whom clients, and registries outside, reach in a partition: both sides (the default), the rest of the hosts, where an "
        "orchestrator's managers are too, or what is cut off")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse_idle(self, self.how)
        if self.mttr is not None and self.how == "process":
            refuse(RESTARTED, "mttr")
        if self.mttr is None and self.how not in OF_SERVICES:
            refuse("missing (time to the repair), for example mttr: {exponential: 2h}", "mttr")
        return self


class FailureTraceSpec(Spec):
    """Failures of hosts replayed from a CSV file with a header; the unit of a column of times is the suffix of its name."""

    example = "{file: failures.csv, at: at_s, fail: node, for: down_s}"
    file: str = Field(min_length=1, description="a CSV file with a header", examples=["failures.csv"])
    at: TimeColumn = Field(description="column of the instants", examples=["at_s"])
    fail: Column = Field(description="column of the hosts, by their names", examples=["node"])
    for_: TimeColumn = Field(alias="for", description="column of the times to the repairs", examples=["down_s"])
    how: Literal["power", "kernel-panic", "slow-disk", "partition", "loss"] = Field(
        default="power", description="what happens to them", examples=["kernel-panic"])


class FailuresSpec(Spec):
    """What fails by chance, and what failures mean to those who are not hit. Times in ns."""

    example = "{unanswered: 5s, random: [{fail: node, mtbf: 30d, mttr: 2h}]}"
    random: tuple[RandomFailureSpec, ...] = Field(
        default=(), max_length=1000, description="what fails by chance", examples=[f"[{RandomFailureSpec.example}]"])
    trace: FailureTraceSpec | None = Field(
        default=None, description="failures that have happened somewhere", examples=[FailureTraceSpec.example])
    goal: InnerRatio | None = Field(
        default=None, description="ratio of requests to be answered in time; the rest is the error budget", examples=["99.9%"])
    unanswered: Nanoseconds = Field(
        default=UNANSWERED_NS, examples=["5s"], description="time after which callers and clients give up on a host that does not answer")

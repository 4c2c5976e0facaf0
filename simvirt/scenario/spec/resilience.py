"""How callers protect themselves: time limits and deadlines, retries, second copies, breakers, pools of connections."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from simvirt.scenario.fields import Number, PerSecond, PositiveNanoseconds, PositiveRatio, Whole
from simvirt.scenario.spec.base import Spec, refuse

MOST_ATTEMPTS: Final = 100


class BackoffSpec(Spec):
    """The time before a call is sent again."""

    example = "{exponential: 50ms, max: 2s}"
    shorthand = "exponential"
    exponential: PositiveNanoseconds | None = Field(default=None, examples=["50ms"],
                                                    description="before the second try; then it grows by a factor each time")
    constant: PositiveNanoseconds | None = Field(default=None, description="the same before each try", examples=["100ms"])
    factor: Annotated[float, Number(1, 100, 2)] = Field(default=2.0, description="by which an exponential one grows", examples=["1.6"])
    max: PositiveNanoseconds | None = Field(default=None, description="most that an exponential one grows to", examples=["2s"])

    @model_validator(mode="after")
    def _one_kind(self) -> BackoffSpec:
        if (self.exponential is None) == (self.constant is None):
            refuse(f"expected either exponential or constant, for example {self.example}")
        for key in ("factor", "max"):
            if self.constant is not None and key in self.model_fields_set:
                refuse("has no effect on a constant time; expected exponential: 50ms beside it", key)
        if self.max is not None and self.exponential is not None and self.max < self.exponential:
            refuse("expected at least the time before the second try", "max")
        return self

    @property
    def base(self) -> int:
        """Time before the second try [ns]."""
        return self.exponential or self.constant or 0

    @property
    def growth(self) -> float:
        """Factor from one try to the next."""
        return self.factor if self.exponential is not None else 1.0


def _a_ratio(value: object) -> object:
    """A budget's short form, a ratio, as the long one."""
    return {"ratio": value} if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class BudgetSpec(Spec):
    """How many retries a caller may send, over its calls of a window and a reserve. The defaults are those of Finagle and Linkerd."""

    example = "{ratio: 20%, reserve: 10/s, window: 10s}"
    shorthand = "ratio"
    ratio: PositiveRatio = Field(description="retries for each call of the window", examples=["20%"])
    reserve: PerSecond = Field(default=10.0, description="retries that are allowed in any case", examples=["10/s"])
    window: PositiveNanoseconds = Field(default=10_000_000_000, description="how long a call counts", examples=["10s"])


class RetrySpec(Spec):
    """Sending a call again that has failed."""

    example = "{attempts: 3, backoff: {exponential: 50ms}, budget: 20%}"
    attempts: Annotated[int, Whole(2, MOST_ATTEMPTS, 3)] = Field(
        description="tries at most, the first included", examples=["3"])
    backoff: BackoffSpec | None = Field(
        default=None, description="time before the next try, none by default", examples=[BackoffSpec.example])
    jitter: Literal["none", "full", "equal"] = Field(
        default="full", examples=["equal"], description="how much of the back-off is drawn: nothing, all, or half of it")
    budget: Annotated[BudgetSpec, BeforeValidator(_a_ratio)] | None = Field(
        default=None, description="what limits retries over many calls", examples=["20%"])

    @model_validator(mode="after")
    def _jitter_of_something(self) -> RetrySpec:
        if self.backoff is None and "jitter" in self.model_fields_set:
            refuse("has no effect without a back-off; expected backoff: {exponential: 50ms} beside it", "jitter")
        return self


class BreakerSpec(Spec):
    """Refuses calls to a callee that fails."""

    example = "{failures: 5, open: 30s}"
    failures: Annotated[int, Whole(1, 1_000_000, 5)] = Field(description="tries in a row that have to fail before it opens", examples=["5"])
    open: PositiveNanoseconds = Field(description="how long it refuses before it lets one through", examples=["30s"])


def _a_size(value: object) -> object:
    """A pool's short form, its size, as the long one."""
    return {"connections": value} if isinstance(value, int) and not isinstance(value, bool) else value


class PoolSpec(Spec):
    """The connections of a replica to a callee: so many calls at once."""

    example = "{connections: 20, queue: 100}"
    connections: Annotated[int, Whole(1, 10_000_000, 20)] = Field(description="how many there are", examples=["20"])
    queue: Annotated[int, Whole(0, 10_000_000, 100)] | None = Field(
        default=None, description="calls that may wait for one; any number by default", examples=["100"])


class ShedSpec(Spec):
    """Dropping calls that have waited too long while the line of a replica does not empty; the defaults are those of RFC 8289."""

    example = "{target: 5ms, interval: 100ms}"
    target: PositiveNanoseconds = Field(
        default=5_000_000, description="shortest wait of an interval beyond which a replica is overloaded; then it drops what waited "
        "for twice as long", examples=["5ms"])
    interval: PositiveNanoseconds = Field(default=100_000_000, description="how long an interval is", examples=["100ms"])


class LimitSpec(Spec):
    """A limit of the calls at a replica at once, which adapts to how long they take; defaults are those of Netflix's concurrency-limits."""

    example = "{rule: gradient2, initial: 20}"
    shorthand = "rule"
    rule: Literal["gradient2", "aimd", "vegas"] = Field(
        description="how it adapts: by the gradient of mean times, by a time that calls may take, by the line that the least time tells of",
        examples=["gradient2"])
    initial: Annotated[int, Whole(1, 1_000_000, 20)] = Field(default=20, description="the limit at first", examples=["20"])
    min: Annotated[int, Whole(1, 1_000_000, 4)] = Field(default=1, description="the smallest limit", examples=["4"])
    max: Annotated[int, Whole(1, 1_000_000, 200)] = Field(default=1000, description="the largest limit", examples=["200"])
    window: PositiveNanoseconds = Field(
        default=1_000_000_000, description="time over which it looks at calls before it changes, ten of them at least", examples=["1s"])
    smoothing: PositiveRatio = Field(default=0.2, description="gradient2: share of the new limit in the next one", examples=["20%"])
    room: Annotated[int, Whole(0, 10_000, 4)] = Field(default=4, description="gradient2: calls that may stand in line", examples=["4"])
    memory: Annotated[int, Whole(1, 1_000_000, 600)] = Field(
        default=600, description="gradient2: windows of the long average", examples=["600"])
    timeout: PositiveNanoseconds = Field(default=5_000_000_000, description="aimd: how long calls may take in the mean", examples=["100ms"])
    backoff: PositiveRatio = Field(default=0.9, description="aimd: what is left of the limit where they take longer", examples=["90%"])

    @model_validator(mode="after")
    def _of_its_rule(self) -> LimitSpec:
        for rule, keys in OF_RULES.items():
            for key in keys:
                if rule != self.rule and key in self.model_fields_set:
                    refuse(f"has an effect on the rule {rule} alone; expected rule: {rule} beside it", key)
        if not self.min <= self.initial <= self.max:
            refuse(f"expected a limit from {self.min} to {self.max}", "initial")
        return self


OF_RULES: Final = {"gradient2": ("smoothing", "room", "memory"), "aimd": ("timeout", "backoff")}
"""The keys of a limit that only one rule has."""
GUARDS: Final = ("timeout", "deadline", "on_timeout", "retry", "breaker", "pool", "hedge")
"""The keys that guard a call."""


class Guarded(Spec):
    """What can be said of a call, or of the requests of a workload, about what happens when there is no answer."""

    timeout: PositiveNanoseconds | None = Field(default=None, description="how long a try is waited for", examples=["200ms"])
    deadline: PositiveNanoseconds | None = Field(
        default=None, description="how long all tries together are waited for; calls made meanwhile stop then too", examples=["1s"])
    on_timeout: Literal["orphan", "cancel"] | None = Field(
        default=None, examples=["cancel"],
        description="what becomes of a try that nobody waits for any more: it goes on to its end (by default), or stops at its next step")
    retry: RetrySpec | None = Field(default=None, description="sending it again", examples=[RetrySpec.example])
    breaker: BreakerSpec | None = Field(default=None, description="refusing it while it fails", examples=[BreakerSpec.example])
    pool: Annotated[PoolSpec, BeforeValidator(_a_size)] | None = Field(
        default=None, description="connections that calls share", examples=["20"])
    hedge: PositiveNanoseconds | None = Field(
        default=None, description="time without an answer after which a second copy is sent; the first answer counts", examples=["20ms"])

    @model_validator(mode="after")
    def _guards_act(self) -> Guarded:
        limits = [limit for limit in (self.timeout, self.deadline) if limit is not None]
        if self.on_timeout is not None and not limits and self.hedge is None:
            refuse("has no effect without a time limit; expected timeout: 200ms beside it", "on_timeout")
        if self.hedge is not None and limits and self.hedge >= min(limits):
            refuse("expected less than the time limit, after which nobody waits any more", "hedge")
        return self

    @property
    def guard(self) -> Guarded | None:
        """What guards it, apart from all else; None where nothing does."""
        given = {key: getattr(self, key) for key in GUARDS}
        if all(value is None for key, value in given.items() if key != "on_timeout"):
            return None
        return Guarded.model_construct(**given)

    @property
    def tries(self) -> int:
        """Tries at most, second copies included."""
        return (self.retry.attempts if self.retry is not None else 1) + (self.hedge is not None)

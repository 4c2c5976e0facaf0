"""The document of `simvirt density`: how many instances each platform holds, what ends it, and the curve."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import (
    UNKNOWN,
    CpuShares,
    Document,
    Estimate,
    Judgement,
    Latency,
    MemoryLedger,
    Number,
    Program,
    ScenarioName,
    Utilisations,
)


class CountedUnit(Document):
    """What n counts, and what each instance brings."""

    service: str | None = Field(description="replicas of this service, or `null` for copies of all services")
    rate_per_s: Number | None = Field(description="requests per second of each, `null` for clients")
    clients: int | None = Field(description="clients of each, `null` for arrivals")
    max: int = Field(description="where the search ends")


class ReliefResult(Document):
    """What became of n + 1 when a resource was doubled."""

    resource: str = Field(description="what was doubled")
    times: int = Field(description="how many times of it were tried")
    holds: bool = Field(description="whether the objective holds then")
    check: str = Field(default="", description="the limit that was nearest to being missed, or missed by most")
    limit: Number | None = Field(default=None, description="that limit")
    value: Number | None = Field(default=None, description="the predicted value")


class BindingResult(Document):
    """What n + 1 fails."""

    resource: str = Field(description="the resource that binds")
    check: str = Field(
        description="a limit of the objective, `overload`, `oom` where an OOM killer acted, or a hard bound"
    )
    why: str = Field(description="the evidence")
    reliefs: tuple[ReliefResult, ...] = Field(description="what doubling each candidate does, the most helpful first")


class BoundResult(Document):
    """The largest n that a resource allows."""

    resource: str = Field(description="which")
    n: int = Field(description="the largest n")
    hard: bool = Field(description="whether it is certain; otherwise it is where the resource would be used up")
    why: str = Field(description="the evidence")


class HostAnswer(Document):
    """A host at the answer."""

    replicas: int = Field(description="how many of the replicas that are counted stand on it")
    ended_by: str = Field(description="what ends it: of what it has, that of which there is least left for more of them")
    holds: int = Field(description="with how many of them that would be used up")
    cpu: Number = Field(description="ratio of its CPU time in use")
    disk: Number = Field(description="utilisation of its disk")
    nic: Number = Field(description="utilisation of its NIC, of the direction that is used more")
    memory_bytes: int = Field(description="memory that is needed on it")
    capacity_bytes: int = Field(description="its physical memory")


class MemoryAt(Document):
    """Memory at the answer [bytes]."""

    capacity_bytes: int = Field(description="physical memory of the host")
    committed_bytes: int = Field(description="what is promised")
    demand_bytes: int = Field(description="the sum of the parts")
    ledger: MemoryLedger = Field(description="what holds the host's memory")


class Judged(Document):
    """A limit of the objective, the value with its 95 % interval, and what that says [s, per s, ratio]."""

    limit: Number = Field(description="the limit at this n")
    value: float | None = Field(description="the predicted value")
    low: float | None = Field(description="lower end of its 95 % interval")
    high: float | None = Field(description="upper end of its 95 % interval")
    verdict: Judgement = Field(description="`undecided` where the limit lies inside the interval")
    longer: Number | None = Field(default=None, description="where undecided: how many times as many replications are likely to tell")
    setting: str | None = Field(default=None, description="where undecided: what to `--set` for that")


class Measures(Document):
    """What was simulated at an n; absent where nothing was, and the numbers where every replication was aborted."""

    replications: int = Field(default=0, description="replications")
    given_up: int = Field(
        default=0, description="those among them that were aborted as hopeless; their numbers are not used"
    )
    overload: bool = Field(default=False, description="whether requests arrive faster than they are answered")
    simulated_s: Number = Field(default=0.0, description="simulated time of a replication")
    requests: int = Field(default=0, description="requests answered in the window of a replication, on average")
    latency_s: Latency | None = Field(default=None, description="from the intended arrival of a request to its answer")
    throughput_per_s: Estimate = Field(default=UNKNOWN, description="answers per second")
    rejected: Estimate = Field(default=UNKNOWN, description="ratio of requests rejected")
    cpu: CpuShares | None = Field(default=None, description="shares of CPU time")
    resources: Utilisations = Field(default={})
    objective: Mapping[str, Judged] = Field(default={}, description="each limit of the objective")


class PointHead(Document):
    """Which point of a curve."""

    n: int = Field(description="instances")
    verdict: Judgement = Field(
        description="whether the objective holds with 95 % confidence; `undecided` where a limit lies inside its "
        "interval"
    )


class PointResult(Measures, PointHead):
    """One n that was simulated."""

    memory_bytes: int = Field(description="memory that n instances take")


class AnswerHead(Document):
    """The answer in short."""

    n: int = Field(description="the largest number that holds; 0 where not even one instance does")
    binding: BindingResult = Field(description="what n + 1 fails")
    second: BoundResult | None = Field(description="the next of the bounds, `null` where there is none")


class AnswerResult(Measures, AnswerHead):
    """The answer of one platform, with what was simulated at n."""

    memory: MemoryAt = Field(description="memory at n")
    bounds: tuple[BoundResult, ...] = Field(description="what n cannot exceed")
    hosts: Mapping[str, HostAnswer] = Field(default={}, description="with several hosts: each of them at n, by its name")
    curve: tuple[PointResult, ...] = Field(description="every n that was simulated, ascending")
    simulations: int = Field(description="how many simulations were run")
    wall_s: Number = Field(description="wall-clock time of the search")
    open_to: int | None = Field(
        default=None, description="where the work of a search was spent before its end: the least n that is known not to hold, else `null`"
    )


class DensityDocument(Document):
    """What `simvirt density` prints with `--format json`."""

    simvirt: Program = Field(description="what made the document")
    answer: str = Field(default="", description="the answer to the scenario's question in a sentence")
    scenario: ScenarioName = Field(description="which scenario was asked about")
    seed: int = Field(description="seed of all random streams")
    unit: CountedUnit = Field(description="what n counts")
    objective: Mapping[str, Number] = Field(description="the limits as the scenario states them [s, per s, ratio]")
    confidence: Number = Field(description="confidence of the verdicts")
    simulations: int = Field(description="how many simulations were run, replications and doubled resources included")
    wall_s: Number = Field(description="wall-clock time of the command")
    density: Mapping[str, AnswerResult] = Field(description="an answer for each platform, by name")
    assumptions: tuple[str, ...] = Field(default=(), description="what was assumed where the scenario does not say it")
    warnings: tuple[str, ...] = Field(description="messages that say what makes the numbers misleading")
    failed: Mapping[str, str] = Field(default={}, description="platforms without an answer, by name, and why")
    interrupted: bool = Field(
        default=False, description="`true` where Ctrl-C ended the search: only platforms that are answered are in it"
    )

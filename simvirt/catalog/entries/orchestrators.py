"""What acts on the instances of a scenario while it runs: which rules it follows, and the periods and bounds of these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.sourced import Period, Share, SourcedRatio, SourcedTime, SourcedWhole, within

Acts = Annotated[str, Field(min_length=1, max_length=50)]

Attempts = Annotated[int, Field(ge=0, le=1_000_000)]


class OrchestratorEntry(Entry):
    """An orchestrator: the rules that it follows (`acts`, a file of `control/orchestrators`) and its constants.

    `notice` is how long a change takes to reach its decisions, `sync` the period after which it looks again whatever happens, none where
    it does not. `start_delay` passes between a decision and the first phase of a start (an agent on the host has to learn of it); where
    that agent `looks` at what runs there once in a period, at instants of its own, it learns at the next that an instance is up or gone.
    `publish` between an instance's being ready and the first request to it. `grace` is how long a stopped instance may take to end.
    A failed one is started again where it stood after `backoff`, which grows by `backoff_factor` with each restart up to `backoff_most`
    and is as at first after a run of `backoff_reset`. A host that does not answer counts as lost after `lost`, never without it; after
    `evict` more its tasks are given up for others elsewhere, never without it. `depends_on` is whether starts wait for those of other
    services. `reserves` is what hosts keep free for instances: nothing, what services reserve, or what they request, which is as large as
    a limit without one. `places` is the policy by which hosts are chosen.
    `attempts` is how often a failed one is started again where it stood, `survives` after the loss of how many hosts all must find room.
    A rollout without progress for `progress` is said to be stalled.
    What a disruption budget does not let go is asked to go again every `evict_again`; without it budgets are not looked at.
    Every `balance` it looks whether hosts are loaded unevenly, and moves VMs where the imbalance has a priority up to `threshold` (1: only
    where a rule is broken, 5: at the slightest). Each `step` of the standard deviation of loads, times the root of the number of hosts,
    is a priority. Of the memory of a VM that is not in use a share `idle` counts as demanded. From and to one host `moves` begin at a
    look, or as many as end before the next.
    `unhealthy` is what becomes of an instance whose checks fail: it `ends`, and has failed; nothing without it.
    `priorities` is what priorities of services do: those of higher ones find hosts first, or also drive others out where there is no room.
    """

    acts: Acts
    notice: SourcedTime | None = None
    sync: SourcedTime | None = None
    start_delay: SourcedTime | None = None
    looks: Period | None = None
    publish: SourcedTime | None = None
    grace: SourcedTime | None = None
    backoff: SourcedTime | None = None
    backoff_factor: SourcedRatio | None = None
    backoff_most: SourcedTime | None = None
    backoff_reset: SourcedTime | None = None
    depends_on: bool = True
    lost: SourcedTime | None = None
    places: Literal["spread", "kubernetes", "first-fit", "best-fit", "worst-fit"] = "spread"
    attempts: Attempts | None = None
    survives: Attempts | None = None
    evict: SourcedTime | None = None
    unhealthy: Literal["ends"] | None = None
    reserves: Literal["reservations", "requests"] | None = None
    evict_again: SourcedTime | None = None
    progress: SourcedTime | None = None
    priorities: Literal["orders", "preempts"] | None = None
    balance: Period | None = None
    threshold: Annotated[int, Field(ge=1, le=5)] | None = None
    step: Annotated[SourcedRatio, within(0.001, 1)] | None = None
    idle: Share | None = None
    moves: Annotated[SourcedWhole, within(1, 1000)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> OrchestratorEntry:
        names = ("balance", "threshold", "step", "idle", "moves")
        if 0 < sum(getattr(self, name) is not None for name in names) < len(names):
            raise ValueError(f"expected all of {', '.join(names)}, or none of them")
        return self

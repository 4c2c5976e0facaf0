"""The autoscaler of services by what they are asked, as Knative has it: a tick decides on averages over a stable and a panic window.

*Model*: requests under way, or that come, are sampled every `sampling`; every `sync` the rule (`orchestration/kpa.py`) says how many
    replicas are wanted, at the share `utilisation` of what one of them is to have. Each period begins at an instant drawn for it. The last
    replica goes no sooner than a stable window after the first one was wanted.
*Ignores*: the time of a scale to zero in which the path is switched to the buffer.
*Source*: knative/serving pkg/autoscaler; constants by entry (data/autoscalers.yaml).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from simvirt.catalog.entries.autoscalers import AutoscalerEntry
from simvirt.control.demand import OF_DEMAND, Demands
from simvirt.control.metrics_server import SECOND
from simvirt.control.orchestrate import Orchestration
from simvirt.control.periods import every
from simvirt.control.records import Measured
from simvirt.control.zero import Zero
from simvirt.orchestration.kpa import Rules, State, decide
from simvirt.scenario.spec.autoscale import AutoscaleSpec
from simvirt.scenario.spec.services import ServiceSpec
from simvirt.workload.streams import SYNCS, Phases

SAMPLES, LOOKS = 3, 2
"""What a period is of."""


@dataclass
class Concurrency:
    """The services that one entry of Knative's kind scales."""

    orchestration: Orchestration
    entry: AutoscalerEntry
    services: Mapping[str, ServiceSpec]
    states: dict[str, State] = field(default_factory=dict)
    active: dict[str, float] = field(default_factory=dict)  # service: since when some replica is wanted [s]

    def __post_init__(self) -> None:
        self.demands = Demands(self.orchestration.cluster.plane, float(self.entry.stable or 0.0) / SECOND)

    def begin(self, phases: Phases) -> None:
        """Let all periods begin."""
        clock, known = self.orchestration.cluster.clock, self.orchestration.cluster.plane.lowered.services
        for name, spec in self.services.items():
            assert spec.autoscale is not None
            if spec.autoscale.min == 0:
                Zero(self.orchestration, name, int(self.entry.buffer or 0), None).begin()
            row = known.index(name)
            clock.process(every(clock, float(self.entry.sampling), phases.of(SYNCS, SAMPLES, row), partial(self.demands.sample, name)))
            clock.process(every(clock, float(self.entry.sync), phases.of(SYNCS, LOOKS, row), partial(self._tick, name, spec.autoscale)))

    def _tick(self, name: str, asked: AutoscaleSpec) -> None:
        """Decide how many replicas of a service are wanted."""
        what, each = asked.target.by_demand[0]
        stable, panic = (self.demands.mean(name, what, float(window or 0.0) / SECOND) for window in (self.entry.stable, self.entry.panic))
        of = self.orchestration.ledger[name]
        if stable is None or panic is None or (stable > 0.0 and not of.wanted.replicas and not self._waits(name)):
            return
        ready, rules = sum(task.phase == "ready" for task in of.tasks.values()), rules_of(self.entry, each)
        found, self.states[name] = decide(self.states.get(name, State()), stable, panic, ready, rules, self.orchestration.now / SECOND)
        found = max(found, self._least(name, of.wanted.replicas))
        wanted = min(max(found, asked.min), asked.max)
        if wanted != of.wanted.replicas:
            panics = self.states[name].since_s is not None
            window_s, seen = (float((self.entry.panic if panics else self.entry.stable) or 0.0) / SECOND, panic if panics else stable)
            limited = "TooManyReplicas" if found > asked.max else "TooFewReplicas" if found < asked.min else None
            saw = Measured(seen / max(ready, 1) / each, window_s, self.demands.age_s(name), found, limited)
            why = f"{seen:.4g} {OF_DEMAND[what]} of {rules.target:g} each{', it panics' if panics else ''}"
            self.orchestration.scale(name, wanted, why, saw)

    def _least(self, name: str, wanted: int) -> int:
        """One where some replica has not been wanted for a whole stable window, else none."""
        now_s = self.orchestration.now / SECOND
        since = self.active.setdefault(name, now_s) if wanted else now_s
        if not wanted:
            self.active.pop(name, None)
        return int(wanted > 0 and now_s - since < float(self.entry.stable or 0.0) / SECOND)

    def _waits(self, name: str) -> bool:
        """Whether a request waits for a replica."""
        plane = self.orchestration.cluster.plane
        return int(plane.read("services", "line_length")[plane.lowered.services.index(name)]) > 0


def rules_of(entry: AutoscalerEntry, each: float) -> Rules:
    """What an entry says, where a replica may have so much."""
    assert entry.stable is not None and entry.threshold is not None and entry.up_rate is not None and entry.down_rate is not None
    share = 1.0 if entry.utilisation is None else float(entry.utilisation)
    return Rules(each * share, entry.stable / SECOND, float(entry.threshold), float(entry.up_rate), float(entry.down_rate))

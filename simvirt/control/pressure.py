"""The kubelet of a host, which ends pods where memory is short: whom, when, and what becomes of the host meanwhile.

*Model*: at every look one pod goes while a threshold is met (`simvirt.orchestration.eviction`), in the kubelet's order. Under an
    orchestrator whose agents are kubelets it has ended, and another one is started where there is room; else it starts again where it
    stood. A host under pressure gets no pods that request nothing.
*Ignores*: time of grace of pods, which ends at once (eviction-max-pod-grace-period: 0); thresholds of disk; static and critical pods.
*Source*: kubernetes/kubernetes pkg/kubelet/eviction/eviction_manager.go; Kubernetes documentation, Node-pressure Eviction.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simvirt.clock import Clock
from simvirt.memory.boxes import Box
from simvirt.memory.eviction import pods
from simvirt.memory.host_memory import HostMemory
from simvirt.memory.killers import Kill, size
from simvirt.memory.seen import available
from simvirt.orchestration.eviction import Candidate, Pressure, Threshold, eviction_order, observed
from simvirt.scenario.spec.memory_demand import EvictionSpec

SECOND = 1e9
"""Nanoseconds of a second."""


@dataclass
class Kubelet:
    """What a kubelet remembers from look to look: when it looks next [ns], what it has observed."""

    spec: EvictionSpec
    host: int
    next: int = 0
    pressure: Pressure = field(default_factory=Pressure)
    condition: bool = False

    @property
    def thresholds(self) -> list[Threshold]:
        """The hard threshold, and the soft one where there is one."""
        more = float(self.spec.minimum_reclaim)
        hard = Threshold(float(self.spec.memory_available), 0.0, more)
        return [hard] if self.spec.soft is None else [hard, Threshold(float(self.spec.soft), (self.spec.grace or 0) / SECOND, more)]

    def waits(self, memory: HostMemory) -> bool:
        """Whether its next look may end a pod or change the condition of its host, while everything stays as it is."""
        return self.condition or any(available(memory) < one.least + one.minimum for one in self.thresholds)

    def look(self, clock: Clock, memory: HostMemory) -> list[Kill]:
        """The pod that it ends now, where it looks and finds memory short."""
        if clock.now < self.next:
            return []
        self.next = int(clock.now) // self.spec.every * self.spec.every + self.spec.every
        left, now_s = available(memory), clock.now / SECOND
        self.pressure = observed(self.thresholds, self.pressure, left, now_s)
        self._tell(clock, self.pressure.holds(now_s, self.spec.transition / SECOND))
        victim = self._victim(clock, memory, left) if self.pressure.acts else None
        return [] if victim is None else [victim]

    def _tell(self, clock: Clock, pressed: bool) -> None:
        """The condition of the host is otherwise from now on."""
        if pressed != self.condition:
            self.condition = pressed
            if clock.starts is not None:
                clock.starts.pressed(self.host, pressed)

    def _victim(self, clock: Clock, memory: HostMemory, left: float) -> Kill | None:
        """The pod that goes first."""
        boxes, candidates = dict[str, Box](), list[Candidate]()
        for box, used, asked in pods(memory):
            boxes[box.name] = box
            candidates.append(Candidate(box.name, asked, used, self._priority(clock, box.replicas[0].row)))
        if not candidates:
            return None
        first = eviction_order(candidates)[0]
        box, used = boxes[first.name], first.used
        until = max(one.least for one, met in zip(self.thresholds, self.pressure.met, strict=True) if met) + self.spec.minimum_reclaim
        excess = "exceeds its request most" if used > first.requested else "is the first of those within their requests"
        rank = f" of priority {first.priority}" if first.priority else ""
        why = f"memory.available is {size(left)}, below {size(until)}; its working set of {size(used)}{rank} {excess}"
        return Kill(tuple(replica for replica in box.replicas if replica.live), why)

    def _priority(self, clock: Clock, row: int) -> int:
        """How important the service of an instance is to what orchestrates it."""
        return 0 if clock.starts is None else clock.starts.priority_of(row)

"""Pods of a Deployment on nodes, one after the other: nominated nodes first, then any, then room made by preemption.

*Model*: room that is being made for pods of the same or a higher priority counts as taken. A pod for which some is being made waits until
    the victims have ended, and takes another node where one has room before. What has room nowhere preempts where it may; a pod that may
    not, or finds no victims, waits.
*Ignores*: back-offs of pods that found no node: they are tried again when a pod ends or a node changes.
*Source*: kubernetes/kubernetes pkg/scheduler/schedule_one.go, framework/runtime (RunFilterPluginsWithNominatedPods),
    framework/plugins/defaultpreemption (PodEligibleToPreemptOthers); Kubernetes documentation, Pod Priority and Preemption.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.budgets import allowed
from simvirt.control.orchestrators.interface import Action, Pending, Preempt, Seen, Start, Wanted
from simvirt.placement import POLICIES, Asked, Hosts, asked_by, choose, reserved_by
from simvirt.placement.preemption import Standing, fits, preempted


def scheduled(wanted: Wanted, seen: Seen, constants: OrchestratorEntry, slots: Sequence[int]) -> Iterator[Action]:
    """Starts in some slots, room that is made for others, until nothing more can be done."""
    if slots:
        yield from _Queue(wanted, seen, constants).scheduled(slots)


@dataclass(frozen=True)
class _Queue:
    """The pods of a service that wait for nodes."""

    wanted: Wanted
    seen: Seen
    constants: OrchestratorEntry

    @cached_property
    def asked(self) -> Asked:
        """What each of them needs."""
        return asked_by(self.wanted.service, self.wanted.version.spec, self.constants.reserves)

    @cached_property
    def hosts(self) -> Hosts:
        """The nodes, with room that is being made for others counted as taken."""
        hosts = self.seen.hosts.only(self.seen.able)
        for name, slots in self.seen.nominated.items():
            other = self.seen.wants[name]
            for host in slots.values() if other.priority >= self.wanted.priority else ():
                hosts.add(name, host, reserved_by(other.version.spec, self.constants.reserves))
        return hosts

    @property
    def nominated(self) -> Mapping[int, int]:
        """The nodes on which room is being made, by slot."""
        return self.seen.nominated.get(self.wanted.service, {})

    def scheduled(self, slots: Sequence[int]) -> Iterator[Action]:
        """What becomes of each pod; all after one for which nothing can be done are like it."""
        for slot in sorted(slots, key=lambda slot: slot not in self.nominated):
            node = self.nominated.get(slot)
            if node is not None:
                self.hosts.remove(self.wanted.service, node, self.asked.reserves)
            action = self._placed(slot, node)
            yield action
            if isinstance(action, Pending) and node is None:
                return

    def _placed(self, slot: int, node: int | None) -> Action:
        """A pod starts on its nominated node, or on the best one; else room is made for it, or it waits."""
        if node is not None and fits(self.hosts, self.asked, node):
            return self._start(slot, node, "room was made for it")
        choice = choose(self.hosts, self.asked, POLICIES[self.constants.places])
        if choice.host is not None:
            return self._start(slot, choice.host, choice.reason)
        if node is not None and self._are_ending(node):
            self._take(node)
            return Pending(slot, choice.reason)
        return self._preempting(slot, choice.reason)

    def _start(self, slot: int, host: int, why: str) -> Start:
        self._take(host)
        return Start(slot, self.wanted.version, host, why)

    def _take(self, host: int) -> None:
        """Room on a node is taken."""
        self.hosts.add(self.wanted.service, host, self.asked.reserves)

    def _are_ending(self, node: int) -> bool:
        """Whether less important pods are on their way out of a node."""
        return any(one.host == node and one.phase == "stopping" for name in self._lesser for one in self.seen.others[name])

    @cached_property
    def _lesser(self) -> list[str]:
        """The services that are less important and have pods."""
        return [
            name for name, other in self.seen.wants.items() if other.priority < self.wanted.priority and self.seen.others.get(name)]

    def _preempting(self, slot: int, reason: str) -> Action:
        """Room is made for a pod where that costs least, if it may be."""
        price = None
        if self.constants.priorities == "preempts" and self.wanted.preempts and self._lesser:
            price = preempted(self.hosts, self.asked, self.wanted.priority, self._standing, allowed(self.seen))
        if price is None:
            return Pending(slot, reason)
        self._take(price.host)
        return Preempt(slot, price.host, tuple((one.service, one.number) for one in price.victims), f"{reason}; room is made for it")

    @cached_property
    def _standing(self) -> dict[int, list[Standing]]:
        """The less important pods on each node, the nodes in their order."""
        found: dict[int, list[Standing]] = {}
        for name in self._lesser:
            priority = self.seen.wants[name].priority
            for one in self.seen.others[name]:
                found.setdefault(one.host, []).append(
                    Standing(one.number, name, priority, one.asked_at, self.seen.kept.get(one.number, {})))
        return dict(sorted(found.items()))

"""What is worse for a while, and takes nothing with it: slow drives, hosts that do not reach others, registries that do not answer.

*Model*: accesses to a slow drive take a factor longer, several causes multiply. Hosts that are cut off reach each other, and no other host;
    clients and what lies outside reach both sides, or one. What is sent across a cut, calls, answers and large transfers alike, does
    not pass while it lasts. Of a host that loses messages, each from and to other hosts is lost at a ratio, the worst of its causes.
*Ignores*: that large transfers lose packets too.
*Source*: Gunawi et al., Fail-Slow at Scale, FAST 2018; Alquraan et al., An Analysis of Network-Partitioning Failures in Cloud Systems,
    OSDI 2018.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from simvirt.control.cluster import Cluster
from simvirt.control.detection import Detection
from simvirt.control.lifecycle import Process
from simvirt.control.outages import Outage
from simvirt.workload.streams import FAILURES, MESSAGES, stream

LOTTERIES: Final = 2**31 - 2
"""States that the draws of lost messages may begin in."""


@dataclass(eq=False)
class Cut:
    """A partition: the hosts that are cut off from the rest, and the side of clients: True with those, False with the rest, None both."""

    hosts: frozenset[int]
    clients: bool | None


SIDES: Final[dict[str, bool | None]] = {"both": None, "rest": False, "cut": True}
"""The side of clients by its name."""


@dataclass
class Impairments:
    """What is worse now: factors of each host's drives, cuts, ratios of each host's losses, how many causes silence a registry."""

    cluster: Cluster
    detection: Detection
    _slower: dict[int, list[float]] = field(default_factory=dict)
    _cuts: list[Cut] = field(default_factory=list)
    _losses: dict[int, list[float]] = field(default_factory=dict)
    _silent: Counter[str] = field(default_factory=Counter)

    def slow_disk(self, host: int, factor: float, lasts: int | None) -> Process:
        """The drives of a host take so much longer."""
        self._told("slow-disk", self.cluster.name_of(host))
        self._slower.setdefault(host, []).append(factor)
        self._set_pace(host)
        if lasts is not None:
            yield self.cluster.clock.timeout(lasts)
            self._slower[host].remove(factor)
            self._set_pace(host)

    def _set_pace(self, host: int) -> None:
        plane = self.cluster.plane
        first = plane.read("hosts", "first_disk").tolist()
        end = first[host + 1] if host + 1 < len(first) else len(plane.read("disks", "slow"))
        for disk in range(first[host], end):
            plane.set_condition("disks", disk, slow=math.prod(self._slower[host]))

    def partition(self, hosts: Sequence[int], lasts: int | None, clients: str = "both") -> Process:
        """Some hosts do not reach the others, and clients reach one side or both."""
        cut = Cut(frozenset(hosts), SIDES[clients])
        outage = self._told("partition", ", ".join(map(self.cluster.name_of, hosts)))
        self._cuts.append(cut)
        self._divide()
        self.cluster.clock.process(self.detection.of_cut(hosts, outage, lasts, cut.clients))
        if lasts is not None:
            yield self.cluster.clock.timeout(lasts)
            self._cuts.remove(cut)
            self._divide()

    def _divide(self) -> None:
        """Hosts reach each other that are on the same side of every cut, clients those that no cut keeps from them."""
        plane, sides = self.cluster.plane, dict[tuple[bool, ...], int]()
        of_hosts = [tuple(host in cut.hosts for cut in self._cuts) for host in range(len(plane.lowered.hosts))]
        clients = tuple(cut.clients for cut in self._cuts)
        for host, side in enumerate(of_hosts):
            shut = any(where is not None and where != mine for where, mine in zip(clients, side, strict=True))
            plane.set_condition("hosts", host, island=sides.setdefault(side, len(sides)), shut=int(shut))
        plane.set_condition("run", 0, shut=int(any(where is not None for where in clients)))
        if (network := self.cluster.network) is not None:
            names = {self.cluster.name_of(host): side for host, side in enumerate(of_hosts)}
            network.divide({**names, **dict.fromkeys(network.topology.outside, clients)})

    def loss(self, hosts: Sequence[int], ratio: float, lasts: int | None) -> Process:
        """Messages from and to some hosts get lost."""
        self._told("loss", ", ".join(map(self.cluster.name_of, hosts)))
        for host in hosts:
            self._losses.setdefault(host, []).append(ratio)
            self._set_loss(host)
        if lasts is not None:
            yield self.cluster.clock.timeout(lasts)
            for host in hosts:
                self._losses[host].remove(ratio)
                self._set_loss(host)

    def _set_loss(self, host: int) -> None:
        plane = self.cluster.plane
        if int(plane.read("hosts", "lottery")[host]) == 1:
            drawn = stream(plane.seed, plane.replication, FAILURES, MESSAGES, host).integers(1, LOTTERIES)
            plane.set_condition("hosts", host, lottery=int(drawn))
        plane.set_condition("hosts", host, loss=max(self._losses[host], default=0.0))

    def registry(self, name: str, lasts: int | None) -> Process:
        """A registry does not answer."""
        self._told("registry", name)
        self._silent[name] += 1
        self._set_up(name)
        if lasts is not None:
            yield self.cluster.clock.timeout(lasts)
            self._silent[name] -= 1
            self._set_up(name)

    def _set_up(self, name: str) -> None:
        if self.cluster.fetch is not None:
            self.cluster.fetch.answers(name, self._silent[name] == 0)

    def _told(self, how: str, where: str) -> Outage:
        return self.cluster.record(Outage(int(self.cluster.clock.now), how, where))

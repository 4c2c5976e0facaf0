"""What is worse for a while, and takes nothing with it: slow drives, hosts that do not reach others, registries that do not answer.

*Model*: accesses to a slow drive take a factor longer, several causes multiply. Hosts that are cut off reach each other and their clients,
    and no other host; of a host that loses messages, each message from and to other hosts is lost at a ratio, the worst of its causes.
*Ignores*: that large transfers cross a cut, and lose nothing; requests of clients cross none.
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


@dataclass
class Impairments:
    """What is worse now: factors of each host's drives, cuts, ratios of each host's losses, how many causes silence a registry."""

    cluster: Cluster
    detection: Detection
    _slower: dict[int, list[float]] = field(default_factory=dict)
    _cuts: list[frozenset[int]] = field(default_factory=list)
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

    def partition(self, hosts: Sequence[int], lasts: int | None) -> Process:
        """Some hosts do not reach the others."""
        cut = frozenset(hosts)
        outage = self._told("partition", ", ".join(map(self.cluster.name_of, hosts)))
        self._cuts.append(cut)
        self._set_islands()
        self.cluster.clock.process(self.detection.of_cut(hosts, outage, lasts))
        if lasts is not None:
            yield self.cluster.clock.timeout(lasts)
            self._cuts.remove(cut)
            self._set_islands()

    def _set_islands(self) -> None:
        """Hosts reach each other that are on the same side of every cut."""
        sides: dict[tuple[bool, ...], int] = {}
        for host in range(len(self.cluster.plane.lowered.hosts)):
            side = tuple(host in cut for cut in self._cuts)
            self.cluster.plane.set_condition("hosts", host, island=sides.setdefault(side, len(sides)))

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

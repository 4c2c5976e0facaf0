"""Which hosts those reach who look after a cluster, and those who send requests to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy


@dataclass
class Contact:
    """Hosts out of reach, by how many causes: `cut` of what looks after them, `left_out` of what balances requests; `lost` ones."""

    clock: simpy.Environment
    cut: Counter[int] = field(default_factory=Counter)
    left_out: Counter[int] = field(default_factory=Counter)
    lost: set[int] = field(default_factory=set)
    _awaited: dict[int, simpy.Event] = field(default_factory=dict)
    _boots: dict[int, simpy.Event] = field(default_factory=dict)

    def cut_off(self, host: int) -> None:
        """What looks after a host does not reach it."""
        self.cut[host] += 1

    def reach_again(self, host: int) -> None:
        """One cause is over for which a host is not reached."""
        self.cut[host] -= 1
        if self.cut[host] == 0 and (reached := self._awaited.pop(host, None)) is not None:
            reached.succeed()

    def is_cut_off(self, host: int) -> bool:
        """Whether what looks after a host does not reach it."""
        return self.cut[host] > 0

    def is_lost(self, host: int) -> bool:
        """Whether a host counts as lost."""
        return host in self.lost

    def until_reached(self, host: int) -> Generator[simpy.Event, Any, None]:
        """Wait until a host is not cut off."""
        while self.is_cut_off(host):
            yield self._awaited.setdefault(host, self.clock.event())

    def boots(self, host: int) -> None:
        """A host has booted."""
        if (booted := self._boots.pop(host, None)) is not None:
            booted.succeed()

    def boot(self, host: int) -> simpy.Event:
        """The next boot of a host that is down."""
        return self._boots.setdefault(host, self.clock.event())

"""Pre-copy: memory is copied while the guest runs, what it has dirtied meanwhile again, until the rest is little enough.

*Model*: r[i+1] is what was dirtied while r[i] was sent; each round sends what the one before has left. When the rules say so the guest
    stands still for the rest. Whoever sends answers how long a round took and what was dirtied: a formula, or a simulated network.
*Ignores*: pages that are dirtied again before they were sent, which a sender skips; the look at what is dirty before a round's end.
*Source*: C. Clark et al., Live Migration of Virtual Machines, NSDI 2005; QEMU migration/migration.c and migration/ram.c.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

from simvirt.migration.rules import MOST_TIME, NO_PROGRESS, Round, Rules, Throttling
from simvirt.migration.writes import Writes


@dataclass(frozen=True)
class Send:
    """What is to be done next: send bytes at no more than a rate [bytes/s], with a share of their time taken from vCPUs."""

    size: float
    cap: float
    throttled: float


@dataclass(frozen=True)
class Copied:
    """Rounds under the running guest, what is left for when it stands still [bytes], and why there are no more; whether it is given up."""

    rounds: tuple[Round, ...]
    left: float
    why: str
    cancelled: bool = False


MOST_ROUNDS = 1000
"""Rounds after which a migration without any other bound has not converged."""
ENDLESS = "it does not converge"

Copying = Generator[Send, tuple[float, float] | tuple[float, float, float], Copied]


def copying(size: float, rules: Rules, memory: float | None = None) -> Copying:
    """Copy so many bytes: yields what to send, takes (seconds, bytes dirtied meanwhile) of it, and ends with what is left.

    Where fewer bytes have crossed than were to be sent, who sends says how many: rules see what crosses.
    """
    past: list[Round] = []
    throttling, left, why = Throttling(rules), size, None
    while why is None:
        seconds, dirtied, *crossed = yield Send(left, rules.cap(past), throttling.share)
        past.append(Round(crossed[0] if crossed else left, seconds, dirtied, throttling.share))
        throttling.after(past[-1])
        why, left = rules.stops(past, size if memory is None else memory), dirtied
        if why is None and len(past) >= MOST_ROUNDS:
            why = ENDLESS
    return Copied(tuple(past), left, why, rules.cancels and why in (MOST_TIME, NO_PROGRESS))


@dataclass(frozen=True)
class Course:
    """A migration from its beginning to its end [s, bytes]: rounds, why they ended, how long the guest stood still."""

    rounds: tuple[Round, ...]
    why: str
    downtime: float
    total: float
    sent: float

    @property
    def converges(self) -> bool:
        """Whether the guest was stopped because little enough was left, and not because it had to end."""
        return self.why != ENDLESS


def pre_copy(size: float, writes: Writes, bandwidth: float, rules: Rules, handover: float = 0.0) -> Course:
    """A pre-copy migration of a memory over a link that is its own [bytes, bytes/s]; `handover`: what else the switch takes [s]."""
    steps = copying(size, rules)
    send = next(steps)
    while True:
        seconds = send.size / min(bandwidth, send.cap)
        try:
            send = steps.send((seconds, writes.dirtied(seconds, send.throttled)))
        except StopIteration as end:
            found: Copied = end.value
            break
    downtime = found.left / min(bandwidth, rules.last_cap()) + handover
    total = math.fsum(one.seconds for one in found.rounds) + downtime
    return Course(found.rounds, found.why, downtime, total, math.fsum(one.sent for one in found.rounds) + found.left)

"""When a product stops copying memory under a running guest, and what it does to a guest that writes too fast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Throttle:
    """Time that is taken from vCPUs: `first`, then `step` more each time, `most` at most, as shares.

    It is due where more than `trigger` of what a round has sent was dirtied meanwhile, at each `strikes`-th such round.
    *Source*: QEMU migration/ram.c, migration_trigger_throttle, mig_throttle_guest_down; migration/options.c (defaults).
    """

    trigger: float = 0.5
    first: float = 0.2
    step: float = 0.1
    most: float = 0.99
    strikes: int = 2

    def next(self, share: float) -> float:
        """The share that follows one, 0 before the first."""
        return min(share + self.step, self.most) if share > 0 else self.first

    def steps(self) -> list[float]:
        """All shares, in the order in which they come."""
        found = [self.first]
        while found[-1] < self.most:
            found.append(self.next(found[-1]))
        return found


@dataclass(frozen=True)
class Pace:
    """A sender that limits itself: the first round at `first`, each further one at what was dirtied per second and `above` [bytes/s].

    It stops where that would be more than `most`, and sends the last round at that.
    *Source*: C. Clark et al., Live Migration of Virtual Machines, NSDI 2005, section 5.3 (dynamic rate-limiting).
    """

    first: float
    above: float
    most: float


@dataclass(frozen=True)
class Round:
    """A round of copying: bytes sent, the time that took [s], bytes dirtied meanwhile, the share taken from vCPUs."""

    sent: float
    seconds: float
    dirtied: float
    throttled: float = 0.0

    @property
    def bandwidth(self) -> float:
        """Bytes per second; infinite where it took no time."""
        return self.sent / self.seconds if self.seconds > 0 else math.inf


MOST_TIME: Final = "most time"
NO_PROGRESS: Final = "no progress"
"""Why a product that cancels migrations does so."""


@dataclass(frozen=True)
class Rules:
    """How a product goes about pre-copy. What is None has no part in it.

    `bandwidth`: most that it sends [bytes/s]; `downtime`: it stops where the rest takes no longer than that [s]; `least`: or is no more
    than that [bytes]; `rounds`: after so many rounds; `factor`: or where so many times the memory has been sent; `patience`: or after so
    long [s] for each GiB of memory; `grows`: or where a round has sent so much more than the one before, as a share. `stun`: it slows the
    guest so that no more than that share of what is sent is dirtied meanwhile. `progress`: it stops where for so long [s] nothing less was
    left than before; `cancels`: what takes too long, or makes no progress, is given up.
    """

    bandwidth: float | None = None
    downtime: float | None = None
    least: float | None = None
    rounds: int | None = None
    factor: float | None = None
    patience: float | None = None
    throttle: Throttle | None = None
    pace: Pace | None = None
    stun: float | None = None
    grows: float | None = None
    progress: float | None = None
    cancels: bool = False

    def stops(self, past: Sequence[Round], memory: float) -> str | None:
        """Why it copies no more under the running guest after these rounds, of a memory of so many bytes; None where it goes on."""
        last, sent = past[-1], sum(one.sent for one in past)
        found = {
            "the rest takes no longer than the downtime limit": self.downtime is not None and expected_downtime(past) <= self.downtime,
            "hardly anything is left": last.dirtied <= (self.least or 0.0),
            "most rounds": self.rounds is not None and len(past) >= self.rounds,
            "most bytes": self.factor is not None and sent >= self.factor * memory,
            MOST_TIME: self.patience is not None and sum(one.seconds for one in past) >= self.patience * memory / 2**30,
            NO_PROGRESS: self.progress is not None and _standstill(past) >= self.progress,
            "rounds grow": self.grows is not None and len(past) > 1 and last.sent > (1.0 + self.grows) * past[-2].sent,
            "dirtied faster than it may send": self.pace is not None and self._wanted(past) > self.pace.most,
        }
        return next((why for why, holds in found.items() if holds), None)

    def cap(self, past: Sequence[Round]) -> float:
        """Most that the next round may be sent at [bytes/s]."""
        most = math.inf if self.bandwidth is None else self.bandwidth
        if self.pace is None:
            return most
        return min(most, self.pace.first if not past else min(self._wanted(past), self.pace.most))

    def last_cap(self) -> float:
        """The same of what is sent while the guest stands still."""
        most = math.inf if self.bandwidth is None else self.bandwidth
        return most if self.pace is None else min(most, self.pace.most)

    def _wanted(self, past: Sequence[Round]) -> float:
        """What a sender that limits itself would send at next [bytes/s]."""
        assert self.pace is not None
        last = past[-1]
        return last.dirtied / last.seconds + self.pace.above if last.seconds > 0 else self.pace.first


def _standstill(past: Sequence[Round]) -> float:
    """How long no round has left less than the least before [s]."""
    least = min(range(len(past)), key=lambda at: past[at].dirtied)
    return sum(one.seconds for one in past[least + 1:])


def expected_downtime(past: Sequence[Round]) -> float:
    """Time that the rest takes at the bandwidth of the round before [s]."""
    return estimated_downtime(past[-1].dirtied, past[-1].bandwidth)


def estimated_downtime(left: float, bandwidth: float) -> float:
    """Time that so many bytes take at a bandwidth that was seen before [s]. *Source*: QEMU migration/migration.c; cloud-hypervisor."""
    return left / bandwidth if bandwidth > 0 else math.inf


MOST: Final = 0.99
"""Share of its time that a guest may lose at most where its product says none. Source: as QEMU has it, migration/options.c."""


@dataclass
class Throttling:
    """How far the throttling of a guest has gone: the share taken from its vCPUs."""

    rules: Rules
    share: float = 0.0
    strikes: int = field(default=0)

    def after(self, last: Round) -> None:
        """Takes in a round."""
        rule, stun = self.rules.throttle, self.rules.stun
        if rule is not None and last.dirtied > rule.trigger * last.sent:
            self.strikes += 1
            if self.strikes >= rule.strikes:
                self.strikes, self.share = 0, rule.next(self.share)
        elif stun is not None and last.dirtied > stun * last.sent:
            self.share = min(1.0 - (1.0 - self.share) * stun * last.sent / last.dirtied, MOST)

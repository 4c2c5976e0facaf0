"""What the utilisation law says of threads and locks, which requests hold one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from simvirt.lowering.locks import is_lock
from simvirt.metrics.outcome import Outcome
from simvirt.metrics.saturated import NOT_NARROWED, Saturation
from simvirt.metrics.statistics import mean_interval
from simvirt.metrics.steadiness import overloaded

HELD: Final = (".threads", ".event_loops")
"""How the names of threads end, which requests hold one by one, as they do locks."""
CONTRADICTED: Final = 1.1
"""A rate that runs kept up with, over a bound by the utilisation law, up to which neither of both is believed."""


def bounded(found: Saturation, outcomes: Sequence[Outcome]) -> Saturation:
    """No more than the utilisation law lets threads and locks carry, which short runs do not fill where few requests need them.

    A request holds them no shorter at a high load than at a low one, so that the law's rate is a bound; beyond its interval it counts,
    and beyond its value where one replication has no interval and there is only a range. Where runs kept up with a little more there
    is a range, too: threads may be held for shorter times where devices serve several requests at once.
    In an overload threads are held by what waits for another resource, and say nothing.
    """
    held = () if overloaded(outcomes) else HELD
    for name in [name for name in outcomes[0].resources if name.endswith(held) or is_lock(name)]:
        most = found.per_s or found.low_per_s or found.high_per_s
        if most is None or min(o.resources[name] for o in outcomes) <= 0:
            continue
        law = mean_interval([o.throughput_per_s / o.resources[name] for o in outcomes])
        bound = law.value if law.high is None and found.per_s is None else law.high
        if not law.value or bound is None or bound >= most:
            continue
        low = min(found.low_per_s or law.value, law.value)
        if law.value < (found.low_per_s or 0.0) < CONTRADICTED * law.value:
            found = replace(found, per_s=None, low_per_s=low, reason=NOT_NARROWED)
        else:
            found = replace(found, per_s=law.value, low_per_s=low, resource=name, reason="")
    return found

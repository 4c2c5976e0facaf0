"""Limits of the calls at a replica that adapt to how long these take.

*Model*: a replica takes a call while fewer than its limit are in it, in line or on threads, and rejects it otherwise. Over each window of
    time, of ten calls at least, it notes the mean time of those that were answered, and how many were in it at most; at the end of the
    window the limit changes as one of three rules of Netflix's concurrency-limits says: a gradient between a long average of times and the
    present one (`gradient2`), one more or a ratio of it by a limit of time (`aimd`), or an estimate of the line by the least time
    (`vegas`). A limit that is not half used does not grow.
*Ignores*: Vegas's jitter of when the base is measured anew, of which this takes the mean; that calls which fail count as drops.
*Source*: Netflix/concurrency-limits: Gradient2Limit, AIMDLimit, VegasLimit, WindowedLimit, ExpAvgMeasurement, Log10RootFunction.
"""

from simvirt.kernel.constants import (
    AIMD,
    DRIFT,
    DRIFT_CUT,
    FIRST_SAMPLES,
    GRADIENT2,
    LEAST_SAMPLES,
    PROBE,
)
from simvirt.kernel.tables import Plane


def adapt(p: Plane, f: int, now: int) -> bool:
    """Learn from a call that has been carried out; the frame goes on."""
    i: int = p.frames.instance[f]
    p.limiters.total[i] += now - p.frames.began[f]
    p.limiters.count[i] += 1
    p.limiters.most[i] = max(p.limiters.most[i], p.instances.in_flight[i])
    if now >= p.limiters.window_ends[i] and p.limiters.count[i] >= LEAST_SAMPLES:
        change_limit(p, i, p.limiters.total[i] / p.limiters.count[i], p.limiters.most[i])
        p.limiters.window_ends[i] = now + p.limiters.window[i]
        p.limiters.total[i] = 0.0
        p.limiters.count[i] = 0
        p.limiters.most[i] = 0
        set_limit(p, i)
    return True


def set_limit(p: Plane, i: int) -> None:
    """As many calls as the limit says have a thread or a place in line."""
    limit: int = int(p.limiters.limit[i])
    p.instances.threads[i] = min(p.limiters.threads[i], limit)
    p.instances.queue_limit[i] = min(max(limit - p.limiters.threads[i], 0), p.limiters.line[i])


def change_limit(p: Plane, i: int, time: float, busy: int) -> None:
    """A window has ended in which calls took so long [ns], and so many were there at most."""
    rule: int = p.limiters.rule[i]
    limit: float = p.limiters.limit[i]
    if rule == GRADIENT2:
        limit = by_gradient(p, i, time, busy)
    elif rule == AIMD:
        limit = by_time(p, i, time, busy)
    else:
        limit = by_line(p, i, time, busy)
    p.limiters.limit[i] = max(p.limiters.smallest[i], min(p.limiters.largest[i], limit))


def by_gradient(p: Plane, i: int, time: float, busy: int) -> float:
    """Less as far as calls take longer than they did for long, at most by half, and some more for a line; smoothed."""
    limit: float = p.limiters.limit[i]
    usual: float = long_average(p, i, time)
    if usual > DRIFT * time and p.limiters.seen[i] >= FIRST_SAMPLES:
        p.limiters.base[i] = usual * DRIFT_CUT
    if busy < limit / 2.0:
        return limit
    gradient: float = max(0.5, min(1.0, usual / time))
    share: float = p.limiters.smoothing[i]
    return limit * (1.0 - share) + (limit * gradient + p.limiters.room[i]) * share


def long_average(p: Plane, i: int, time: float) -> float:
    """Add a time to the average: the mean of the first ones, an exponential one of so many windows then."""
    seen: int = p.limiters.seen[i]
    p.limiters.seen[i] = seen + 1
    weight: float = 1.0 / (seen + 1) if seen < FIRST_SAMPLES else 2.0 / (p.limiters.memory[i] + 1)
    p.limiters.base[i] = p.limiters.base[i] * (1.0 - weight) + time * weight
    return p.limiters.base[i]


def by_time(p: Plane, i: int, time: float, busy: int) -> float:
    """One more while calls take no longer than they may, a ratio of it where they do."""
    limit: int = int(p.limiters.limit[i])
    if time > p.limiters.longest[i]:
        return float(max(1, min(limit - 1, int(limit * p.limiters.ratio[i]))))
    return float(limit + 1) if busy * 2 >= limit else float(limit)


def by_line(p: Plane, i: int, time: float, busy: int) -> float:
    """More while the line that the least time tells of is short, less while it is long."""
    limit: float = p.limiters.limit[i]
    p.limiters.seen[i] += 1
    probes: bool = p.limiters.seen[i] >= PROBE * limit
    if probes or p.limiters.base[i] == 0.0 or time < p.limiters.base[i]:
        p.limiters.seen[i] = 0 if probes else p.limiters.seen[i]
        p.limiters.base[i] = time
        return limit
    if busy * 2 < limit:
        return limit
    line: float = limit * (1.0 - p.limiters.base[i] / time)
    step: int = log_root(limit)
    if line <= step:
        return limit + 6 * step
    if line <= 3 * step - 1:
        return limit + step
    return limit - step if line > 6 * step else limit


def log_root(limit: float) -> int:
    """The whole part of the decimal logarithm, at least one."""
    found: int = 1
    power: float = 100.0
    while limit >= power:
        power *= 10.0
        found += 1
    return found

"""The answer of `simvirt run` in a sentence or two, computed from its document.

*Model*: what was started comes first, then overload, then what is rejected, then what becomes of the objective, then how platforms
    differ or, of a single one, what saturates first. A difference is named where its 95 % interval excludes none; limits are met
    or missed as their verdicts say.
*Ignores*: everything else in the document.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from simvirt.result import figures
from simvirt.result.document import Estimate, Judgement
from simvirt.result.limit_words import enough, quantity, stated, title_of
from simvirt.result.objective import HOLDS, MET, MISSED, UNDECIDED
from simvirt.result.run_document import PlatformResult, Ratio, RunDocument
from simvirt.scenario.spec.experiment import parts_of

PARTS: Final[Mapping[str, str]] = {
    "queue": "queueing for a thread", "run_queue": "waiting for a CPU", "throttled": "throttling by a quota", "steal": "vCPU steal",
    "cpu": "CPU work", "virtualization": "virtualization", "interference": "interference by what runs beside it", "disk": "the disk",
    "network": "the network", "delay": "stated delays", "lock": "waiting for a lock",
}
"""What parts of a latency are called in a sentence; others by their key."""
MOST: Final = 0.5
"""A part is named as the reason from this share on."""
LOST: Final = 0.01
"""Requests that are lost are spoken of from this share on."""
NAMED: Final = 3
"""Platforms that are named one by one."""

Platforms = Mapping[str, PlatformResult]


def answer(document: RunDocument) -> str:
    """What came of the scenario, in one sentence or a few; empty where there is no platform."""
    answered = {name: found for name, found in document.platforms.items() if found.requests and not found.overload}
    sentences = [*_started(document.platforms), *_scaled(document.platforms), *_moved(document.platforms), *_unanswered(document.platforms)]
    sentences += [*_overload(document.platforms), *_lost(answered)]
    if answered and any(found.objective for found in answered.values()):
        sentences += _objective(answered)
    if answered and document.workloads == ("",):
        sentences += _differences(document, answered) if len(document.platforms) > 1 else _alone(*answered.values())
    each = [f"{name}: {said}" for name in document.workloads if name and (said := answer(document.of(name)))]
    return " ".join([*(f"{sentence}." for sentence in sentences), *each])


# -- what went wrong ------------------------------------------------------------------------------------------------------------


def _started(platforms: Platforms) -> Iterator[str]:
    """After how long the instances that were started are ready, and where they are not in the end."""
    still = {name: found for name, found in platforms.items() if not _grows(found)}
    lives = {name: found.lifecycle for name, found in still.items() if found.lifecycle is not None and found.lifecycle.started}
    ready = [(name, life.readiness_s.last) for name, life in lives.items() if life.ready == life.started]
    times = [f"{figures.time(last, interval=False)} on {name}" for name, last in ready]
    if times:
        yield f"All instances are ready after {listed(times)}"
    down = [f"{life.started - life.ready:g} of {life.started:g} on {name}" for name, life in lives.items() if life.ready < life.started]
    if down:
        yield f"Of the instances {listed(down)} are not ready in the end"


def _grows(found: PlatformResult) -> bool:
    """Whether more replicas of some service came to be wanted."""
    return found.scaling is not None and any(service.grown.value for service in found.scaling.services.values())


def _scaled(platforms: Platforms) -> Iterator[str]:
    """How many replicas services grew to, how long each step took, and how long too many requests were too late."""
    growing = {name: found for name, found in platforms.items() if _grows(found)}
    services = [(platform, *item) for platform, one in growing.items() if one.scaling is not None for item in one.scaling.services.items()]
    for service in dict.fromkeys(service for _, service, found in services if found.grown.value):
        each = [(platform, found) for platform, name, found in services if name == service]
        most = listed([f"{found.most.value:.3g} on {platform}" for platform, found in each])
        ready = [f"{figures.time(found.ready_after_s, interval=False)} on {platform}"
                 for platform, found in each if found.ready_after_s.value is not None]
        yield f"Replicas of {service} grow to {most}" + (f"; new ones are ready after {listed(ready)}" if ready else "")
    late = [(name, found.availability.downtime_s) for name, found in growing.items() if found.availability is not None]
    if any(time.value for _, time in late):
        times = listed([f"{figures.time(time, interval=False)} on {name}" for name, time in late])
        yield f"More than a tenth of the requests are not answered in time for {times}"


def _moved(platforms: Platforms) -> Iterator[str]:
    """How long what moved to another host stood still, at most, and what has not come there."""
    moves = {name: found.migrations for name, found in platforms.items() if found.migrations}
    longest = {name: max((move.downtime_s.value or 0.0 for move in those if move.ended), default=None) for name, those in moves.items()}
    times = [f"{figures.time(value)} on {name}" for name, value in longest.items() if value is not None]
    if times:
        yield f"What moved to another host stood still for {listed(times)}" + (" at most" if max(map(len, moves.values())) > 1 else "")
    late = [f"{sum(not move.ended for move in those)} on {name}" for name, those in moves.items() if not all(move.ended for move in those)]
    if late:
        yield f"Of the moves to other hosts {listed(late)} had not ended at the end of the run"


def _unanswered(platforms: Platforms) -> Iterator[str]:
    """Platforms on which no request was answered."""
    silent = [name for name, found in platforms.items() if not found.requests and not found.overload]
    if silent and len(silent) < len(platforms):
        yield f"On {listed(silent)} no request was answered"
    elif silent:
        busy = "; ".join(f"{figures.percent(found.cpu.utilisation, interval=False)} on {name}" for name, found in platforms.items())
        yield f"No request was answered; the CPUs are used to {busy}"


def _reached(platform: PlatformResult) -> str:
    """The maximum throughput of a platform; what it answered in the run where the maximum is not known."""
    most = None if platform.workloads else platform.bottleneck.max_throughput_per_s
    return figures.rate(platform.throughput_per_s if most is None else most, interval=False)


def _overload(platforms: Platforms) -> Iterator[str]:
    """Platforms at which more arrives than can be answered, with what they answer and what is used up."""
    every = {name: platform for name, platform in platforms.items() if platform.overload}
    silent, found = ({name: one for name, one in every.items() if bool(one.requests) is answers} for answers in (False, True))
    if silent:
        yield f"Overload on {listed(list(silent))}: requests arrive and none is answered ({_fullest(silent)} is used most)"
    if found:
        rates = {_reached(platform) for platform in found.values()}
        reached = rates.pop() if len(rates) == 1 else listed([f"{_reached(platform)} on {name}" for name, platform in found.items()])
        where, most = listed(list(found)), _fullest(found)
        yield f"Overload on {where}: more requests arrive than the {reached} that can be answered ({most} is used most)"


def _fullest(platforms: Platforms) -> str:
    """What is used up."""
    return listed(list(dict.fromkeys(platform.bottleneck.resource for platform in platforms.values())))


def _lost(platforms: Platforms) -> Iterator[str]:
    """Platforms that keep up because they answer only a part of what arrives."""
    for what in ("rejected", "failed"):
        shares = {name: figures.middle(getattr(found, what)) or 0.0 for name, found in platforms.items()}
        lost = [f"{figures.percent(share)} on {name}" for name, share in shares.items() if share >= LOST]
        if lost:
            of_them = "; the times are those of the others" if what == "rejected" else ""
            yield f"Of the requests {listed(lost)} {'are' if what == 'rejected' else 'have'} {what}{of_them}"


# -- the objective --------------------------------------------------------------------------------------------------------------


def _objective(platforms: Platforms) -> Iterator[str]:
    """Which platforms meet the objective and which do not, by how much, and what takes the time where it is missed."""
    verdicts = {name: _verdict(found) for name, found in platforms.items()}
    met, missed, unsure = ([name for name, found in verdicts.items() if found == what] for what in (HOLDS, MISSED, UNDECIDED))
    if met:
        misses = f"; {'; '.join(_missed(missed, platforms, _does_not))}" if missed else ""
        keys = list(platforms[met[0]].objective)
        yield f"{_all(met, platforms)} {_verb(met, 'meet')} {_limits(platforms[met[0]], keys)} ({_values(met, platforms, keys[0])}){misses}"
    elif missed:
        yield "; ".join(_missed(missed, platforms, _misses))
    if unsure:
        keys = [key for key in platforms[unsure[0]].objective if any(_judged(platforms[name], key) == UNDECIDED for name in unsure)]
        limits, values = _limits(platforms[unsure[0]], keys), _values(unsure, platforms, keys[0], interval=True)
        more = _more([platforms[name] for name in unsure])
        yield f"Whether {listed(unsure)} {_verb(unsure, 'meet')} {limits} is undecided ({values}){more}"


def _more(platforms: Sequence[PlatformResult]) -> str:
    """What would decide the limits that are undecided, by the one that takes most."""
    open_ones = [found for platform in platforms for found in platform.objective.values() if found.met is None]
    if not open_ones:
        return ""
    most = max(open_ones, key=lambda found: math.inf if found.longer is None else found.longer)
    return f"; {enough(most.longer, most.setting)}"


def _missed(names: Sequence[str], platforms: Platforms, said: Callable[[str, PlatformResult], str]) -> Iterator[str]:
    """Platforms that miss a limit: the first ones one by one, the others by name."""
    yield from (said(name, platforms[name]) for name in names[:NAMED])
    if rest := names[NAMED:]:
        yield f"{listed(rest)} {'do' if len(rest) > 1 else 'does'} not either"


def _does_not(name: str, platform: PlatformResult) -> str:
    """A platform beside others that meet the objective: with one limit its value is enough."""
    values = quantity(_first(platform), _estimate(platform, _first(platform))) if len(platform.objective) == 1 else _wrong(platform)
    return f"{name} does not ({values}{_reason(platform)})"


def _misses(name: str, platform: PlatformResult) -> str:
    return f"{name} misses {_wrong(platform)}{_reason(platform)}"


def _wrong(platform: PlatformResult) -> str:
    """The limits that are missed, with what came: `p99 ≤ 100 ms with 130 ms`."""
    missed = [(key, verdict.limit) for key, verdict in platform.objective.items() if _judged(platform, key) == MISSED]
    return listed([f"{stated(key, float(limit))} with {quantity(key, _estimate(platform, key))}" for key, limit in missed])


def _first(platform: PlatformResult) -> str:
    return next(iter(platform.objective))


def _reason(platform: PlatformResult) -> str:
    """The part that most of the mean latency goes to; nothing where no part takes that much."""
    parts = dict(platform.breakdown_s)
    total, (most, largest) = sum(parts.values()), max(parts.items(), key=lambda part: part[1])
    return f", {100 * largest / total:.0f} % of the mean is {PARTS.get(most, title_of(most))}" if total and largest >= MOST * total else ""


def _verdict(platform: PlatformResult) -> Judgement:
    """What the intervals say of the whole objective."""
    found = {_judged(platform, key) for key in platform.objective}
    return next((what for what in (MISSED, UNDECIDED) if what in found), HOLDS)


def _judged(platform: PlatformResult, key: str) -> Judgement:
    """The verdict on one limit."""
    found = platform.objective[key].verdict
    return HOLDS if found == MET else MISSED if found == MISSED else UNDECIDED


def _estimate(platform: PlatformResult, key: str) -> Estimate:
    """The number that a limit is about."""
    measure, operation = parts_of(key)
    if measure.startswith("latency_"):
        of = platform.latency_s if operation is None else platform.operations[operation].latency_s
        found: Estimate = getattr(of, measure.removeprefix("latency_"))
    else:
        found = {"throughput": platform.throughput_per_s, "rejected": platform.rejected, "failed": platform.failed}[key]
    return found


def _limits(platform: PlatformResult, keys: Sequence[str]) -> str:
    """Limits of an objective: `p99 ≤ 100 ms and throughput ≥ 50/s`."""
    return listed([stated(key, float(platform.objective[key].limit)) for key in keys])


def _quantity(key: str, estimate: Estimate, interval: bool) -> str:
    """What came of a limit; that no request did where none did."""
    return "no request of it came" if estimate.value is None else quantity(key, estimate, interval)


def _values(names: Sequence[str], platforms: Platforms, key: str, interval: bool = False) -> str:
    """What came of one limit on some platforms; of many from the best to the worst."""
    values = {name: _quantity(key, _estimate(platforms[name], key), interval) for name in names}
    if len(names) > NAMED:
        order = sorted(names, key=lambda name: figures.middle(_estimate(platforms[name], key)) or 0.0)
        return f"{values[order[0]]} on {order[0]} to {values[order[-1]]} on {order[-1]}"
    if len(platforms[names[0]].objective) > 1 or len(names) < 2:
        return ", ".join(values.values())
    return listed(list(values.values()))


# -- platforms beside each other ------------------------------------------------------------------------------------------------


def _differences(document: RunDocument, platforms: Platforms) -> Iterator[str]:
    """How much longer or shorter requests take than on the first platform, and what most of that is."""
    baseline, ratios = document.comparison.baseline, {name: found.latency_mean for name, found in document.comparison.others.items()}
    known = {name: ratio for name, ratio in ratios.items() if name in platforms and ratio.ratio is not None}
    if baseline not in platforms or not known:
        return
    if any(ratio.low is None for ratio in known.values()):
        means = [f"{figures.time(found.latency_s.mean, interval=False)} on {name}" for name, found in platforms.items()]
        yield f"The mean latency is {listed(means[: NAMED + 1])}; whether platforms differ takes more replications"
        return
    sure = {name: ratio for name, ratio in known.items() if _certain(ratio)}
    if sure:
        yield from _longer(baseline, sure, platforms)
    if unsure := [name for name in known if name not in sure]:
        yield f"Between {listed([baseline, *unsure])} no difference of the mean is certain"


def _certain(ratio: Ratio) -> bool:
    """Whether the interval of a ratio excludes 1."""
    return ratio.low is not None and ratio.high is not None and (ratio.low > 1 or ratio.high < 1)


def _longer(baseline: str, ratios: Mapping[str, Ratio], platforms: Platforms) -> Iterator[str]:
    """Platforms that certainly differ from the first one; the most different one with its times and what most of the difference is."""
    *others, most = sorted(ratios, key=lambda name: abs((ratios[name].ratio or 1.0) - 1))
    base, that = platforms[baseline], "as" if _by(ratios[most]).endswith("as long") else "than"
    times = f"{figures.time(platforms[most].latency_s.mean, interval=False)} against {figures.time(base.latency_s.mean, interval=False)}"
    parts = [f"{_by(ratios[most])} on {most} {that} on {baseline} ({times}{_most_of_it(platforms[most], base)})"]
    parts += [f"{_by(ratios[name])} on {name}" for name in others[: -NAMED - 1 : -1]]
    less = [f"and less on {listed(others[:-NAMED])}"] if len(others) > NAMED else []
    yield f"In the mean requests take {', '.join([*parts, *less]) if less else listed(parts)}"


def _by(ratio: Ratio) -> str:
    """`4.7 % longer`, `2.1 times as long`."""
    value = ratio.ratio or 1.0
    if value >= 2:
        return f"{figures.scaled(value, digits=2)} times as long"
    return f"{figures.scaled(100 * abs(value - 1), digits=2)} % {'longer' if value > 1 else 'shorter'}"


def _most_of_it(platform: PlatformResult, base: PlatformResult) -> str:
    """The part that makes up most of a difference of means; nothing where none does."""
    here, there = dict(platform.breakdown_s), dict(base.breakdown_s)
    total = sum(here.values()) - sum(there.values())
    share, key = max(((here[key] - there[key]) / total if total else 0.0, key) for key in here)
    return f", most of it {PARTS.get(key, title_of(key))}" if share >= MOST else ""


# -- one platform ---------------------------------------------------------------------------------------------------------------


def _alone(platform: PlatformResult) -> Iterator[str]:
    """What requests take, and what saturates first at which rate."""
    found, most = platform.latency_s, platform.bottleneck
    if not platform.objective:
        mean, tail = figures.time(found.mean, interval=False), figures.time(found.p99, interval=False)
        yield f"Requests take {mean} in the mean and {tail} at p99, at {figures.rate(platform.throughput_per_s, interval=False)}"
    if most.max_throughput_per_s is not None:
        used = figures.percent(most.utilisation, interval=False)
        at = figures.rate(most.max_throughput_per_s, beside=platform.throughput_per_s)
        yield f"{most.resource} saturates first, at {at}; it is used to {used} now"


# -- words ----------------------------------------------------------------------------------------------------------------------


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _all(names: Sequence[str], platforms: Platforms) -> str:
    """Platforms by name, or as all of them where they are many."""
    if len(names) == len(platforms) and len(names) > 2:
        return f"All {len(names)} platforms"
    return listed(names)


def _verb(names: Sequence[str], verb: str) -> str:
    """A verb for one or several."""
    return verb if len(names) > 1 else f"{verb}es" if verb.endswith("s") else f"{verb}s"

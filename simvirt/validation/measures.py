"""Numbers read from a platform's part of a result, in SI units, by the names that tables of measurements use.

An interrupt causes two exits without posted interrupts, one that injects it and one that completes it: Gordon et al., ELI, ASPLOS 2012.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter

from simvirt.catalog import HostEntry
from simvirt.errors import SimulationError
from simvirt.result.document import Estimate
from simvirt.result.run_document import PlatformResult
from simvirt.validation.facts import Measure

PULL = ("manifest", "download", "unpack", "touched")
"""Phases of the pull of an image."""
Read = Callable[[PlatformResult, Measure, int], float | None]
"""A platform's part of a result, the measure and the host's hardware threads to the number."""


def read(platform: PlatformResult, measure: Measure, host: HostEntry) -> float:
    """A measure's number on a host; SimulationError where the run does not know it."""
    platform = _seen_by(platform, measure)
    value = _of_operation(platform, measure) if measure.operation is not None else MEASURES[measure.of](platform, measure, host.pcpus)
    if value is None:
        raise SimulationError(f"the run has no {measure.of}")
    return float(value) * measure.times * (host.clock_hz if measure.cycles else 1.0)


def _estimate(path: str) -> Read:
    """Reads the value of an estimate."""
    at: Callable[[PlatformResult], Estimate] = attrgetter(path)
    return lambda platform, measure, pcpus: at(platform).value


def _seen_by(platform: PlatformResult, measure: Measure) -> PlatformResult:
    """A platform with the requests of the measure's workload alone; SimulationError where there is no such workload."""
    if measure.workload is not None and measure.workload not in platform.workloads:
        raise SimulationError(f"the run has no workload {measure.workload}; it has {', '.join(platform.workloads) or 'none with a name'}")
    return platform.of(measure.workload or "")


def _of_operation(platform: PlatformResult, measure: Measure) -> float | None:
    """Mean or quantile of one operation's latency [s]; SimulationError where there is no such operation."""
    if measure.operation not in platform.operations:
        raise SimulationError(f"the run has no operation {measure.operation}; it has {', '.join(platform.operations)}")
    found: Estimate = getattr(platform.operations[str(measure.operation)].latency_s, measure.of.removeprefix("latency_"))
    return found.value


def _period(platform: PlatformResult, measure: Measure, pcpus: int) -> float | None:
    """Time between two answers [s]: how long one of them takes where they come one after the other."""
    rate = platform.throughput_per_s.value
    return 1.0 / rate if rate else None


def _cores(platform: PlatformResult, measure: Measure, pcpus: int) -> float | None:
    """Busy hardware threads of the host."""
    used = platform.cpu.utilisation.value
    return None if used is None else used * pcpus


def _cpu_per_request(platform: PlatformResult, measure: Measure, pcpus: int) -> float | None:
    """CPU time of the whole host for one answer [s]."""
    rate, cores = platform.throughput_per_s.value, _cores(platform, measure, pcpus)
    return cores / rate if rate and cores is not None else None


def _device(counter: str) -> Read:
    """Events of a device in a second of simulated time."""

    def read_device(platform: PlatformResult, measure: Measure, pcpus: int) -> float | None:
        if measure.device not in platform.devices or platform.simulated_s is None or platform.warmup_s is None:
            return None
        events: Estimate = getattr(platform.devices[measure.device], counter)
        return None if events.value is None else events.value / (platform.simulated_s - platform.warmup_s)

    return read_device


def _exits(platform: PlatformResult, measure: Measure, pcpus: int) -> float | None:
    """Exits that a device causes in a second, or those of one cause: a notification, an interrupt that is injected, its completion."""
    kicks, interrupts = (_device(counter)(platform, measure, pcpus) for counter in ("notifications", "interrupts"))
    if kicks is None or interrupts is None:
        return None
    causes = {"kick": kicks, "injection": interrupts, "completion": interrupts}
    return sum(causes.values()) if measure.cause is None else causes[measure.cause]


def _run_queue(platform: PlatformResult, measure: Measure, pcpus: int) -> float:
    """Time that a request spends runnable while other tasks have the CPUs, on average [s]."""
    return float(platform.breakdown_s.run_queue)


def _memory(platform: PlatformResult, measure: Measure, pcpus: int) -> float:
    """Memory that the platform commits on the host [bytes]."""
    return float(platform.memory.committed_bytes)


def _memory_used(platform: PlatformResult, measure: Measure, pcpus: int) -> float:
    """Memory that instances, guests and monitors have in use, without what the host has before the first of them [bytes]."""
    ledger = platform.memory.ledger
    return float(ledger.capacity_bytes - ledger.free_bytes - ledger.kernel_bytes)


def _memory_saved(platform: PlatformResult, measure: Measure, pcpus: int) -> float:
    """What sharing saves, over what instances, guests and monitors would have in use without it."""
    saved = float(platform.memory.ledger.shared_bytes)
    return saved / (saved + _memory_used(platform, measure, pcpus))


def _memory_overhead(platform: PlatformResult, measure: Measure, pcpus: int) -> float:
    """Memory that monitors may take beyond that of their VMs [bytes]."""
    return float(platform.memory.ledger.committed_bytes - platform.memory.parts["vm"])


def _ready(quantile: str) -> Read:
    """After how long so many of the instances that were started are ready [s]; None where some are not."""

    def read_ready(platform: PlatformResult, measure: Measure, pcpus: int) -> float | None:
        lives = platform.lifecycle
        if lives is None or lives.ready < lives.started:
            return None
        found: Estimate = getattr(lives.readiness_s, quantile)
        return found.value

    return read_ready


def _start_rate(platform: PlatformResult, measure: Measure, pcpus: int) -> float | None:
    """Instances that are started in a second, where all are asked for at once."""
    last = _ready("last")(platform, measure, pcpus)
    return platform.lifecycle.started / last if last and platform.lifecycle is not None else None


def _start_turn(platform: PlatformResult, measure: Measure, pcpus: int) -> float | None:
    """What the slowest of the instances takes without the waits for others: that of the last one where they start in turn [s]."""
    if platform.lifecycle is None:
        return None
    phases = [phase for phase in platform.lifecycle.phases if measure.layer in (None, phase.layer) and phase.phase not in measure.without]
    return sum((phase.last_s.value or 0.0) - (phase.waited_s.value or 0.0) for phase in phases) or None


def _pull(figure: str) -> Read:
    """What the pull of an image takes from its first request to its last file, without the turn of others [s]: mean, or the last one's."""

    def read_pull(platform: PlatformResult, measure: Measure, pcpus: int) -> float | None:
        if platform.lifecycle is None:
            return None
        phases = [phase for phase in platform.lifecycle.phases if phase.layer == "image" and phase.phase in PULL]
        return sum(getattr(phase, figure).value or 0.0 for phase in phases) or None

    return read_pull


def _downtime(platform: PlatformResult, measure: Measure, pcpus: int) -> float | None:
    """How long the first VM that moved stood still [s]."""
    return platform.migrations[0].downtime_s.value if platform.migrations else None


def _rounds(rounds: slice) -> Read:
    """Time that some rounds of copying took of the first VM that moved [s]."""

    def read_rounds(platform: PlatformResult, measure: Measure, pcpus: int) -> float | None:
        found = platform.migrations[0].copied[rounds] if platform.migrations else ()
        return sum(one.took_s for one in found) or None

    return read_rounds


MEASURES: Mapping[str, Read] = {
    "throughput": _estimate("throughput_per_s"),
    "period": _period,
    "latency_mean": _estimate("latency_s.mean"),
    "latency_p50": _estimate("latency_s.p50"),
    "latency_p90": _estimate("latency_s.p90"),
    "latency_p95": _estimate("latency_s.p95"),
    "latency_p99": _estimate("latency_s.p99"),
    "latency_p999": _estimate("latency_s.p999"),
    "run_queue": _run_queue,
    "cpu_cores": _cores,
    "utilisation": _estimate("cpu.utilisation"),
    "cpu_per_request": _cpu_per_request,
    "steal": _estimate("cpu.steal"),
    "throttled": _estimate("cpu.throttled"),
    "notifications": _device("notifications"),
    "interrupts": _device("interrupts"),
    "exits": _exits,
    "memory": _memory,
    "memory_used": _memory_used,
    "memory_overhead": _memory_overhead,
    "memory_saved": _memory_saved,
    "start_p50": _ready("p50"),
    "start_p90": _ready("p90"),
    "start_p99": _ready("p99"),
    "start_last": _ready("last"),
    "start_rate": _start_rate,
    "start_turn": _start_turn,
    "pull": _pull("mean_s"),
    "pull_last": _pull("last_s"),
    "migration_downtime": _downtime,
    "first_round": _rounds(slice(1)),
    "further_rounds": _rounds(slice(1, None)),
}
"""Name -> how it is read."""

"""Numbers read from a platform's part of a result document, in SI units, by the names that tables of measurements use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simvirt.catalog import HostEntry
from simvirt.errors import SimulationError
from simvirt.validation.facts import Measure

Document = Mapping[str, Any]
EXITS_OF_AN_INTERRUPT = 2  # without posted interrupts: Gordon et al., ELI, ASPLOS 2012


def read(document: Document, measure: Measure, host: HostEntry) -> float:
    """A measure's number on a host; SimulationError where the run does not know it."""
    value = _quantile(document, measure) if measure.operation is not None else MEASURES[measure.of](document, measure, host.pcpus)
    if value is None:
        raise SimulationError(f"the run has no {measure.of}")
    return float(value) * measure.times * (host.clock_hz if measure.cycles else 1.0)


def _estimate(*path: str) -> Callable[[Document, Measure, int], float | None]:
    """Reads the value of an estimate."""

    def read_estimate(document: Document, measure: Measure, pcpus: int) -> float | None:
        found: Any = document
        for key in path:
            found = found[key]
        value = found["value"]
        return None if value is None else float(value)

    return read_estimate


def _quantile(document: Document, measure: Measure) -> float | None:
    """A quantile of one operation's latency [s]."""
    value = document["operations"][measure.operation]["latency_s"][measure.of.removeprefix("latency_")]["value"]
    return None if value is None else float(value)


def _period(document: Document, measure: Measure, pcpus: int) -> float | None:
    """Time between two answers [s]: how long one of them takes where they come one after the other."""
    rate = document["throughput_per_s"]["value"]
    return 1.0 / rate if rate else None


def _cores(document: Document, measure: Measure, pcpus: int) -> float:
    """Busy hardware threads of the host."""
    return float(document["cpu"]["utilisation"]["value"]) * pcpus


def _cpu_per_request(document: Document, measure: Measure, pcpus: int) -> float | None:
    """CPU time of the whole host for one answer [s]."""
    rate = document["throughput_per_s"]["value"]
    return _cores(document, measure, pcpus) / rate if rate else None


def _device(counter: str) -> Callable[[Document, Measure, int], float | None]:
    """Events of a device in a second of simulated time."""

    def read_device(document: Document, measure: Measure, pcpus: int) -> float | None:
        value = document.get("devices", {}).get(measure.device, {}).get(counter)
        return None if value is None else float(value["value"]) / (document["simulated_s"] - document["warmup_s"])

    return read_device


def _exits(document: Document, measure: Measure, pcpus: int) -> float | None:
    """Exits that a device causes in a second: one for each notification, one to inject an interrupt and one for its completion."""
    kicks, interrupts = (_device(counter)(document, measure, pcpus) for counter in ("notifications", "interrupts"))
    return None if kicks is None or interrupts is None else kicks + EXITS_OF_AN_INTERRUPT * interrupts


def _memory(document: Document, measure: Measure, pcpus: int) -> float:
    """Memory that the platform commits on the host [bytes]."""
    return float(document["memory"]["committed_bytes"])


def _memory_used(document: Document, measure: Measure, pcpus: int) -> float:
    """Memory that instances, guests and monitors have in use, without what the host has before the first of them [bytes]."""
    ledger = document["memory"]["ledger"]
    return float(ledger["capacity_bytes"] - ledger["free_bytes"] - ledger["kernel_bytes"])


def _memory_saved(document: Document, measure: Measure, pcpus: int) -> float:
    """What sharing saves, over what instances, guests and monitors would have in use without it."""
    saved = float(document["memory"]["ledger"]["shared_bytes"])
    return saved / (saved + _memory_used(document, measure, pcpus))


def _memory_overhead(document: Document, measure: Measure, pcpus: int) -> float:
    """Memory that monitors may take beyond that of their VMs [bytes]."""
    return float(document["memory"]["ledger"]["committed_bytes"] - document["memory"]["parts"]["vm"])


MEASURES: Mapping[str, Callable[[Document, Measure, int], float | None]] = {
    "throughput": _estimate("throughput_per_s"),
    "period": _period,
    "latency_mean": _estimate("latency_s", "mean"),
    "latency_p50": _estimate("latency_s", "p50"),
    "latency_p95": _estimate("latency_s", "p95"),
    "latency_p99": _estimate("latency_s", "p99"),
    "cpu_cores": _cores,
    "utilisation": _estimate("cpu", "utilisation"),
    "cpu_per_request": _cpu_per_request,
    "steal": _estimate("cpu", "steal"),
    "throttled": _estimate("cpu", "throttled"),
    "notifications": _device("notifications"),
    "interrupts": _device("interrupts"),
    "exits": _exits,
    "memory": _memory,
    "memory_used": _memory_used,
    "memory_overhead": _memory_overhead,
    "memory_saved": _memory_saved,
}
"""Name -> how it is read."""

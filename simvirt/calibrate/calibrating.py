"""All probes in their order, then other micro-measurements that are predicted from them."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from simvirt.calibrate import cpu_probes, disk_probes, net_probes, rights
from simvirt.calibrate.entry import DEPTHS, entries, written
from simvirt.calibrate.holdouts import holdouts
from simvirt.calibrate.machine import Machine, machine
from simvirt.calibrate.nearest import nearest
from simvirt.calibrate.sample import Sample, attempted, typical
from simvirt.catalog import Catalog
from simvirt.result import provenance
from simvirt.result.calibration_document import CalibrationDocument, Measure

Probe = tuple[str, str, str, Callable[[], Iterable[float]]]
CPU_TIME: Final = "CPU time"
"""How the method of a probe ends in which others take no part, but by what they do to caches."""
QUOTA: Final = 0.3
"""Quota of the cgroup that is tried, of a CPU."""
BUSY: Final = 0.5
"""Load of a CPU from which a machine is not idle; the probes themselves load one of them."""
COMPARED: Final[Mapping[str, str]] = {
    "kernel_entry": "kernel_entry_ns", "thread_switch": "thread_switch_ns", "connection": "connection_ns",
}


def probes(threads: int) -> tuple[Probe, ...]:
    """Name, unit, method and code of each probe that needs no disk."""
    return (
        ("kernel_entry", "s", "getppid less a call that does none, CPU time", cpu_probes.syscalls),
        ("pipe", "s", "a byte written to a pipe and read again, CPU time", cpu_probes.own_pipes),
        ("thread_switch", "s", "half a round of two processes over pipes on one CPU less their own work, CPU time", cpu_probes.switches),
        ("page_fault", "s", "first touch of anonymous memory less the second, pages of 4 KiB, CPU time", cpu_probes.faults),
        ("memory_one", "bytes/s", "copies of 64 MiB by one thread, read and written", lambda: cpu_probes.bandwidth(1)),
        ("memory_all", "bytes/s", "copies of 64 MiB by a thread for each CPU, read and written",
         lambda: cpu_probes.bandwidth(min(threads, 64))),
        ("oversleep", "s", "a sleep of 1 ms less 1 ms", cpu_probes.oversleep),
        ("message", "s", "a byte over TCP on the loopback, sent and received, CPU time", net_probes.messages),
        ("connection", "s", "a TCP connection over the loopback opened and closed, half of both ends, CPU time",
         lambda: (both / 2 for both in net_probes.connections())),
        ("loopback", "bytes/s", "64 KiB at a time over TCP on the loopback, sent and received by one CPU", net_probes.streamed),
        ("cycles", "per s", "cycles of the processor's counter over CPU time", rights.cycles),
        ("quota", "ratio", f"CPU share under a quota of {QUOTA:g}", lambda: rights.throttled(QUOTA)),
        ("vm_exit", "s", "a guest of CPUIDs less one of NOPs", rights.exits),
    )


def disk_samples(folder: Path) -> Iterator[tuple[str, Sample]]:
    """Requests of 4 KiB at some depths, streams and flushes."""
    with disk_probes.drive(folder) as drive:
        cached = "" if drive.direct else "the file system has no direct access, so that only its cache would be measured"
        for way in ("read", "write"):
            for depth in DEPTHS:
                times = typical(drive.requests(depth, way == "write")) if drive.direct else ()
                if depth == 1:
                    yield f"{way}_1", Sample(f"{way}_1", "s", times, cached, "direct, 4 KiB, one after another")
                rates = tuple(rate for rate in _rates(times, depth) if rate > 0)
                yield f"{way}_iops_{depth}", Sample(f"{way}_iops_{depth}", "per s", rates, cached, f"direct, 4 KiB, {depth} at a time")
            stream = typical(drive.requests(4, way == "write", disk_probes.STREAM)) if drive.direct else ()
            rates = tuple(rate * disk_probes.STREAM for rate in _rates(stream, 4))
            yield f"{way}_stream", Sample(f"{way}_stream", "bytes/s", rates, cached, "direct, 1 MiB, four at a time")
    yield "flush", attempted("flush", "s", "fsync after 4 KiB", lambda: disk_probes.flushes(folder))


def _rates(times: tuple[float, ...], depth: int) -> list[float]:
    """Requests per second of pieces of a probe, by Little's law."""
    size = max(len(times) // 5, 1)
    return [depth / statistics.fmean(times[start : start + size]) for start in range(0, len(times) - size + 1, size)] if times else []


def calibrate(name: str, folder: Path, said: Callable[[str], None] = lambda what: None) -> tuple[CalibrationDocument, str]:
    """What this machine's Linux takes, as a document and as entries to include."""
    started, found, catalog = time.perf_counter(), machine(), Catalog.load()
    samples: dict[str, Sample] = {}
    for what, unit, method, probe in probes(found.threads):
        said(what)
        samples[what] = attempted(what, unit, method, probe, method.endswith(CPU_TIME))
    said("disk")
    samples |= dict(disk_samples(folder))
    like = nearest(catalog, found)
    kinds = entries(name, found, samples, like, datetime.now(UTC).strftime("%Y-%m-%d"))
    said("hold-out")
    held = tuple(holdouts(samples, kinds, name, folder))
    known = [abs(each.error) for each in held]
    document = CalibrationDocument(
        simvirt=provenance.program(), name=name, machine=_facts(found), nearest=like.name,
        measured={what: _measure(sample, getattr(like, COMPARED.get(what, ""), None)) for what, sample in samples.items()},
        held_out=held, median_error=statistics.median(known) if known else None, wall_s=time.perf_counter() - started,
        warnings=tuple(_warnings(found, samples)),
    )
    document = document.model_copy(update={"answer": _sentence(document)})
    return document, written(kinds, _head(document))


def _facts(found: Machine) -> dict[str, str]:
    """The machine in words."""
    return {
        "processor": found.model, "layout": f"{found.sockets} x {found.cores} cores x {found.smt} threads, {found.nodes} NUMA nodes",
        "clock": f"{found.clock_hz / 1e9:.2f} GHz", "memory": f"{found.memory_bytes / 2**30:.1f} GiB", "kernel": found.kernel,
        "virtual": "yes" if found.virtual else "no", "mitigations": ", ".join(found.mitigated) or "none told",
    }


def _measure(sample: Sample, nearest_ns: float | None) -> Measure:
    """A probe's part of the document."""
    if not sample.values:
        return Measure(unit=sample.unit, value=None, low=None, high=None, samples=0, method=sample.method, why=sample.why)
    other: dict[str, Any] = {} if nearest_ns is None else {"nearest": nearest_ns / 1e9}
    value, low, high = sample.value, sample.low, sample.high
    return Measure(unit=sample.unit, value=value, low=low, high=high, samples=len(sample.values), method=sample.method, **other)


def _warnings(found: Machine, samples: Mapping[str, Sample]) -> Iterator[str]:
    """What could not be measured, and why; what a VM hides."""
    for what, sample in samples.items():
        if not sample.values:
            yield f"{what} was not measured: {sample.why}"
    load = os.getloadavg()[0]
    if load > BUSY * found.threads:
        yield (f"the machine is busy (a load of {load:.1f} on {found.threads} CPUs): what waits has the work of others in it; "
               "measure when it is idle")
    if found.virtual:
        yield ("this machine is a virtual one: its numbers have what its hypervisor adds, time that is stolen from it does not show, and "
               "exits of guests on it are nested ones")
    if found.virtual and not samples["cycles"].values:
        yield "the hypervisor hides the counters of the processor: the clock is the one that it states"


def _sentence(document: CalibrationDocument) -> str:
    measured = sum(each.value is not None for each in document.measured.values())
    off = "" if document.median_error is None else f"; {len(document.held_out)} other measurements are predicted within " \
        f"{100 * document.median_error:.2g} % in the median"
    took = f"{measured} of {len(document.measured)} quantities were measured in {document.wall_s:.0f} s"
    return f"{took}; the nearest host is {document.nearest}{off}."


def _head(document: CalibrationDocument) -> str:
    return (f"Measured by simvirt calibrate {document.simvirt.version}. Use: include: FILE, and host: {{model: {document.name}}}.\n"
            f"{document.answer}\nWhat is not here is that of {document.nearest}.")

"""Other micro-measurements, which no entry was made from: predicted, then measured.

*Model*: rounds of processes are their own work and the switches between them; pages cost as many faults as are touched; a disk at a depth
    is simulated with its new entry, by as many clients as there are requests at a time.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from simvirt.calibrate import cpu_probes, disk_probes, net_probes, rights
from simvirt.calibrate.sample import Sample, lower_quartile, typical
from simvirt.result.calibration_document import HeldOut
from simvirt.runs.run import run
from simvirt.scenario import loads

DEPTHS: Final = (2, 8)
"""Depths that were not measured before."""
REPEATS: Final = 7


def holdouts(samples: Mapping[str, Sample], kinds: Mapping[str, Any], name: str, folder: Path) -> Iterator[HeldOut]:
    """All that can be predicted from what could be measured."""
    switch, own = samples["thread_switch"].value, samples["pipe"].value
    yield from _judged("three processes in a ring of pipes", "s", 3 * (switch + own), lambda: cpu_probes.ring(3))
    yield from _judged("four processes in a ring of pipes", "s", 4 * (switch + own), lambda: cpu_probes.ring(4))
    yield from _judged("an echo over TCP on the loopback", "s", 2 * (switch + samples["message"].value), _echo)
    fault = samples["page_fault"].value
    yield from _judged("every eighth page of 128 MiB", "s", 4096 * fault, lambda: 4096 * cpu_probes.faulted(4096, step=8))
    yield from _judged("64 MiB of pages", "s", 16384 * fault, lambda: 16384 * cpu_probes.faulted(16384))
    if samples["quota"].values:
        free = rights.share(None)
        yield from _judged("CPU share under a quota of 0.5", "ratio", min(0.5, free), lambda: next(iter(rights.throttled(0.5))), 1)
    if "disks" in kinds:
        yield from _of_disk(kinds, name, folder)


def _judged(what: str, unit: str, predicted: float, measure: Callable[[], float], times: int = REPEATS) -> Iterator[HeldOut]:
    """One measurement, the lower quartile of some, beside its prediction; nothing where either is not known."""
    try:
        measured = lower_quartile([measure() for _ in range(times)])
    except OSError:
        return
    if predicted > 0 and measured > 0:
        yield HeldOut(what=what, unit=unit, predicted=predicted, measured=measured, error=predicted / measured - 1)


def _echo() -> float:
    one, two = net_probes.tcp_pair()
    with one, two:
        return net_probes.echoed(one, two)


def _of_disk(kinds: Mapping[str, Any], name: str, folder: Path) -> Iterator[HeldOut]:
    """Requests per second at depths that were not measured."""
    with disk_probes.drive(folder) as drive:
        for way in ("read", "write"):
            for depth in DEPTHS:
                predicted = simulated(kinds, name, way, depth)
                yield from _judged(f"{way}s of 4 KiB, {depth} at a time", "per s", predicted, partial(_rate, drive, way, depth), 1)


def _rate(drive: disk_probes.Drive, way: str, depth: int) -> float:
    """Requests per second with so many at a time."""
    return depth / statistics.fmean(typical(drive.requests(depth, way == "write")))


def simulated(kinds: Mapping[str, Any], name: str, way: str, depth: int) -> float:
    """Requests per second of a disk's entry with so many at a time."""
    step = {"read": "4KiB"} if way == "read" else {"write": "4KiB", "direct": True}
    scenario = loads(json.dumps({
        "simvirt": 1, "name": "disk", "catalog": kinds, "host": {"model": name}, "platforms": ["bare-metal"],
        "services": {"disk": {"threads": "unlimited", "operations": {way: [{"disk": step}]}}},
        "workload": {"closed": {"clients": depth}, "mix": {f"disk.{way}": 1}, "local": True},
        "run": {"requests": 20_000, "replications": 1, "seed": 1},
    }))
    result = run(scenario, maximum=False).typed().platforms["bare-metal"]
    return float(result.throughput_per_s.value or 0.0)

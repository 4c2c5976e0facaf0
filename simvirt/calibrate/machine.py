"""What the kernel says of a machine: processors, caches, NUMA nodes, memory, tick, and whether it is itself a VM."""

from __future__ import annotations

import os
import platform
import re
import time
from dataclasses import dataclass
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Machine:
    """A machine as /proc and /sys have it; what they do not tell is 0, "" or None."""

    model: str
    vendor: str
    sockets: int
    cores: int
    """Of a socket."""
    smt: int
    clock_hz: float
    memory_bytes: int
    nodes: int
    llc_bytes: int
    virtual: bool
    tick_s: float | None
    kernel: str
    mitigated: tuple[str, ...]

    @property
    def threads(self) -> int:
        """Hardware threads."""
        return self.sockets * self.cores * self.smt


def machine(cpuinfo: str | None = None) -> Machine:
    """This machine; `cpuinfo` stands in for /proc/cpuinfo."""
    text = _text(Path("/proc/cpuinfo")) if cpuinfo is None else cpuinfo
    fields = [dict(re.findall(r"^(.+?)\s*:\s*(.*)$", block, re.MULTILINE)) for block in text.split("\n\n") if block.strip()]
    first = fields[0] if fields else {}
    sockets = len({each.get("physical id", "0") for each in fields}) or 1
    physical = len({(each.get("physical id", "0"), each.get("core id", number)) for number, each in enumerate(fields)}) or 1
    return Machine(
        model=first.get("model name", platform.machine()), vendor=first.get("vendor_id", ""),
        sockets=sockets, cores=max(physical // sockets, 1),
        smt=max(len(fields) // physical, 1), clock_hz=_clock(first), memory_bytes=_memory(), nodes=_nodes(), llc_bytes=_llc(),
        virtual="hypervisor" in first.get("flags", "").split(), tick_s=_tick(), kernel=platform.release(), mitigated=_mitigated(),
    )


def _text(path: Path) -> str:
    """A file of the kernel, empty where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _clock(fields: dict[str, str]) -> float:
    """The clock that is stated: the highest of the governor, in the model's name, or the present one [Hz]."""
    highest = _text(CPUS / "cpu0/cpufreq/base_frequency")
    named = re.search(r"@\s*([\d.]+)GHz", fields.get("model name", ""))
    if highest.isdigit():
        return int(highest) * 1e3
    return float(named[1]) * 1e9 if named else float(fields.get("cpu MHz", "0") or 0) * 1e6


def _memory() -> int:
    found = re.search(r"^MemTotal:\s+(\d+) kB", _text(Path("/proc/meminfo")), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _nodes() -> int:
    return len(list(Path("/sys/devices/system/node").glob("node[0-9]*"))) or 1


def _llc() -> int:
    """The largest cache of the first CPU [bytes]."""
    sizes = [_text(path) for path in (CPUS / "cpu0/cache").glob("index*/size")]
    units = {"K": 1024, "M": 1024**2}
    return max((int(size[:-1]) * units[size[-1]] for size in sizes if size[:-1].isdigit() and size[-1] in units), default=0)


def _tick() -> float | None:
    """The timer tick: the resolution of the coarse clock [s]."""
    coarse = getattr(time, "CLOCK_MONOTONIC_COARSE", 6)
    try:
        return time.clock_getres(coarse)
    except OSError:
        return None


def _mitigated() -> tuple[str, ...]:
    """Flaws that the kernel mitigates."""
    folder = CPUS / "vulnerabilities"
    return tuple(sorted(path.name for path in folder.glob("*") if _text(path).startswith("Mitigation"))) if os.path.isdir(folder) else ()

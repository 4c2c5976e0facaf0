"""sar -u and sadf -j: how busy the CPUs of a host were; idle and waiting for a disk is not busy, nor is what was stolen.

*Source*: sar(1), `-u`: %user, %nice, %system, %iowait, %steal, %idle; sadf(1), `-j`.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from simvirt.measurements.points import Point, averaged, number, refuse

NOT_BUSY: Final = ("idle", "iowait", "steal")
HEAD: Final = re.compile(r"\bCPU\s+%user?\s.*%idle|\bCPU\s+%usr\s.*%idle")


def recognises(text: str) -> bool:
    """Whether it is what sar or sadf prints."""
    return HEAD.search(text) is not None or '"sysstat"' in text[:400]


def read(text: str, file: str) -> list[Point]:
    """The mean of all samples of all CPUs together."""
    found = _of_json(text, file) if text.lstrip().startswith("{") else _of_text(text, file)
    if not found:
        refuse(file, None, "", "expected samples of all CPUs, as sar -u 1 60 prints them")
    return [averaged(found)]


def _of_text(text: str, file: str) -> list[Point]:
    names: list[str] = []
    found = []
    for line, each in enumerate(text.splitlines(), 1):
        words = each.split()
        if HEAD.search(each):
            names = [word.lstrip("%") for word in words[words.index("CPU") + 1:]]
        elif names and "all" in words and not each.startswith("Average"):
            values = words[words.index("all") + 1:]
            if len(values) != len(names):
                refuse(file, line, "", f"expected {len(names)} values after all; got {len(values)}")
            idle = sum(number(value, file, line, name) for name, value in zip(names, values, strict=True) if name in NOT_BUSY)
            found.append(Point(file, line, host_cpu=max(1 - idle / 100, 0.0)))
    return found


def _of_json(text: str, file: str) -> list[Point]:
    try:
        statistics: list[dict[str, Any]] = json.loads(text)["sysstat"]["hosts"][0]["statistics"]
        cpus = [cpu for each in statistics for cpu in each.get("cpu-load", each.get("cpu-load-all", []))]
        loads = [cpu for cpu in cpus if str(cpu["cpu"]) in ("all", "-1")]
        return [Point(file, host_cpu=max(1 - sum(float(cpu.get(name, 0)) for name in NOT_BUSY) / 100, 0.0)) for cpu in loads]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        refuse(file, getattr(error, "lineno", 1), "sysstat", f"expected what sadf -j prints; {type(error).__name__}: {error}")

"""vmstat: how busy the CPUs of a host were; its first line is the mean since the host started, and is left out.

*Source*: vmstat(8): us, sy, id, wa, st and, in newer ones, gu, in percent of all CPUs.
"""

from __future__ import annotations

from simvirt.measurements.points import Point, averaged, number, refuse

NOT_BUSY = ("id", "wa", "st")


def recognises(text: str) -> bool:
    """Whether it is what vmstat prints."""
    return text.lstrip().startswith("procs") and " us sy id" in text


def read(text: str, file: str) -> list[Point]:
    """The mean of all samples but the first."""
    names: list[str] = []
    found = []
    for line, each in enumerate(text.splitlines(), 1):
        words = each.split()
        if "us" in words and "id" in words:
            names = words
        elif names and words and words[0].isdigit():
            if len(words) < len(names):
                refuse(file, line, "", f"expected {len(names)} values; got {len(words)}")
            idle = sum(number(words[names.index(name)], file, line, name) for name in NOT_BUSY if name in names)
            found.append(Point(file, line, host_cpu=max(1 - idle / 100, 0.0)))
    if len(found) < 2:
        refuse(file, None, "", "expected at least two samples, as vmstat 1 60 prints them: the first is the mean since the host started")
    return [averaged(found[1:])]

"""docker stats: its table and its JSON lines, one sample or a stream of them; 100 % are one CPU.

*Source*: docker/cli, cli/command/formatter and docs/reference/commandline/container_stats.md; sizes by docker/go-units: KiB, MiB, also kB.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from simvirt.measurements.points import Point, averaged, number, refuse

ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SIZE: Final = re.compile(r"([\d.]+)\s*([kKMGT]?i?B)")
UNITS: Final = {
    "B": 1.0, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
    "KiB": 1024.0, "MiB": 1024.0**2, "GiB": 1024.0**3, "TiB": 1024.0**4,
}
ROW: Final = re.compile(r"^(\S+)\s+(?:(\S+)\s+)?([\d.]+|--)%?\s+([\d.]+\s*[kKMGT]?i?B)\s*/", re.MULTILINE)
Sample = tuple[int, str, float, float]
"""Line, container, CPU [cores], memory [bytes]."""


def recognises(text: str) -> bool:
    """Whether it is what docker stats prints."""
    plain = ESCAPES.sub("", text[:4000]).lstrip()
    return (plain.startswith("CONTAINER") and "CPU %" in plain) or '"CPUPerc"' in plain


def read(text: str, file: str) -> list[Point]:
    """The mean of the samples of each container; those of a container that comes again begin a new round."""
    plain = ESCAPES.sub("", text)
    samples = list(_of_lines(plain, file) if '"CPUPerc"' in plain else _of_table(plain))
    if not samples:
        refuse(file, 1, "", "expected lines of containers, for example f6e5d4c3b2a1 shop-web-1 2.30% 256MiB / 2GiB 12.5% ...")
    rounds: list[list[Sample]] = [[]]
    for sample in samples:
        if any(sample[1] == other[1] for other in rounds[-1]):
            rounds.append([])
        rounds[-1].append(sample)
    return [averaged([_round(file, each) for each in rounds])]


def _round(file: str, samples: list[Sample]) -> Point:
    return Point(file, samples[0][0], cpu_cores={s[1]: s[2] for s in samples}, memory_bytes={s[1]: s[3] for s in samples})


def _of_lines(text: str, file: str) -> Iterator[Sample]:
    """JSON, an object a line."""
    for line, each in enumerate(text.splitlines(), 1):
        if not each.strip().startswith("{"):
            continue
        try:
            row = json.loads(each)
        except ValueError:
            example = '{"Name":"shop-web-1","CPUPerc":"2.30%","MemUsage":"256MiB / 2GiB"}'
            refuse(file, line, "", f"expected an object on the line, for example {example}")
        if str(row.get("CPUPerc", "--")).startswith("--"):  # a container that is not up
            continue
        name = str(row.get("Name") or row.get("Container") or row.get("ID") or "")
        yield line, name, number(row["CPUPerc"], file, line, "CPUPerc") / 100, _size(str(row.get("MemUsage", "0B")), file, line)


def _of_table(text: str) -> Iterator[Sample]:
    for found in ROW.finditer(text):
        if found[3] != "--":
            line = text.count("\n", 0, found.start()) + 1
            yield line, found[2] or found[1], float(found[3]) / 100, _size(found[4], "", line)


def _size(text: str, file: str, line: int) -> float:
    """The memory before the slash."""
    found = SIZE.match(text.strip())
    if found is None:
        refuse(file, line, "MemUsage", f'expected a size, for example 256MiB / 2GiB; got "{text[:40]}"')
    return float(found[1]) * UNITS[found[2]]

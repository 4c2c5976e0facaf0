"""The CSV file of a failure trace: when which host failed, and for how long. Times come out in ns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from simvirt.scenario.reading.csv_columns import check, position_of, refuse, rows, table_header, times
from simvirt.scenario.spec.failures import FailureTraceSpec
from simvirt.units import shown


@dataclass(frozen=True, slots=True)
class Failed:
    """A failure of a trace: when [ns], which host by its place among all, until it was repaired [ns]."""

    at: int
    host: int
    lasts: int


def read_failures(spec: FailureTraceSpec, hosts: Sequence[str]) -> list[Failed]:
    """The failures of a trace, in the order of the file.

    ScenarioError with file and line for numbers that are none, times to a repair that are none, and hosts that there are not.
    """
    header = table_header(spec.file)
    at, lasts = times(header, [spec.at, spec.for_])
    assert lasts is not None
    check(header, spec.for_, lasts, lambda values: values >= 1, "expected a time of at least 1 ns")
    position, place = position_of(header, spec.fail), {name: row for row, name in enumerate(hosts)}
    which: list[int] = []
    for line, cells in rows(header):
        name = cells[position].strip() if position < len(cells) else ""
        if name not in place:
            close = get_close_matches(name, hosts, n=1)
            refuse(header, line, f'{spec.fail}: expected a host, for example "{close[0] if close else hosts[0]}"; got {shown(name)}')
        which.append(place[name])
    instants, repairs = np.rint(at).astype(np.int64).tolist(), np.rint(lasts).astype(np.int64).tolist()
    return [Failed(*one) for one in zip(instants, which, repairs, strict=True)]

"""How large a scenario may be: bounds on what is read, so that a wrong or hostile file is refused at once."""

from collections.abc import Sequence
from typing import Final

from simvirt.errors import Issue

MOST_BYTES: Final = 4 * 2**20
"""Size of a scenario file."""
MOST_DEPTH: Final = 40
"""Levels of nested lists and mappings."""
MOST_NODES: Final = 100_000
"""Values of a file, those that aliases repeat included."""
MOST_FILES: Final = 50
"""Files that a scenario is put together from."""
MOST_ISSUES: Final = 100
"""Mistakes reported of one scenario."""
MOST_TABLE_BYTES: Final = 2 * 2**30
"""Size of a trace or another CSV file."""
MOST_REPLICAS_IN_ALL: Final = 100_000
MOST_VMS: Final = 20_000
"""VMs of a platform, each with its kernel, its devices and its threads; twice what a density is searched for."""
MOST_THREADS: Final = 20_000_000
"""Threads of all replicas together; with their queues they fill some 10 GB."""
MOST_REQUESTS: Final = 10_000_000_000
"""Requests of a replication."""
LATEST_NS: Final = 36_500 * 86_400 * 10**9
"""The end of the clock, a hundred years; the longest time that a scenario can state [ns]."""
CPU_TIME_NS: Final = 2**62
"""CPU time of all CPUs of a host that can be counted [ns]."""
CHANGES_OF_A_PERIOD: Final = 288
"""Steps in which a diurnal rate changes: 5 minutes of a day."""
MOST_CHANGES: Final = 10_000_000
"""Changes of an arrival rate in a run."""
MOST_SAMPLES: Final = 1_000_000
"""Samples of an observed run."""
MOST_LEVELS: Final = 60
"""Levels of calls and parallel steps; each takes some frames of Python's stack while a scenario is lowered."""
MOST_TRANSFER: Final = 2**50
"""Bytes that a step reads, writes, sends or receives at a time."""
MOST_GROWN: Final = 1_000_000
"""Load at the end of a plan over that of today."""
MOST_MEMORY: Final = 4 * 2**30
"""Memory of the tables of one replication, estimated [bytes]."""


def first_of(issues: Sequence[Issue]) -> list[Issue]:
    """The first `MOST_ISSUES` mistakes, and how many others there are."""
    more = len(issues) - MOST_ISSUES
    return [*issues[:MOST_ISSUES], *([Issue(issues[0].file, None, None, "", f"and {more} more mistakes")] if more > 0 else [])]

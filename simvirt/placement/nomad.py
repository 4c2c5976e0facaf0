"""How well a host fits as Nomad scores it.

*Model*: BestFit v3: each resource's free share raises ten to a power; a full host scores 18, an empty one 0; spreading is the reverse.
*Ignores*: affinities, anti-affinity of a job's own allocations, penalties of rescheduling.
*Source*: hashicorp/nomad nomad/structs/funcs.go ScoreFitBinPack and ScoreFitSpread.
"""

from __future__ import annotations

from typing import Final

MOST_FIT: Final = 18.0
"""Score of a host that is full."""


def binpack_score(cpu: float, memory: float, used_cpu: float, used_memory: float) -> float:
    """Score of a host with so much for allocations, of which so much is used with the new one: 0 to 18."""
    return min(MOST_FIT, max(0.0, 20.0 - _steep(cpu, memory, used_cpu, used_memory)))


def spread_score(cpu: float, memory: float, used_cpu: float, used_memory: float) -> float:
    """The same where hosts are to be evenly used: 18 for an empty one."""
    return min(MOST_FIT, max(0.0, _steep(cpu, memory, used_cpu, used_memory) - 2.0))


def _steep(cpu: float, memory: float, used_cpu: float, used_memory: float) -> float:
    return float(10.0 ** _free(cpu, used_cpu) + 10.0 ** _free(memory, used_memory))


def _free(room: float, used: float) -> float:
    return 1.0 - used / room if room else 0.0

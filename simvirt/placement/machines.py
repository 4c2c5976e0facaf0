"""Which machines what waits for room needs, and which could do without theirs: simulated scheduling, as the cluster autoscaler does it.

*Model*: what waits is first tried on machines that are there or on their way. Of the rest the largest come first; each goes to the first
    of the machines opened so far that takes it, else one more of the pool is opened. Of several pools an expander chooses. A machine is
    removable where all that stands on it finds room on others, what left machines before it counted there.
*Ignores*: priorities of what waits; prices of pools; that pools of several zones are balanced.
*Source*: kubernetes/autoscaler cluster-autoscaler/estimator/binpacking_estimator.go, expander, simulator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simvirt.placement.choice import choose
from simvirt.placement.hosts import Asked, Hosts
from simvirt.placement.packing import first


@dataclass(frozen=True, slots=True)
class Option:
    """Machines of a pool that would be added, how many that wait they take, and how much of them stays unused: CPUs, then memory."""

    pool: str
    machines: tuple[int, ...]
    taken: int
    waste: tuple[float, float]


EXPANDERS: Final[Mapping[str, Callable[[Option], tuple[float, ...]]]] = {
    "least-waste": lambda option: option.waste,
    "most-pods": lambda option: (-float(option.taken),),
    "least-nodes": lambda option: (float(len(option.machines)),),
}
"""What an expander wants least of."""


def requested(hosts: Hosts, host: int) -> float:
    """What is requested of a machine over what it has, of the resource of which that is most."""
    shares = [int(hosts.taken_of(name)[host]) / max(int(hosts.room_of(name)[host]), 1) for name in ("cpu", "memory")]
    return max(shares)


def unplaced(hosts: Hosts, waiting: Sequence[Asked]) -> list[Asked]:
    """Those that no machine takes; the others stand on `hosts` then."""
    found, hopeless = list[Asked](), list[Asked]()
    for asked in waiting:
        host = None if asked in hopeless else choose(hosts, asked, first).host
        if host is None:
            found.append(asked)
            hopeless.append(asked)
        else:
            hosts.add(asked.service, host, asked.reserves)
    return found


def option_of(pool: str, hosts: Hosts, spare: Sequence[int], waiting: Sequence[Asked]) -> Option | None:
    """Machines of a pool for what waits, of those that are spare; None where they would not help."""
    trial, opened, taken = hosts.only([False] * len(hosts.names)), list[int](), 0
    for asked in sorted(waiting, key=lambda asked: -_size(hosts, spare, asked)):
        host = choose(trial, asked, first).host
        if host is None and len(opened) < len(spare):
            host = _opened(trial, hosts, spare[len(opened)], asked)
            opened += [] if host is None else [host]
        if host is not None:
            trial.add(asked.service, host, asked.reserves)
            taken += 1
    return Option(pool, tuple(opened), taken, _waste(trial, opened)) if opened else None


def _opened(trial: Hosts, hosts: Hosts, host: int, asked: Asked) -> int | None:
    """One more machine, where it takes what no other one took."""
    trial.cpus[host] = hosts.cpus[host]
    if choose(trial, asked, first).host is None:
        trial.cpus[host] = -1
        return None
    return host


def _size(hosts: Hosts, spare: Sequence[int], asked: Asked) -> float:
    """What a replica requests of a machine: shares of CPUs and memory, together."""
    return sum(asked.reserves.get(name, 0) / max(int(hosts.room_of(name)[spare[0]]), 1) for name in ("cpu", "memory")) if spare else 0.0


def _waste(trial: Hosts, opened: Sequence[int]) -> tuple[float, float]:
    """The share of CPUs, and of memory, of some machines that nobody requests."""
    rows = np.array(opened, np.int64)
    cpu, memory = (1.0 - float(trial.taken_of(name)[rows].sum() / max(trial.room_of(name)[rows].sum(), 1)) for name in ("cpu", "memory"))
    return cpu, memory


def chosen(options: Sequence[Option], expander: str) -> Option | None:
    """The option that an expander chooses, the first of those that are alike; None where there is none."""
    return min(options, key=EXPANDERS[expander], default=None)


def removable(hosts: Hosts, candidates: Sequence[int], standing: Mapping[int, Sequence[tuple[Asked, Mapping[str, int]]]]) -> list[int]:
    """Those machines whose replicas would find room on others, one after the other; `standing` has what is reserved for each of them."""
    found = list[int]()
    for host in candidates:
        trial = _without(hosts, host, standing.get(host, ()))
        if not unplaced(trial, [asked for asked, _ in standing.get(host, ())]):
            found.append(host)
            hosts = trial
    return found


def _without(hosts: Hosts, host: int, standing: Sequence[tuple[Asked, Mapping[str, int]]]) -> Hosts:
    """The machines without one of them, and without what stands there."""
    able = hosts.cpus >= 0
    able[host] = False
    trial = hosts.only(able.tolist())
    for asked, kept in standing:
        trial.remove(asked.service, host, kept)
    return trial

"""The random numbers of requests: classes and draws, block by block.

The n-th request of a class meets the same draws on every platform, in every cell of a sweep and on any number of workers: each variable
of a class has a stream of its own, and its n-th number belongs to the n-th request of that class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from simvirt.scenario.spec.distributions import Distribution
from simvirt.workload.arrivals import Instants, open_arrivals
from simvirt.workload.sampling import Sampler, sampler
from simvirt.workload.streams import CLASSES, DRAWS, TENANTS, THINKING, Generators

BLOCK_BYTES = 262_144  # draws of a block; small enough for the cache


DEMAND, CHANCE, CHOICE, FAULTS, ACCESS, FILES, JITTER = range(7)
"""Families of variables: demands and delays; probabilities; which replica; page faults; accesses to a disk; file operations; back-offs."""


Asked = tuple[int, Distribution | None]
"""What a variable is asked for by: its family and its distribution."""
Place = frozenset[tuple[Asked, int]]
OF_A_KIND = 2**20
"""Numbers in each family that are kept for the variables of a kind of host."""


@dataclass(frozen=True)
class Variable:
    """A random variable of a request class: its distribution (None: uniform on [0, 1)) and its place in its family."""

    distribution: Distribution | None
    family: int
    number: int


@dataclass
class Variables:
    """The random variables of one request class, in the order of its itinerary; a column each.

    Streams are keyed by family and by place in it, so that a probability or another way of balancing shifts nobody's demands.
    Where a body is written once more for another kind of host, the same variables are asked for in the same order: `go_back` begins anew,
    and what the first kind had none of has streams of its own.
    """

    variables: list[Variable] = field(default_factory=list)
    kind: int = 0
    _columns: dict[Asked, list[int]] = field(default_factory=dict)
    _often: dict[Asked, int] = field(default_factory=dict)
    _numbers: dict[tuple[int, int], int] = field(default_factory=dict)

    def column(self, distribution: Distribution | None = None, family: int = DEMAND) -> int:
        """The column of the next variable that is alike: one that there is, or a new one."""
        key = (family, distribution)
        known, at = self._columns.setdefault(key, []), self._often.get(key, 0)
        self._often[key] = at + 1
        if at == len(known):
            known.append(self._added(distribution, family))
        return known[at]

    def _added(self, distribution: Distribution | None, family: int) -> int:
        """A new variable; its column."""
        number = self._numbers.get((self.kind, family), self.kind * OF_A_KIND)
        self._numbers[self.kind, family] = number + 1
        self.variables.append(Variable(distribution, family, number))
        return len(self.variables) - 1

    def place(self) -> Place:
        """How far it has been asked."""
        return frozenset(self._often.items())

    def go_back(self, place: Place, kind: int) -> None:
        """Be asked anew from a place on, for a kind of host."""
        self._often, self.kind = dict(place), kind


@dataclass(frozen=True)
class Block:
    """Some requests: instants or times to think [ns], classes, draws (n x width), tenants where there are several."""

    at: np.ndarray
    category: np.ndarray
    draws: np.ndarray
    last: bool
    home: np.ndarray | None = None

    def between(self, first: int, end: int, last: bool) -> Block:
        """Some of its requests."""
        home = None if self.home is None else self.home[first:end]
        return Block(self.at[first:end], self.category[first:end], self.draws[first:end], last, home)


def nothing(width: int, last: bool) -> Block:
    """A block without requests."""
    return Block(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, width)), last)


def joined(blocks: list[Block], last: bool) -> Block:
    """Blocks one behind the other."""
    homes = [block.home for block in blocks if block.home is not None]
    return Block(
        np.concatenate([block.at for block in blocks]), np.concatenate([block.category for block in blocks]),
        np.concatenate([block.draws for block in blocks]), last, np.concatenate(homes) if homes else None,
    )


class Blocks(Protocol):
    """Where blocks of requests come from."""

    def next_block(self) -> Block:
        """The next requests, at least one of them until the last block, which says so."""


class RequestStream:
    """Draws blocks of requests of one workload for one replication; its classes are numbered from `first` on."""

    def __init__(
        self,
        workload: Any,
        weights: list[float],
        variables: list[Variables],
        trace_columns: list[int | None],
        limit: int | None,
        generators: Generators,
        classes: list[str],
        width: int,
        tenants: int = 1,
        first: int = 0,
        loads: Sequence[tuple[float, float]] = (),
    ) -> None:
        self._tenants, self._first = TenantAssignment(workload, tenants, generators), first
        self.width = width  # draws a row, those included that others than requests use
        self._workload = workload
        self._shares = np.cumsum(weights) / np.sum(weights) if len(weights) > 0 else np.ones(1)
        self._samplers = [[sampler_of(v, generators, k) for v in of_class.variables] for k, of_class in enumerate(variables)]
        self._classes = generators.stream(CLASSES)
        self._left = limit
        self._size = int(np.clip(BLOCK_BYTES // (8 * self.width), 64, 4096))
        self._think: Sampler | None = None
        self._instants: Instants | None = None
        self._trace = Trace(workload.trace, trace_columns, classes) if workload is not None and workload.trace is not None else None
        if workload is not None and workload.closed is not None:
            self._think = sampler_of(Variable(workload.closed.think, DEMAND, 0), generators, THINKING)
        elif workload is not None and self._trace is None:
            self._instants = open_arrivals(workload, generators, loads)

    def next_block(self) -> Block:
        """The next requests; the last block says so."""
        n = self._size if self._left is None else min(self._size, self._left)
        if self._workload is None or n == 0:
            return nothing(self.width, True)
        at = self._take_instants(n)
        if self._left is not None:
            self._left -= len(at)
        category = self._take_classes(len(at))
        draws = self._draw(category)
        if self._trace is not None:
            self._trace.fill(draws, category)
        ended = len(at) < n or self._left == 0 or (self._trace is not None and self._trace.ended)
        return Block(at, category + self._first if self._first else category, draws, ended, self._tenants.take(len(at)))

    def _take_instants(self, n: int) -> np.ndarray:
        """Arrival instants, or times to think of a closed workload."""
        if self._think is not None:
            return np.rint(self._think(n)).astype(np.int64)
        if self._trace is not None:
            return self._trace.take(n)
        assert self._instants is not None
        return self._instants.take(n)

    def _take_classes(self, n: int) -> np.ndarray:
        """Request classes: those of the trace, or drawn from the mix."""
        if self._trace is not None and self._trace.category is not None:
            return self._trace.category
        if len(self._shares) == 1:
            return np.zeros(n, np.int64)
        return np.searchsorted(self._shares, self._classes.random(n), side="right").astype(np.int64)

    def _draw(self, category: np.ndarray) -> np.ndarray:
        """A row of draws for each request."""
        draws = np.zeros((len(category), self.width))
        for k, samplers in enumerate(self._samplers):
            rows = slice(None) if len(self._samplers) == 1 else np.flatnonzero(category == k)
            n = len(category) if isinstance(rows, slice) else len(rows)
            for column, draw in enumerate(samplers):
                draws[rows, column] = draw(n)
        return draws


class TenantAssignment:
    """Which tenant each request belongs to.

    *Model*: every tenant has the same share. A Poisson stream that is split at random is a Poisson stream for each (Cinlar 1975); arrivals
        at equal distances are dealt out in turn, so that each tenant's are at equal distances too. Clients belong to a tenant for good.
    """

    def __init__(self, workload: Any, count: int, generators: Generators) -> None:
        self._count, self._next = count, 0
        source = None if workload is None else workload.open or workload.rates
        in_turn = source is not None and source.arrivals == "deterministic"
        self._choice = generators.stream(TENANTS) if count > 1 and not in_turn else None

    def take(self, n: int) -> np.ndarray | None:
        """The tenants of the next n requests, numbered from 0; None where there is only one."""
        if self._count == 1:
            return None
        if self._choice is not None:
            return (self._choice.random(n) * self._count).astype(np.int64)
        first, self._next = self._next, (self._next + n) % self._count
        return (first + np.arange(n, dtype=np.int64)) % self._count


def sampler_of(variable: Variable, generators: Generators, k: int) -> Sampler:
    """Sampler of a variable of class k, counted in its workload."""
    first = generators.stream(DRAWS, k, variable.family, variable.number, 0)
    if variable.distribution is None:
        return first.random
    return sampler(variable.distribution, first, generators.stream(DRAWS, k, variable.family, variable.number, 1))


class Trace:
    """A workload read from a file: instants, and where given demands and classes."""

    def __init__(self, spec: Any, columns: list[int | None], classes: list[str]) -> None:
        from simvirt.scenario.reading.tracefile import read_trace

        data = read_trace(spec, tuple(classes))
        self._at, self._demand = data.at_ns, data.demand_ns
        rows = {name: row for row, name in enumerate(classes)}
        self._operation = None if data.operation is None else np.array([rows[name] for name in data.operations])[data.operation]
        self._columns = columns  # class: column of the demand that a row brings
        self._factors = [spec.factors.get(name, 1.0) for name in classes]
        self._next = 0
        self._rows: slice | np.ndarray = slice(0, 0)
        self.category: np.ndarray | None = None

    @property
    def ended(self) -> bool:
        """Whether all rows have been taken."""
        return self._next >= len(self._at)

    def take(self, n: int) -> np.ndarray:
        """The next n instants [ns]; their classes are then in `category`."""
        end = min(self._next + n, len(self._at))
        self._rows, self._next = slice(self._next, end), end
        if self._operation is not None:
            self.category = np.asarray(self._operation[self._rows], dtype=np.int64)
        return np.asarray(self._at[self._rows], dtype=np.int64)

    def fill(self, draws: np.ndarray, category: np.ndarray) -> None:
        """Put the rows' own demands where the draws are."""
        if self._demand is None:
            return
        demand = self._demand[self._rows]
        for k, (column, factor) in enumerate(zip(self._columns, self._factors, strict=True)):
            if column is not None:
                mine = category == k
                draws[mine, column] = demand[mine] * factor

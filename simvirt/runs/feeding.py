"""The streams of requests that feed a data plane: one of all workloads whose requests come at instants, one for each with clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simvirt.lowering.lower import Lowered
from simvirt.lowering.traffic import RequestClass, streams_of
from simvirt.workload.draws import Block, Blocks, RequestStream, Variables, nothing
from simvirt.workload.merging import Merged
from simvirt.workload.streams import Generators


@dataclass(frozen=True)
class Drawn:
    """What the requests of one workload are drawn from."""

    lowered: Lowered
    load: int

    @property
    def rows(self) -> range:
        """Its classes among those of all workloads."""
        rows = [row for row, of in enumerate(self.lowered.classes) if of.load == self.load]
        return range(rows[0], rows[-1] + 1) if rows else range(0)

    @property
    def classes(self) -> list[RequestClass]:
        """Its classes."""
        return [self.lowered.classes[row] for row in self.rows]

    @property
    def operations(self) -> list[str]:
        """Where requests of each class enter."""
        return [of.operation for of in self.classes]

    @property
    def weights(self) -> list[float]:
        """How often each class comes."""
        return [of.weight for of in self.classes]

    @property
    def variables(self) -> list[Variables]:
        """The random variables of each class."""
        return [self.lowered.variables[row] for row in self.rows]

    @property
    def trace_columns(self) -> list[int | None]:
        """Where each class takes the demand of a row of a trace."""
        return [self.lowered.trace_columns[row] for row in self.rows]

    @property
    def tenants(self) -> int:
        """Among how many its requests are divided."""
        return self.lowered.scenario.tenants.count if self.lowered.scenario.tenants is not None else 1

    @property
    def first(self) -> int:
        """Number of its first class."""
        return self.rows.start


def feed(lowered: Lowered, stream: Callable[[int, int | None], Blocks], limit: int | None) -> list[Blocks]:
    """All streams of requests; `stream` makes that of one workload, of which `limit` requests come where there is no other."""
    found: list[Blocks] = []
    for loads in streams_of(lowered.scenario):
        parts = [stream(load, limit if len(loads) == 1 else None) for load in loads]
        found.append(parts[0] if len(parts) == 1 else Merged(parts, lowered.width, limit))
    return found


@dataclass(frozen=True)
class Silent:
    """A stream without requests."""

    width: int

    def next_block(self) -> Block:
        """Nothing, and nothing after it."""
        return nothing(self.width, True)


def silent(lowered: Lowered) -> list[Blocks]:
    """All streams of requests, from which none comes."""
    return [Silent(lowered.width) for _ in streams_of(lowered.scenario)]


def as_written(lowered: Lowered, load: int, limit: int | None, seed: int, replication: int) -> RequestStream:
    """The requests of one workload as the scenario has it."""
    of, view = Drawn(lowered, load), list(lowered.scenario.alone.values())[load]
    return RequestStream(
        view.workload, of.weights, of.variables, of.trace_columns, limit, Generators(seed, replication, load), of.operations, lowered.width,
        of.tenants, of.first, lowered.scenario.loads,
    )

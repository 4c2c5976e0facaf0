"""Request classes of all workloads, the streams that they come in, and the tables of what comes and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.rows import Columns, blank, fill
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.resilience import Guarded

BATCHES = 4096
Entry = tuple[int, int, int, int]
"""Of a request class: service row, first instruction, balancing column; first instruction of a client that guards its requests or NONE."""


@dataclass(frozen=True)
class RequestClass:
    """Requests of one workload that enter at one operation."""

    operation: str
    weight: float  # among the classes of its workload
    load: int  # number of its workload
    view: Scenario  # with that workload alone
    caller: str = "workload"  # the name of that workload, the word for one where it has none

    @property
    def local(self) -> bool:
        """Whether its requests begin and end inside the instance."""
        return self.view.workload is not None and self.view.workload.local

    @property
    def guard(self) -> Guarded | None:
        """What its client does when there is no answer."""
        return self.view.workload.guard if self.view.workload is not None else None

    @property
    def priority(self) -> int:
        """What its requests come before others by."""
        return self.view.workload.priority_of(self.operation) if self.view.workload is not None else 0

    @property
    def connects(self) -> bool:
        """Whether each of its requests comes over a connection of its own."""
        return self.view.workload is not None and self.view.workload.connection == "new"


def request_classes(scenario: Scenario) -> list[RequestClass]:
    """The classes of all workloads, workload by workload, in the order of its mix."""
    found = []
    for load, (caller, view) in enumerate(scenario.alone.items()):
        mix = view.mix
        names = [name for name, weight in mix.items() if weight > 0] or list(mix)
        found += [RequestClass(name, mix[name], load, view, caller or "workload") for name in names]
    return found


def clients_of(scenario: Scenario) -> list[int]:
    """Clients of each workload, 0 where requests come at instants."""
    return [0 if view.workload is None else view.workload.clients for view in scenario.alone.values()]


def streams_of(scenario: Scenario) -> list[list[int]]:
    """The workloads of each stream of requests: first those that come at instants, together; then the clients of each other one."""
    clients = clients_of(scenario)
    at_instants = [load for load, count in enumerate(clients) if count == 0]
    return ([at_instants] if at_instants else []) + [[load] for load, count in enumerate(clients) if count > 0]


def source_table(classes: list[RequestClass], entries: list[Entry], width: int, scenario: Scenario, hop_ns: float) -> Columns:
    """Request classes and streams; the blocks of requests begin empty."""
    n, streams, clients = max(len(entries), 1), streams_of(scenario), clients_of(scenario)
    of_class = ("entry", "service", "balance_column", "hop", "received", "stream", "workload", "guard", "rank")
    of_stream = dict.fromkeys(("clients", "end", "last", "cursor", "parked"), len(streams))
    columns = blank(t.Source, rows=1, **dict.fromkeys(of_class, n), **of_stream)
    fill(
        columns, width=[width], clients=[sum(clients[load] for load in stream) for stream in streams], streams=[len(streams)],
        bounded=[int(scenario.run.requests is not None)], homes=[scenario.tenants.count if scenario.tenants is not None else 1],
        workloads=[len(clients)], received=[1] * n, hop=[round(hop_ns)] * n,
    )
    if entries:
        stream_of = {load: row for row, stream in enumerate(streams) for load in stream}
        fill(
            columns, service=[e[0] for e in entries], entry=[e[1] for e in entries], balance_column=[e[2] for e in entries],
            guard=[e[3] for e in entries],
            received=[int(not c.local) for c in classes], hop=[hop_of(c, hop_ns) for c in classes],
            stream=[stream_of[c.load] for c in classes], workload=[c.load for c in classes], rank=ranks_of(classes),
        )
    return columns


def ranks_of(classes: list[RequestClass]) -> list[int]:
    """Places of the priorities of classes among all that there are, 0 for the highest."""
    order = sorted({one.priority for one in classes}, reverse=True)
    return [order.index(one.priority) for one in classes]


def hop_of(of: RequestClass, hop_ns: float) -> int:
    """Time that the platform adds to the way from and to the client, and to that of a new connection [ns]."""
    return 0 if of.local else round(hop_ns) * (2 if of.connects else 1)


def tallies_table(classes: list[RequestClass], workloads: int) -> Columns:
    """Results by request class; batches of all requests and, where there are several workloads, of each."""
    n, rows = max(len(classes), 1), 1 + (workloads if workloads > 1 else 0)
    single = dict.fromkeys(("in_system", "area", "area_at", "batch_capacity"), 1)
    batched = dict.fromkeys(("batch_size", "batch_count", "batch_fill", "batch_open"), rows)
    columns = blank(
        t.Tallies, rows=n, spent=n * k.N_CATEGORIES, histogram=n * k.N_BUCKETS, causes=n * k.CAUSES, batch_sum=rows * BATCHES,
        batch_at=rows * BATCHES, **single, **batched,
    )
    return fill(columns, batch_capacity=np.array([BATCHES]))

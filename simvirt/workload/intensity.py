"""The same workload with another intensity, distributions of times multiplied."""

from __future__ import annotations

import math

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.rates import pieces
from simvirt.scenario.spec.models import (
    AnyDistribution,
    ClosedSpec,
    DiurnalSpec,
    Empirical,
    MmppSpec,
    OpenSpec,
    PieceSpec,
    Uniform,
    WorkloadSpec,
)


def scaled(workload: WorkloadSpec, factor: float) -> WorkloadSpec:
    """A workload whose rates are multiplied by `factor`; of a closed one the clients, rounded up.

    A file of rates becomes pieces in turn. ScenarioError for a trace, whose arrivals are what they are.
    """
    if workload.open is not None:
        return workload.model_copy(update={"open": _open(workload.open, factor)})
    if workload.closed is not None:
        clients = max(1, math.ceil(workload.closed.clients * factor - 1e-9))
        return workload.model_copy(update={"closed": _with(workload.closed, clients=clients)})
    if workload.rates is not None:
        return workload.model_copy(update={"rates": None, "open": _open(pieces(workload.rates), factor)})
    message = "a trace cannot be scaled; expected open, closed or rates, for example open: {rate: 800/s}"
    raise ScenarioError([Issue(None, None, None, "workload.trace", message)])


def _with(spec: ClosedSpec, clients: int) -> ClosedSpec:
    return spec.model_copy(update={"clients": clients})


def _open(spec: OpenSpec, factor: float) -> OpenSpec:
    """Arrivals of the same shape at rates multiplied by a factor."""
    return spec.model_copy(update={
        "rate": None if spec.rate is None else spec.rate * factor,
        "piecewise": None if spec.piecewise is None else tuple(_piece(piece, factor) for piece in spec.piecewise),
        "diurnal": None if spec.diurnal is None else _diurnal(spec.diurnal, factor),
        "mmpp": None if spec.mmpp is None else _mmpp(spec.mmpp, factor),
    })


def _piece(spec: PieceSpec, factor: float) -> PieceSpec:
    return spec.model_copy(update={"rate": spec.rate * factor})


def _diurnal(spec: DiurnalSpec, factor: float) -> DiurnalSpec:
    return spec.model_copy(update={"mean": spec.mean * factor})


def _mmpp(spec: MmppSpec, factor: float) -> MmppSpec:
    return spec.model_copy(update={"rates": tuple(rate * factor for rate in spec.rates)})


def multiplied(law: AnyDistribution, factor: float) -> AnyDistribution:
    """A distribution whose values are multiplied by a factor."""
    if isinstance(law, Uniform):
        return law.model_copy(update={"low": law.low * factor, "high": law.high * factor})
    if isinstance(law, Empirical):
        return Empirical.model_construct(file=law.file, column=law.column, scale=law.scale * factor)
    return law.model_copy(update={"mean": law.mean * factor})

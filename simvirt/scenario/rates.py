"""How often requests come in the long run."""

from __future__ import annotations

from simvirt.scenario.reading.tracefile import read_rates
from simvirt.scenario.spec.models import OpenSpec, PieceSpec, RatesSpec, Scenario

LEAST_CYCLE_S = 1e-9


def mean_rate(scenario: Scenario, response_s: float) -> float:
    """Requests per second in the long run; of a closed workload those of clients that wait `response_s` for an answer.

    0 without a workload, and for a trace.
    """
    workload = scenario.workload
    if workload is None:
        return 0.0
    if workload.closed is not None:
        return workload.closed.clients / max(workload.closed.think.mean / 1e9 + response_s, LEAST_CYCLE_S)
    if workload.rates is not None:
        return pieces(workload.rates).mean_rate
    return workload.open.mean_rate if workload.open is not None else 0.0


def pieces(spec: RatesSpec) -> OpenSpec:
    """A file of rates as pieces; the last one lasts as long as the one before."""
    rates = read_rates(spec)
    ends = [*rates.at_ns[1:], 2 * rates.at_ns[-1] - rates.at_ns[-2] if len(rates.at_ns) > 1 else rates.at_ns[0] + 1_000_000_000]
    lengths = [int(end - start) for start, end in zip(rates.at_ns, ends, strict=True)]
    found = [PieceSpec.model_construct(for_=length, rate=float(rate)) for length, rate in zip(lengths, rates.per_s, strict=True)]
    if rates.at_ns[0] > 0:
        found.insert(0, PieceSpec.model_construct(for_=int(rates.at_ns[0]), rate=0.0))
    return OpenSpec.model_construct(piecewise=tuple(found), arrivals=spec.arrivals)

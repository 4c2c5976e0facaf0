"""Cases: the workload, the objective, the run and the timeline."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import BARE, CLOSED, EVENTFUL, KVM, REPLICATED
from helpers.fields import ABSENT, CHANGES, FALLS, RISES, Case, patched

MEAN: Final = "latency_s/mean"
RATE: Final = "throughput_per_s"
OPEN: Final = "workload/open"
TIMED: Final = patched(BARE, {"run": {"duration": "20s", "replications": 1, "seed": 1, "warmup": "0s"}})
TWO_OPERATIONS: Final = patched(BARE, {"services/server/operations/long": [{"cpu": "20ms"}], "workload/open/rate": "30/s"})
TRACES: Final = {
    "quick.csv": "arrives_s,demand_ms,double_ms,op,other\n" + "".join(f"{i / 50},{5 + i % 9},{2 * (5 + i % 9)},server.job,server.long\n" for i in range(500)),
    "slow.csv": "arrives_s,later_s\n" + "".join(f"{i / 20},{i / 10}\n" for i in range(500)),
    "rates.csv": "time_s,rate_per_s,half_per_s,half_s\n" + "".join(f"{t},{20 + t},{10 + t / 2},{t / 2}\n" for t in range(0, 60, 2)),
    "bare.csv": "".join(f"{t},{20 + t},{10 + t / 2}\n" for t in range(0, 60, 2)),
}
TRACE: Final = patched(TWO_OPERATIONS, {"workload": {"trace": {"file": "quick.csv", "at": "arrives_s"}, "mix": {"server.job": 1}}, "run": {"duration": "60s", "replications": 1, "warmup": "0s"}})
RATES: Final = patched(BARE, {"workload": {"rates": {"file": "rates.csv", "at": "time_s", "rate": "rate_per_s"}, "mix": {"server.job": 1}}, "run": {"duration": "20s", "replications": 1, "warmup": "0s"}})
NUMBERED: Final = patched(RATES, {"workload/rates": {"file": "bare.csv", "at": 0, "rate": 1}})


def opened(field: str, before: dict[str, Any], after: dict[str, Any], read: str, moves: str, least: float = 0.1) -> Case:
    """A case of an open load."""
    return Case(field, TIMED, {OPEN: before}, {OPEN: after}, read, moves, least)


def pieces(*parts: tuple[str, str]) -> dict[str, Any]:
    """Rates in turn."""
    return {"piecewise": [{"for": time, "rate": rate} for time, rate in parts]}


def tide(**changes: Any) -> dict[str, Any]:
    """A load that follows a short day."""
    return {"diurnal": {"mean": "40/s", "amplitude": 0.8, "period": "20s", "peak": "10s"} | changes}


def bursts(rates: list[str], sojourn: list[str]) -> dict[str, Any]:
    """A load of two states."""
    return {"mmpp": {"rates": rates, "sojourn": sojourn}}


EVEN: Final = pieces(("5s", "20/s"), ("5s", "60/s"))
WORKLOAD: Final = (
    Case("WorkloadSpec.open", BARE, {}, {OPEN: {"rate": "90/s"}}, RATE, RISES),
    Case("WorkloadSpec.closed", CLOSED, {}, {"workload/closed": {"clients": 1, "think": {"exponential": "20ms"}}}, RATE, FALLS),
    Case("WorkloadSpec.trace", TRACE, {}, {"workload/trace": {"file": "slow.csv", "at": "arrives_s"}}, MEAN, FALLS, files=TRACES),
    Case("WorkloadSpec.rates", RATES, {}, {"workload/rates": {"file": "rates.csv", "at": "time_s", "rate": "half_per_s"}}, RATE, FALLS, files=TRACES),
    Case("WorkloadSpec.mix", TWO_OPERATIONS, {}, {"workload/mix": {"server.job": 1, "server.long": 1}}, MEAN, RISES),
    Case("WorkloadSpec.mix", TWO_OPERATIONS, {"workload/mix": {"server.job": 9, "server.long": 1}}, {"workload/mix": {"server.job": 1, "server.long": 9}}, "breakdown_s/cpu", RISES, 0.3),
    Case("WorkloadSpec.connection", patched(BARE, {"services/server/operations/job": [{"cpu": "20us"}], "workload/open/rate": "900/s"}), {}, {"workload/connection": "new"}, MEAN, RISES),
    Case("WorkloadSpec.local", KVM, {}, {"workload/local": True}, MEAN, FALLS, 1e-5),
    opened("OpenSpec.rate", {"rate": "40/s"}, {"rate": "60/s"}, RATE, RISES),
    opened("OpenSpec.arrivals", {"rate": "60/s"}, {"rate": "60/s", "arrivals": "deterministic"}, "breakdown_s/queue", FALLS),
    opened("OpenSpec.piecewise", EVEN, pieces(("5s", "20/s"), ("5s", "20/s")), RATE, FALLS),
    opened("OpenSpec.diurnal", tide(), tide(amplitude=0.0), MEAN, FALLS),
    opened("OpenSpec.mmpp", bursts(["10/s", "70/s"], ["1s", "1s"]), bursts(["10/s", "20/s"], ["1s", "1s"]), RATE, FALLS),
    opened("PieceSpec.for", EVEN, pieces(("1s", "20/s"), ("5s", "60/s")), RATE, RISES),
    opened("PieceSpec.rate", EVEN, pieces(("5s", "20/s"), ("5s", "90/s")), RATE, RISES),
    opened("DiurnalSpec.mean", tide(), tide(mean="20/s"), RATE, FALLS),
    opened("DiurnalSpec.amplitude", tide(), tide(amplitude=0.2), MEAN, FALLS),
    opened("DiurnalSpec.period", tide(peak="0s", amplitude=1.0), tide(peak="0s", amplitude=1.0, period="80s"), RATE, RISES),
    opened("DiurnalSpec.peak", tide(period="80s", peak="0s"), tide(period="80s", peak="40s"), RATE, FALLS),
    opened("MmppSpec.rates", bursts(["10/s", "70/s"], ["1s", "1s"]), bursts(["10/s", "90/s"], ["1s", "1s"]), MEAN, RISES),
    opened("MmppSpec.sojourn", bursts(["10/s", "70/s"], ["1s", "1s"]), bursts(["10/s", "70/s"], ["4s", "500ms"]), RATE, FALLS),
    Case("ClosedSpec.clients", CLOSED, {"workload/closed/clients": 1}, {"workload/closed/clients": 8}, RATE, RISES, 0.3),
    Case("ClosedSpec.think", CLOSED, {}, {"workload/closed/think": {"exponential": "200ms"}}, RATE, FALLS, 0.3),
    Case("TraceSpec.file", TRACE, {}, {"workload/trace/file": "slow.csv"}, "breakdown_s/queue", FALLS, files=TRACES),
    Case("TraceSpec.at", TRACE, {"workload/trace/file": "slow.csv"}, {"workload/trace/file": "slow.csv", "workload/trace/at": "later_s"}, "breakdown_s/queue", FALLS, files=TRACES),
    Case("TraceSpec.cpu", TRACE, {"workload/trace/cpu": "demand_ms"}, {"workload/trace/cpu": "double_ms"}, "breakdown_s/cpu", RISES, 0.4, files=TRACES),
    Case("TraceSpec.operation", TRACE, {"workload/trace/operation": "op", "workload/mix": {"server.job": 1, "server.long": 1}}, {"workload/trace/operation": "other", "workload/mix": {"server.job": 1, "server.long": 1}}, "breakdown_s/cpu", RISES, 0.4, files=TRACES),
    Case("RatesSpec.file", RATES, {}, {"workload/rates": {"file": "bare.csv", "at": 0, "rate": 2}}, RATE, FALLS, files=TRACES),
    Case("RatesSpec.at", RATES, {}, {"workload/rates/at": "half_s"}, RATE, RISES, files=TRACES),
    Case("RatesSpec.rate", RATES, {}, {"workload/rates/rate": "half_per_s"}, RATE, FALLS, 0.3, files=TRACES),
    Case("RatesSpec.unit", NUMBERED, {}, {"workload/rates/unit": "min"}, RATE, FALLS, 0.3, files=TRACES),
    Case("RatesSpec.arrivals", RATES, {}, {"workload/rates/arrivals": "deterministic"}, "breakdown_s/queue", FALLS, files=TRACES),
)
ENDPOINTS: Final = patched(BARE, {"run/replications": 3, "services/server/operations/idle": [{"delay": "1ms"}], "workload/mix": {"server.job": 1, "server.idle": 1}})


def limited(**limits: str) -> dict[str, Any]:
    """The patch of limits on one operation."""
    return {"objective": {"operations": {"server.idle": limits}}}


LOSSY: Final = patched(BARE, {"services/server/queue": 0, "run/replications": 3})
LIMITS: Final = (*((f"latency_{which}", "1us", "1h") for which in ("mean", "p50", "p90", "p95", "p99", "p999")), ("throughput", "1000/s", "1/s"), ("rejected", "1%", "90%"))
OF_ONE: Final = tuple(
    Case(f"LatencyLimitsSpec.{name}", ENDPOINTS, limited(**{name: hard}), limited(**{name: easy}), f"objective/{name}:server.idle/met", CHANGES)
    for name, hard, easy in LIMITS if name.startswith("latency"))
OBJECTIVE: Final = (*OF_ONE, Case("ObjectiveSpec.operations", ENDPOINTS, {"objective": {"latency_p99": "1h"}}, limited(latency_p50="1us"), "objective", CHANGES), *(
    Case(f"ObjectiveSpec.{name}", LOSSY, {"objective": {name: hard}}, {"objective": {name: easy}}, f"objective/{name}/met", CHANGES) for name, hard, easy in LIMITS))
PRECISE: Final = patched(BARE, {"run": {"requests": 300, "replications": 2, "seed": 1, "warmup": "0s"}})
RUN: Final = (
    Case("RunSpec.duration", TIMED, {}, {"run/duration": "40s"}, "simulated_s", RISES, 0.4),
    Case("RunSpec.requests", BARE, {"run/requests": 300}, {"run/requests": 600}, "requests", RISES, 0.4),
    Case("RunSpec.replications", PRECISE, {}, {"run/replications": 4}, "/replications", RISES),
    Case("RunSpec.seed", BARE, {}, {"run/seed": 2}, MEAN, CHANGES),
    Case("RunSpec.warmup", TIMED, {}, {"run/warmup": "5s"}, "warmup_s", RISES),
    Case("RunSpec.warmup", TIMED, {}, {"run/warmup": "5s"}, "requests", FALLS, 0.15),
    Case("RunSpec.precision", PRECISE, {}, {"run/precision": "10%"}, "/replications", RISES),
    Case("RunSpec.max_replications", patched(PRECISE, {"run/precision": "1%"}), {"run/max_replications": 3}, {"run/max_replications": 6}, "/replications", RISES),
    Case("RunSpec.observe", TIMED, {"run/observe": "1s"}, {"run/observe": "2s"}, "series/at_s", CHANGES),
    Case("RunSpec.observe", TIMED, {}, {"run/observe": "2s"}, "series/in_system", CHANGES),
)
EVENT: Final = "timeline/0/"
ONE_LEFT: Final = patched(REPLICATED, {"workload/open/rate": "150/s"})
STOPPED: Final = patched(ONE_LEFT, {"timeline": [{"at": "1s", "stop": "server", "replica": 0}]})
TIMELINE: Final = (
    Case("TimelineEvent.at", STOPPED, {}, {EVENT + "at": "8s"}, "breakdown_s/queue", FALLS),
    Case("TimelineEvent.start", ONE_LEFT, {}, {"timeline": [{"at": "8s", "start": "server", "replica": 0}]}, "breakdown_s/queue", RISES),
    Case("TimelineEvent.stop", ONE_LEFT, {}, {"timeline": [{"at": "1s", "stop": "server", "replica": 0}]}, "breakdown_s/queue", RISES),
    Case("TimelineEvent.crash", EVENTFUL, {"timeline": ABSENT}, {}, "failed", RISES),
    Case("TimelineEvent.replica", EVENTFUL, {}, {EVENT + "replica": ABSENT}, "failed", RISES),
    Case("TimelineEvent.restart", EVENTFUL, {EVENT + "restart": ABSENT}, {}, "breakdown_s/queue", FALLS),
)
STATED: Final = patched(TIMED, {"platforms": ["docker"], "state": {}})
STATE: Final = (
    Case("Scenario.state", patched(EVENTFUL, {"platforms": ["docker"]}), {}, {"state": {"instances": "up"}}, "lifecycle/readiness_s/last", CHANGES),
    Case("StateSpec.images", patched(STATED, {"state": {"instances": "none"}}), {}, {"state": {"images": "none", "instances": "none"}}, "rejected", RISES),
    Case("StateSpec.instances", STATED, {}, {"state": {"instances": "none"}}, "rejected", RISES),
)
CASES: Final = (*WORKLOAD, *OBJECTIVE, *RUN, *TIMELINE, *STATE)

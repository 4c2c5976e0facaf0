"""Cases: calls and workloads that are guarded."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Final

from field_cases_workloads import named
from helpers.field_bases import BARE, TWO
from helpers.fields import CHANGES, FALLS, RISES, Case, patched

FAILED: Final = "failed"
DELAY: Final = "breakdown_s/delay"
CALL: Final = "services/server/operations/job/1"
LIMITED: Final = patched(TWO, {f"{CALL}/timeout": "4ms"})
"""A call that is not waited for longer than an answer takes in the mean."""
BUSY: Final = patched(LIMITED, {"workload/open/rate": "200/s"})
REFUSED: Final = "rejected"
FULL: Final = patched(TWO, {"services/db/queue": 0})
"""A callee that rejects whatever comes while it is busy."""
AGAIN: Final = patched(FULL, {f"{CALL}/retry": {"attempts": 3, "backoff": "10ms"}})
BACK: Final = f"{CALL}/retry/backoff"
POOR: Final = patched(AGAIN, {f"{CALL}/retry/budget": {"ratio": "1%", "reserve": "0/s"}})
BUDGET: Final = f"{CALL}/retry/budget"
POOLED: Final = patched(TWO, {f"{CALL}/pool": {"connections": 1, "queue": 0}})
BROKEN: Final = patched(LIMITED, {f"{CALL}/breaker": {"failures": 1, "open": "100ms"}})
HASTY: Final = patched(BARE, {"services/server/queue": 0, "workload/open/rate": "30/s"})
OVER: Final = patched(BARE, {"workload/open/rate": "150/s"})
SHEDS: Final = patched(OVER, {"services/server/shed": {"target": "20ms", "interval": "100ms"}})
RUSH: Final = patched(BARE, {"services/server/operations/bulk": [{"cpu": {"exponential": "10ms"}}], "workload/mix": {"server.job": 1, "server.bulk": 1}, "workload/open/rate": "85/s"})
"""Two kinds of requests for one busy thread."""
ADAPTS: Final = patched(OVER, {"services/server/threads": 4, "host/cores": 4, "workload/open/rate": "800/s", "services/server/limit": {"rule": "gradient2", "window": "100ms"}})
"""An overloaded service whose limit adapts."""
LIMIT: Final = "services/server/limit"
FOLLOWS: Final = patched(ADAPTS, {"services/server/limit": {"rule": "aimd", "window": "100ms", "timeout": "40ms"}})
WORKLOAD: Final = (
    Case("WorkloadSpec.timeout", BARE, {}, {"workload/timeout": "20ms"}, FAILED, RISES),
    Case("WorkloadSpec.deadline", BARE, {}, {"workload/deadline": "20ms"}, FAILED, RISES),
    Case("WorkloadSpec.on_timeout", BARE, {"workload/timeout": "20ms"}, {"workload/timeout": "20ms", "workload/on_timeout": "cancel"}, FAILED, FALLS),
    Case("WorkloadSpec.retry", HASTY, {}, {"workload/retry": {"attempts": 2, "backoff": "30ms"}}, REFUSED, FALLS),
    Case("WorkloadSpec.breaker", HASTY, {}, {"workload/breaker": {"failures": 1, "open": "1s"}}, FAILED, RISES),
    Case("WorkloadSpec.pool", BARE, {}, {"workload/pool": {"connections": 1, "queue": 0}}, FAILED, RISES),
    Case("WorkloadSpec.priority", RUSH, {}, {"workload/priority": {"server.job": 1}}, "operations/server.job/latency_s/mean", FALLS),
    Case("WorkloadSpec.hedge", BARE, {}, {"workload/hedge": "20ms"}, "latency_s/mean", CHANGES),
)
CASES: Final = (
    *WORKLOAD,
    *map(named, WORKLOAD),
    Case("CallStep.timeout", TWO, {}, {f"{CALL}/timeout": "5ms"}, FAILED, RISES),
    Case("CallStep.deadline", TWO, {}, {f"{CALL}/deadline": "5ms"}, FAILED, RISES),
    Case("CallStep.on_timeout", BUSY, {}, {f"{CALL}/on_timeout": "cancel"}, "services/db/cpu_cores", FALLS),
    Case("CallStep.retry", FULL, {}, {f"{CALL}/retry": {"attempts": 3, "backoff": "10ms"}}, REFUSED, FALLS),
    Case("CallStep.breaker", LIMITED, {}, {f"{CALL}/breaker": {"failures": 1, "open": "1s"}}, FAILED, RISES),
    Case("CallStep.pool", TWO, {}, {f"{CALL}/pool": {"connections": 1, "queue": 0}}, FAILED, RISES),
    Case("CallStep.hedge", TWO, {}, {f"{CALL}/hedge": "2ms"}, "services/db/throughput_per_s", RISES),
    Case("RetrySpec.attempts", AGAIN, {}, {f"{CALL}/retry/attempts": 6}, REFUSED, FALLS),
    Case("RetrySpec.backoff", AGAIN, {}, {BACK: "50ms"}, DELAY, RISES),
    Case("RetrySpec.jitter", AGAIN, {BACK: "20ms", f"{CALL}/retry/jitter": "none"}, {BACK: "20ms"}, DELAY, FALLS),
    Case("RetrySpec.jitter", AGAIN, {BACK: "20ms"}, {BACK: "20ms", f"{CALL}/retry/jitter": "equal"}, DELAY, RISES),
    Case("RetrySpec.budget", AGAIN, {}, {BUDGET: {"ratio": 0.01, "reserve": "0/s"}}, REFUSED, RISES),
    Case("BackoffSpec.exponential", AGAIN, {BACK: {"exponential": "2ms"}}, {BACK: {"exponential": "40ms"}}, DELAY, RISES),
    Case("BackoffSpec.constant", AGAIN, {BACK: {"constant": "2ms"}}, {BACK: {"constant": "40ms"}}, DELAY, RISES),
    Case("BackoffSpec.factor", AGAIN, {BACK: {"exponential": "5ms"}}, {BACK: {"exponential": "5ms", "factor": 50}}, DELAY, RISES),
    Case("BackoffSpec.max", AGAIN, {BACK: {"exponential": "5ms", "factor": 50}}, {BACK: {"exponential": "5ms", "factor": 50, "max": "5ms"}}, DELAY, FALLS),
    Case("BudgetSpec.ratio", POOR, {}, {f"{BUDGET}/ratio": "100%"}, REFUSED, FALLS),
    Case("BudgetSpec.reserve", POOR, {}, {f"{BUDGET}/reserve": "50/s"}, REFUSED, FALLS),
    Case("BudgetSpec.window", POOR, {f"{BUDGET}/ratio": "50%"}, {f"{BUDGET}/ratio": "50%", f"{BUDGET}/window": "1ms"}, REFUSED, RISES),
    Case("BreakerSpec.failures", BROKEN, {}, {f"{CALL}/breaker/failures": 1000}, FAILED, FALLS),
    Case("BreakerSpec.open", BROKEN, {}, {f"{CALL}/breaker/open": "10s"}, FAILED, RISES),
    Case("ServiceSpec.shed", OVER, {}, {"services/server/shed": {}}, "latency_s/mean", FALLS),
    Case("ShedSpec.target", SHEDS, {}, {"services/server/shed/target": "200ms"}, "latency_s/mean", RISES),
    Case("ShedSpec.interval", SHEDS, {}, {"services/server/shed/interval": "5s"}, "latency_s/mean", RISES),
    Case("ServiceSpec.limit", OVER, {}, {"services/server/limit": "aimd"}, REFUSED, RISES),
    Case("LimitSpec.rule", ADAPTS, {}, {"services/server/limit/rule": "vegas"}, LIMIT, CHANGES),
    Case("LimitSpec.initial", ADAPTS, {}, {"services/server/limit/initial": 100}, LIMIT, RISES),
    Case("LimitSpec.min", patched(ADAPTS, {"services/server/limit": {"rule": "aimd", "window": "100ms", "timeout": "1ms"}}), {}, {"services/server/limit/min": 15}, LIMIT, RISES),
    Case("LimitSpec.max", ADAPTS, {}, {"services/server/limit/max": 20}, LIMIT, FALLS),
    Case("LimitSpec.window", ADAPTS, {}, {"services/server/limit/window": "400ms"}, LIMIT, CHANGES),
    Case("LimitSpec.smoothing", ADAPTS, {}, {"services/server/limit/smoothing": "90%"}, "latency_s/mean", CHANGES),
    Case("LimitSpec.room", ADAPTS, {}, {"services/server/limit/room": 20}, LIMIT, RISES),
    Case("LimitSpec.memory", ADAPTS, {}, {"services/server/limit/memory": 5}, LIMIT, CHANGES),
    Case("LimitSpec.timeout", FOLLOWS, {}, {"services/server/limit/timeout": "100ms"}, LIMIT, RISES),
    Case("LimitSpec.backoff", FOLLOWS, {}, {"services/server/limit/backoff": "20%"}, LIMIT, FALLS),
    Case("PoolSpec.connections", POOLED, {}, {f"{CALL}/pool/connections": 10}, FAILED, FALLS),
    Case("PoolSpec.queue", POOLED, {}, {f"{CALL}/pool/queue": 100}, FAILED, FALLS),
)

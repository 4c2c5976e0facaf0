"""Cases: topics, and those who subscribe to them."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import BARE
from helpers.fields import CHANGES, FALLS, RISES, Case, patched

WORK: Final = {"cpu": {"exponential": "4ms"}}
OF: Final = "topics/orders/subscribers/work.do"
LINE: Final = "messages/orders > work.do"
POSTED: Final = patched(BARE, {
    "host/cores": 8, "services/server/operations/job": [{"publish": "orders"}],
    "services/work": {"operations": {"do": [WORK], "log": [{"cpu": "1ms"}]}}, "topics": {"orders": {"subscribers": {"work.do": {}}}}, "workload/open/rate": "150/s",
})
"""Requests that leave a message each, for one consumer at 60 %."""
HASTY: Final = patched(POSTED, {f"{OF}/visibility": "4ms", f"{OF}/max_deliveries": 2, f"{OF}/concurrency": 8})
FAILING: Final = patched(POSTED, {"services/work/operations/do": [WORK, {"call": "db.put", "timeout": "1ms"}], "services/db": {"operations": {"put": [{"delay": {"exponential": "1ms"}}]}}})
"""A consumer that fails now and then, with the same draws each time."""
SHORT: Final = patched(POSTED, {f"{OF}/length": 2, "workload/open/rate": "240/s"})
TWICE: Final = patched(POSTED, {"services/work/scale": 2, "workload/open/rate": "300/s"})


def publishing(**more: Any) -> dict[str, Any]:
    return {"services/server/operations/job": [{"publish": "orders"} | more]}


CASES: Final = (
    Case("Scenario.topics", POSTED, {}, {"topics/orders/subscribers": ["work.do", "work.log"]}, "services/work/throughput_per_s", RISES),
    Case("TopicSpec.subscribers", POSTED, {}, {"topics/orders/subscribers": ["work.do", "work.log"]}, "services/work/cpu_cores", RISES),
    Case("PublishStep.publish", patched(POSTED, {"topics/mail": {"subscribers": "work.log"}}), {"services/server/operations/job": [{"publish": "orders"}, {"publish": "mail"}]}, {"services/server/operations/job": [{"publish": "mail"}, {"publish": "orders"}, {"publish": "orders"}]}, "services/work/cpu_cores", RISES),
    Case("PublishStep.times", POSTED, publishing(), publishing(times=2), f"{LINE}/published_per_s", RISES),
    Case("PublishStep.probability", POSTED, publishing(), publishing(probability=0.5), f"{LINE}/published_per_s", FALLS),
    Case("SubscriberSpec.concurrency", POSTED, {}, {f"{OF}/concurrency": 4}, f"{LINE}/latency_s/mean", FALLS),
    Case("SubscriberSpec.prefetch", TWICE, {}, {f"{OF}/prefetch": 50}, f"{LINE}/latency_s/mean", RISES),
    Case("SubscriberSpec.delivery", FAILING, {}, {f"{OF}/delivery": "at-most-once"}, f"{LINE}/lost", RISES),
    Case("SubscriberSpec.visibility", POSTED, {}, {f"{OF}/visibility": "4ms"}, f"{LINE}/redelivered", RISES),
    Case("SubscriberSpec.max_deliveries", HASTY, {}, {f"{OF}/max_deliveries": 6}, f"{LINE}/redelivered", RISES),
    Case("SubscriberSpec.length", SHORT, {}, {f"{OF}/length": 20}, "latency_s/mean", FALLS),
    Case("SubscriberSpec.full", SHORT, {}, {f"{OF}/full": "drop-newest"}, f"{LINE}/dropped", RISES),
    Case("SubscriberSpec.full", SHORT, {f"{OF}/full": "drop-newest"}, {f"{OF}/full": "drop-oldest"}, f"{LINE}/latency_s/mean", CHANGES),
)

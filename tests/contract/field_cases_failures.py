"""Cases: what fails, and what that means to those who are not hit."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Final

from helpers.field_bases import BARE
from helpers.fields import ABSENT, FALLS, RISES, Case, patched

FAILED: Final = "failed"
QUEUE: Final = "breakdown_s/queue"
EVENT: Final = "timeline/0/"
PAIR: Final = patched(BARE, {
    "host": ABSENT, "hosts": {"node": {"count": 2, "cores": 1, "memory": "16GiB"}},
    "services": {
        "server": {"threads": "unlimited", "scale": 2, "restart": "always", "operations": {"job": [{"cpu": "1ms"}, {"call": "db.query"}]}},
        "db": {"threads": "unlimited", "operations": {"query": [{"cpu": "1ms"}, {"disk": {"read": "4KiB", "hit": 0}}]}},
    },
    "workload": {"open": {"rate": "50/s"}, "mix": {"server.job": 1}}, "run": {"duration": "20s", "warmup": "0s", "replications": 1},
    "timeline": [{"at": "2s", "fail": "node[1]"}],
})
"""Two services on two hosts, one of which loses power for ever."""


def failing(**fields: object) -> object:
    """The same with another failure."""
    return patched(PAIR, {"timeline": [{"at": "2s", "fail": "node[1]"} | {key.rstrip("_"): value for key, value in fields.items()}]})


CASES: Final = (
    Case("Scenario.failures", patched(PAIR, {EVENT + "at": "10s"}), {}, {"failures": {"unanswered": "1s"}}, FAILED, RISES),
    Case("FailuresSpec.unanswered", PAIR, {"failures": {"unanswered": "1s"}}, {"failures": {"unanswered": "2min"}}, FAILED, FALLS),
    Case("TimelineEvent.fail", PAIR, {"timeline": ABSENT}, {}, FAILED, RISES),
    Case("TimelineEvent.how", failing(for_="1s"), {}, {EVENT + "how": "partition"}, FAILED, FALLS),
    Case("TimelineEvent.for", failing(how="partition", for_="1s"), {"failures": {"unanswered": "2s"}}, {"failures": {"unanswered": "2s"}, EVENT + "for": ABSENT}, FAILED, RISES),
    Case("TimelineEvent.factor", failing(fail="node", how="slow-disk", factor=2), {}, {EVENT + "factor": 100}, "breakdown_s/disk", RISES),
    Case("TimelineEvent.ratio", failing(how="loss", ratio="1%"), {}, {EVENT + "ratio": "50%"}, "breakdown_s/network", RISES),
)

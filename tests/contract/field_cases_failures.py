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


OFTEN: Final = patched(PAIR, {"timeline": ABSENT, "failures": {"unanswered": "100ms", "random": [{"fail": "node", "how": "slow-disk", "mtbf": "1s", "mttr": "1s"}]}})
"""Two hosts with slow drives half of the time."""
CHANCE: Final = "failures/random/0/"
DISK: Final = "breakdown_s/disk"
FILES: Final = {"failures.csv": "node,other,at_s,later_s,down_s,long_s\nnode[0],node[1],2,15,1,9\n", "often.csv": "node,other,at_s,later_s,down_s,long_s\nnode[0],node[1],2,15,9,9\nnode[0],node[1],12,15,7,7\n"}
REPLAYED: Final = patched(OFTEN, {"failures": {"unanswered": "100ms", "trace": {"file": "failures.csv", "at": "at_s", "fail": "node", "for": "down_s", "how": "slow-disk"}}})
"""A drive that is slow for a second."""
PAST: Final = "failures/trace/"
CASES: Final = (
    Case("FailuresSpec.trace", REPLAYED, {PAST[:-1]: ABSENT}, {}, DISK, RISES, files=FILES),
    Case("FailureTraceSpec.file", REPLAYED, {}, {PAST + "file": "often.csv"}, DISK, RISES, files=FILES),
    Case("FailureTraceSpec.at", REPLAYED, {PAST + "for": "long_s"}, {PAST + "at": "later_s", PAST + "for": "long_s"}, DISK, FALLS, files=FILES),
    Case("FailureTraceSpec.fail", REPLAYED, {}, {PAST + "fail": "other"}, DISK, FALLS, files=FILES),
    Case("FailureTraceSpec.for", REPLAYED, {}, {PAST + "for": "long_s"}, DISK, RISES, files=FILES),
    Case("FailureTraceSpec.how", REPLAYED, {}, {PAST + "how": "power"}, FAILED, RISES, files=FILES),
    Case("FailuresSpec.random", OFTEN, {"failures/random": ABSENT}, {}, DISK, RISES),
    Case("RandomFailureSpec.fail", OFTEN, {CHANCE + "fail": "node[1]"}, {}, DISK, RISES),
    Case("RandomFailureSpec.how", OFTEN, {}, {CHANCE + "how": "power"}, FAILED, RISES),
    Case("RandomFailureSpec.mtbf", OFTEN, {}, {CHANCE + "mtbf": "10s"}, DISK, FALLS),
    Case("RandomFailureSpec.shape", patched(OFTEN, {CHANCE + "mtbf": "100s"}), {}, {CHANCE + "shape": 0.3}, DISK, RISES),
    Case("RandomFailureSpec.mttr", OFTEN, {}, {CHANCE + "mttr": "100ms"}, DISK, FALLS),
    Case("RandomFailureSpec.factor", OFTEN, {}, {CHANCE + "factor": 100}, DISK, RISES),
    Case("RandomFailureSpec.ratio", patched(OFTEN, {CHANCE + "how": "loss"}), {CHANCE + "ratio": "1%"}, {CHANCE + "ratio": "50%"}, "breakdown_s/network", RISES),
    Case("Scenario.failures", patched(PAIR, {EVENT + "at": "10s"}), {}, {"failures": {"unanswered": "1s"}}, FAILED, RISES),
    Case("FailuresSpec.unanswered", PAIR, {"failures": {"unanswered": "1s"}}, {"failures": {"unanswered": "2min"}}, FAILED, FALLS),
    Case("FailuresSpec.goal", PAIR, {"failures": {"goal": "99.9%", "unanswered": "1s"}}, {"failures": {"goal": "90%", "unanswered": "1s"}}, "availability/budget_used", FALLS),
    Case("TimelineEvent.fail", PAIR, {"timeline": ABSENT}, {}, FAILED, RISES),
    Case("TimelineEvent.how", failing(for_="1s"), {}, {EVENT + "how": "partition"}, FAILED, FALLS),
    Case("TimelineEvent.for", failing(how="partition", for_="1s"), {"failures": {"unanswered": "2s"}}, {"failures": {"unanswered": "2s"}, EVENT + "for": ABSENT}, FAILED, RISES),
    Case("TimelineEvent.factor", failing(fail="node", how="slow-disk", factor=2), {}, {EVENT + "factor": 100}, "breakdown_s/disk", RISES),
    Case("RandomFailureSpec.clients", patched(OFTEN, {CHANCE + "how": "partition"}), {}, {CHANCE + "clients": "rest"}, FAILED, RISES),
    Case("TimelineEvent.clients", patched(failing(how="partition"), {"services/server/operations/job": [{"cpu": "1ms"}]}), {}, {"failures": {"unanswered": "1s"}, EVENT + "clients": "rest"}, FAILED, RISES),
    Case("TimelineEvent.ratio", failing(how="loss", ratio="1%"), {}, {EVENT + "ratio": "50%"}, "breakdown_s/network", RISES),
)

"""Cases: what acts on instances while a scenario runs."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import REPLICATED
from helpers.fields import ABSENT, CHANGES, FALLS, RISES, Case, patched


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


ACTED: Final = patched(REPLICATED, {
    "platforms": [{"name": "x", "stack": ["docker"], "orchestrator": "mine"}], "catalog": {"orchestrators": {"mine": {"like": "compose"}}},
    "run": {"duration": "20s", "replications": 1, "warmup": "0s"}, "services/server/scale": 1, "services/server/restart": "always", "workload/open/rate": "40/s",
    "timeline": [{"at": "1s", "crash": "server"}, {"at": "5s", "crash": "server"}, {"at": "9s", "crash": "server"}],
})
"""A container that crashes three times, and is restarted each time."""
SCALED: Final = patched(ACTED, {"timeline": [{"at": "5s", "scale": "server", "replicas": 3}]})
"""One container, and two more later."""
SHRUNK: Final = patched(ACTED, {
    "services/server": {"scale": 2, "threads": 64, "operations": {"job": [{"delay": {"exponential": "2s"}}]}}, "timeline": [{"at": "5s", "scale": "server", "replicas": 1}],
    "catalog/orchestrators/mine/grace": number("1s"),
})
"""Two containers of which one is stopped while it answers."""
FAILING: Final = patched(ACTED, {
    "host": ABSENT, "hosts": {"node": {"count": 2, "cores": 4, "memory": "16GiB"}}, "services/server/scale": 2, "failures": {"unanswered": "1s"},
    "timeline": [{"at": "2s", "fail": "node[1]"}],
})
"""Two containers on two hosts, one of which loses power."""
UPDATED: Final = patched(ACTED, {"services/server/image": "nginx:1.27", "services/server/cpus": 0.5, "timeline": [{"at": "5s", "update": "server", "image": "nginx:1.28"}]})
"""One container that is replaced by one of another version."""
CHECKED: Final = patched(SCALED, {"services/server/healthcheck": {"interval": "2s"}, "services/server/startup": [{"delay": "700ms"}]})
"""Two containers that start later, and are checked every two seconds."""
LAST: Final = "lifecycle/readiness_s/last"
PANIC: Final = patched(ACTED, {
    "platforms/0/stack": ["kvm"], "timeline": [{"at": "5s", "fail": "server", "how": "kernel-panic"}], "services/server/healthcheck": {"interval": "1s", "timeout": "1s"},
    "failures": {"unanswered": "1s"},
})
"""A guest that panics."""
NOTICED: Final = "availability/outages/0/noticed_after_s"


def checked(field: str, value: Any, moves: str, base: dict[str, Any] = CHECKED, read: str = LAST) -> Case:
    """A case of one key of a health check."""
    return Case(f"HealthcheckSpec.{field}", base, {}, {f"services/server/healthcheck/{field}": value}, read, moves)


CASES: Final = (
    Case("ServiceSpec.healthcheck", CHECKED, {"services/server/healthcheck": ABSENT}, {}, LAST, RISES),
    checked("interval", "5s", RISES), checked("start_period", "10s", RISES), checked("timeout", "2s", RISES, PANIC, NOTICED), checked("retries", 5, RISES, PANIC, NOTICED),
    checked("start_interval", "100ms", FALLS, patched(CHECKED, {"services/server/healthcheck/start_period": "10s"})),
    Case("PlatformSpec.orchestrator", ACTED, {"platforms/0/orchestrator": ABSENT}, {"platforms/0/orchestrator": "compose"}, "rejected", FALLS),
    Case("TimelineEvent.scale", SCALED, {"timeline": []}, {}, "lifecycle/ready", RISES),
    Case("TimelineEvent.update", UPDATED, {"timeline": []}, {}, "happened/told", RISES),
    Case("TimelineEvent.image", UPDATED, {"timeline/0/image": "nginx:1.27"}, {"timeline/0/image": "nginx:1.28"}, "rejected", RISES),
    Case("TimelineEvent.cpus", UPDATED, {}, {"timeline/0/cpus": 0.3}, "latency_s/mean", RISES),
    Case("TimelineEvent.mem_limit", patched(UPDATED, {"catalog/orchestrators/mine/reserves": "requests", "services/server/scale": 2, "services/server/mem_limit": "1GiB"}),
         {"timeline/0/mem_limit": "2GiB"}, {"timeline/0/mem_limit": "12GiB"}, "lifecycle/ready", FALLS),
    Case("TimelineEvent.replicas", UPDATED, {}, {"timeline/0/replicas": 4}, "lifecycle/ready", RISES),
    Case("TimelineEvent.rollback", UPDATED, {}, {"timeline": [*UPDATED["timeline"], {"at": "12s", "rollback": "server"}]}, "happened/told", RISES),
    Case("TimelineEvent.load", ACTED, {"timeline": []}, {"timeline": [{"at": "10s", "load": 2}]}, "requests", RISES, 0.3),
    Case("TimelineEvent.replicas", SCALED, {}, {"timeline/0/replicas": 4}, "lifecycle/ready", RISES),
)


def of(field: str, value: Any, moves: str, base: dict[str, Any] = ACTED, read: str = "rejected") -> Case:
    """A case of one constant of an orchestrator."""
    return Case(f"orchestrators.{field}", base, {}, {f"catalog/orchestrators/mine/{field}": value}, read, moves)


SOFT: Final = patched(ACTED, {
    "host": ABSENT, "hosts": {"node": {"count": 2, "cores": 1, "memory": "16GiB"}}, "services/server": {"cpus": 0.6, "scale": 2, "restart": "always"}, "timeline": [],
    "catalog/orchestrators/mine": {"like": "compose", "reserves": "requests"}, "workload/open/rate": "300/s",
    "services/server/operations": {"job": [{"cpu": "1ms"}]},
})
"""Two containers, of which one host has room for one."""
GROWN: Final = patched(SOFT, {"services/server/cpus": 0.9, "services/server/scale": 1, "timeline": [{"at": "5s", "scale": "server", "replicas": 2}]})
"""A container, and another, after which there would be no room on one host for both."""
UNEVEN: Final = patched(REPLICATED, {
    "host": ABSENT, "hosts": {"node": {"count": 2, "cores": 2, "memory": "16GiB", "nic": "10gbe"}}, "platforms": [{"name": "x", "stack": ["kvm"], "orchestrator": "mine"}],
    "services/server": {
        "scale": 4, "cpus": 1, "threads": "unlimited", "mem_limit": "256MiB", "deploy": {"resources": {"reservations": {"cpus": 0.1}}},
        "operations": {"job": [{"cpu": {"exponential": "10ms"}}]}},
    "workload/open/rate": "220/s", "run": {"duration": "12s", "replications": 1, "warmup": "0s", "seed": 1},
    "catalog": {"orchestrators": {"mine": {"like": "drs", "places": "first-fit", "balance": number("2s")}}},
})
"""Four VMs on one of two hosts, which ask for more than it has."""
FULL: Final = patched(UNEVEN, {
    "hosts/node/memory": "4GiB", "hosts/node/swap": "8GiB", "services/server/mem_limit": "1150MiB", "services/server/memory": {"base": "1000MiB"}, "workload/open/rate": "40/s",
    "services/server/deploy/resources/reservations/memory": "10MiB",
})
"""Four VMs on one of two hosts, whose memory they might need."""
ENTRIES: Final = (
    of("balance", number("10s"), RISES, UNEVEN, "latency_s/mean"), of("threshold", 1, RISES, UNEVEN, "latency_s/mean"), of("step", number(0.9), RISES, UNEVEN, "latency_s/mean"),
    of("moves", number(1), RISES, patched(UNEVEN, {"catalog": {"orchestrators": {"mine": {**UNEVEN["catalog"]["orchestrators"]["mine"], "balance": number("4s")}}, "migrators": {"slow": {"like": "libvirt", "bandwidth": number("150MB/s")}}}, "platforms/0/migrator": "slow"}), "latency_s/mean"),
    of("idle", number(1), RISES, FULL, "happened/told"),
    of("acts", "none", RISES), of("notice", number("1s"), RISES), of("sync", number("500ms"), FALLS, patched(ACTED, {"catalog/orchestrators/mine/notice": number("3s")})),
    of("start_delay", number("1s"), RISES), of("publish", number("1s"), RISES), of("grace", number("20s"), FALLS, SHRUNK, "failed"),
    of("lost", number("12s"), RISES, FAILING, "failed"), of("evict", number("2s"), RISES, FAILING, "lifecycle/ready"),
    of("backoff", number("1s"), RISES), of("backoff_factor", number(8), RISES), of("backoff_most", number("50ms"), FALLS), of("backoff_reset", number("1s"), FALLS),
    of("places", "first-fit", CHANGES, patched(SOFT, {"catalog/orchestrators/mine/reserves": ABSENT}), "latency_s/mean"),
    Case("orchestrators.reserves", patched(SOFT, {"catalog/orchestrators/mine/places": "first-fit"}), {"catalog/orchestrators/mine/reserves": ABSENT}, {}, "latency_s/mean", CHANGES),
    of("attempts", 1, RISES, patched(ACTED, {"catalog/orchestrators/mine": {"like": "vm-cluster", "backoff": number("100ms")}})),
    Case("orchestrators.unhealthy", patched(ACTED, {
        "services/server/startup": [{"delay": "4s"}], "services/server/healthcheck": {"interval": "1s", "retries": 2}, "state": {"instances": "none"}, "timeline": [],
        "catalog/orchestrators/mine": {"like": "compose", "backoff": number("500ms")}}), {}, {"catalog/orchestrators/mine/unhealthy": "ends"}, "happened/told", RISES),
    of("survives", 0, RISES, patched(GROWN, {"catalog/orchestrators/mine": {"like": "vm-cluster", "survives": 1}}), "lifecycle/ready"),
    of("depends_on", False, FALLS, patched(ACTED, {
        "services/db": {"startup": [{"delay": "3s"}], "operations": {"q": [{"cpu": "1ms"}]}}, "services/server/depends_on": {"db": {"condition": "service_healthy"}},
        "state": {"instances": "none"}, "timeline": []})),
)

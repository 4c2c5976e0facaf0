"""Cases: what adds hosts to a pool, and takes them away."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import REPLICATED
from helpers.fields import ABSENT, FALLS, RISES, Case, patched

SOURCE: Final = "made up for a test"


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": SOURCE}


FAST: Final = {"like": "cluster-autoscaler"} | {key: number(value) for key, value in {"scan": "500ms", "join": "100ms", "unneeded": "2s", "after_add": "1s"}.items()}
"""A machine autoscaler that looks twice a second."""
QUICK: Final = {"title": "quick", "source": SOURCE, "measured_on": "generic", "phases": [{"name": "power", "at": "host", "per": "host", "wait": number("1s")}]}
"""A host that comes within a second."""
WAITING: Final = patched(REPLICATED, {
    "host": ABSENT, "hosts": {"node": {"count": 1, "cores": 2, "memory": "16GiB", "autoscale": {"max": 6, "by": "fast", "boot": "quick"}}},
    "platforms": [{"name": "x", "stack": ["docker"], "orchestrator": "mine"}], "services/server": {"cpus": 0.9, "scale": 2, "operations": {"job": [{"cpu": {"exponential": "10ms"}}]}},
    "catalog": {"orchestrators": {"mine": {"like": "kubernetes"}}, "machine_autoscalers": {"fast": FAST}, "startups": {"quick": QUICK}},
    "run": {"duration": "20s", "replications": 1, "warmup": "0s"}, "workload/open/rate": "100/s", "timeline": [{"at": "2s", "scale": "server", "replicas": 6}],
})
"""Two containers that fill a host, and four more that wait for others."""
FALLING: Final = patched(WAITING, {"timeline": [{"at": "2s", "scale": "server", "replicas": 6}, {"at": "8s", "scale": "server", "replicas": 2}]})
"""The same, of which later there are two again."""
HALF: Final = patched(WAITING, {"hosts/node/count": 2, "services/server/cpus": 0.6, "services/server/scale": 3, "timeline": []})
"""Two hosts with room for three containers each, one of which has one."""
FAILING: Final = patched(FALLING, {"hosts/node/count": 3, "timeline": [{"at": "1s", "fail": "node[1-2]"}]})
"""Three hosts, two of which fail."""
POOLS: Final = patched(WAITING, {
    "hosts/small": {"count": 1, "cores": 1, "memory": "16GiB", "autoscale": {"min": 0, "max": 6, "by": "fast", "boot": "quick"}}, "hosts/node/cores": 8, "hosts/node/autoscale/max": 3,
    "services/server/scale": 9, "timeline": [{"at": "2s", "scale": "server", "replicas": 11}],
})
"""Small hosts and large ones, for two more containers."""
SCALE: Final = "hosts/node/autoscale"
UP: Final = "machines/pools/node/up"
ASKED: Final = "machines/pools/node/asked"


CASES: Final = (
    Case("HostPoolSpec.autoscale", patched(WAITING, {"workload/open/rate": "180/s"}), {SCALE: ABSENT, "hosts/node/count": 1}, {}, "lifecycle/ready", RISES),
    Case("MachineScalingSpec.min", FALLING, {}, {f"{SCALE}/min": 1, "hosts/node/count": 1, f"{SCALE}/max": 1}, ASKED, FALLS),
    Case("MachineScalingSpec.min", FALLING, {}, {f"{SCALE}/min": 3, "hosts/node/count": 3}, ASKED, RISES),
    Case("MachineScalingSpec.max", WAITING, {}, {f"{SCALE}/max": 2}, ASKED, FALLS),
    Case("MachineScalingSpec.by", WAITING, {}, {f"{SCALE}/by": ABSENT}, UP, FALLS),
    Case("MachineScalingSpec.boot", WAITING, {}, {f"{SCALE}/boot": "cloud-instance"}, UP, FALLS),
    Case("MachineScalingSpec.unneeded", FALLING, {}, {f"{SCALE}/unneeded": "6s"}, ASKED, RISES),
    Case("MachineScalingSpec.utilisation", HALF, {f"{SCALE}/utilisation": "10%"}, {f"{SCALE}/utilisation": "60%"}, ASKED, FALLS),
    Case("MachineScalingSpec.delay_after_add", FALLING, {}, {f"{SCALE}/delay_after_add": "15s"}, ASKED, RISES),
)


def of(field: str, value: Any, moves: str, base: dict[str, Any] = WAITING, read: str = ASKED) -> Case:
    """A case of one constant of a machine autoscaler."""
    return Case(f"machine_autoscalers.{field}", base, {}, {f"catalog/machine_autoscalers/fast/{field}": value}, read, moves)


ENTRIES: Final = (
    of("scan", number("4s"), FALLS, WAITING, UP), of("join", number("5s"), FALLS, WAITING, UP), of("unneeded", number("6s"), RISES, FALLING),
    of("utilisation", number(0.2), RISES, HALF), of("after_add", number("15s"), RISES, FALLING), of("at_once", number(1), RISES, patched(FALLING, {"hosts/node/count": 6, "timeline": []})),
    of("drains", number(0), RISES, patched(HALF, {f"{SCALE}/utilisation": "60%"})), of("unready", number("4s"), FALLS, FAILING),
    Case("machine_autoscalers.ok_unready", patched(FAILING, {"catalog/machine_autoscalers/fast/unready": number("2s")}), {}, {"catalog/machine_autoscalers/fast/ok_unready": number(0)}, ASKED, RISES),
    Case("machine_autoscalers.most_unready", patched(FAILING, {"catalog/machine_autoscalers/fast": FAST | {"unready": number("2s"), "ok_unready": number(0)}}),
         {}, {"catalog/machine_autoscalers/fast/most_unready": number(0.9)}, ASKED, FALLS),
    of("expander", "least-nodes", FALLS, POOLS, "machines/pools/small/asked"),
)

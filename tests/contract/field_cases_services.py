"""Cases: services, their limits, their steps and distributions."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import BACKGROUND, BARE, CROWDED, DOCKER, EVENTFUL, FENCED, KVM, REPLICATED, TWO, WIDE
from helpers.fields import ABSENT, CHANGES, FALLS, RISES, Case, patched

SERVER: Final = "services/server/"
STEP: Final = SERVER + "operations/job/0"
QUEUE: Final = "breakdown_s/queue"
RUN_QUEUE: Final = "breakdown_s/run_queue"
MEAN: Final = "latency_s/mean"
PINNED: Final = patched(WIDE, {"platforms": ["docker"]})
LIMITED: Final = patched(PINNED, {SERVER + "deploy": {"resources": {"limits": {"cpus": 0.8, "memory": "1GiB"}}}})
SHARED: Final = patched(CROWDED, {SERVER + "threads": 1})


RESERVED: Final = patched(SHARED, {"host/scheduler": "hyperv", SERVER + "cpu_shares": 64, SERVER + "deploy": {"resources": {"reservations": {"cpus": 0.6}}}})
"""Few shares beside two threads that always want the only core, and a right to most of it."""


TWO_SOCKETS: Final = patched(BARE, {
    "host": {"sockets": 2, "cores": 2, "memory": "16GiB"}, "platforms": ["docker"], SERVER + "threads": 2, SERVER + "profile": "random-access", SERVER + "cpuset": "0,1",
    "workload": {"closed": {"clients": 2}},
})
"""Two threads on one of two sockets that wait for memory all the time."""


SELDOM: Final = patched(BARE, {"workload/open/rate": "10/s"})
"""A host that is hardly used."""


def reserving(cpus: float) -> dict[str, Any]:
    """The patch of a reservation, where Compose keeps it."""
    return {SERVER + "deploy/resources/reservations/cpus": cpus}


def limit(**limits: Any) -> dict[str, Any]:
    """The patch of a limit, where Compose keeps it."""
    return {f"{SERVER}deploy/resources/limits/{name}": value for name, value in limits.items()}


KEEPER: Final = patched(DOCKER, {SERVER + "memory": {"base": "20MiB", "per_connection": "1MiB"}})
"""A service whose working set follows its load."""
RECEIVING: Final = patched(DOCKER, {
    "host": {"cores": 8, "memory": "16GiB", "nic": "100gbe"}, "platforms": ["docker-overlay-network"], "workload": {"closed": {"clients": 16}, "mix": {"server.job": 1}},
    SERVER + "threads": "unlimited", SERVER + "operations/job": [{"cpu": "1us"}, {"net": {"in": "64KiB"}}],
})
"""A container on an overlay that receives."""
APPLICATION: Final = "memory/ledger/application_bytes"


SERVICE: Final = (
    Case("ServiceSpec.profile", KVM, {SERVER + "image": "mongo"}, {SERVER + "image": "mongo", SERVER + "profile": "redis"}, "cpu/virtualization", CHANGES),
    Case("ServiceSpec.image", DOCKER, {}, {SERVER + "image": "nginx"}, "cpu/virtualization", RISES),
    Case("ServiceSpec.image", KVM, {SERVER + "image": "mongo"}, {SERVER + "image": "redis"}, "cpu/virtualization", CHANGES),
    Case("ServiceSpec.deploy", REPLICATED, {SERVER + "scale": ABSENT, SERVER + "deploy": {"replicas": 3}}, {SERVER + "scale": ABSENT, SERVER + "deploy": {"replicas": 4}}, QUEUE, FALLS),
    Case("ServiceSpec.cpus", PINNED, {SERVER + "cpus": 0.8}, {SERVER + "cpus": 2}, "cpu/throttled", FALLS),
    Case("ServiceSpec.cpus", patched(KVM, {SERVER + "threads": 4}), {SERVER + "cpus": 1}, {SERVER + "cpus": 4}, RUN_QUEUE, FALLS),
    Case("ServiceSpec.mem_limit", DOCKER, {SERVER + "mem_limit": "1GiB"}, {SERVER + "mem_limit": "2GiB"}, "memory/parts/application", RISES),
    Case("ServiceSpec.mem_limit", KVM, {SERVER + "mem_limit": "1GiB"}, {SERVER + "mem_limit": "2GiB"}, "memory/parts/vm", RISES),
    Case("ServiceSpec.memory", DOCKER, {}, {SERVER + "memory": {"base": "300MiB"}}, APPLICATION, RISES),
    Case("MemorySpec.base", KEEPER, {}, {SERVER + "memory/base": "60MiB"}, APPLICATION, RISES, 0.3),
    Case("MemorySpec.per_connection", KEEPER, {}, {SERVER + "memory/per_connection": "20MiB"}, APPLICATION, RISES, 0.3),
    Case("MemorySpec.per_request", KEEPER, {}, {SERVER + "memory/per_request": "20MiB"}, APPLICATION, RISES, 0.3),
    Case("MemorySpec.growth", KEEPER, {}, {SERVER + "memory/growth": "1MiB"}, APPLICATION, RISES, 0.3),
    Case("MemorySpec.heap", KEEPER, {SERVER + "memory/growth": "1MiB"}, {SERVER + "memory/growth": "1MiB", SERVER + "memory/heap": "20MiB"}, APPLICATION, FALLS, 0.3),
    Case("MemorySpec.files", KEEPER, {}, {SERVER + "memory/files": "90MiB"}, "memory/ledger/page_cache_bytes", RISES, 0.3),
    Case("ServiceSpec.scale", REPLICATED, {}, {SERVER + "scale": 4}, QUEUE, FALLS),
    Case("ServiceSpec.threads", WIDE, {SERVER + "threads": 1}, {SERVER + "threads": 4}, QUEUE, FALLS),
    Case("ServiceSpec.threads", WIDE, {SERVER + "threads": 1}, {SERVER + "threads": "unlimited"}, QUEUE, FALLS),
    Case("ServiceSpec.threads", WIDE, {SERVER + "threads": "cores", "host/cores": 1}, {SERVER + "threads": "cores"}, QUEUE, FALLS),
    Case("ServiceSpec.event_loops", WIDE, {}, {SERVER + "threads": ABSENT, SERVER + "event_loops": 1}, QUEUE, RISES),
    Case("ServiceSpec.event_loops", WIDE, {SERVER + "threads": ABSENT, SERVER + "event_loops": 1}, {SERVER + "threads": ABSENT, SERVER + "event_loops": "cores"}, QUEUE, FALLS),
    Case("ServiceSpec.event_loops", KVM, {SERVER + "threads": ABSENT, SERVER + "event_loops": 1}, {SERVER + "threads": ABSENT, SERVER + "event_loops": 3}, QUEUE, FALLS),
    Case("ServiceSpec.flows", RECEIVING, {"services/server/flows": 8}, {"services/server/flows": 1}, "throughput_per_s", FALLS),
    Case("ServiceSpec.queue", BARE, {}, {SERVER + "queue": 1}, "rejected", RISES),
    Case("ServiceSpec.queue", BARE, {SERVER + "queue": 8}, {SERVER + "queue": 0}, MEAN, FALLS),
    Case("ServiceSpec.balance", REPLICATED, {SERVER + "balance": "round-robin"}, {SERVER + "balance": "least-connections"}, QUEUE, FALLS),
    Case("ServiceSpec.balance", REPLICATED, {SERVER + "balance": "round-robin"}, {SERVER + "balance": "random"}, QUEUE, RISES),
    Case("ServiceSpec.balance", REPLICATED, {SERVER + "balance": "random"}, {SERVER + "balance": "two-choices"}, QUEUE, FALLS),
    Case("ServiceSpec.balance", REPLICATED, {SERVER + "balance": "least-connections"}, {SERVER + "balance": "two-choices"}, QUEUE, RISES),
    Case("ServiceSpec.cpu_quota", FENCED, {}, {SERVER + "cpu_quota": "200ms"}, "cpu/throttled", FALLS),
    Case("ServiceSpec.cpu_period", FENCED, {SERVER + "cpus": 0.7, SERVER + "cpu_quota": ABSENT}, {SERVER + "cpus": 0.7, SERVER + "cpu_quota": ABSENT, SERVER + "cpu_period": "10ms"}, "services/server/nr_periods", RISES),
    Case("ServiceSpec.cpu_period", FENCED, {}, {SERVER + "cpu_period": "200ms"}, "cpu/throttled", RISES),
    Case("ServiceSpec.cpu_burst", FENCED, {}, {SERVER + "cpu_burst": "70ms"}, "services/server/nr_throttled", FALLS),
    Case("ServiceSpec.cpu_shares", SHARED, {SERVER + "cpu_shares": 256}, {SERVER + "cpu_shares": 4096}, RUN_QUEUE, FALLS),
    Case("ServiceSpec.cpu_shares", patched(SHARED, {"platforms": ["kvm"]}), {SERVER + "cpu_shares": 256}, {SERVER + "cpu_shares": 4096}, "breakdown_s/steal", FALLS),
    Case("ServiceSpec.cpu_weight", SHARED, {SERVER + "cpu_weight": 25}, {SERVER + "cpu_weight": 400}, RUN_QUEUE, FALLS),
    Case("ServiceSpec.cpuset", PINNED, {SERVER + "cpuset": "0"}, {SERVER + "cpuset": "0-2"}, RUN_QUEUE, FALLS),
    Case("ServiceSpec.cpuset", patched(KVM, {SERVER + "threads": 4}), {SERVER + "cpuset": "1"}, {}, "breakdown_s/steal", FALLS),
    Case("ServiceSpec.cpuset_mems", TWO_SOCKETS, {SERVER + "cpuset_mems": "0"}, {SERVER + "cpuset_mems": "1"}, "throughput_per_s", FALLS),
    Case("ServiceSpec.cpuset_mems", patched(TWO_SOCKETS, {"platforms": ["kvm"]}), {SERVER + "cpuset_mems": "0"}, {SERVER + "cpuset_mems": "1"}, "throughput_per_s", FALLS),
    Case("ServiceSpec.background", WIDE, {}, {SERVER + "background": {"threads": 1}}, "cpu/utilisation", RISES),
    Case("ServiceSpec.operations", BARE, {}, {SERVER + "operations": {"job": [{"cpu": {"exponential": "5ms"}}]}}, MEAN, FALLS),
    Case("ServiceSpec.measured_on", SELDOM, {}, {SERVER + "measured_on": {"clock": "1.3GHz"}}, "breakdown_s/cpu", FALLS, 0.4),
    Case("MeasuredSpec.clock", SELDOM, {"measured_on": {"clock": "2.6GHz"}}, {"measured_on": {"clock": "1.3GHz"}}, "breakdown_s/cpu", FALLS, 0.4),
    Case("MeasuredSpec.host", SELDOM, {"measured_on": "generic"}, {"measured_on": "ibm-x3550-m2"}, "breakdown_s/cpu", FALLS, 0.2),
    Case("MeasuredSpec.utilisation", SELDOM, {"measured_on": "ibm-x3550-m2"}, {"measured_on": {"host": "ibm-x3550-m2", "utilisation": 1}}, "breakdown_s/cpu", FALLS, 0.3),
    Case("ServiceSpec.startup", EVENTFUL, {}, {SERVER + "startup": [{"cpu": "5s"}]}, QUEUE, RISES),
    Case("DeploySpec.replicas", REPLICATED, {SERVER + "scale": ABSENT, SERVER + "deploy/replicas": 3}, {SERVER + "scale": ABSENT, SERVER + "deploy/replicas": 4}, QUEUE, FALLS),
    Case("DeploySpec.resources", LIMITED, {}, {SERVER + "deploy/resources": {}}, "cpu/throttled", FALLS),
    Case("ResourcesSpec.reservations", RESERVED, {SERVER + "deploy": ABSENT}, {}, "breakdown_s/run_queue", FALLS),
    *(Case("ReservationsSpec.cpus", RESERVED, {"host/scheduler": name, **reserving(0.1)}, {"host/scheduler": name, **reserving(0.9)}, "breakdown_s/run_queue", FALLS) for name in ("esxi", "hyperv")),
    Case("ResourcesSpec.limits", LIMITED, {}, {SERVER + "deploy/resources/limits": {}}, "cpu/throttled", FALLS),
    Case("LimitsSpec.cpus", LIMITED, {}, limit(cpus=2), "cpu/throttled", FALLS),
    Case("LimitsSpec.memory", LIMITED, {}, limit(memory="2GiB"), "memory/parts/application", RISES),
    Case("BackgroundSpec.threads", BACKGROUND, {}, {"services/batch/background/threads": 2}, "cpu/utilisation", RISES),
    Case("BackgroundSpec.duty", BACKGROUND, {}, {"services/batch/background/duty": 0.9}, "cpu/utilisation", RISES),
    Case("BackgroundSpec.period", BACKGROUND, {"host/cores": 1, "workload/open/rate": "20/s"}, {"host/cores": 1, "workload/open/rate": "20/s", "services/batch/background/period": "2s"}, "latency_s/p95", RISES),
)


def step(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two first steps of the operation."""
    return {STEP: before}, {STEP: after}


def grown(cost: Any, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A first step as it is, and with more."""
    return step(cost, cost | more)


CPU: Final = {"cpu": {"exponential": "4ms"}}
READ: Final = {"disk": {"read": "64KiB"}}
SEND: Final = {"net": {"out": "64KiB"}}
WAIT: Final = {"delay": {"exponential": "4ms"}}
FORK: Final = {"parallel": [CPU, {"delay": "10ms"}]}
GROUP: Final = {"repeat": [CPU, WAIT]}
CALL: Final = {"call": "db.query"}
CALLED: Final = SERVER + "operations/job/1"
HELD: Final = {"lock": "log", "hold": [CPU], "spin": "1ms"}
SPINNING: Final = {"lock": "log", "hold": [WAIT], "spin": "1ms"}
LOCK: Final = "breakdown_s/lock"
SHARED_WORK: Final = {"cpu": "12ms"}
CACHING: Final = patched(WIDE, {STEP: {"disk": {"read": "64KiB", "working_set": "30GiB", "zipf": 0.9}}})
"""Reads of more data than the page cache holds."""
STEPS: Final = (
    *(Case(f"{kind}.times", WIDE, *grown(one, times=2), f"breakdown_s/{where}", RISES, 0.3) for kind, one, where in (
        ("CpuStep", CPU, "cpu"), ("DiskStep", READ, "disk"), ("NetStep", SEND, "network"), ("DelayStep", WAIT, "delay"), ("ParallelStep", FORK, "delay"))),
    *(Case(f"{kind}.probability", WIDE, *grown(one, probability=0.5), f"breakdown_s/{where}", FALLS, 0.3) for kind, one, where in (
        ("CpuStep", CPU, "cpu"), ("DiskStep", READ, "disk"), ("NetStep", SEND, "network"), ("DelayStep", WAIT, "delay"), ("ParallelStep", FORK, "delay"))),
    Case("RepeatStep.times", WIDE, *grown(GROUP, times=2), "breakdown_s/cpu", RISES, 0.3),
    Case("RepeatStep.probability", WIDE, *grown(GROUP, probability=0.5), "breakdown_s/cpu", FALLS, 0.3),
    Case("RepeatStep.repeat", WIDE, *step({"repeat": [WAIT]}, {"repeat": [WAIT, WAIT]}), "breakdown_s/delay", RISES, 0.3),
    Case("LockStep.times", WIDE, *grown(HELD, times=2), LOCK, RISES, 0.3),
    Case("LockStep.probability", WIDE, *grown(HELD, probability=0.5), LOCK, FALLS, 0.3),
    Case("LockStep.hold", WIDE, *step(HELD, HELD | {"hold": [CPU, CPU]}), LOCK, RISES, 0.3),
    Case("LockStep.lock", WIDE, {SERVER + "operations/job": [HELD, HELD]}, {SERVER + "operations/job": [HELD, HELD | {"lock": "other"}]}, LOCK, FALLS),
    Case("LockStep.spin", WIDE, *step(SPINNING | {"spin": "0s"}, SPINNING), "cpu/utilisation", RISES),
    Case("CpuStep.team", WIDE, *grown(SHARED_WORK, team={"threads": 4}), MEAN, FALLS, 0.3),
    Case("TeamSpec.threads", WIDE, *step(SHARED_WORK | {"team": {"threads": 2}}, SHARED_WORK | {"team": {"threads": "visible"}}), MEAN, FALLS, 0.2),
    Case("TeamSpec.threads", patched(WIDE, {"platforms": ["docker"], SERVER + "cpus": 2}), *step(SHARED_WORK | {"team": "visible"}, SHARED_WORK | {"team": "limit"}), RUN_QUEUE, CHANGES),
    Case("TeamSpec.regions", WIDE, *step(SHARED_WORK | {"team": {}}, SHARED_WORK | {"team": {"regions": 2000}}), MEAN, RISES, 0.2),
    Case("TeamSpec.spin", WIDE, *step(SHARED_WORK | {"team": {"serial": 0.5}}, SHARED_WORK | {"team": {"serial": 0.5, "spin": "1s"}}), "cpu/utilisation", RISES, 0.2),
    Case("TeamSpec.serial", WIDE, *step(SHARED_WORK | {"team": {}}, SHARED_WORK | {"team": {"serial": 0.5}}), MEAN, RISES, 0.2),
    Case("LockStep.scope", patched(WIDE, {SERVER + "scale": 2}), *step(HELD, HELD | {"scope": "kernel"}), LOCK, RISES),
    Case("CallStep.times", TWO, {}, {CALLED: CALL | {"times": 2}}, "services/db/throughput_per_s", RISES, 0.3),
    Case("CallStep.probability", TWO, {}, {CALLED: CALL | {"probability": 0.5}}, "services/db/throughput_per_s", FALLS, 0.3),
    Case("CallStep.call", TWO, {"services/db/operations/idle": [{"delay": "1s"}]}, {"services/db/operations/idle": [{"delay": "1s"}], CALLED + "/call": "db.idle"}, "breakdown_s/delay", RISES),
    Case("CpuStep.cpu", WIDE, *step({"cpu": "4ms"}, {"cpu": "8ms"}), "breakdown_s/cpu", RISES, 0.3),
    Case("CpuStep.measured_on", WIDE, *grown({"cpu": "8ms"}, measured_on={"clock": "1.3GHz"}), "breakdown_s/cpu", FALLS, 0.4),
    Case("CpuStep.ops", KVM, *grown(CPU, ops={"ipi": 500}), "breakdown_s/virtualization", RISES),
    Case("DiskStep.disk", WIDE, *step(READ, {"disk": {"read": "6MiB"}}), "breakdown_s/disk", RISES),
    Case("DiskSpec.read", WIDE, *step({"disk": {"read": "4KiB"}}, {"disk": {"read": "1MiB"}}), "breakdown_s/disk", RISES),
    Case("DiskSpec.write", WIDE, *step({"disk": {"write": "4KiB", "sync": True}}, {"disk": {"write": "1MiB", "sync": True}}), "breakdown_s/disk", RISES),
    Case("DiskSpec.write", WIDE, *step({"disk": {"write": "4KiB"}}, {"disk": {"write": "1MiB"}}), "bottleneck/resources/host.disk", RISES),
    Case("DiskSpec.hit", WIDE, *step({"disk": {"read": "4KiB"}}, {"disk": {"read": "4KiB", "hit": 0.9}}), "breakdown_s/disk", FALLS, 0.5),
    Case("DiskSpec.direct", WIDE, *step({"disk": {"write": "4KiB"}}, {"disk": {"write": "4KiB", "direct": True}}), "breakdown_s/disk", RISES),
    Case("DiskSpec.direct", WIDE, *step({"disk": {"write": "4KiB", "direct": True}}, {"disk": {"write": "4KiB", "sync": True}}), "breakdown_s/disk", RISES),
    Case("DiskSpec.working_set", CACHING, {}, {STEP + "/disk/working_set": "60GiB"}, "breakdown_s/disk", RISES, 0.2),
    Case("DiskSpec.working_set", patched(CACHING, {"platforms": ["kvm"], SERVER + "mem_limit": "8GiB"}), {}, {STEP + "/disk/working_set": "2GiB"}, "breakdown_s/disk", FALLS, 0.2),
    Case("DiskSpec.zipf", CACHING, {}, {STEP + "/disk/zipf": 0.2}, "breakdown_s/disk", RISES, 0.2),
    Case("DiskSpec.direct", WIDE, *step({"disk": {"write": "4KiB"}}, {"disk": {"write": "4KiB", "direct": True}}), "breakdown_s/disk", RISES),
    Case("DiskSpec.direct", WIDE, *step({"disk": {"write": "4KiB", "direct": True}}, {"disk": {"write": "4KiB", "sync": True}}), "breakdown_s/disk", RISES),
    Case("DiskSpec.sync", WIDE, *step({"disk": {"write": "4KiB"}}, {"disk": {"write": "4KiB", "sync": True}}), "breakdown_s/disk", RISES),
    Case("NetStep.net", WIDE, *step(SEND, {"net": {"out": "1MiB"}}), "breakdown_s/network", RISES, 0.5),
    Case("NetSpec.out", WIDE, *step(SEND, {"net": {"out": "256KiB"}}), "breakdown_s/network", RISES, 0.5),
    Case("NetSpec.in", WIDE, *step({"net": {"in": "64KiB"}}, {"net": {"in": "256KiB"}}), "breakdown_s/network", RISES, 0.5),
    Case("DelayStep.delay", WIDE, *step(WAIT, {"delay": {"exponential": "8ms"}}), "breakdown_s/delay", RISES, 0.3),
    Case("ParallelStep.parallel", WIDE, *step({"parallel": [WAIT]}, {"parallel": [WAIT, WAIT, WAIT]}), MEAN, RISES, 0.2),
)


def drawn(field: str, before: Any, after: Any, read: str, moves: str) -> Case:
    """A case of a distribution's parameter, seen in the mean latency or in its tail."""
    return Case(field, BARE, *step({"cpu": before}, {"cpu": after}), read, moves)


LOGNORMAL: Final = {"lognormal": {"mean": "8ms", "cv": 0.3}}
GAMMA: Final = {"gamma": {"mean": "8ms", "cv": 0.3}}
PARETO: Final = {"pareto": {"mean": "8ms", "shape": 3}}
MIXTURE: Final = {"hyperexponential": {"mean": "8ms", "cv": 1.5}}
UNIFORM: Final = {"uniform": {"low": "2ms", "high": "8ms"}}
TABLE: Final = {"demands.csv": "short_ms,long_ms\n4,8\n6,12\n8,16\n", "others.csv": "short_ms\n1\n2\n"}
DISTRIBUTIONS: Final = (
    drawn("Constant.mean", "4ms", "8ms", MEAN, RISES),
    drawn("Exponential.mean", {"exponential": "4ms"}, {"exponential": "8ms"}, MEAN, RISES),
    drawn("Lognormal.mean", LOGNORMAL, {"lognormal": {"mean": "10ms", "cv": 0.3}}, MEAN, RISES),
    drawn("Lognormal.cv", LOGNORMAL, {"lognormal": {"mean": "8ms", "cv": 2}}, QUEUE, RISES),
    drawn("Gamma.mean", GAMMA, {"gamma": {"mean": "10ms", "cv": 0.3}}, MEAN, RISES),
    drawn("Gamma.cv", GAMMA, {"gamma": {"mean": "8ms", "cv": 2}}, QUEUE, RISES),
    drawn("Pareto.mean", PARETO, {"pareto": {"mean": "10ms", "shape": 3}}, MEAN, RISES),
    drawn("Pareto.shape", PARETO, {"pareto": {"mean": "8ms", "shape": 20}}, "latency_s/max", FALLS),
    drawn("Hyperexponential.mean", MIXTURE, {"hyperexponential": {"mean": "10ms", "cv": 1.5}}, MEAN, RISES),
    drawn("Hyperexponential.cv", MIXTURE, {"hyperexponential": {"mean": "8ms", "cv": 4}}, QUEUE, RISES),
    drawn("Uniform.low", UNIFORM, {"uniform": {"low": "6ms", "high": "8ms"}}, MEAN, RISES),
    drawn("Uniform.high", UNIFORM, {"uniform": {"low": "2ms", "high": "14ms"}}, MEAN, RISES),
    Case("Empirical.file", BARE, *step({"cpu": {"empirical": {"file": "demands.csv", "column": "short_ms"}}}, {"cpu": {"empirical": "others.csv"}}), MEAN, FALLS, files=TABLE),
    Case("Empirical.scale", BARE, *step(*({"cpu": {"empirical": {"file": "demands.csv", "column": "short_ms", "scale": scale}}} for scale in (1, 2))), MEAN, RISES, files=TABLE),
    Case("Empirical.column", BARE, *step(*({"cpu": {"empirical": {"file": "demands.csv", "column": name}}} for name in ("short_ms", "long_ms"))), MEAN, RISES, files=TABLE),
    *(drawn(f"{type_}.mean", "8ms", other, QUEUE, CHANGES) for type_, other in (
        ("Exponential", {"exponential": "8ms"}), ("Lognormal", LOGNORMAL), ("Gamma", GAMMA), ("Pareto", PARETO), ("Hyperexponential", MIXTURE))),
)
WAITING: Final = patched(DOCKER, {
    SERVER + "depends_on": {"late": {"condition": "service_healthy"}}, "services/late": {"startup": [{"cpu": "1s"}], "background": {"threads": 1, "duty": 0.01}},
    "state": {"instances": "none"}, "run": {"duration": "20s", "replications": 1, "warmup": "0s"},
})
"""A service that waits for another one, which takes a second."""
DEPENDING: Final = (
    Case("ServiceSpec.depends_on", WAITING, {}, {SERVER + "depends_on": ABSENT}, "rejected", FALLS, 0.2),
    Case("DependencySpec.condition", WAITING, {}, {SERVER + "depends_on": ["late"]}, "rejected", FALLS, 0.2),
)
CASES: Final = (*SERVICE, *STEPS, *DISTRIBUTIONS, *DEPENDING)

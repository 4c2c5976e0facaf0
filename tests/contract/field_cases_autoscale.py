"""Cases: what changes the number of replicas with the load."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import REPLICATED
from helpers.fields import ABSENT, CHANGES, FALLS, RISES, Case, patched

READY: Final = "lifecycle/ready"
FAST: Final = {"like": "hpa"} | {key: {"value": value, "source": "made up for a test"} for key, value in {"sync": "1s", "sampling": "500ms", "resolution": "1s"}.items()}
"""An autoscaler that looks every second."""
GROWN: Final = patched(REPLICATED, {
    "platforms": ["docker"], "host/cores": 16, "services/server/scale": 1, "services/server/cpus": 1, "services/server/autoscale": {"max": 8, "target": {"cpu": "50%"}, "by": "fast"},
    "workload/open/rate": "200/s", "catalog": {"autoscalers": {"fast": FAST}}, "run": {"duration": "20s", "replications": 1, "warmup": "0s"},
})
"""One replica under three times the load that it can bear, and an autoscaler that gives it others."""
SCALE: Final = "services/server/autoscale"
FALLEN: Final = patched(GROWN, {"services/server/scale": 8, "workload/open/rate": "40/s", f"{SCALE}/scale_down": {"stabilization": "0s"}})
"""Eight replicas under the load of one."""
SCHEDULED: Final = patched(GROWN, {"workload/open/rate": "40/s", f"{SCALE}/schedule": [{"at": "2s", "for": "5s", "replicas": 4}], f"{SCALE}/scale_down": {"stabilization": "0s"}})
"""The load of one replica, and a schedule that wants four for a while."""
RISING: Final = patched(GROWN, {"workload/open": {"piecewise": [{"for": "3s", "rate": f"{20 + 20 * n}/s"} for n in range(8)]}, f"{SCALE}/predict": {"window": "8s", "ahead": "10s"}})
"""A load that rises, and an autoscaler that looks ahead."""
ASKED: Final = patched(GROWN, {"services/server/cpus": ABSENT, f"{SCALE}/target": {"concurrency": 4}, "services/server/threads": 8, "services/server/scale": 2})
"""The same, which follows what is asked."""
HELD: Final = patched(ASKED, {"services/server/memory": {"base": "100MiB", "per_request": "1MiB"}, "services/server/mem_limit": "200MiB"})
"""The same with replicas that hold half of the memory that they may."""
KPA: Final = {"like": "knative"} | {key: {"value": value, "source": "made up for a test"} for key, value in {"sync": "500ms", "sampling": "200ms", "stable": "4s", "panic": "1s"}.items()}
IDLE: Final = patched(ASKED, {
    "workload/open": {"piecewise": [{"for": "3s", "rate": "20/s"}, {"for": "9s", "rate": "0.001/s"}, {"for": "8s", "rate": "150/s"}]}, f"{SCALE}/min": 0, f"{SCALE}/by": "fast",
    "services/server/scale": 1, "services/server/startup": [{"delay": "500ms"}], "catalog/autoscalers/fast": KPA,
})
"""A service that nobody asks for a while, under an autoscaler of Knative's kind that is fast."""
IDLE_KEDA: Final = patched(IDLE, {"catalog/autoscalers/fast": FAST | {"like": "keda", "cooldown": {"value": "3s", "source": "made up for a test"}}})
WANTED: Final = "scaling/services/server/wanted"
UP: Final = f"{SCALE}/scale_up"
DOWN: Final = f"{SCALE}/scale_down"
BUSY: Final = "latency_s/mean"


def slow(**policy: Any) -> dict[str, Any]:
    """Growth by one policy."""
    return {"policies": [policy]}


CASES: Final = (
    Case("ServiceSpec.autoscale", GROWN, {SCALE: ABSENT}, {}, "throughput_per_s", RISES),
    Case("AutoscaleSpec.min", GROWN, {}, {f"{SCALE}/min": 7}, READY, RISES),
    Case("AutoscaleSpec.max", GROWN, {f"{SCALE}/max": 2}, {f"{SCALE}/max": 8}, READY, RISES),
    Case("AutoscaleSpec.target", GROWN, {}, {f"{SCALE}/target": {"cpu": "95%"}}, READY, FALLS),
    Case("AutoscaleSpec.by", GROWN, {f"{SCALE}/by": ABSENT}, {f"{SCALE}/by": "fast"}, READY, RISES),
    Case("AutoscaleSpec.tolerance", GROWN, {}, {f"{SCALE}/tolerance": "100%"}, READY, FALLS),
    Case("AutoscaleSpec.scale_up", GROWN, {}, {UP: {"select": "disabled"}}, BUSY, RISES),
    Case("AutoscaleSpec.scale_down", FALLEN, {DOWN: {"select": "disabled"}}, {}, BUSY, RISES),
    Case("AutoscaleSpec.schedule", SCHEDULED, {f"{SCALE}/schedule": ABSENT}, {}, READY, RISES),
    Case("ScheduleSpec.at", SCHEDULED, {}, {f"{SCALE}/schedule/0/at": "30s"}, READY, FALLS),
    Case("ScheduleSpec.for", SCHEDULED, {f"{SCALE}/schedule/0/for": "1s"}, {f"{SCALE}/schedule/0/for": "8s"}, "scaling/services/server/wanted", RISES),
    Case("ScheduleSpec.replicas", SCHEDULED, {}, {f"{SCALE}/schedule/0/replicas": 8}, READY, RISES),
    Case("ScheduleSpec.every", SCHEDULED, {f"{SCALE}/schedule/0/for": "3s"}, {f"{SCALE}/schedule/0/for": "3s", f"{SCALE}/schedule/0/every": "6s"}, "scaling/services/server/wanted", RISES),
    Case("AutoscaleSpec.predict", RISING, {f"{SCALE}/predict": ABSENT}, {}, "scaling/services/server/wanted", RISES),
    Case("PredictSpec.window", RISING, {}, {f"{SCALE}/predict/window": "2s"}, "scaling/services/server/wanted", CHANGES),
    Case("PredictSpec.ahead", RISING, {}, {f"{SCALE}/predict/ahead": "1s"}, "scaling/services/server/wanted", FALLS),
    Case("AutoscaleSpec.min", IDLE, {f"{SCALE}/min": 1}, {}, "lifecycle/ready", RISES),
    Case("TargetSpec.requests", ASKED, {f"{SCALE}/target": {"requests": "100/s"}}, {f"{SCALE}/target": {"requests": "30/s"}}, WANTED, RISES),
    Case("TargetSpec.concurrency", ASKED, {}, {f"{SCALE}/target": {"concurrency": 1}}, WANTED, RISES),
    Case("TargetSpec.queue", patched(ASKED, {"services/server/threads": 1}), {f"{SCALE}/target": {"queue": 50}}, {f"{SCALE}/target": {"queue": 1}}, WANTED, RISES),
    Case("TargetSpec.memory", HELD, {f"{SCALE}/target": {"memory": "95%"}}, {f"{SCALE}/target": {"memory": "30%"}}, WANTED, RISES),
    Case("TargetSpec.memory_average", HELD, {f"{SCALE}/target": {"memory_average": "400MiB"}}, {f"{SCALE}/target": {"memory_average": "60MiB"}}, WANTED, RISES),
    Case("TargetSpec.cpu", GROWN, {}, {f"{SCALE}/target/cpu": "95%"}, READY, FALLS),
    Case("ScalingSpec.stabilization", GROWN, {UP: {"stabilization": "0s"}}, {UP: {"stabilization": "15s"}}, BUSY, RISES),
    Case("ScalingSpec.policies", GROWN, {UP: slow(replicas=8, period="60s")}, {UP: slow(replicas=1, period="60s")}, READY, FALLS),
    Case("ScalingSpec.select", GROWN, {UP: {"select": "max"}}, {UP: {"select": "disabled"}}, BUSY, RISES),
    Case("ScalePolicySpec.replicas", GROWN, {UP: slow(replicas=8, period="60s")}, {UP: slow(replicas=1, period="60s")}, READY, FALLS),
    Case("ScalePolicySpec.share", GROWN, {UP: slow(share="500%", period="60s")}, {UP: slow(share="100%", period="60s")}, READY, FALLS),
    Case("ScalePolicySpec.period", GROWN, {UP: slow(replicas=1, period="1s")}, {UP: slow(replicas=1, period="60s")}, READY, FALLS),
)


def of(field: str, value: str | float, moves: str, output: str = BUSY, base: dict[str, Any] = GROWN) -> Case:
    """A case of one constant of an autoscaler."""
    return Case(f"autoscalers.{field}", base, {}, {f"catalog/autoscalers/fast/{field}": {"value": value, "source": "made up for a test"}}, output, moves)


def zero(field: str, value: str | float, moves: str, base: dict[str, Any] = IDLE, read: str = WANTED) -> Case:
    """A case of one constant of an autoscaler under which a service may have no replica."""
    return of(field, value, moves, read, base)


BURST: Final = patched(IDLE, {"workload/open": {"piecewise": [{"for": "6s", "rate": "40/s"}, {"for": "2s", "rate": "300/s"}, {"for": "12s", "rate": "40/s"}]}})
"""The same under a burst."""
MANY: Final = patched(IDLE, {"services/server/scale": 8, "workload/open": {"rate": "20/s"}})
"""Eight replicas for the load of one."""
ENTRIES: Final = (
    zero("stable", "8s", RISES), zero("panic", "4s", CHANGES, BURST, BUSY), zero("threshold", 100, CHANGES, BURST), zero("up_rate", 1, FALLS, BURST), zero("down_rate", 1.2, RISES, MANY),
    zero("utilisation", 0.2, RISES), zero("buffer", 1, RISES, IDLE, "rejected"), zero("cooldown", "8s", RISES, IDLE_KEDA),
    Case("autoscalers.acts", IDLE, {}, {"catalog/autoscalers/fast": FAST | {"like": "keda", "cooldown": {"value": "3s", "source": "made up for a test"}}}, WANTED, CHANGES),
    of("sync", "5s", RISES), of("sampling", "5s", RISES), of("resolution", "5s", RISES), of("tolerance", 1, FALLS, READY),
    of("initialization", "0s", FALLS, BUSY, patched(GROWN, {"services/server/startup": [{"delay": "500ms"}], "catalog/autoscalers/fast/sampling": {"value": "1s", "source": "made up for a test"}})),
)

"""Cases of catalogue entries: how layers and images start."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import BARE
from helpers.fields import FALLS, RISES, Case, patched

READY: Final = "lifecycle/readiness_s/last/value"


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def startup(**phase: Any) -> dict[str, Any]:
    """An entry with one phase."""
    return {"title": "made up", "source": "made up for a test", "measured_on": "generic", "phases": [{"name": "one", "at": "host", **phase}]}


WORK: Final = startup(cpu=number("100ms"))
STARTING: Final = patched(BARE, {
    "state": {"images": "present", "instances": "none"}, "host": {"cores": 4, "memory": "16GiB"}, "services/server/scale": 2, "platforms": [{"name": "x", "stack": ["mine"]}],
    "catalog": {"runtimes": {"mine": {"like": "docker"}}, "startups": {"mine": WORK}}, "workload": {"closed": {"clients": 1, "think": "1s"}},
    "run": {"duration": "5s", "warmup": "0s", "replications": 1, "seed": 1},
})
"""Two containers whose start is one phase."""
BOOTING: Final = patched(STARTING, {"catalog": {"hypervisors": {"mine": {"like": "firecracker"}}, "startups": {"mine": {**WORK, "boots": "unikernel"}}}})
TOUCHING: Final = patched(STARTING, {"catalog/startups": {"mine": {**startup(memory=number("40MB")), "fault": number("1us")}}})


def part(before: dict[str, Any], after: dict[str, Any], moves: str = RISES, output: str = READY) -> Case:
    """A case of what a phase does."""
    return Case("startups.phases", STARTING, {"catalog/startups/mine": startup(**before)}, {"catalog/startups/mine": startup(**after)}, output, moves)


CPU, WAIT, READ, FLUSH = number("100ms"), number("50ms"), number("20MB"), number(100)
CASES: Final = (
    Case("startups.measured_on", STARTING, {}, {"catalog/startups/mine/measured_on": "dell-2650-2003"}, READY, FALLS),
    Case("startups.boots", BOOTING, {}, {"catalog/startups/mine/boots": "linuxkit"}, READY, RISES),
    Case("startups.running", patched(BOOTING, {"services/server/image": "rabbitmq", "run/duration": "20s"}), {}, {"catalog/startups/mine/running": True}, READY, FALLS),
    Case("startups.fault", TOUCHING, {}, {"catalog/startups/mine/fault": number("10us")}, READY, RISES),
    Case("startups.phases", TOUCHING, {}, {"catalog/startups/mine/phases": [{"name": "one", "at": "host", "memory": number("400MB")}]}, READY, RISES),
    part({"cpu": CPU}, {"cpu": number("300ms")}),
    part({"cpu": CPU}, {"cpu": CPU, "each": number("100ms"), "lock": "made"}),
    part({"cpu": CPU}, {"cpu": CPU, "wait": WAIT}),
    part({"wait": WAIT}, {"wait": WAIT, "lock": "made"}),
    part({"wait": WAIT, "lock": "made"}, {"wait": WAIT, "lock": "made", "per": "host"}, FALLS),
    part({"cpu": CPU}, {"cpu": CPU, "read": READ}),
    part({"read": READ}, {"read": READ, "piece": number("4KiB")}),
    part({"cpu": CPU}, {"cpu": CPU, "flushes": FLUSH}),
    Case("startups.phases", patched(STARTING, {"services/server/cpus": 0.5}), {}, {"catalog/startups/mine/phases": [{"name": "one", "at": "instance", "cpu": CPU}]}, READY, RISES),
)

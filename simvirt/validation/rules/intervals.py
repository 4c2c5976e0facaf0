"""Adapters about phases of a start and the marks between them, for cases of the kind `startup-phases`, which name no function.

*Model*: a start is its phases, one after the other, which end at marks; what passes between two marks is that of the phases between them.
    `X_to_Y_s` asks for what passes between the marks X and Y, which are given as instants (`X_at`, or under `events`) in seconds or by the
    clock.
*Ignores*: what lies before the first mark and after the last.
*Source*: systemd man/systemd-analyze.xml (time); cloud-init doc/rtd/explanation/analyze.rst; kubernetes/enhancements KEP 4603.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from simvirt.catalog import Catalog
from simvirt.catalog.entries.machine_autoscalers import MachineAutoscalerEntry
from simvirt.migration.together import ends
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Adapter, Answer, Open

BETWEEN: Final = re.compile(r"(.+)_to_(.+)_s")
NUMBERED: Final = re.compile(r"([a-z_]+)(\d+)")
ORDINALS: Final = ("first", "second", "third", "fourth", "fifth")
SECOND: Final = 1e9  # ns
SAID: Final = 9
"""Decimals to which sums of given numbers are told."""


def instant(value: Any) -> float:
    """An instant [s]: seconds, or `13:42:40.8` by the clock."""
    if isinstance(value, int | float):
        return float(value)
    hours, minutes, seconds = str(value).split(":")
    return 3600.0 * int(hours) + 60.0 * int(minutes) + float(seconds)


def marks(given: Given) -> dict[str, float]:
    """All marks of a case by their names."""
    events = {name: value for key in ("events", "events_s") for name, value in (given[key].every() if key in given else ())}
    own = {key.removesuffix("_s").removesuffix("_at"): given[key] for key in given if key.endswith(("_at", "_at_s"))}
    return {name: instant(value) for name, value in (events | own).items()}


def _told(given: Given) -> None:
    """Take in what says where marks are from: intervals between them do not depend on it."""
    for name in ("provider", "cluster", "os", "guest", "pod", "pods_requested", "stages"):
        given.get(name)


def between(given: Given) -> Answer:
    """What passes between marks, and what else is asked of them."""
    at = marks(given)
    _told(given)
    return {key: _between(key, at) for key in given.form or {}}


def _between(key: str, at: Mapping[str, float]) -> Any:
    """One interval between marks, by its name."""
    found = BETWEEN.fullmatch(key)
    if found is not None and set(found.groups()) <= set(at):
        return round(at[found[2]] - at[found[1]], SAID)
    return Open(f"{key}: no mark at which it begins and ends is given")


def runs_again(given: Given) -> Answer:
    """A container that ends by itself and is started again: what it takes to be made, and the gaps until it runs again."""
    at = marks(given)
    _told(given)
    again = [number for number in range(1, len(at) + 1) if f"completed{number}" in at and f"running{number + 1}" in at]
    gaps = [round(at[f"running{number + 1}"] - at[f"completed{number}"], SAID) for number in again]
    return {
        "container_creating_s": round(at["running1"] - at["scheduled"], SAID),
        **{f"{word}_restart_gap_s": gap for word, gap in zip(ORDINALS, gaps, strict=False)},
    }


def bought_in_vain(given: Given) -> Answer:
    """Whether a machine was bought for a pod that found room before the machine could be there: it waited at a look, and no longer."""
    at = marks(given)
    _told(given)
    quickest = Catalog.load().typed("machine_autoscalers", "cluster-autoscaler", MachineAutoscalerEntry).join / SECOND
    return {"needless_node": at["failed_scheduling"] < at["triggered_scale_up"] <= at["scheduled"] < at["triggered_scale_up"] + quickest}


def stages(given: Given) -> Answer:
    """Stages of a start, which one after the other take their sum; the last mark is there no sooner than they have ended."""
    total = round(math.fsum(given["stage_s"]), SAID)
    _told(given)
    return {"total_time_s": total, "wall_s_at_least": max(total, given["last_event_at_s"])}


def charged(given: Given) -> Answer:
    """What systemd-analyze calls the kernel's: all until its own first line, its own loading among it."""
    _told(given)
    return {"true_kernel_s": round(given["kernel_runs_init_at_s"], 2), "charged_to_kernel_s": round(given["systemd_first_line_at_s"], 2)}


def reported(given: Given) -> Answer:
    """What systemd-analyze reports in all: the phases that it knows."""
    _told(given)
    phases = [given[key] for key in ("firmware_s", "loader_s", "kernel_s", "initrd_s", "userspace_s") if key in given]
    return {"reported_s": round(math.fsum(phases), SAID), "stopwatch_s": Open("what firmware, loader and desktop take is not given")}


def moved(given: Given) -> Answer:
    """How much longer a start takes whose image is larger, each place moving it at its rate."""
    size = given["extra_image_MB"]
    return {"extra_start_s": {place: round(max(ends([size], rate, 1)), 1) for place, rate in given["MB_s"].every()}}


FUNCTIONS: Final[Mapping[str, Adapter]] = {
    "image that is larger": moved, "stages": stages, "what the kernel is charged": charged, "what is reported": reported,
    "machine that nobody needs": bought_in_vain, "container that runs again": runs_again, "between marks": between,
}
"""What is asked of phases and marks."""
SIGNS: Final[Mapping[str, tuple[str, ...]]] = {
    "image that is larger": ("extra_image_MB", "MB_s"), "stages": ("stage_s", "last_event_at_s"),
    "what the kernel is charged": ("kernel_runs_init_at_s", "systemd_first_line_at_s"), "what is reported": ("kernel_s", "userspace_s"),
}
"""The inputs by which a case is known."""
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "machine that nobody needs": ("failed_scheduling", "triggered_scale_up", "scheduled"),
    "container that runs again": ("scheduled", "running1", "completed1"), "between marks": (),
}
"""The same by the marks among them."""


def rule_of(given: Given) -> str | None:
    """The rule that a case is about; None where it is none of these."""
    keys = set(given.keys())
    named = next((name for name, needed in SIGNS.items() if set(needed) <= keys), None)
    if named is not None or not any(key in ("events", "events_s") or key.endswith(("_at", "_at_s")) for key in keys):
        return named
    return next((name for name, needed in NAMES.items() if set(needed) <= set(marks(given))), None)

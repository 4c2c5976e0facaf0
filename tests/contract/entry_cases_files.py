"""Cases of catalogue entries: file systems."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import WIDE
from helpers.fields import FALLS, RISES, Case, patched

DISK: Final = "breakdown_s/disk"
EXTRA: Final = "breakdown_s/virtualization"
JOB: Final = {"files": {"open": 10, "read": 10, "close": 10, "stat": 10, "size": "64KiB", "cached": 0.5, "copy_up": "64KiB"}}
def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


HABITS: Final = {"rates": {"open": number("10000/s")}, "depth": number(4), "cached": number(1)}
SHARE: Final = patched(WIDE, {
    "platforms": [{"name": "x", "stack": ["kvm"], "disk": "my-disk"}], "services/server/operations/job": [JOB],
    "catalog": {"devices": {"my-disk": {"like": "virtio-9p", "filesystem": "mine"}}, "filesystems": {"mine": {"like": "virtiofs"}}},
})
"""A directory of the host in a VM."""
UNION: Final = patched(SHARE, {
    "platforms": [{"name": "x", "stack": ["docker"], "disk": "my-disk"}],
    "catalog": {"devices": {"my-disk": {"like": "overlay2", "filesystem": "mine"}}, "filesystems": {"mine": {"like": "overlay2"}}},
})
"""Layers under a container's own."""
SERVING: Final = patched(SHARE, {
    "services/server/operations/job": [{"cpu": "1ms"}], "services/server/profile": "mine", "catalog/profiles": {"mine": {"like": "nginx-static", "files": HABITS}},
})
"""Software that opens files as its profile says."""
SHOWS: Final = {"cpu": EXTRA, "latency": DISK, "host_cpu": "cpu/virtualization", "kick": EXTRA, "notify": EXTRA, "interrupt": EXTRA, "wake": DISK,
                "host_wake": "cpu/virtualization", "host_interrupt": "cpu/virtualization"}
"""Where each part of a request shows."""


def entry(field: str, value: Any, read: str, moves: str, base: dict[str, Any] = SHARE) -> Case:
    """A case of one field of the file system `mine`."""
    return Case(f"filesystems.{field.partition('/')[0]}", base, {}, {f"catalog/filesystems/mine/{field}": value}, read, moves)


def asked(count: float, cached: float = 0) -> dict[str, Any]:
    """Requests of an operation."""
    return {"requests": number(count), "cached": number(cached)}


PART: Final = {part: number("1us") for part in SHOWS}
CASES: Final = (
    Case("devices.filesystem", SHARE, {}, {"catalog/devices/my-disk/filesystem": "overlay2"}, DISK, FALLS),
    entry("server", "process", "devices/disk/operations", FALLS, patched(SHARE, {"catalog/filesystems/mine/request": {"cpu": number("1us"), "latency": number("9us")}})),
    entry("payload", number("4KiB"), DISK, RISES),
    entry("keeps_data", False, DISK, RISES, patched(SHARE, {"services/server/operations/job": [{"cpu": "1ms"}, {"disk": {"read": "64KiB", "hit": 0.9}, "times": 5}]})),
    entry("layer", number("90us"), EXTRA, RISES, UNION),
    entry("copy_up", number("9ms"), EXTRA, RISES, UNION),
    entry("costs", {"stat": {"cpu": number("50us")}}, EXTRA, RISES, UNION),
    entry("costs", {"stat": asked(9)}, DISK, RISES),
    entry("costs", {"stat": asked(9, 9)}, DISK, RISES, patched(SHARE, {"catalog/filesystems/mine/costs": {"stat": asked(9)}})),
    *(Case("profiles.files", SERVING, {}, {"catalog/profiles/mine/files": change}, DISK, moves) for change, moves in (
        (HABITS | {"rates": {"open": number("99000/s")}}, RISES), (HABITS | {"depth": number(9), "cached": number(0)}, RISES), (None, FALLS))),
    Case("profiles.files", patched(SERVING, {"platforms": ["docker-overlay"]}), {}, {"catalog/profiles/mine/files": HABITS | {"rates": {"create": number("90000/s")}}}, EXTRA, RISES),
    *(entry("request", PART | {part: number("90us")}, read, RISES, patched(SHARE, {"catalog/filesystems/mine/request": PART})) for part, read in SHOWS.items()),
)

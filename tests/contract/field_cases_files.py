"""Cases: operations on files."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import WIDE
from helpers.fields import FALLS, RISES, Case, patched

STEP: Final = "services/server/operations/job/0"
CPU: Final = "breakdown_s/cpu"
DISK: Final = "breakdown_s/disk"
SHARE: Final = patched(WIDE, {"platforms": [{"name": "x", "stack": ["kvm"], "disk": "virtio-fs"}]})
"""A directory of the host in a VM."""
UNION: Final = patched(WIDE, {"platforms": ["docker-overlay"]})
"""Layers under a container's own."""
OPEN: Final[dict[str, Any]] = {"files": {"open": 20, "close": 20}}


def files(base: dict[str, Any], field: str, before: dict[str, Any], after: dict[str, Any], read: str, moves: str, least: float = 0.1) -> Case:
    """A case of one key, before and after."""
    return Case(f"FilesSpec.{field}", base, {STEP: {"files": before}}, {STEP: {"files": after}}, read, moves, least)


CASES: Final = (
    Case("FilesStep.files", WIDE, {STEP: OPEN}, {STEP: {"files": {"create": 20}}}, CPU, RISES, 0.3),
    Case("FilesStep.times", WIDE, {STEP: OPEN}, {STEP: OPEN | {"times": 2}}, CPU, RISES, 0.3),
    Case("FilesStep.probability", WIDE, {STEP: OPEN}, {STEP: OPEN | {"probability": 0.5}}, CPU, FALLS, 0.3),
    *(files(WIDE, name, {"stat": 1}, {"stat": 1, name: 40}, CPU, RISES, 0.3) for name in ("stat", "fstat", "open", "read", "write", "close", "create", "rename", "unlink", "readdir", "mmap")),
    *(files(SHARE, name, {"stat": 1}, {"stat": 1, name: 4}, DISK, RISES, 0.3) for name in ("open", "read", "write", "close", "create", "rename", "unlink", "readdir", "mmap")),
    files(WIDE, "fsync", {"stat": 1}, {"stat": 1, "fsync": 3}, DISK, RISES),
    files(WIDE, "size", {"read": 5}, {"read": 5, "size": "64KiB"}, CPU, RISES, 0.3),
    files(SHARE, "size", {"read": 5}, {"read": 5, "size": "1MiB"}, DISK, RISES, 0.3),
    files(SHARE, "depth", {"stat": 5, "cached": 0}, {"stat": 5, "cached": 0, "depth": 9}, DISK, RISES, 0.3),
    files(UNION, "layer", {"stat": 5, "cached": 0, "layer": 1}, {"stat": 5, "cached": 0, "layer": 12}, "breakdown_s/virtualization", RISES, 0.3),
    files(UNION, "copy_up", {"open": 1}, {"open": 1, "copy_up": "1MiB"}, "breakdown_s/virtualization", RISES, 0.3),
    files(UNION, "copy_up", {"open": 1}, {"open": 1, "copy_up": "1MiB"}, DISK, RISES),
    files(WIDE, "hit", {"open": 5, "read": 5}, {"open": 5, "read": 5, "hit": 0.5}, DISK, RISES),
    files(SHARE, "hit", {"open": 5, "read": 5, "cached": 0}, {"open": 5, "read": 5, "cached": 0, "hit": 0.2}, DISK, RISES),
    files(SHARE, "cached", {"stat": 5}, {"stat": 5, "cached": 0.2}, DISK, RISES),
    files(SHARE, "place", {"open": 5, "read": 5}, {"open": 5, "read": 5, "place": "tmpfs"}, DISK, FALLS),
)

"""Cases: entries of images, of registries, and of how images come to a host."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.fields import CHANGES, FALLS, RISES, Case, patched
from image_bases import BOTH, BUILT, COLD, GUEST, LAST, number

LAZY: Final = patched(COLD, {"catalog/pullers/mine": {"like": "soci", "codec": "mine", "driver": "mine"}})
OURS: Final = patched(COLD, {"services/server/image": "ours", "catalog/contents": {"ours": {"like": "busybox", "aliases": ["theirs"], "layers": {"a": "5MB"}}}})
LIMITED: Final = patched(BOTH, {"catalog/registries/mine": {"like": "region", "limit": number(1), "window": number("5s")}, "catalog/pullers/mine": {"like": "kubelet", "back_off": number("1s"), "most_back_off": number("2s")}})
REFUSED: Final = patched(LIMITED, {"catalog/pullers/mine": {"like": "docker"}})
WRITING: Final = patched(COLD, {"host/disk": "hdd"})


def entry(kind: str, field: str, value: Any, moves: str, base: dict[str, Any] = COLD, read: str = LAST) -> Case:
    """A case of one field of the entry `mine`."""
    return Case(f"{kind}.{field}", base, {}, {f"catalog/{kind}/mine/{field}": value}, read, moves)


def content(field: str, value: Any, moves: str, base: dict[str, Any] = OURS) -> Case:
    """A case of one field of what an image consists of."""
    return Case(f"contents.{field}", base, {}, {f"catalog/contents/ours/{field}": value}, LAST, moves)


CASES: Final = (
    content("layers", {"a": "50MB"}, RISES), content("unpacked", number(30), RISES), content("file_size", number("300B"), RISES),
    content("aliases", ["other"], CHANGES, patched(OURS, {"services/server/image": "theirs"})),
    content("touched", number(0.9), RISES, patched(OURS, {"catalog/pullers/mine": {"like": "soci"}})),
    entry("registries", "latency", number("200ms"), RISES), entry("registries", "stream", number("2MB/s"), RISES), entry("registries", "bandwidth", number("2MB/s"), RISES),
    entry("registries", "limit", number(5), RISES, REFUSED, "lifecycle/ready"), entry("registries", "window", number("20s"), RISES, LIMITED),
    entry("pullers", "requests", number(90), RISES), entry("pullers", "layer_requests", number(90), RISES), entry("pullers", "downloads", number(1), RISES, patched(COLD, {"catalog/registries/mine/stream": number("4MB/s")})),
    entry("pullers", "scope", "image", FALLS, patched(BOTH, {"catalog/pullers/mine/downloads": number(1)})), entry("pullers", "images", number(1), RISES, BOTH),
    entry("pullers", "back_off", number("2s"), CHANGES, LIMITED), entry("pullers", "most_back_off", number("9s"), CHANGES, patched(LIMITED, {"catalog/registries/mine/window": number("20s")})),
    entry("pullers", "codec", "zstd", FALLS), entry("pullers", "driver", "devicemapper", RISES), entry("pullers", "keeps", False, FALLS, patched(COLD, {"images/app/layers": [{"size": "600MiB", "unpacked": "1MiB"}], "host/nic": "100gbe", "host/disk": "hdd", "host/memory": "1GiB", "catalog/registries/mine/stream": number("1000MB/s")})),
    Case("pullers.lazy", COLD, {}, {"catalog/pullers/mine": {"like": "docker", "lazy": True, "index": number(0.01)}}, LAST, FALLS),
    Case("pullers.index", LAZY, {}, {"catalog/pullers/mine/index": number(0.9)}, LAST, RISES),
    entry("codecs", "unpack_packed", number("900 cycles"), RISES), entry("codecs", "unpack", number("900 cycles"), RISES), entry("codecs", "ratio", number(0.3), FALLS),
    entry("codecs", "beside", True, FALLS, patched(COLD, {"images/app/layers": [{"size": "30MiB"}]})),
    entry("codecs", "pack", number("900 cycles"), RISES, BUILT),
    entry("pullers", "uploads", number(1), RISES, patched(BUILT, {"images/app/build": [{"name": name, "size": "2MiB", "work": "1ms", "changed": name == "a"} for name in "abcd"], "catalog/registries/mine/stream": number("4MB/s")})),
    entry("drivers", "byte", number("900 cycles"), RISES), entry("drivers", "files", number("9000000 cycles"), RISES), entry("drivers", "layer", number("900000000 cycles"), RISES),
    entry("drivers", "writes", number(9), RISES, patched(WRITING, {"host/memory": "1GiB", "images/app/layers": [{"size": "20MiB"}]})), entry("drivers", "flushes", number(90), RISES, WRITING),
    entry("disk_images", "actual", number("90MiB"), RISES, GUEST), entry("disk_images", "clone", "full", RISES, patched(GUEST, {"host/disk": "hdd", "host/memory": "1GiB", "catalog/disk_images/mine/actual": number("150MiB")})),
    entry("disk_images", "overlay", number("300MiB"), RISES, patched(GUEST, {"host/disk": "hdd", "host/memory": "1GiB"})), entry("disk_images", "shared", True, FALLS, GUEST),
    Case("guests.disk_image", GUEST, {}, {"catalog/guests/mine/disk_image": "microvm-snapshot"}, LAST, RISES),
    Case("families.sha256", patched(COLD, {"host": {"model": "mine"}, "catalog/hosts": {"mine": {"like": "generic", "cpu": "mine"}}, "catalog/cpus": {"mine": {"like": "generic-x86-2.6", "family": "mine"}}, "catalog/families": {"mine": {"like": "generic-x86"}}}),
         {}, {"catalog/families/mine/sha256": number("90 cycles")}, LAST, RISES),
)
ELSEWHERE: Final = {"pullers.attempts", "pullers.retry", "pullers.high", "pullers.low", "pullers.connect", "pullers.silence", "migrators.silence"} | {
    "orchestrators.looks"} | {
    f"demands.{field}" for field in ("cpu", "workers", "threads", "read", "hit", "telemetry", "load", "assumed")}
"""Fields that act where a registry fails, a disk fills or the network is cut: tests/seam/test_pull.py, test_lost_pulls.py, test_partitions.py;
where a host looks at what it runs: tests/seam/test_looks.py; on what an import assumes:
tests/unit/test_import_compose.py, test_import_assumed.py."""

"""Cases: registries, images of one's own, how a platform gets them."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.fields import CHANGES, FALLS, RISES, Case, patched
from image_bases import BOTH, BUILT, COLD, GUEST, HOSTS, LAST, number

APP: Final = "images/app"
REFUSED: Final = patched(BOTH, {"registries/mine": {"entry": "mine", "limit": 1, "window": "1h"}})
AGAIN: Final = patched(BOTH, {"registries/mine": {"entry": "mine", "limit": 1, "window": "2s"}, "catalog/pullers/mine": {"like": "kubelet", "back_off": number("1s"), "most_back_off": number("1s")}})


def registry(field: str, value: Any, moves: str, base: dict[str, Any] = COLD, read: str = LAST) -> Case:
    """A case of one key of a registry."""
    return Case(f"RegistrySpec.{field}", base, {}, {f"registries/mine/{field}": value}, read, moves)


CASES: Final = (
    Case("Scenario.registries", COLD, {}, {"registries": {"docker-hub": {}}}, LAST, RISES),
    Case("Scenario.images", COLD, {}, {"images": {"app": {"layers": [{"size": "90MiB"}]}}}, LAST, RISES),
    Case("PlatformSpec.puller", COLD, {}, {"platforms/0/puller": "soci"}, LAST, FALLS), Case("PlatformSpec.disk_image", GUEST, {}, {"platforms/0/disk_image": "microvm-rootfs"}, LAST, RISES),
    registry("entry", "ghcr", RISES), registry("bandwidth", "8Mbps", RISES), registry("latency", "200ms", RISES), registry("host", "host", CHANGES),
    registry("limit", 5, RISES, REFUSED, "lifecycle/ready"), registry("window", "9s", RISES, AGAIN), registry("peers", True, FALLS, HOSTS),
    Case("RegistrySpec.mirror_of", patched(HOSTS, {"registries": {"near": {"host": "node[0]"}, "far": {"entry": "mine", "bandwidth": "40Mbps"}}, "images/app/registry": "far"}), {}, {"registries/near/mirror_of": "far"}, LAST, FALLS),
    Case("OwnImageSpec.from", COLD, {}, {f"{APP}/from": "alpine"}, LAST, RISES), Case("OwnImageSpec.layers", COLD, {}, {f"{APP}/layers": [{"size": "60MiB"}]}, LAST, RISES),
    Case("OwnImageSpec.build", COLD, {APP: {"from": "alpine"}}, {APP: {"from": "alpine", "build": [{"name": "all", "size": "6MiB", "work": "1s", "changed": True}]}}, LAST, RISES),
    Case("OwnImageSpec.touched", patched(COLD, {"platforms/0/puller": "soci"}), {}, {f"{APP}/touched": 0.9}, LAST, RISES),
    Case("OwnImageSpec.registry", patched(COLD, {"registries/far": {"latency": "500ms"}}), {}, {f"{APP}/registry": "far"}, LAST, RISES),
    Case("ImageLayerSpec.size", COLD, {}, {f"{APP}/layers/0/size": "60MiB"}, LAST, RISES), Case("ImageLayerSpec.unpacked", COLD, {}, {f"{APP}/layers/0/unpacked": "300MiB"}, LAST, RISES),
    Case("ImageLayerSpec.files", COLD, {}, {f"{APP}/layers/0/files": 200000}, LAST, RISES),
    Case("ImageLayerSpec.digest", patched(BOTH, {f"{APP}/layers": [{"size": "30MiB", "digest": "one"}], "images/other/layers": [{"size": "30MiB", "digest": "two"}], "registries/mine/bandwidth": "100Mbps"}), {}, {"images/other/layers/0/digest": "one"}, LAST, FALLS),
    Case("BuildStepSpec.name", BUILT, {}, {f"{APP}/build/1/name": "program"}, "lifecycle/phases/0/phase", CHANGES),
    Case("BuildStepSpec.size", BUILT, {}, {f"{APP}/build/0/size": "60MiB"}, LAST, RISES), Case("BuildStepSpec.work", BUILT, {}, {f"{APP}/build/1/work": "2s"}, LAST, RISES),
    Case("BuildStepSpec.download", BUILT, {}, {f"{APP}/build/1/download": "60MiB"}, LAST, RISES), Case("BuildStepSpec.changed", BUILT, {}, {f"{APP}/build/0/changed": True}, LAST, RISES),
)

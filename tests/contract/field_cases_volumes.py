"""Cases: volumes that lie elsewhere."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import BARE
from helpers.fields import ABSENT, FALLS, RISES, Case, patched

MEAN: Final = "latency_s/mean"
NETWORK: Final = "breakdown_s/network"
DISK: Final = "breakdown_s/disk"


def stored(volume: dict[str, Any], *steps: dict[str, Any]) -> dict[str, Any]:
    """A service on host node[0] with a volume that others serve."""
    return patched(BARE, {
        "host": ABSENT, "hosts": {"node": {"cores": 2, "memory": "16GiB"}, "nas": {"count": 3, "cores": 4, "memory": "16GiB"}, "slow": {"cores": 4, "memory": "16GiB", "disk": "hdd"}},
        "volumes": {"data": volume}, "services/server": {
            "threads": "unlimited", "volumes": ["data"], "deploy": {"placement": {"constraints": ["pool == node"]}}, "operations": {"job": [{"cpu": "1ms"}, *steps]}},
        "run": {"requests": 300, "replications": 1, "warmup": "0s"},
    })


READ: Final = stored({"driver": "iscsi", "host": "nas[0]"}, {"disk": {"read": "16KiB"}})
WRITE: Final = stored({"driver": "ceph", "host": "nas", "replicas": 1}, {"disk": {"write": "16KiB", "sync": True}})
CASES: Final = (
    Case("Scenario.volumes", READ, {}, {"volumes/data": {"driver": "ceph", "host": "nas"}}, MEAN, RISES),
    Case("VolumeSpec.driver", READ, {}, {"volumes/data": {"driver": "local"}}, NETWORK, FALLS),
    Case("VolumeSpec.host", READ, {}, {"volumes/data/host": "slow[0]"}, DISK, RISES),
    Case("VolumeSpec.replicas", WRITE, {}, {"volumes/data/replicas": 3}, MEAN, RISES),
    Case("ServiceSpec.volumes", patched(READ, {"volumes/scratch": {"driver": "local"}}), {"services/server/volumes": ["data", "scratch"]}, {"services/server/volumes": ["scratch:/tmp", "data:/var/lib/data:ro"]}, NETWORK, FALLS),
    Case("DiskSpec.volume", patched(READ, {"volumes/scratch": {"driver": "local"}, "services/server/volumes": ["data", "scratch"]}), {}, {"services/server/operations/job/1/disk/volume": "scratch"}, NETWORK, FALLS),
)

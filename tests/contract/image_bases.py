"""The scenarios that cases about images change."""

from __future__ import annotations

from typing import Any, Final

from helpers.field_bases import BARE
from helpers.fields import patched

LAST: Final = "lifecycle/readiness_s/last"
"""When the last instance is ready."""


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


COLD: Final = patched(BARE, {
    "host": {"cores": 4, "memory": "16GiB"}, "platforms": [{"name": "x", "stack": ["docker"], "puller": "mine"}],
    "services": {"server": {"image": "app", "threads": 1, "operations": {"job": [{"cpu": "1ms"}]}}},
    "workload/open/rate": "1/s", "run": {"duration": "30s", "replications": 1, "warmup": "0s"}, "state": {"images": "none", "instances": "none"},
    "registries": {"mine": {"entry": "mine"}}, "images": {"app": {"layers": [{"size": "6MiB"}, {"size": "3MiB"}]}},
    "catalog": {"registries": {"mine": {"like": "region"}}, "pullers": {"mine": {"like": "docker", "codec": "mine", "driver": "mine"}},
                "codecs": {"mine": {"like": "gzip"}}, "drivers": {"mine": {"like": "overlay2"}}},
})
"""A container whose image of two layers is pulled before it starts."""
BOTH: Final = patched(COLD, {
    "services/other": {"image": "other", "threads": 1, "operations": {"job": [{"cpu": "1ms"}]}}, "images/other": {"layers": [{"size": "6MiB"}]},
})
"""Two containers of different images."""
BUILT: Final = patched(COLD, {"images/app": {"build": [
    {"name": "libraries", "size": "6MiB", "work": "100ms"}, {"name": "code", "size": "1MiB", "work": "100ms", "changed": True},
]}})
"""A container whose image is built before it is pulled."""
HOSTS: Final = patched(COLD, {
    "hosts": {"node": {"count": 3, "cores": 4, "memory": "16GiB"}}, "services/server/scale": 3, "services/server/deploy": {"placement": {"max_replicas_per_node": 1}},
    "registries/mine/bandwidth": "40Mbps",
})
del HOSTS["host"]
"""Three hosts that pull the same image through a narrow way."""
GUEST: Final = patched(COLD, {
    "platforms": [{"name": "x", "stack": ["mine"]}],
    "catalog": {"hypervisors": {"mine": {"like": "firecracker", "guest": "mine"}}, "guests": {"mine": {"like": "linux-minimal", "disk_image": "mine"}},
                "disk_images": {"mine": {"like": "microvm-overlay", "actual": number("20MiB")}}, "registries": {"mine": {"like": "region"}}},
})
"""A microVM whose disk image is brought to the host first."""

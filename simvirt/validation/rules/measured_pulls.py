"""Adapters about measured pulls, for cases of the kind `registry-pull`: a run of a host that pulls what is given from what is given.

*Model*: the image is one layer of the bytes that are given, which unpack as an image of median size does; the registry gives the bandwidth
    that is given; the host is the generic one. Whole (`oci`), by an index in its own format (`rafs6`) or beside it (`zran`, of the bytes
    that are stored for it); then the container starts.
*Ignores*: what the host is, which pulls that are bound by their registry do not feel.
*Source*: dragonflyoss/nydus docs/nydus-zran.md; pulls are those of `simvirt.control.pull`.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from typing import Any, Final

from simvirt.runs.run import run
from simvirt.scenario import loads
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Adapter, Answer, Near, NotKnown, Open

FORMATS: Final = {"oci": "containerd", "rafs6": "stargz", "zran": "soci"}
"""Formats of images, and the puller that pulls each: whole, and lazily by either place of an index."""
LONGEST: Final = "3600s"
"""How long a pull may take."""
TYPICAL: Final = "what the case says of it"


def lazily(given: Given) -> Answer:
    """A container that is started from an image that moves whole, or as far as it is read."""
    given.get("workload"), given.get("image")
    runs = {name: _run(name, given) for name in given["stored_MB"] if name in FORMATS}
    return {
        "run_s": {name: Near(seconds) for name, (seconds, _) in runs.items()},
        "read_MB": {name: Near(moved) for name, (_, moved) in runs.items()},
        "convert_s": Open("what it takes to convert an image is not in the model"),
        "push_s": Open("at what rate the registry takes what is pushed is not given"),
    }


def _run(name: str, given: Given) -> tuple[float, float]:
    """When a container of a format takes requests [s], and what has moved until then [MB]."""
    whole, stored = given["stored_MB"]["oci"], given["stored_MB"][name]
    index = {"index": {"value": stored / whole, "source": TYPICAL}} if name == "zran" else {}
    result = run(loads(json.dumps(_scenario(FORMATS[name], index, whole, given["registry_MB_s"]))), maximum=False)
    (platform,) = result.typed().platforms.values()
    assert platform.lifecycle is not None and platform.lifecycle.readiness_s is not None
    seconds = platform.lifecycle.readiness_s.last.value
    if seconds is None:
        raise NotKnown(f"no container is up within {LONGEST}")
    moving = sum(phase.last_s.value or 0.0 for phase in platform.lifecycle.phases if phase.phase in ("download", "touched"))
    return seconds, moving * given["registry_MB_s"]


def _scenario(puller: str, changes: Mapping[str, Any], size: float, bandwidth: float) -> dict[str, Any]:
    """One container from an image that no host has, from a registry with so much bandwidth [MB, MB/s]."""
    return {
        "simvirt": 1, "name": "pull", "host": {"model": "generic"},
        "platforms": [{"name": "host", "stack": ["containerd"], "puller": "given"}],
        "services": {"job": {"image": "given", "scale": 1, "background": {"threads": 1, "duty": 0.0001, "period": "1s"}}},
        "images": {"given": {"layers": [{"size": f"{size}MB"}]}}, "registries": {"given": {"entry": "given"}},
        "state": {"images": "none", "instances": "none"},
        "catalog": {
            "pullers": {"given": {"like": puller, "title": TYPICAL, **changes}},
            "registries": {"given": {
                "like": "region", "title": TYPICAL, "source": TYPICAL,
                "bandwidth": {"value": f"{bandwidth}MB/s", "source": TYPICAL}}},
        },
        "run": {"requests": None, "duration": LONGEST, "seed": 1, "replications": 1, "warmup": "0s"},
    }


def repeated(given: Given) -> Answer:
    """What several durations of one thing are in the mean, and how they differ."""
    found = [float(one) for one in given["durations_s"]]
    given.get("image"), given.get("image_MB"), given.get("platform"), given.get("soci")
    return {
        "mean_s": round(statistics.fmean(found), 1), "sd_s": round(statistics.stdev(found), 1),
        "author_mean_s": round(statistics.fmean(found)),
    }


FUNCTIONS: Final[Mapping[str, Adapter]] = {"lazily": lazily, "repeated": repeated}

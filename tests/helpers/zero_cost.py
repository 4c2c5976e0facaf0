"""Catalogue entries whose layers cost nothing, so that what remains of a platform is its structure."""

from __future__ import annotations

from typing import Any, Final

from simvirt.catalog import OPERATIONS

_NUMBER: Final = {"source": "made up for a test"}
_NOTHING: Final = {operation: {"none": "made up for a test"} for operation in OPERATIONS}
_FREE_VM: Final = {"like": "kvm", "guest": "idle-guest", "costs": _NOTHING, "halt_poll": {"value": "0ns"} | _NUMBER}
FREE: Final[dict[str, Any]] = {
    "guests": {"idle-guest": {"like": "linux", "background_duty": {"value": 0} | _NUMBER}},
    "hypervisors": {"free-kvm": _FREE_VM},
    "runtimes": {"free-docker": {"like": "docker", "costs": _NOTHING}},
    "platforms": {
        "free-kvm": {"title": "VMs at no cost", "stack": ["free-kvm"], **_NUMBER}, "free-docker": {"title": "containers at no cost", "stack": ["free-docker"], **_NUMBER},
        "free-docker-on-kvm": {"title": "containers in VMs at no cost", "stack": ["free-kvm", "free-docker"], **_NUMBER},
    },
}
"""What a scenario adds to the catalogue."""

"""Cases of the kind `startup-phases`: machines that are bought and given back, phases and marks of a start, firmware of VMs.

*Model*: see `machine_scaling` and `intervals`; what machines and containers take to start is predicted from tables of their own.
*Ignores*: measured starts, which do not say what was started on what: they are not known, and what is missing is said.
*Source*: that of `machine_scaling` and `intervals`; the entries of the catalogue (data/startups.yaml).
"""

from __future__ import annotations

from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.entries.startups import StartupEntry
from simvirt.validation.rules import intervals, machine_scaling
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Answer, Near, NotKnown, Rules

FIRMWARE: Final = "firmware"
"""The phase between a VM's first instruction and that of its kernel."""
MS: Final = 1e6  # ns


def firmware(given: Given) -> Answer:
    """What the firmware of a VM takes until the kernel's first instruction, by the entry of its monitor with it."""
    catalog, name = Catalog.load(), f"{str(given['vmm']).partition('/')[0].lower()}-{given['firmware']}"
    if name not in catalog.raw("startups"):
        raise NotKnown(f"no entry of the catalogue starts {name}")
    phases = [one for one in catalog.typed("startups", name, StartupEntry).phases if one.name == FIRMWARE]
    return {"kernel_entry_ms": Near(sum((one.cpu or 0.0) + (one.wait or 0.0) for one in phases) / MS)}


def _which(given: Given) -> str:
    """The rule that a case is about."""
    found = machine_scaling.rule_of(given) or intervals.rule_of(given) or ("firmware" if {"firmware", "vmm"} <= set(given.keys()) else None)
    if found is None:
        raise NotKnown(f"a measured start; not given: {', '.join(given.lacking(NEEDED))}")
    return found


NEEDED: Final = {
    ("cpu", "cores", "vcpus", "host_model"): "the processor",
    ("disk", "disk_MB_s", "disk_iops"): "the disk",
    ("phases", "cpu_ms", "runtime_version"): "what the starting software does",
}
"""What a start cannot be told without, by the keys that say it."""
RULES: Final = Rules("startup-phases", {**machine_scaling.FUNCTIONS, **intervals.FUNCTIONS, "firmware": firmware}, by=_which, factor=1.5)

"""The numbers: hosts, devices, hypervisors, runtimes, guests, images and platforms, each with unit, spread and source."""

from simvirt.catalog.catalog import Catalog
from simvirt.catalog.explain import Constant, Listed
from simvirt.catalog.operations import OPERATIONS, RATE_OPERATIONS
from simvirt.catalog.peripherals import DiskEntry, NicEntry
from simvirt.catalog.resolved import (
    Cost,
    CpuFamily,
    DeviceEntry,
    GuestEntry,
    HostEntry,
    Layer,
    Platform,
    PlatformCosts,
    ProfileEntry,
)

__all__ = [
    "OPERATIONS", "RATE_OPERATIONS", "Catalog", "Constant", "Cost", "CpuFamily", "DeviceEntry", "DiskEntry", "GuestEntry", "HostEntry",
    "Layer", "Listed", "NicEntry", "Platform", "PlatformCosts", "ProfileEntry",
]

"""The numbers: hosts, devices, hypervisors, runtimes, guests, images and platforms, each with unit, spread and source."""

from simvirt.catalog.catalog import Catalog
from simvirt.catalog.entries.hardware import CpuFamily, DiskEntry, NicEntry
from simvirt.catalog.entries.software import DeviceEntry, GuestEntry, ProfileEntry
from simvirt.catalog.operations import OPERATIONS, RATE_OPERATIONS
from simvirt.catalog.records import Cost, HostEntry, Layer, Platform, PlatformCosts
from simvirt.catalog.sources import Constant, Listed

__all__ = [
    "OPERATIONS", "RATE_OPERATIONS", "Catalog", "Constant", "Cost", "CpuFamily", "DeviceEntry", "DiskEntry", "GuestEntry", "HostEntry",
    "Layer", "Listed", "NicEntry", "Platform", "PlatformCosts", "ProfileEntry",
]

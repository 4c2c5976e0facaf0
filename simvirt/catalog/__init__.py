"""The numbers: hosts, devices, hypervisors, runtimes, guests, images and platforms, each with unit, spread and source."""

from simvirt.catalog.catalog import Catalog
from simvirt.catalog.operations import OPERATIONS, RATE_OPERATIONS
from simvirt.catalog.records import Cost, CpuFamily, DeviceEntry, GuestEntry, HostEntry, Layer, Platform, PlatformCosts, ProfileEntry
from simvirt.catalog.resolve.peripherals import DiskEntry, NicEntry
from simvirt.catalog.sources import Constant, Listed

__all__ = [
    "OPERATIONS", "RATE_OPERATIONS", "Catalog", "Constant", "Cost", "CpuFamily", "DeviceEntry", "DiskEntry", "GuestEntry", "HostEntry",
    "Layer", "Listed", "NicEntry", "Platform", "PlatformCosts", "ProfileEntry",
]

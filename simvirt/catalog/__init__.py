"""The numbers: hosts, devices, hypervisors, runtimes, guests, images and platforms, each with unit, spread and source."""

from simvirt.catalog.catalog import Catalog
from simvirt.catalog.explain import Constant, Listed
from simvirt.catalog.operations import OPERATIONS, RATE_OPERATIONS
from simvirt.catalog.resolved import (
    Cost,
    CpuFamily,
    DiskEntry,
    GuestEntry,
    HostEntry,
    Layer,
    NicEntry,
    Platform,
    PlatformCosts,
)

__all__ = [
    "OPERATIONS", "RATE_OPERATIONS", "Catalog", "Constant", "Cost", "CpuFamily", "DiskEntry", "GuestEntry", "HostEntry", "Layer",
    "Listed", "NicEntry", "Platform", "PlatformCosts",
]

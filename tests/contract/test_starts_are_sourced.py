"""Every shipped platform starts: its layers have phases, whose numbers are sourced; every entry of a start speaks for something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simvirt.catalog import Catalog
from simvirt.catalog.entries.startups import StartupEntry
from simvirt.catalog.resolve.startups import NUMBERS, named, software_name
from simvirt.catalog.sourced import Sourced

CATALOG = Catalog.load()
ALONE = {"network-namespace", "firecracker-recorded", "qemu-qboot", "qemu-seabios", "cloud-hypervisor-bzimage", "server", "kdump"}
"""Layers that no shipped platform has: a scenario's own may be of their name; and the host."""


def entry(name: str) -> StartupEntry:
    return CATALOG.typed("startups", name, StartupEntry)


def numbers(name: str) -> Iterator[Sourced]:
    """The numbers of an entry."""
    for phase in entry(name).phases:
        yield from (number for part in NUMBERS if isinstance(number := getattr(phase, part), Sourced))


@pytest.mark.parametrize("name", CATALOG.names("platforms"))
def test_every_platform_starts_in_phases_that_have_a_source(name: str) -> None:
    platform = CATALOG.named_platform(name)
    phases = CATALOG.phases_of(platform, CATALOG.host_model())
    assert bool(phases) == bool(platform.layers)
    assert all(phase.sources and (phase.cpu_ns or phase.wait_ns or phase.read or phase.write or phase.flushes) for phase in phases)
    for layer in platform.layers:
        kind = f"{layer.kind}s"
        assert named(CATALOG, kind, layer.name) is not None
        assert layer.guest is None or named(CATALOG, "guests", layer.guest.name) is not None


@pytest.mark.parametrize("name", CATALOG.names("startups"))
def test_every_number_of_a_start_has_a_spread(name: str) -> None:
    assert all(number.spread is not None for number in numbers(name))


def test_every_entry_speaks_for_a_layer_or_an_image() -> None:
    layers = {name for kind in ("hypervisors", "runtimes", "guests") for name in CATALOG.names(kind)}
    booted = {boots for name in CATALOG.names("startups") if (boots := entry(name).boots) is not None}
    for name in set(CATALOG.names("startups")) - layers - booted - ALONE:
        assert software_name(CATALOG, f"registry.example/{name}:1") == name


def test_every_image_whose_software_is_known_starts() -> None:
    unknown = {name for name in CATALOG.names("images") if software_name(CATALOG, name) is None}
    assert unknown == {"generic", "gcc"}, "compilers have nothing to start; nothing is known of any software"


def test_a_phase_that_is_no_work_is_a_wait_for_something() -> None:
    """No phase sleeps for a published boot: what only waits says what for; before a host's kernel runs no work can be done, nor in what a cloud does."""
    for name in CATALOG.names("startups"):
        for phase in entry(name).phases:
            if phase.wait is not None and phase.cpu is None and phase.read is None:
                assert name == "cloud-instance" or (name, phase.name) == ("server", "firmware") or phase.name == "probing of devices", f"{name}: {phase.name}"

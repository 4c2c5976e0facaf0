"""Debian's Linux, as it is, from firmware to power-off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from simvirt import machine
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.images import Image, load
from simvirt.emulation.making import Size
from simvirt.machine import constants as c
from helpers.debian import CALLS, Missing, file_system, kernel

LARGE = Size(memory=256 << 20)
BASE = LARGE.base
FIRMWARE = Path("/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf")
COMMAND_LINE = "console=ttyS0 earlycon=sbi"
SAID = (b"Linux version 6.", b"Run /init as init process", b"init: first program called", b"init: process number 1", b"reboot: Power down")


@pytest.fixture(scope="module")
def linux(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The kernel of the distribution."""
    try:
        return load(kernel(tmp_path_factory.mktemp("apt")), BASE + (2 << 20), "kernel")
    except Missing as missing:
        pytest.skip(f"Debian's kernel cannot be fetched: {missing}")


@pytest.mark.slow
@pytest.mark.verification
@pytest.mark.parametrize("firmware", [FIRMWARE, None], ids=["opensbi", "built in"])
@pytest.mark.skipif(machine.MODE == "plain", reason="1,200 million instructions are for the compiled machine")
def test_linux_of_debian_boots_and_powers_off(linux: Image, firmware: Path | None) -> None:
    if firmware is not None and not firmware.exists():
        pytest.skip("Debian's package opensbi is not installed")
    emulator = Emulator(LARGE, Console())
    first = linux if firmware is None else load(firmware, BASE, "firmware")
    emulator.boot(first, None if firmware is None else linux, file_system(), COMMAND_LINE)
    assert emulator.run(3_000_000_000) is End.powered_off
    said = bytes(emulator.console.said)
    places = [said.find(text) for text in (*([b"OpenSBI v"] if firmware else []), *SAID)]
    assert places == sorted(places) and places[0] >= 0, said[-2000:].decode(errors="replace")
    traps = emulator.counts()["traps"]
    assert CALLS < traps[c.USER * 2 * c.CAUSES + c.ECALL] < CALLS + 10  # and write, reboot
    assert not any(traps[c.SUPERVISOR * 2 * c.CAUSES + cause] for cause in (c.ILLEGAL, c.LOAD_ACCESS, c.STORE_ACCESS, c.FETCH_ACCESS))


@pytest.mark.slow
@pytest.mark.verification
@pytest.mark.skipif(machine.MODE == "plain", reason="1,200 million instructions are for the compiled machine")
def test_linux_cannot_tell_what_virtualizes_it(linux: Image) -> None:
    """The same console and the same state to the bit, natively, trapped a million times and with two stages."""
    ends = []
    for technique in ("native", "trap", "nested"):
        emulator = Emulator(LARGE, Console(), technique)
        emulator.boot(replace(linux, supervisor=True), None, file_system(), COMMAND_LINE)
        assert emulator.run(3_000_000_000) is End.powered_off
        ends.append((bytes(emulator.console.said), emulator.state()))
    assert ends[0] == ends[1] == ends[2]

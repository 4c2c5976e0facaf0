"""Techniques of virtualization: the guest says the same under each, and exits are what the technique's definition says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.emulated import SMALL, hello

from simvirt import machine
from simvirt.emulation.counting import comparison
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
SAME = "from helpers.emulated import hello\nfound = hello('trap')\nprint(found.digest, sorted(found.exits.items()))"


def test_the_guest_says_the_same_under_each_technique() -> None:
    native, trapped = hello("native"), hello("trap")
    assert comparison((native, trapped)).same_console
    assert native.ended == trapped.ended == End.powered_off.value
    assert native.traps == trapped.traps and native.devices == trapped.devices
    assert not native.exits


def test_exits_of_trap_and_emulate_are_what_the_guest_did() -> None:
    """A call, a return, an access to a device is one exit each; so is each access to a register of control."""
    found = hello("trap")
    exits = found.exits
    entries = sum(trap.count for trap in found.traps if trap.cause in ("call from user", "supervisor software interrupt"))
    ticks = sum(trap.count for trap in found.traps if trap.cause == "machine timer interrupt")
    assert exits["call from user: ecall"] == 11
    assert exits["illegal instruction: csrrw sscratch"] == exits["illegal instruction: csrrs scause"] == entries
    assert exits["illegal instruction: sret"] == 1 + entries - 1  # into the program, and back from all but the last call
    assert exits["illegal instruction: mret"] == 1 + ticks
    accesses = sum(one.reads + one.writes for one in found.devices.values())
    assert exits["store page fault: device access"] + exits["load page fault: device access"] == accesses
    assert exits["illegal instruction: sfence.vma"] == found.translation.fences == 1


def test_the_same_counts_compiled_and_plain_and_every_time() -> None:
    found = hello("trap")
    expected = f"{found.digest} {sorted(found.exits.items())}"
    path = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"
    environment = os.environ | {"SIMVIRT_PLAIN": "1" if machine.MODE == "compiled" else "0", "PYTHONPATH": path}
    other = subprocess.run([sys.executable, "-c", SAME], capture_output=True, text=True, check=True, env=environment)
    assert other.stdout.strip() == expected
    again = hello("trap")
    assert (again.digest, again.exits) == (found.digest, found.exits)


def test_an_unknown_technique_is_refused() -> None:
    with pytest.raises(UsageError, match="expected one of native, interpretation, translation, trap, paravirtual, nested"):
        Emulator(SMALL, Console(), "magic")

"""The rates of a guest as a profile of the catalogue, which a scenario includes: what the machine has counted, per second of CPU time.

*Model.* A second of CPU time is as many instructions as the host has cycles in a second. What the machine does not count is that of the
profile `generic`, and marked as assumed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from simvirt.emulation.costs import host_of
from simvirt.emulation.operations import NOT_COUNTED, performed
from simvirt.errors import UsageError
from simvirt.result.emulation_document import EmulationDocument

IDLE = "idle_wakeup"  # happens to an idle CPU, not in a second of CPU time


def profile_text(document: EmulationDocument, model: str) -> str:
    """A file that a scenario includes; UsageError for a guest that has carried out nothing, ScenarioError for an unknown host."""
    if not document.instructions:
        raise UsageError(f"--profile: {document.guest} carried out no instruction, so that it has no rates")
    return "\n".join(lines(document, model, host_of(model).clock_hz)) + "\n"


def lines(document: EmulationDocument, model: str, clock: float) -> Iterator[str]:
    """The lines of the file."""
    name = name_of(document.guest)
    counted = f"{document.instructions:,} instructions of {document.guest}, {document.technique}, simvirt emulate"
    yield f"# Rates of {document.guest}, counted on the emulated machine over {document.instructions:,} instructions;"
    yield f"# one instruction a cycle of {model} is assumed. In a scenario: include this file, and say profile: {name}"
    yield "catalog:"
    yield "  profiles:"
    yield f"    {name}:"
    yield "      like: generic"
    yield f"      title: {json.dumps(f'{document.guest} as counted on the emulated machine')}"
    yield f"      source: {json.dumps(f'counted: {counted}')}"
    yield "      rates:"
    for operation, count in performed(document).items():
        if operation != IDLE:
            rate = count / document.instructions * clock
            spread = f"[{rate:.0f}/s, {rate:.0f}/s]"
            source = json.dumps(f"counted: {count:,} in {counted}")
            yield f"        {operation}: {{value: {rate:.0f}/s, spread: {spread}, source: {source}}}"
    for operation in NOT_COUNTED:
        yield f"        # {operation}: assumed, as generic: the machine does not count it"


def name_of(guest: str) -> str:
    """A name of the catalogue for a guest."""
    return re.sub(r"[^a-z0-9]+", "-", guest.lower()).strip("-") or "guest"

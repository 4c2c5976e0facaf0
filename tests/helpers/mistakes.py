"""What the scenario tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

import pytest

from simvirt.errors import ScenarioError
from simvirt.scenario import loads

FIXTURES = Path(__file__).parents[1] / "fixtures" / "scenarios"
MM1 = (FIXTURES / "mm1.yaml").read_text(encoding="utf-8")
WEB = (FIXTURES / "web.yaml").read_text(encoding="utf-8")
THROTTLED = (FIXTURES / "throttled.yaml").read_text(encoding="utf-8")


def mistakes(text: str, sets: Sequence[str] = (), name: str = "x.yaml") -> list[str]:
    """The lines of the ScenarioError that a text must raise."""
    with pytest.raises(ScenarioError) as caught:
        loads(text, name, sets)
    return str(caught.value).splitlines()


def only(text: str, sets: Sequence[str] = (), name: str = "x.yaml") -> str:
    """The one mistake of a text."""
    lines = mistakes(text, sets, name)
    assert len(lines) == 1, lines
    return lines[0]


def mm1(old: str = "", new: str = "") -> str:
    """The smallest scenario with something replaced."""
    assert old in MM1
    return MM1.replace(old, new) if old else MM1


def mm1_service(service: str) -> str:
    """The smallest scenario with another service."""
    return mm1("{threads: 1, operations: {job: [{cpu: {exponential: 10ms}}]}}", service)


def mm1_steps(steps: str) -> str:
    """The smallest scenario with other steps."""
    return mm1("[{cpu: {exponential: 10ms}}]", steps)


def mm1_workload(workload: str) -> str:
    """The smallest scenario with another workload."""
    return mm1("{open: {rate: 80/s}, mix: {server.job: 1}}", workload)

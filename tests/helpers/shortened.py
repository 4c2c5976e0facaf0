"""The shipped scenarios, shortened, and their reports without what depends on the machine; also a program that prints one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import simvirt
from simvirt.report.formats import rendered
from simvirt.report.run_report import report
from simvirt.result.run_document import RunDocument

CONFIGS: Final = Path(__file__).resolve().parents[2] / "configs"
SHORTER: Final[dict[str, tuple[str, ...]]] = {
    "consolidation": ("run.duration=20s",),
    "density": ("run.duration=20s",),
    "load-profile": ("run.duration=8s", "run.observe=1s"),
    "memory-overcommit": ("run.duration=2s",),
    "mm1": ("run.requests=4000",),
    "noisy-neighbour": ("run.duration=4s",),
    "plan": ("run.duration=500ms",),
    "throttling": ("run.duration=20s",),
    "voting-app": ("run.duration=20s",),
    "web": ("run.duration=1s",),
}
"""What makes each of `configs/` a matter of a second, also in plain Python."""
SHORTEST: Final[dict[str, tuple[str, ...]]] = {
    "consolidation": ("run.duration=5s",),
    "density": ("run.duration=5s",),
    "load-profile": ("run.duration=2s", "run.observe=100ms"),
    "memory-overcommit": ("run.duration=500ms",),
    "mm1": ("run.requests=500",),
    "noisy-neighbour": ("run.duration=1s",),
    "plan": ("run.duration=200ms",),
    "throttling": ("run.duration=5s",),
    "voting-app": ("run.duration=10s",),
    "web": ("run.duration=300ms",),
}
"""What makes each short enough to be run by the hundred."""
DIGITS: Final = 9
WIDTH: Final = 100


def scenario(name: str, *sets: str) -> simvirt.Scenario:
    """A shipped scenario, shortened, with further overrides."""
    return simvirt.load(CONFIGS / f"{name}.yaml", sets=[*SHORTER[name], "run.replications=2", *sets])


def shortest(name: str, *sets: str) -> simvirt.Scenario:
    """A shipped scenario for one short replication, with further overrides."""
    return simvirt.load(CONFIGS / f"{name}.yaml", sets=[*SHORTER[name], *SHORTEST[name], "run.replications=1", *sets])


def document(found: RunDocument) -> dict[str, Any]:
    """A result without times of the wall clock, version, kernel and digest."""
    told = found.document()
    del told["wall_s"], told["simvirt"], told["scenario"]["digest"]
    for platform in told["platforms"].values():
        del platform["wall_s"]
    return told


def blanked(found: RunDocument) -> RunDocument:
    """The same with nothing in the place of these."""
    platforms = {name: platform.model_copy(update={"wall_s": None}) for name, platform in found.platforms.items()}
    program = found.simvirt.model_copy(update={"version": "", "kernel": ""})
    return found.model_copy(update={"simvirt": program, "scenario": found.scenario.model_copy(update={"digest": ""}), "platforms": platforms})


def forms(name: str) -> dict[str, str]:
    """The report as text, and the document as JSON with as many digits as any machine agrees on; by suffix."""
    found = simvirt.run(scenario(name)).typed()
    text = rendered(report(blanked(found)), "text", WIDTH)
    return {"txt": text, "json": json.dumps(rounded(document(found)), indent=1, ensure_ascii=False) + "\n"}


def rounded(value: Any) -> Any:
    """The same with every float rounded to so many significant digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


if __name__ == "__main__":
    json.dump({name: forms(name) for name in sys.argv[1:] or SHORTER}, sys.stdout)

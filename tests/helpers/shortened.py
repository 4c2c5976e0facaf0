"""The shipped scenarios, shortened, and their reports without what depends on the machine; also a program that prints those of the shortest."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import simvirt
from simvirt.density import density
from simvirt.deploy import deploy
from simvirt.plan import plan
from simvirt.report import density_report, deploy_report, plan_report, run_report
from simvirt.report.formats import rendered
from simvirt.result.density_document import DensityDocument
from simvirt.result.deploy_document import DeployDocument
from simvirt.result.plan_document import PlanDocument
from simvirt.result.run_document import RunDocument

CONFIGS: Final = Path(__file__).resolve().parents[2] / "configs"
SHORTER: Final[dict[str, tuple[str, ...]]] = {
    "consolidation": ("run.duration=20s",),
    "density": ("run.duration=20s",),
    "deploy": ("run.duration=25s", "platforms=[bare-metal, docker, firecracker]"),
    "load-profile": ("run.duration=8s", "run.observe=1s"),
    "memory-overcommit": ("run.duration=2s", "run.observe=1s"),
    "metastable": ("run.duration=1500ms", "run.warmup=500ms", "run.replications=2"),
    "mm1": ("run.requests=4000",),
    "noisy-neighbour": ("run.duration=4s",),
    "plan": ("run.duration=500ms",),
    "spike": ("run.duration=2min",),
    "spike-machines": ("run.duration=160s",),
    "stream-beside-ping": ("run.duration=100ms",),
    "three-hosts": ("run.duration=1s",),
    "throttling": ("run.duration=20s",),
    "volumes": ("run.duration=500ms",),
    "voting-app": ("run.duration=20s",),
    "web": ("run.duration=1s",),
}
"""What makes each of `configs/` a matter of a second, also in plain Python."""
SHORTEST: Final[dict[str, tuple[str, ...]]] = {
    "consolidation": ("run.duration=5s",),
    "density": ("run.duration=5s",),
    "deploy": ("run.duration=4s",),
    "load-profile": ("run.duration=2s", "run.observe=100ms"),
    "memory-overcommit": ("run.duration=500ms", "run.observe=100ms"),
    "metastable": ("run.duration=400ms", "run.warmup=100ms"),
    "mm1": ("run.requests=500",),
    "noisy-neighbour": ("run.duration=1s",),
    "plan": ("run.duration=200ms",),
    "spike": ("run.duration=20s",),
    "spike-machines": ("run.duration=20s",),
    "stream-beside-ping": ("run.duration=20ms",),
    "three-hosts": ("run.duration=100ms",),
    "throttling": ("run.duration=5s",),
    "volumes": ("run.duration=50ms",),
    "voting-app": ("run.duration=10s",),
    "web": ("run.duration=300ms",),
}
"""What makes each short enough to be run by the hundred."""
WHOLE: Final = ("deploy", "memory-overcommit", "metastable", "mm1", "spike", "spike-machines", "stream-beside-ping", "three-hosts")
"""Documents with every key: one starts instances, one follows memory and observes over time, one is short enough for theory to speak,
one has several workloads, one several hosts, one an autoscaler, one hosts that come and go."""
SMALL: Final[dict[str, tuple[str, ...]]] = {
    "density": ("host={cores: 1, memory: 2GiB}", "platforms=[kvm]", "run.replications=2"),
    "deploy": ("platforms=[docker, firecracker]", "run.replications=2"),
    "plan": ("run={duration: 500ms, replications: 2, seed: 1}", "workload.open.rate=1000/s", "platforms=[docker]"),
}
"""What makes the shipped scenario of a command a matter of seconds."""
MAXIMUM: Final = ("mm1",)
"""Scenarios whose maximum throughput is looked for: a search is a hundred times the work of a shortened run, and runs in plain Python too."""
STEADY: Final[dict[str, Any]] = {"wall_s": 0.0, "digest": "00000000", "version": "0", "kernel": "any"}
NAMED: Final = {
    "platforms", "hosts", "services", "replicas", "operations", "resources", "comparison", "parts", "limits", "devices", "density",
    "deployments", "objective", "disks",
    "workloads",
}
"""Keys under which names stand."""
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
    left = found.document()
    del left["wall_s"], left["simvirt"], left["scenario"]["digest"]
    for platform in left["platforms"].values():
        del platform["wall_s"]
    return left


def blanked(found: RunDocument) -> RunDocument:
    """The same with nothing in the place of these."""
    platforms = {name: platform.model_copy(update={"wall_s": None}) for name, platform in found.platforms.items()}
    program = found.simvirt.model_copy(update={"version": "", "kernel": ""})
    named = found.scenario.model_copy(update={"digest": ""})
    return found.model_copy(update={"simvirt": program, "scenario": named, "platforms": platforms})


def shortest_forms() -> dict[str, str]:
    """The forms of all shipped scenarios at their shortest, by file name."""
    return {file: form for name in SHORTEST for file, form in forms_of(name, shortest(name), maximum=False).items()}


def run_forms(name: str) -> dict[str, str]:
    """The committed forms of a run by file name."""
    return forms_of(name, scenario(name), maximum=name in MAXIMUM)


def forms_of(name: str, spec: simvirt.Scenario, maximum: bool) -> dict[str, str]:
    """Forms of a run by file name: the report as text, and of the scenarios that have every key the document too."""
    found = simvirt.run(spec, maximum=maximum).typed()
    forms = {f"{name}.txt": rendered(run_report.report(blanked(found)), "text", WIDTH)}
    return forms | ({f"{name}.json": written(document(found))} if name in WHOLE else {})


def command_forms(command: str) -> dict[str, str]:
    """What `simvirt density`, `deploy` or `plan` gives of a small case of its shipped scenario: text and document by file name."""
    case = simvirt.load(CONFIGS / f"{command}.yaml", sets=SMALL[command])
    found = steady({"density": density, "deploy": deploy, "plan": plan}[command](case).document())
    report = {
        "density": lambda: density_report.report(DensityDocument.model_validate(found)),
        "deploy": lambda: deploy_report.report(DeployDocument.model_validate(found)),
        "plan": lambda: plan_report.report(PlanDocument.model_validate(found)),
    }[command]()
    return {f"{command}.txt": rendered(report, "text", WIDTH), f"{command}.json": written(found)}


def steady(value: Any) -> Any:
    """The same with what depends on the machine, the version or the digest replaced by what does not."""
    if isinstance(value, dict):
        return {key: STEADY.get(key, steady(item)) for key, item in value.items()}
    return [steady(item) for item in value] if isinstance(value, list) else value


def written(document: Any) -> str:
    """A document as JSON with as many digits as any machine agrees on."""
    return json.dumps(rounded(document), indent=1, ensure_ascii=False) + "\n"


def keys_of(value: Any) -> set[str]:
    """All keys of a document but those of the scenario in it, and those that are names of its own, or of its devices and limits."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    if not isinstance(value, dict):
        return set()
    held = {key: item for key, item in value.items() if key != "content"}
    inner = [part for key, item in held.items() for part in (item.values() if key in NAMED and isinstance(item, dict) else [item])]
    return set(value).union(*map(keys_of, inner))


def rounded(value: Any) -> Any:
    """The same with every float rounded to so many significant digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


if __name__ == "__main__":
    json.dump(shortest_forms(), sys.stdout)

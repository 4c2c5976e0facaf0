"""What the timeline says beside what an orchestrator decides."""

from __future__ import annotations

from collections.abc import Iterator

from simvirt.scenario.checks.references import Mistake
from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.experiment import TimelineEvent
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.orchestration import SCALED


def beside_orchestrators(scenario: Scenario, event: TimelineEvent, path: Path) -> Iterator[Mistake]:
    """Events that start or stop what an orchestrator has, and a load that cannot be multiplied."""
    acting = next((platform for platform in scenario.platforms if platform.orchestrator is not None), None)
    wished = next((one.verb for one in scenario.timeline if one.wants is not None), None)
    for verb in ("scale", "update", "rollback"):
        spec = scenario.services.get(getattr(event, verb) or "")
        if spec is not None and (spec.is_job or (verb == "scale" and spec.is_global)):
            yield (*path, verb), f"{getattr(event, verb)} has mode: {spec.deploy.mode}; expected another service, or no mode"
    if event.verb in ("start", "stop") and (acting is not None or wished is not None):
        who = f"{acting.orchestrator} of {acting.name}" if acting is not None else f"{wished} in the timeline"
        yield (*path, event.verb), f"{who} says how many instances there are; expected scale, for example {SCALED}"
    if event.restart is not None and acting is not None:
        yield (*path, "restart"), (
            f"{acting.orchestrator} of {acting.name} says when an instance starts again; expected a restart policy of the service instead")
    workloads = [one.workload for one in scenario.alone.values() if one.workload is not None]
    if event.load is not None and not any(one.open is not None or one.rates is not None for one in workloads):
        yield (*path, "load"), "multiplies the rate of open workloads, and there is none; expected one, for example open: {rate: 800/s}"
    if scenario.tenants is not None and (acting is not None or wished is not None):
        yield path, "tenants have replicas of their own, which nothing can add to; expected a scenario without tenants"

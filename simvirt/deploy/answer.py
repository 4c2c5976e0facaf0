"""The answer: when instances are ready from each state, and the phases that this took, as intervals over replications."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simvirt.deploy.deployment import Deployed
from simvirt.deploy.sentence import sentence
from simvirt.deploy.stages import STAGES, courses, on_the_way, ready_at
from simvirt.metrics.lifecycle import lifecycle
from simvirt.metrics.statistics import mean_interval
from simvirt.metrics.summary import averages
from simvirt.result import frames, provenance
from simvirt.result.deploy_document import DeployDocument, Deployment, PlatformDeployment
from simvirt.result.displayed import Displayed
from simvirt.result.document import Estimate
from simvirt.runs.until_ready import LONGEST_NS, WATCHED_NS
from simvirt.scenario.spec.models import Scenario
from simvirt.units import format_time

S = 1e9
WHY_NOT: Final = (
    "their image, or that of a service that they wait for, is refused, their checks end them before, or they take longer than "
    f"{format_time(LONGEST_NS / S)} ({format_time(WATCHED_NS / S)} under an orchestrator); "
    "see limit and bandwidth of registries, the size of images, and start_period of checks"
)
"""Why instances are not ready in the end, and what to look at."""


@dataclass
class Answer:
    """The deployments of one platform from each state, one a replication."""

    of_state: dict[str, list[Deployed]]

    def typed(self) -> PlatformDeployment:
        """The answer as it stands in a result."""
        return PlatformDeployment(**{state: deployment(found) for state, found in self.of_state.items()})


def deployment(found: Sequence[Deployed]) -> Deployment:
    """Replications of a deployment as one."""
    bytes_of: dict[str, Any] = {f"{name}_bytes": round(value or 0) for name, value in averages([one.bytes for one in found]).items()}
    return Deployment(
        **bytes_of, **dict(lifecycle([one.lives for one in found])),
        ready_s=mean_interval([None if one.ready_ns is None else one.ready_ns / S for one in found]),
        cpu_s=mean_interval([one.cpu_ns / S for one in found]),
        used={name: value or 0.0 for name, value in averages([one.used for one in found]).items()},
        stages_s=_stages(found), ready_at_s=ready_at(found[0].lives), starts=courses(found[0].lives, found[0].hosts, found[0].stage_of),
        wall_s=sum(one.wall_s for one in found),
    )


def _stages(found: Sequence[Deployed]) -> dict[str, Estimate]:
    """What each stage took on the way to the last instance, where it took anything."""
    ways = [on_the_way(one.lives, one.stage_of) for one in found]
    return {stage: mean_interval([way[stage] for way in ways]) for stage in STAGES if any(way[stage] for way in ways)}


@dataclass(repr=False)
class DeployResult(Displayed):
    """What `deploy` found; `typed()` is the document, `document()` its JSON, `frame()` one row a platform, state and phase."""

    scenario: Scenario
    answers: dict[str, Answer]
    wall_s: float = 0.0
    interrupted: bool = False
    assumptions: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)

    def typed(self) -> DeployDocument:
        """The result as a typed document; times in seconds, ratios 0 to 1."""
        ended: dict[str, Any] = {"interrupted": True} if self.interrupted else {}
        ended |= {"failed": self.failed} if self.failed else {}
        run = self.scenario.run
        document = DeployDocument(
            simvirt=provenance.program(), scenario=provenance.name_of(self.scenario), seed=run.seed, replications=run.replications,
            wall_s=self.wall_s, deployments={name: answer.typed() for name, answer in self.answers.items()}, assumptions=self.assumptions,
            warnings=tuple(self._warnings()), **ended,
        )
        return document.model_copy(update={"answer": sentence(document)})

    def _warnings(self) -> Iterator[str]:
        """What makes the numbers less than they seem."""
        yield from (f"{name} has no answer: {why}" for name, why in self.failed.items())
        yield from self._left_out()
        yield from self._not_ready()

    def _left_out(self) -> Iterator[str]:
        """What a scenario says and a deployment does not heed."""
        scaled = [name for name, spec in self.scenario.services.items() if spec.autoscale is not None]
        if scaled:
            yield f"autoscalers are left out: as many replicas start as are stated ({', '.join(scaled)})"
        if self.scenario.timeline or self.scenario.failures is not None:
            yield "timeline and failures are left out: a deployment is undisturbed"

    def _not_ready(self) -> Iterator[str]:
        """Which deployments leave instances down."""
        for name, answer in self.answers.items():
            for state, found in answer.of_state.items():
                down = sum(one.down for one in found) / len(found)
                if down:
                    many = "1 instance never becomes" if down == 1 else f"{down:g} instances never become"
                    yield f"{name}, {state}: {many} ready: {WHY_NOT}"

    def document(self) -> dict[str, Any]:
        """The result as the document that `--format json` prints."""
        return self.typed().document()

    def frame(self) -> frames.Frame:
        """One row for each phase of a deployment, with when all is ready, as columns of equal length; estimates with their ends."""
        return frames.of_deployments(self.typed())

    def summary(self) -> str:
        """Which scenario, and the answer."""
        return f"{self.scenario.name}: {self.typed().answer}"

"""The document of `simvirt deploy`: how long until everything is ready on each platform, cold and warm, and what took it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import Document, Estimate, Number, Program, ScenarioName, Utilisations
from simvirt.result.lifecycle import Lifecycle


class StagePart(Document):
    """A stretch of a start in which one thing after the other of a stage was done."""

    stage: str = Field(description="image, monitor, guest, runtime, application, or waiting: for a lock, or for other services")
    from_s: Number = Field(description="when it began, from when everything was asked for")
    to_s: Number = Field(description="when it ended")


class StartCourse(Document):
    """The start of one instance."""

    service: str = Field(description="of which service")
    replica: int = Field(description="which of its replicas")
    host: str = Field(description="on which host")
    ready_s: Number | None = Field(description="when it was ready, from when everything was asked for; `null` where it never was")
    parts: tuple[StagePart, ...] = Field(description="what was done meanwhile")


class Deployment(Lifecycle):
    """A deployment from one state: everything is asked for at the same instant."""

    ready_s: Estimate = Field(description="until the last instance is ready [s]")
    moved_bytes: int | None = Field(default=None, description="bytes of images that came from registries, where there were none before")
    saved_bytes: int | None = Field(
        default=None, description="bytes of layers that did not have to come, because another image or instance had brought them")
    cpu_s: Estimate = Field(description="CPU time that hosts spent until the last instance was ready [s]")
    used: Utilisations = Field(default={}, description="busy share of what hosts have, until the last instance was ready: cpu, disk")
    stages_s: Mapping[str, Estimate] = Field(
        default={}, description="the way to the last instance by stage: image (distribution, unpacking), monitor and guest of a VM, "
        "runtime, application, and waiting: for locks, and for services that are not on that way [s]")
    ready_at_s: tuple[Number, ...] = Field(
        default=(), description="when instances were ready in the first replication, ascending; of more than 200 as many evenly between")
    starts: tuple[StartCourse, ...] = Field(
        default=(), description="how starts of the first replication went; of more than 24 as many evenly, from the first that was ready "
        "to the last")
    wall_s: Number = Field(description="wall-clock time of the simulations")


class PlatformDeployment(Document):
    """How one platform deploys."""

    cold: Deployment | None = Field(default=None, description="from hosts without images, which are pulled or copied first")
    warm: Deployment | None = Field(default=None, description="from hosts that have the images")


class DeployDocument(Document):
    """What `simvirt deploy` prints with `--format json`."""

    simvirt: Program = Field(description="what made the document")
    answer: str = Field(default="", description="the answer in a sentence, computed from the numbers below")
    scenario: ScenarioName = Field(description="which scenario was asked about")
    seed: int = Field(description="seed of all random streams")
    replications: int = Field(description="deployments of each kind that were simulated")
    wall_s: Number = Field(description="wall-clock time of the command")
    deployments: Mapping[str, PlatformDeployment] = Field(description="one for each platform, by name")
    assumptions: tuple[str, ...] = Field(default=(), description="what was assumed where the scenario does not say it")
    warnings: tuple[str, ...] = Field(description="messages that say what makes the numbers misleading")
    failed: Mapping[str, str] = Field(default={}, description="platforms that could not be simulated, by name, and why")
    interrupted: bool = Field(default=False, description="`true` where Ctrl-C ended it: only platforms that are complete are in it")

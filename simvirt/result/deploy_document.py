"""The document of `simvirt deploy`: how long until everything is ready on each platform, cold and warm, and what took it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import Document, Estimate, Number, Program, ScenarioName, Utilisations
from simvirt.result.lifecycle import Lifecycle


class Deployment(Lifecycle):
    """A deployment from one state: everything is asked for at the same instant."""

    ready_s: Estimate = Field(description="until the last instance is ready [s]")
    moved_bytes: int | None = Field(default=None, description="bytes of images that came from registries, where there were none before")
    saved_bytes: int | None = Field(
        default=None, description="bytes of layers that did not have to come, because another image or instance had brought them")
    cpu_s: Estimate = Field(description="CPU time that hosts spent until the last instance was ready [s]")
    used: Utilisations = Field(default={}, description="busy share of what hosts have, until the last instance was ready: cpu, disk")
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

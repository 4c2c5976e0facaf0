"""What is asked of an orchestrator: events of the timeline that say what is wanted."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field

from simvirt.scenario.fields import MOST_REPLICAS, LimitBytes, Number, Title, Whole, Word
from simvirt.scenario.spec.base import Spec, refuse

ORCHESTRATED: Final = ("scale", "update", "rollback")
"""The verbs that say what is wanted and leave it to the platform's orchestrator what is done."""
SCALED: Final = "{at: 5min, scale: web, replicas: 8}"
UPDATED: Final = "{at: 10min, update: web, image: nginx:1.28}"
CHANGES: Final = ("image", "cpus", "mem_limit")
"""What a new version may have otherwise."""


class OrchestrateEvent(Spec):
    """What an event wants from now on: other replicas, another version, another load."""

    later: ClassVar[tuple[str, ...]] = ("scale", "replicas", "update", "image", "cpus", "mem_limit", "rollback", "load")
    scale: Word | None = Field(default=None, description="service of which another number of replicas is wanted", examples=["web"])
    replicas: Annotated[int, Whole(0, MOST_REPLICAS, 8)] | None = Field(
        default=None, description="how many replicas are wanted from now on, with scale or with update", examples=["8"])
    update: Word | None = Field(
        default=None, description="service of which another version is wanted; its instances are replaced as its update_config says",
        examples=["web"])
    image: Title | None = Field(
        default=None, description="image of the new version, which hosts pull; its software does with CPU time what the old one did",
        examples=["nginx:1.28"])
    cpus: Annotated[float, Number(0, 65536, 2, above=True)] | None = Field(
        default=None, description="limit of CPUs of each container of the new version", examples=["2"])
    mem_limit: LimitBytes | None = Field(
        default=None, description="limit of memory of each container of the new version", examples=["1GiB"])
    rollback: Word | None = Field(default=None, description="service that goes back to the version before", examples=["web"])
    load: Annotated[float, Number(0, 1000, 3, above=True)] | None = Field(
        default=None, description="the offered load of all open workloads, as a multiple of what they state, from now on", examples=["3"])

    @property
    def wants(self) -> str | None:
        """The service of which something else is wanted; None where nothing is."""
        return next((name for verb in ORCHESTRATED if (name := getattr(self, verb)) is not None), None)

    def refuse_idle_wishes(self) -> None:
        """Words that say what is wanted belong to their verbs."""
        if self.scale is not None and self.replicas is None:
            refuse(f"expected scale and replicas together, for example {SCALED}", "scale")
        if self.replicas is not None and self.scale is None and self.update is None:
            refuse(f"expected scale and replicas together, for example {SCALED}", "replicas")
        stated = [key for key in CHANGES if getattr(self, key) is not None]
        if self.update is not None and not stated:
            refuse(f"expected what the new version has otherwise, {' or '.join(CHANGES)}, for example {UPDATED}", "update")
        if self.update is None and stated:
            refuse(f"says what a new version is, and nothing is updated; expected update beside it, for example {UPDATED}", stated[0])

"""What is asked of an orchestrator: events of the timeline that say what is wanted."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field

from simvirt.scenario.fields import MOST_REPLICAS, Whole, Word
from simvirt.scenario.spec.base import Spec, refuse

ORCHESTRATED: Final = ("scale",)
"""The verbs that say what is wanted and leave it to the platform's orchestrator what is done."""
SCALED: Final = "{at: 5min, scale: web, replicas: 8}"


class OrchestrateEvent(Spec):
    """What an event wants from now on."""

    later: ClassVar[tuple[str, ...]] = ("scale", "replicas")
    scale: Word | None = Field(default=None, description="service of which another number of replicas is wanted", examples=["web"])
    replicas: Annotated[int, Whole(0, MOST_REPLICAS, 8)] | None = Field(
        default=None, description="how many replicas are wanted from now on", examples=["8"])

    @property
    def wants(self) -> str | None:
        """The service of which something else is wanted; None where nothing is."""
        return next((name for verb in ORCHESTRATED if (name := getattr(self, verb)) is not None), None)

    def refuse_idle_wishes(self) -> None:
        """Words that say what is wanted belong to their verbs."""
        if (self.scale is None) != (self.replicas is None):
            refuse(f"expected scale and replicas together, for example {SCALED}", "scale" if self.replicas is None else "replicas")

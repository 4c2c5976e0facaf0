"""Events of the timeline that move what runs to another host: `migrate` a service's VMs, `drain` a host."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, get_args

from pydantic import Field

from simvirt.scenario.fields import Word
from simvirt.scenario.spec.base import Spec, refuse

MIGRATE: Final = '{at: 40min, migrate: db, to: "node[0]"}'
DRAINED: Final = '{at: 30min, drain: "node[2]", how: restart}'
DRAIN: Final = '{at: 30min, drain: "node[2]"}'
HostName = Annotated[str, Field(max_length=200)]
Way = Literal["pre-copy", "post-copy", "hybrid", "stop-and-copy", "checkpoint", "restart"]
WAYS: Final[tuple[str, ...]] = get_args(Way)
"""How something moves."""
RESTART: Final = "restart"
"""How a host is drained where nothing moves: all on it is stopped, and starts anew on other hosts."""
OF_CONTAINERS: Final = ("pre-copy", "stop-and-copy", "checkpoint", RESTART)
"""How containers get to another host."""


class MigrationEvent(Spec):
    """What an event says of a migration."""

    later: ClassVar[tuple[str, ...]] = ("migrate", "drain", "to", "storage")
    migrate: Word | None = Field(
        default=None, examples=["db"],
        description="service whose VMs move to another host while they run, or whose containers are frozen and restored there")
    drain: HostName | None = Field(
        default=None, examples=['"node[2]"'],
        description="host that is emptied and takes nothing new: VMs move to other hosts, containers are restored there, or all that is "
        "on it starts anew elsewhere (`how: restart`)")
    to: HostName | None = Field(
        default=None, description="host that they move to; the one with the most memory left by default", examples=['"node[0]"'])
    storage: Literal["shared", "copy"] | None = Field(
        default=None, description="whether both hosts reach the VM's disk (shared, the default), or it is copied too", examples=["copy"])

    @property
    def moves(self) -> bool:
        """Whether something moves to another host."""
        return self.migrate is not None or self.drain is not None

    def refuse_idle_words(self, how: str | None) -> None:
        """Words that say how something moves mean nothing where nothing does."""
        for key in ("to", "storage"):
            if getattr(self, key) is not None and not self.moves:
                refuse(f"says how something moves, and nothing does; expected it beside migrate or drain, for example {MIGRATE}", key)
        if self.moves and how is not None and how not in WAYS:
            refuse(f"is how something fails; expected one of {', '.join(WAYS)}", "how")
        if how == RESTART and self.drain is None:
            refuse(f"is how a host is drained; expected drain, for example {DRAINED}", "how")
        if how == RESTART and (self.to or self.storage) is not None:
            refuse(f"means nothing where an orchestrator starts anew what was stopped; expected {DRAINED}", "to" if self.to else "storage")
        if self.to is not None and self.to == self.drain:
            refuse(f"is the host that is drained; expected another one, or none, for example {DRAIN}", "to")

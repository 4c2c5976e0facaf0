"""Volumes that lie elsewhere than on the disk of the host that uses them: over NFS, iSCSI, on replicated storage."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from simvirt.scenario.fields import Title, Whole, Word
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.network import Ends
from simvirt.units import UnitError, shown

LOCAL: Final = "local"
"""The driver of a volume on the disk of the host that uses it."""


def _mount(value: object) -> str:
    """The volume of a mount as Compose writes it: its name, perhaps with the place in the container and `ro` or `rw`."""
    name = str(value).partition(":")[0].strip() if isinstance(value, str) else ""
    if not name or name[0] in "./~":
        raise UnitError(f'expected the name of a volume, for example data or "data:/var/lib/data"; got {shown(value)}')
    return name


Mount = Annotated[Word, BeforeValidator(_mount), WithJsonSchema({"type": "string", "examples": ["data:/var/lib/data"]})]


class VolumeSpec(Spec):
    """A volume: what serves it, and on which hosts it lies."""

    example = "{driver: nfs, host: \"nas[0]\"}"
    driver: Title = Field(
        default=LOCAL, description="what serves it: an entry of the catalogue's volume_drivers, or local for the host's own disk",
        examples=["nfs"])
    host: Ends = Field(default=(), description="the host that serves it; hosts, where the driver replicates", examples=['"nas[0]"'])
    replicas: Annotated[int, Whole(1, 100, 3)] | None = Field(
        default=None, description="hosts that have each piece of it, where the driver replicates; 3 by default", examples=["3"])

    @model_validator(mode="after")
    def _somewhere(self) -> VolumeSpec:
        if self.driver == LOCAL and self.host:
            refuse("a local volume lies on the host that uses it; expected another driver, for example driver: nfs", "host")
        if self.driver != LOCAL and not self.host:
            refuse('missing (the host that serves it), for example host: "nas[0]"', "host")
        return self

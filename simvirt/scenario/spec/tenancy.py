"""How many fit on a host: tenants that share it, and the question how many instances it holds."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, model_validator

from simvirt.scenario.fields import MOST_REPLICAS, PositivePerSecond, Whole, Word
from simvirt.scenario.spec.base import Spec
from simvirt.scenario.spec.workload import one_of

MOST_INSTANCES: Final = 10_000


class TenantsSpec(Spec):
    """Tenants that divide the replicas and the load in equal parts: a tenant's requests stay on its own replicas.

    Services that are not their own are shared by all. A request of an open load belongs to a random tenant,
    deterministic arrivals to each in turn; a client belongs to one tenant throughout.
    """

    example = "{count: 40, own: [web]}"
    count: Annotated[int, Whole(1, MOST_REPLICAS, 40)] = Field(description="how many there are", examples=["40"])
    own: tuple[Word, ...] | None = Field(default=None, min_length=1, max_length=10_000, examples=["[web]"],
                                         description="services of which each tenant has separate replicas; all by default")


class InstanceLoadSpec(Spec):
    """The load that each instance brings."""

    example = "{rate: 20/s}"
    rate: PositivePerSecond | None = Field(default=None, description="requests per second of each instance", examples=["20/s"])
    clients: Annotated[int, Whole(1, 1_000_000, 5)] | None = Field(default=None, description="clients of each instance", examples=["5"])

    @model_validator(mode="after")
    def _exactly_one(self) -> InstanceLoadSpec:
        one_of(self, ("rate", "clients"), self.example)
        return self


class DensitySpec(Spec):
    """What `simvirt density` counts: replicas of a service, or copies of all services together, each with its own load."""

    example = "{service: web, per_instance: {rate: 20/s}, max: 2000}"
    service: Word | None = Field(default=None, examples=["web"], description=(
        "service whose replicas are counted while the others stay as they are; by default copies of all services together"))
    per_instance: InstanceLoadSpec | None = Field(default=None, examples=[InstanceLoadSpec.example], description=(
        "load of each instance; by default the workload as written, divided by the replicas of the service"))
    max: Annotated[int, Whole(1, MOST_INSTANCES, 2000)] = Field(default=MOST_INSTANCES, description="where the search ends",
                                                               examples=["2000"])

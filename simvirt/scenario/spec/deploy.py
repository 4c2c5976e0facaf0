"""How a service is deployed, in the words of Compose's `deploy`, and of Kubernetes for what Compose does not have."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simvirt.scenario.fields import MOST_REPLICAS, LimitBytes, Number, Whole
from simvirt.scenario.spec.base import Spec
from simvirt.scenario.spec.cluster import PlacementSpec
from simvirt.scenario.spec.priorities import Priority
from simvirt.scenario.spec.updating import RestartPolicySpec, UpdateConfigSpec

Replicas = Annotated[int, Whole(1, MOST_REPLICAS, 4)]
Cpus = Annotated[float, Number(0, 65536, 2, above=True)]


class LimitsSpec(Spec):
    """What a replica may use."""

    example = "{cpus: 2, memory: 512MiB}"
    cpus: Cpus | None = Field(default=None, description="CPUs, in fractions too", examples=["2"])
    memory: LimitBytes | None = Field(default=None, description="memory", examples=["512MiB"])


class ReservationsSpec(Spec):
    """What a replica is guaranteed: by the schedulers esxi and hyperv, whatever the weights of others, and by orchestrators on its host."""

    example = "{cpus: 0.5}"
    later = ("memory",)
    cpus: Cpus | None = Field(default=None, description="CPUs, in fractions too", examples=["0.5"])
    memory: LimitBytes | None = Field(
        default=None, description="memory that an orchestrator keeps free for it on its host", examples=["256MiB"])


class ResourcesSpec(Spec):
    """Resources of a replica."""

    example = "{limits: {cpus: 2, memory: 512MiB}}"
    limits: LimitsSpec = Field(default=LimitsSpec.model_construct(), description="upper bounds", examples=[LimitsSpec.example])
    reservations: ReservationsSpec = Field(
        default=ReservationsSpec.model_construct(), description="lower bounds", examples=[ReservationsSpec.example])


class DeploySpec(Spec):
    """How a service is deployed."""

    example = "{replicas: 4, resources: {limits: {cpus: 2, memory: 512MiB}}}"
    later = ("placement", "update_config", "rollback_config", "restart_policy", "priority")
    replicas: Replicas = Field(default=1, description="how many instances", examples=["4"])
    resources: ResourcesSpec = Field(default=ResourcesSpec.model_construct(), description="what each may use",
                                     examples=[ResourcesSpec.example])
    placement: PlacementSpec | None = Field(
        default=None, description="on which hosts they may stand", examples=[PlacementSpec.example])
    update_config: UpdateConfigSpec | None = Field(
        default=None, description="how an orchestrator replaces them by those of another version", examples=[UpdateConfigSpec.example])
    rollback_config: UpdateConfigSpec | None = Field(
        default=None, description="how it goes back to the version before", examples=[UpdateConfigSpec.example])
    restart_policy: RestartPolicySpec | None = Field(
        default=None, description="when an orchestrator replaces one that ended", examples=[RestartPolicySpec.example])
    priority: Priority | None = Field(
        default=None, examples=["1000"],
        description="how important its replicas are beside those of other services, 0 by default: a number, or an entry of the "
        "catalogue's priorities")

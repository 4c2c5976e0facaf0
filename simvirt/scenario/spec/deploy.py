"""How a service is deployed, in the words of Compose's `deploy`, and of Kubernetes for what Compose does not have."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from simvirt.scenario.fields import MOST_REPLICAS, LimitBytes, Number, Whole
from simvirt.scenario.spec.base import Spec
from simvirt.scenario.spec.cluster import PlacementSpec
from simvirt.scenario.spec.priorities import Priority
from simvirt.scenario.spec.updating import DisruptionBudgetSpec, RestartPolicySpec, UpdateConfigSpec

Replicas = Annotated[int, Whole(1, MOST_REPLICAS, 4)]
Cpus = Annotated[float, Number(0, 65536, 2, above=True)]
Mode = Literal["replicated", "global", "replicated-job", "stateful"]
BACKOFF_LIMIT: Final = 6
"""Failures of a job that are tried again: spec.backoffLimit of a Job (pkg/apis/batch/v1/defaults.go)."""
JOB: Final = "replicated-job"
"""The mode of a service that does its start-up work and ends."""
STATEFUL: Final = "stateful"
"""The mode of a service whose replicas are somebody each."""
GLOBAL: Final = "global"
"""The mode of a service that has one replica on each host that it may stand on."""


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


class JobSpec(Spec):
    """How often a job is done: Kubernetes' words for what Swarm says with replicas and max-concurrent."""

    example = "{completions: 10, parallelism: 2}"
    completions: Annotated[int, Whole(1, 1_000_000, 10)] = Field(default=1, description="how many times it is done", examples=["10"])
    parallelism: Replicas = Field(default=1, description="how many of them at a time", examples=["2"])
    backoff_limit: Annotated[int, Whole(0, 1_000_000, 6)] = Field(
        default=BACKOFF_LIMIT, description="how many failures are tried again, under Kubernetes; Swarm has restart_policy", examples=["6"])


class DeploySpec(Spec):
    """How a service is deployed."""

    example = "{replicas: 4, resources: {limits: {cpus: 2, memory: 512MiB}}}"
    later = (
        "placement", "update_config", "rollback_config", "restart_policy", "priority", "mode", "job", "pod_management", "disruption_budget",
    )
    mode: Mode | None = Field(
        default=None, examples=["global"],
        description="whether there are so many replicas (replicated, the default), or one on each host that they may stand on (global): "
        "Swarm's global services, Kubernetes' DaemonSets; or as many as do a job that ends (replicated-job), or that come and go "
        "one after the other (stateful): Kubernetes' StatefulSets")
    pod_management: Literal["OrderedReady", "Parallel"] | None = Field(
        default=None, examples=["Parallel"],
        description="whether replicas with mode: stateful wait for each other when they come and go (OrderedReady, the default)")
    job: JobSpec | None = Field(default=None, description="how often a job is done, and how many at a time", examples=[JobSpec.example])
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
    disruption_budget: DisruptionBudgetSpec | None = Field(
        default=None, examples=[DisruptionBudgetSpec.example],
        description="how many replicas stay ready where hosts are drained or given back, and where preemption has a choice")
    priority: Priority | None = Field(
        default=None, examples=["1000"],
        description="how important its replicas are beside those of other services, 0 by default: a number, or an entry of the "
        "catalogue's priorities")

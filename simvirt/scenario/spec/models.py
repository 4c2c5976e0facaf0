"""The scenario as frozen data: host, platforms, services, workload, objective, run. The parts live in the modules beside this one."""

from __future__ import annotations

from typing import Any, Final, Literal, Mapping, Sequence

from pydantic import Field, PrivateAttr, ValidationInfo, ValidatorFunctionWrapHandler, field_validator, model_validator
from pydantic_core import PydanticCustomError

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.digest import digest, unstated
from simvirt.scenario.fields import Title, Word
from simvirt.scenario.reading.tree import Marks
from simvirt.scenario.spec.base import TOLD, Spec, refuse
from simvirt.scenario.spec.cluster import ALONE, MOST_HOSTS, HostPoolSpec, NamedHost, expanded, may_stand
from simvirt.scenario.spec.deploy import DeploySpec, LimitsSpec, ReservationsSpec, ResourcesSpec
from simvirt.scenario.spec.distributions import (
    AnyDistribution,
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Hyperexponential,
    Lognormal,
    Pareto,
    Uniform,
)
from simvirt.scenario.spec.experiment import NamedWorkloadSpec, ObjectiveSpec, RunSpec, TimelineEvent
from simvirt.scenario.spec.failures import UNANSWERED_NS, FailuresSpec
from simvirt.scenario.spec.files import FilesSpec
from simvirt.scenario.spec.host import HostSpec, PlatformSpec, SchedulerSpec, VmsSpec
from simvirt.scenario.spec.images import BuildStepSpec, ImageLayerSpec, OwnImageSpec, RegistrySpec, bases_close, unlike_layers
from simvirt.scenario.spec.measured import MeasuredSpec
from simvirt.scenario.spec.memory_demand import MemorySpec
from simvirt.scenario.spec.network import NetworkSpec
from simvirt.scenario.spec.procurement import DemandSpec, PlanSpec
from simvirt.scenario.spec.services import BackgroundSpec, ServiceSpec
from simvirt.scenario.spec.state import StateSpec
from simvirt.scenario.spec.steps import (
    AnyStep,
    CallStep,
    CpuStep,
    DelayStep,
    DiskSpec,
    DiskStep,
    FilesStep,
    LockStep,
    NetSpec,
    NetStep,
    ParallelStep,
    PublishStep,
    RepeatStep,
    Step,
)
from simvirt.scenario.spec.tenancy import DensitySpec, InstanceLoadSpec, TenantsSpec
from simvirt.scenario.spec.topics import SubscriberSpec, TopicSpec
from simvirt.scenario.spec.volumes import VolumeSpec
from simvirt.scenario.spec.workload import ClosedSpec, DiurnalSpec, MmppSpec, OpenSpec, PieceSpec, RatesSpec, TraceSpec, WorkloadSpec
from simvirt.units import format_size

__all__ = [
    "AnyDistribution", "AnyStep", "BackgroundSpec", "CallStep", "ClosedSpec", "Constant", "CpuStep", "DelayStep", "DemandSpec",
    "DensitySpec", "DeploySpec", "DiskSpec", "DiskStep", "Distribution", "DiurnalSpec", "Empirical", "Exponential",
    "FailuresSpec", "FilesStep", "FilesSpec", "Gamma",
    "HostPoolSpec", "HostSpec", "Hyperexponential", "InstanceLoadSpec", "LimitsSpec", "LockStep", "Lognormal", "MeasuredSpec", "MemorySpec",
    "MmppSpec", "NamedWorkloadSpec", "NetSpec", "NetStep", "ObjectiveSpec", "OpenSpec", "ParallelStep", "Pareto", "PieceSpec",
    "PlanSpec", "PlatformSpec", "PublishStep", "RatesSpec", "RepeatStep", "ReservationsSpec", "ResourcesSpec", "RunSpec",
    "Scenario", "SchedulerSpec", "ServiceSpec", "StateSpec", "Step",
    "SubscriberSpec", "TenantsSpec", "TimelineEvent", "TopicSpec", "TraceSpec",
    "Uniform", "VmsSpec", "VolumeSpec",
    "WorkloadSpec",
    "BuildStepSpec", "ImageLayerSpec", "OwnImageSpec", "RegistrySpec",
]

MOST_WORKLOADS: Final = 1000


class Scenario(Spec):
    """A whole scenario: host, platforms, services, workload and how it is run."""

    example = "{simvirt: 1, name: mm1, host: ..., platforms: [...], services: {...}, workload: {...}}"
    also = ("include",)
    later = ("only_host", "hosts", "workloads", "state", "registries", "images", "network", "failures", "volumes", "topics")
    simvirt: Literal[1] = Field(description="version of the schema", examples=["1"])
    name: Title = Field(description="name of the scenario", examples=["web-shop"])
    hosts: Mapping[Word, HostPoolSpec] = Field(
        default={}, max_length=1000, description="the machines instead of one, by pools of like ones",
        examples=[f"{{node: {HostPoolSpec.example}}}"])
    only_host: HostSpec | None = Field(
        default=None, alias="host", validate_default=True, description="the machine; the short form of a pool of one",
        examples=[HostSpec.example])
    network: NetworkSpec | None = Field(
        default=None, description="what connects the hosts; by default one switch that nobody waits for, at the latency of a data centre",
        examples=[NetworkSpec.example])
    volumes: Mapping[Word, VolumeSpec] = Field(
        default={}, max_length=10_000, description="where services keep data, by name; on the disks of their hosts by default",
        examples=[f"{{data: {VolumeSpec.example}}}"])
    platforms: tuple[PlatformSpec, ...] = Field(min_length=1, max_length=1000, description="platforms to compare, side by side",
                                                examples=["[bare-metal, docker, kvm]"])
    services: Mapping[Word, ServiceSpec] = Field(min_length=1, description="what runs", examples=[f"{{server: {ServiceSpec.example}}}"])
    topics: Mapping[Word, TopicSpec] = Field(
        default={}, max_length=1000, description="messages between services, by topic", examples=[f"{{orders: {TopicSpec.example}}}"])
    measured_on: MeasuredSpec | None = Field(
        default=None, description="where the CPU demands were measured; on the host by default", examples=[MeasuredSpec.example])
    workload: WorkloadSpec | None = Field(default=None, description="where requests come from", examples=[WorkloadSpec.example])
    workloads: Mapping[Word, NamedWorkloadSpec] = Field(
        default={}, max_length=MOST_WORKLOADS, examples=[f"{{ping: {NamedWorkloadSpec.example}}}"],
        description="several workloads side by side, by name, instead of one")
    objective: ObjectiveSpec | None = Field(default=None, description="what must be met", examples=[ObjectiveSpec.example])
    run: RunSpec = Field(default_factory=lambda: RunSpec.model_validate({}), description="how long and how often",
                         examples=[RunSpec.example])
    tenants: TenantsSpec | None = Field(default=None, description="tenants that divide replicas and load",
                                        examples=[TenantsSpec.example])
    density: DensitySpec | None = Field(default=None, description="what `simvirt density` counts", examples=[DensitySpec.example])
    timeline: tuple[TimelineEvent, ...] = Field(default=(), max_length=100_000, description="what happens when",
                                                examples=[f"[{TimelineEvent.example}]"])
    failures: FailuresSpec | None = Field(
        default=None, description="what fails by chance, and what that means to those who are not hit", examples=[FailuresSpec.example])
    state: StateSpec | None = Field(default=None, description="what is there at 0 s: images, instances", examples=[StateSpec.example])
    registries: Mapping[Word, RegistrySpec] = Field(
        default={}, max_length=1000, description="where images come from, by name; Docker Hub by default",
        examples=[f"{{hub: {RegistrySpec.example}}}"])
    images: Mapping[Word, OwnImageSpec] = Field(
        default={}, max_length=10_000, description="images beside those of the catalogue, by name",
        examples=[f"{{my-app: {OwnImageSpec.example}}}"])
    plan: PlanSpec | None = Field(default=None, description="what `simvirt plan` answers", examples=[PlanSpec.example])
    catalog: Mapping[str, Any] = Field(default={}, description="entries added to the catalogue, by kind and name",
                                       examples=["{disks: {my-disk: {...}}}"])
    _marks: Marks = PrivateAttr(default_factory=Marks)
    _placed: tuple[Mapping[str, int], ...] | None = PrivateAttr(default=None)

    @field_validator("simvirt", mode="wrap")
    @classmethod
    def _version(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        if value != 1 or isinstance(value, bool):
            raise ValueError(f"this version of simvirt reads schema version 1; expected 1, got {value!r:.40}")
        return 1

    @model_validator(mode="after")
    def _distinct_platforms(self) -> Scenario:
        seen: set[str] = set()
        for index, platform in enumerate(self.platforms):
            if platform.name in seen:
                refuse(f'a platform named "{platform.name}" is already there; expected names that differ', "platforms", index, "name")
            seen.add(platform.name)
        return self

    @field_validator("only_host", mode="after")
    @classmethod
    def _hosts_in_one_form(cls, value: HostSpec | None, info: ValidationInfo) -> HostSpec | None:
        hosts = info.data.get("hosts")
        if value is not None and hosts:
            raise PydanticCustomError(TOLD, "expected host, or hosts by pools, not both")
        if value is None and hosts is not None and not hosts:
            raise PydanticCustomError(TOLD, "{text}", {"text": f'missing (the machine), for example "host: {HostSpec.example}"'})
        return value

    @field_validator("hosts", mode="after")
    @classmethod
    def _few_enough(cls, value: Mapping[str, HostPoolSpec]) -> Mapping[str, HostPoolSpec]:
        if (count := sum(pool.slots for pool in value.values())) > MOST_HOSTS:
            raise PydanticCustomError(TOLD, "{text}", {"text": f"expected at most {MOST_HOSTS:,} hosts in all; got {count:,}"})
        return value

    @model_validator(mode="after")
    def _images_and_registries_are_there(self) -> Scenario:
        for name, spec in self.registries.items():
            mirrored = self.registries.get(spec.mirror_of or "")
            if mirrored is not None and mirrored.mirror_of is not None:
                refuse("expected a registry that is no mirror itself", "registries", name, "mirror_of")
            if spec.host is not None and spec.host not in {host.name for host in self.each_host}:
                first = self.each_host[0].name
                refuse(f"there is no host {spec.host}; expected one of the hosts, for example {first}", "registries", name, "host")
        for name, image in self.images.items():
            if image.registry is not None and image.registry not in self.registries:
                refuse(f"there is no registry {image.registry}; expected one of {', '.join(self.registries) or 'registries:'}",
                       "images", name, "registry")
        if unlike := unlike_layers(self.images):
            name, place, other = unlike
            refuse(f"layers of the digest {other.digest} differ; expected one size of {format_size(other.size)}, and the same files, "
                   "or another digest", "images", name, "layers", place)
        if circle := bases_close(self.images):
            refuse(f"expected images that end at another; {' is from '.join(circle)}", "images", circle[0], "from")
        return self

    @model_validator(mode="after")
    def _one_form(self) -> Scenario:
        if self.workload is not None and self.workloads:
            refuse("expected workload, or workloads by name, not both", "workloads")
        return self

    @model_validator(mode="after")
    def _on_each_host(self) -> Scenario:
        for name, spec in self.services.items():
            if spec.is_global:
                hosts = [host for host in self.each_host if may_stand(host, spec.placement)]
                if not hosts:
                    refuse("no host may take it; expected constraints and tolerations of hosts that there are",
                           "services", name, "deploy", "mode")
                spec.stand_on(sum(not host.spare for host in hosts), len(hosts))
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the resolved content, files included [hex]; reads the files that the scenario names."""
        return digest(self.model_dump(mode="json", by_alias=True, exclude=unstated(self)))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Scenario:
        """A copy with some fields changed; `host` makes it a scenario of that host alone, on which replicas may stand."""
        changed = dict(update or {})
        if "host" in changed:
            services = {name: spec.placed_anywhere() for name, spec in changed.get("services", self.services).items()}
            local = dict.fromkeys(changed.get("volumes", self.volumes), VolumeSpec())
            changed |= {"only_host": changed.pop("host"), "hosts": {}, "services": services, "volumes": local}
        return super().model_copy(update=changed, deep=deep)

    def placed_as(self, replicas: Sequence[Mapping[str, int]]) -> Scenario:
        """The scenario with so many replicas of each service on each host, wherever placement would put them."""
        found = self.model_copy()
        found._placed = tuple(replicas)
        return found

    @property
    def placed(self) -> tuple[Mapping[str, int], ...] | None:
        """Replicas of each service on each host where they are not to be placed but stand already; None where they are to be."""
        return self._placed

    @property
    def pools(self) -> Mapping[str, HostPoolSpec]:
        """The pools of hosts by name; that of `host` is a pool of one."""
        if self.only_host is None:
            return self.hosts
        fields: dict[str, Any] = {name: getattr(self.only_host, name) for name in HostSpec.model_fields}
        return {ALONE: HostPoolSpec.model_construct(_fields_set=set(self.only_host.model_fields_set), **fields)}

    @property
    def host(self) -> HostSpec:
        """The host of a scenario that has one; ScenarioError where it has several, of which none is meant."""
        if self.only_host is not None:
            return self.only_host
        if self.several_hosts:
            message = "expected one host, for example {node: {count: 1, cores: 4, memory: 16GiB}}; what is asked is asked of one host"
            raise ScenarioError([Issue(*self.locate(("hosts",)), "hosts", message)])
        return next(iter(self.hosts.values())).host

    @property
    def first_host(self) -> HostSpec:
        """The first of all hosts."""
        return next(iter(self.pools.values())).host if self.only_host is None else self.only_host

    @property
    def several_hosts(self) -> bool:
        """Whether there are more hosts than one."""
        return sum(pool.slots for pool in self.hosts.values()) > 1

    @property
    def each_host(self) -> tuple[NamedHost, ...]:
        """All hosts, pool by pool, with their names."""
        return (NamedHost(ALONE, ALONE, self.only_host),) if self.only_host is not None else expanded(self.hosts)

    @property
    def by_pool(self) -> dict[str, Scenario]:
        """The scenario as it would be on one host of each pool; itself where it has one host."""
        if self.only_host is not None:
            return {ALONE: self}
        return {name: self.model_copy(update={"host": pool.host}) for name, pool in self.hosts.items()}

    def path_of_pool(self, name: str) -> tuple[str, ...]:
        """Where a pool is written."""
        return ("hosts", name) if self.only_host is None else ("host",)

    def is_own(self, service: str) -> bool:
        """Whether each tenant has replicas of a service for itself."""
        return self.tenants is not None and (self.tenants.own is None or service in self.tenants.own)

    @property
    def mix(self) -> dict[str, float]:
        """Weight of each operation that requests enter at, as `service.operation`.

        Without a mix it is the only operation, or all those that a trace may name. Several workloads count by their rates.
        """
        if self.workloads:
            return self._joint_mix()
        if self.workload is None:
            return {}
        names = [f"{service}.{operation}" for service, spec in self.services.items() for operation in spec.operations]
        traced = self.workload.trace is not None and self.workload.trace.operation is not None
        return dict(self.workload.mix) or (dict.fromkeys(names, 1.0) if traced or len(names) == 1 else {})

    def _joint_mix(self) -> dict[str, float]:
        """Requests per second at each operation, about, of all workloads together."""
        found: dict[str, float] = {}
        for view in self.alone.values():
            assert view.workload is not None
            mix, rate = view.mix, view.workload.about_per_s
            for name, weight in mix.items():
                found[name] = found.get(name, 0.0) + rate * weight / (sum(mix.values()) or 1.0)
        return found

    @property
    def alone(self) -> dict[str, Scenario]:
        """The scenario as each of its workloads sees it, as if there were no other; itself under "" where there is at most one unnamed."""
        if not self.workloads:
            return {"": self}
        return {
            name: self.model_copy(update={"workload": spec, "workloads": {}, "objective": spec.objective})
            for name, spec in self.workloads.items()
        }

    @property
    def moves(self) -> bool:
        """Whether something moves from host to host during a run."""
        return any(event.moves for event in self.timeline)

    @property
    def changes(self) -> bool:
        """Whether instances start or stop during a run."""
        return bool(self.timeline) or self.fails or (self.state is not None and self.state.instances == "none")

    @property
    def followed(self) -> bool:
        """Whether hosts, VMs and starts of instances are followed: where a state is stated, or something fails or moves."""
        return self.state is not None or self.fails or self.moves

    @property
    def fails(self) -> bool:
        """Whether hosts, kernels, processes or what connects them fail."""
        spec = self.failures
        by_itself = spec is not None and (bool(spec.random) or spec.trace is not None)
        return by_itself or any(event.fail is not None for event in self.timeline)

    @property
    def autoscales(self) -> bool:
        """Whether the number of replicas of a service follows the load."""
        return any(service.autoscale is not None for service in self.services.values())

    @property
    def resizes(self) -> bool:
        """Whether the CPUs of replicas of a service follow their usage."""
        return any(service.vertical is not None for service in self.services.values())

    @property
    def adapts(self) -> bool:
        """Whether anything follows the load: replicas, their CPUs, hosts."""
        return self.autoscales or self.resizes or self.machines_scale

    @property
    def fixed(self) -> Scenario:
        """The same in which nothing follows the load: as many replicas, CPUs and hosts as there are at first."""
        if not self.adapts:
            return self
        services = {name: spec.model_copy(update={"autoscale": None, "vertical": None}) for name, spec in self.services.items()}
        pools = {name: pool.model_copy(update={"autoscale": None}) for name, pool in self.hosts.items()}
        return self.model_copy(update={"services": services, "hosts": pools})

    @property
    def machines_scale(self) -> bool:
        """Whether the number of hosts of a pool follows what waits for room."""
        return any(pool.autoscale is not None for pool in self.hosts.values())

    @property
    def beginning(self) -> StateSpec:
        """What is there at 0 s."""
        return self.state or StateSpec()

    @property
    def unanswered_ns(self) -> int:
        """Time after which callers give up on a host that does not answer [ns]."""
        return UNANSWERED_NS if self.failures is None else self.failures.unanswered

    @property
    def loads(self) -> tuple[tuple[float, float], ...]:
        """When the timeline changes the offered load [ns], and to which multiple of what workloads state."""
        return tuple(sorted((float(event.at), event.load) for event in self.timeline if event.load is not None))

    @property
    def loaded(self) -> bool:
        """Whether requests come at all."""
        return self.workload is not None or bool(self.workloads)

    def locate(self, path: tuple[str | int, ...]) -> tuple[str | None, int | None, int | None]:
        """File, line and column where the value at `path` was written, as far as known."""
        return self._marks.locate(path)

"""Scenarios: what is simulated, as frozen data, read from YAML.

`load` and `loads` read one and report all of its mistakes at once; `json_schema` describes the files. `tracefile` and `csv_columns`
(imported when needed: they take numpy) read the CSV files that a scenario names.
"""

from simvirt.scenario.json_schema import json_schema
from simvirt.scenario.reading.load import load, loads
from simvirt.scenario.spec.models import (
    AnyDistribution,
    AnyStep,
    BackgroundSpec,
    CallStep,
    ClosedSpec,
    Constant,
    CpuStep,
    DelayStep,
    DemandSpec,
    DensitySpec,
    DeploySpec,
    DiskSpec,
    DiskStep,
    Distribution,
    DiurnalSpec,
    Empirical,
    Exponential,
    Gamma,
    HostSpec,
    Hyperexponential,
    InstanceLoadSpec,
    LimitsSpec,
    Lognormal,
    MmppSpec,
    NetSpec,
    NetStep,
    ObjectiveSpec,
    OpenSpec,
    ParallelStep,
    Pareto,
    PieceSpec,
    PlanSpec,
    PlatformSpec,
    RatesSpec,
    RepeatStep,
    ReservationsSpec,
    ResourcesSpec,
    RunSpec,
    Scenario,
    SchedulerSpec,
    ServiceSpec,
    Step,
    TenantsSpec,
    TimelineEvent,
    TraceSpec,
    Uniform,
    VmsSpec,
    WorkloadSpec,
)

__all__ = [
    "AnyDistribution", "AnyStep", "BackgroundSpec", "CallStep", "ClosedSpec", "Constant", "CpuStep", "DelayStep", "DemandSpec",
    "DensitySpec", "DeploySpec", "DiskSpec", "DiskStep", "Distribution", "DiurnalSpec", "Empirical", "Exponential", "Gamma",
    "HostSpec", "Hyperexponential", "InstanceLoadSpec", "LimitsSpec", "Lognormal", "MmppSpec", "NetSpec", "NetStep", "ObjectiveSpec",
    "OpenSpec", "ParallelStep", "Pareto", "PieceSpec", "PlanSpec", "PlatformSpec", "RatesSpec", "RepeatStep", "ReservationsSpec",
    "ResourcesSpec",
    "RunSpec", "Scenario", "SchedulerSpec", "ServiceSpec", "Step", "TenantsSpec", "TimelineEvent", "TraceSpec", "Uniform", "VmsSpec",
    "WorkloadSpec", "json_schema", "load", "loads",
]

"""What computes without being asked: background threads of services, the load of each guest OS, that of a hosted hypervisor."""

from dataclasses import dataclass

import numpy as np

from simvirt.catalog.resolved import Platform
from simvirt.lowering.arrange import GUEST_SERVICE, INTERNAL, LOAD_SERVICE, Arrangement, Instance
from simvirt.lowering.program import Writer
from simvirt.scenario.models import Scenario


@dataclass(frozen=True)
class Background:
    """A thread that an instance runs from its start on."""

    instance: int
    entry: int


def background_threads(
    scenario: Scenario, platform: Platform, plan: Arrangement, writer: Writer, phases: np.random.Generator
) -> list[Background]:
    """Background threads of services, the load of each guest OS, and that of a hosted hypervisor."""
    found = []
    for instance in plan.instances:
        threads, duty, period = _load_of(scenario, platform, plan, instance)
        if duty > 0:
            found += [Background(instance.row, writer.background(duty, period, float(phases.random()))) for _ in range(threads)]
    return found


def _load_of(scenario: Scenario, platform: Platform, plan: Arrangement, instance: Instance) -> tuple[int, float, float]:
    """Threads that an instance keeps in the background, their duty and period [ns]."""
    if instance.service == GUEST_SERVICE:
        guest = plan.machines[instance.machine].guest
        assert guest is not None
        return 1, guest.background_duty, guest.background_period_ns
    if instance.service == LOAD_SERVICE:
        load = platform.hypervisors[-1].host_load
        assert load is not None
        return load.threads, load.duty, load.period_ns
    spec = scenario.services[instance.service].background if instance.service not in INTERNAL else None
    return (spec.threads, spec.duty, spec.period) if spec is not None else (0, 0.0, 0.0)

"""Work that no request asks for: start-up, threads in the background, load of guests and hypervisors, scanning and reclaim of memory."""

from dataclasses import dataclass

import numpy as np

from simvirt.catalog.records import Platform
from simvirt.lowering.arrange import GUEST_SERVICE, INTERNAL, LOAD_SERVICE, MEMORY_SERVICE, Arrangement, Instance
from simvirt.lowering.memory_needs import Memory
from simvirt.lowering.program import Writer
from simvirt.scenario.spec.models import Scenario
from simvirt.workload.draws import Variables


@dataclass(frozen=True)
class Background:
    """A thread that an instance runs from its start on."""

    instance: int
    entry: int


def startup_programs(scenario: Scenario, plan: Arrangement, writer: Writer) -> dict[str, tuple[int, Variables]]:
    """First instruction and variables of each service's start-up work."""
    programs = {}
    for name in plan.services:
        variables = Variables()
        programs[name] = (writer.startup(name, variables), variables)
    return programs


def reclaim_program(memory: Memory, writer: Writer) -> Variables:
    """The variables of what reclaim does, where memory is followed."""
    variables = Variables()
    if memory.follows:
        memory.reclaim = writer.reclaim(variables)
    return variables


def background_threads(
    scenario: Scenario, platform: Platform, plan: Arrangement, writer: Writer, phases: np.random.Generator
) -> list[Background]:
    """Background threads of services, the load of each guest OS, and that of a hosted hypervisor."""
    found = []
    for instance in plan.instances:
        threads, duty, period = load_of(scenario, platform, plan, instance, writer.memory)
        if duty > 0:
            found += [Background(instance.row, writer.background(duty, period, float(phases.random()))) for _ in range(threads)]
    return found


def load_of(
    scenario: Scenario, platform: Platform, plan: Arrangement, instance: Instance, memory: Memory
) -> tuple[int, float, float]:
    """Threads that an instance keeps in the background, their duty and period [ns]."""
    if instance.service == GUEST_SERVICE:
        guest = plan.machines[instance.machine].guest
        assert guest is not None
        return 1, guest.background_duty, guest.background_period_ns
    if instance.service == LOAD_SERVICE:
        load = platform.hypervisors[-1].host_load
        assert load is not None
        return load.threads, load.duty, load.period_ns
    if instance.service == MEMORY_SERVICE:
        return ksm(scenario, memory)
    spec = scenario.services[instance.service].background if instance.service not in INTERNAL else None
    return (spec.threads, spec.duty, spec.period) if spec is not None else (0, 0.0, 0.0)


def ksm(scenario: Scenario, memory: Memory) -> tuple[int, float, float]:
    """The scanner of KSM: it looks at some pages and rests."""
    spec = scenario.host.ksm
    if spec is None:
        return 0, 0.0, 0.0
    work = spec.pages_to_scan * memory.costs.scan_ns
    return 1, work / (work + spec.sleep), work + spec.sleep

"""Work that no request asks for: errands of the control plane, background threads, load of guests and hypervisors, KSM."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import GUEST_SERVICE, INTERNAL, LOAD_SERVICE, MEMORY_SERVICE, Arrangement, Instance
from simvirt.lowering.management import beyond_assistance, guest_work, native_work
from simvirt.lowering.memory_needs import Memory
from simvirt.lowering.program import Writer
from simvirt.scenario.graph import calls, name_of, operation_times, reached
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.steps import AnyStep, CpuStep, DelayStep
from simvirt.workload.draws import Variables
from simvirt.workload.streams import CYCLES, REPLICA, START_UPS, Phases

GATHERED: Final = 10
"""Turns of a kernel's own load that an operation sees in its time at least, however many it would see: a finer load is gathered into
as many, of the same duty. Each turn more or less is its duty's part of a tenth of a request, two parts in ten thousand of Linux."""


@dataclass(frozen=True)
class Errand:
    """Work that the control plane has an instance perform: its first instruction, and the variables that each performance draws.

    `key` is that of the streams of its draws; None where whoever has it performed brings them.
    """

    entry: int
    variables: Variables
    key: int | None = None


@dataclass(frozen=True)
class Management:
    """Work of any amounts: of an instance whose disk is the host's, and of one behind the disk of a VM; see `lowering/management.py`."""

    native: Errand
    guest: Errand


@dataclass(frozen=True)
class Background:
    """A thread that an instance runs from its start on."""

    instance: int
    entry: int


def start_ups(plan: Arrangement, writer: Writer) -> dict[str, Errand]:
    """The start-up work of each service."""
    every = {name: Variables() for name in plan.services}
    return {
        name: Errand(writer.everywhere(partial(_start_up, name, drawn), drawn), drawn, START_UPS + plan.keys[name])
        for name, drawn in every.items()
    }


def _start_up(name: str, drawn: Variables, writer: Writer) -> int:
    """The start-up work of a service on one kind of host."""
    return writer.startup(name, drawn)


def reclaim_errand(memory: Memory, writer: Writer) -> Errand | None:
    """What reclaim does, where memory is followed: its work [ns] and its writes are the performer's to say."""
    variables = Variables()
    return Errand(writer.everywhere(lambda one: one.reclaim(variables), variables), variables) if memory.follows else None


def management_errands(plan: Arrangement, writer: Writer, catalog: Catalog) -> Management | None:
    """What the control plane has performed to start instances, where it does so."""
    if not plan.hands:
        return None
    native = _errand(writer, native_work)
    if all(instance.place.disk is None for instance in plan.instances):
        return Management(native, native)

    def guest(one: Writer, variables: Variables) -> int:
        return guest_work(one, variables, beyond_assistance(catalog, one.platform, one.host))

    return Management(native, _errand(writer, guest))


def _errand(writer: Writer, write: Callable[[Writer, Variables], int]) -> Errand:
    """An errand whose draws are the performer's to say."""
    variables = Variables()
    return Errand(writer.everywhere(lambda one: write(one, variables), variables), variables)


def background_threads(
    scenario: Scenario, platform: Platform, plan: Arrangement, writer: Writer, phases: Phases
) -> list[Background]:
    """Background threads of services, the load of each guest OS, and that of a hosted hypervisor."""
    found, gathered = [], shortest_operation(scenario) / GATHERED
    for instance in plan.instances:
        threads, duty, period = load_of(scenario, platform, plan, instance, writer.memory)
        if instance.service in (GUEST_SERVICE, LOAD_SERVICE):
            period = max(period, gathered)
        if duty > 0:
            offsets = [phases.of(CYCLES, *_key(plan, instance), n) if duty < 1 else 0.0 for n in range(threads)]
            found += [Background(instance.row, writer.background(duty, period, offset)) for offset in offsets]
    return found


def shortest_operation(scenario: Scenario) -> float:
    """Mean CPU time and delays of the shortest operation that requests reach, with what it calls [ns]; 0 where none is known."""
    views = [view for view in scenario.alone.values() if view.workload is not None]
    if any(view.workload.trace is not None and view.workload.trace.cpu is not None for view in views if view.workload is not None):
        return 0.0
    times = operation_times(scenario, _own_time)
    asked = [name_of(name) for view in views for name, weight in view.mix.items() if weight > 0]
    return min((times[name] for name in reached(calls(scenario), asked)), default=0.0)


def _own_time(_service: str, step: AnyStep) -> float:
    """Mean time of a step that waits for nothing but a CPU [ns]."""
    if isinstance(step, CpuStep):
        return step.cpu.mean
    return step.delay.mean if isinstance(step, DelayStep) else 0.0


def _key(plan: Arrangement, instance: Instance) -> tuple[int, ...]:
    """Whose background threads are those of an instance: a replica's, or those of the kernel that it stands on."""
    if instance.service not in INTERNAL:
        return REPLICA, plan.keys[instance.service], instance.replica
    return INTERNAL.index(instance.service), *plan.machines[instance.machine].key


def load_of(
    scenario: Scenario, platform: Platform, plan: Arrangement, instance: Instance, memory: Memory
) -> tuple[int, float, float]:
    """Threads that an instance keeps in the background, their duty and period [ns]."""
    if instance.service == GUEST_SERVICE:
        guest = plan.machines[instance.machine].guest
        assert guest is not None
        return 1, guest.background_duty, guest.background_period
    if instance.service == LOAD_SERVICE:
        load = platform.hypervisors[-1].host_load
        assert load is not None
        return load.threads, load.duty, load.period
    if instance.service == MEMORY_SERVICE:
        return ksm(plan.host_of(instance).site.view, memory)
    spec = scenario.services[instance.service].background if instance.service not in INTERNAL else None
    return (spec.threads, spec.duty, spec.period) if spec is not None else (0, 0.0, 0.0)


def receive_work(plan: Arrangement, writer: Writer) -> int:
    """First instruction of what receiving a request takes that is rejected then; 0 where none can be."""
    return writer.everywhere(lambda one: one.receive(one.host.receive_ns), Variables()) if plan.receivers else 0


def softirq_work(plan: Arrangement, writer: Writer) -> int:
    """First instruction of what works off what interrupts owe beside busy threads; 0 where none does that."""
    return writer.softirq() if plan.beside else 0


def flusher(writer: Writer) -> int:
    """First instruction of a disk's flusher; 0 where nothing is written back."""
    return writer.flusher() if any(row.op == k.OP_DISK and row.flag == 1 for row in writer.program.rows) else 0


def ksm(scenario: Scenario, memory: Memory) -> tuple[int, float, float]:
    """The scanner of KSM: it looks at some pages and rests."""
    spec = scenario.host.ksm
    if spec is None:
        return 0, 0.0, 0.0
    work = spec.pages_to_scan * memory.costs.scan
    return 1, work / (work + spec.sleep), work + spec.sleep

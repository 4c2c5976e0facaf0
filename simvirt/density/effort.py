"""How much work a simulation may take: rare requests are simulated closer together, and what is still too long is cut.

*Model*: idle instances cost work too: guests' background load, background threads, looks at memory that is followed. Where that would be
    more than `IDLE_EVENTS` in a replication, requests come more often than stated, as long as less than `LIGHT` of them are in the system
    on average: they hardly ever meet, so that their latencies are those of the stated rate, never shorter. What is
    still too long is cut; a quantile of fewer than `BEYOND` requests beyond it is never said to hold.
*Ignores*: that a working set of followed memory is touched more often.
*Source*: Wolff, Poisson arrivals see time averages, Operations Research 30 (1982); Hanley and Lippman-Hand, If nothing goes wrong, is
    everything all right?, JAMA 249 (1983): the rule of three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from simvirt.catalog.records import Platform
from simvirt.control.memory import BOXES, PERIOD_NS
from simvirt.density.length import quantile_of, share_of
from simvirt.lowering.memory_needs import follows
from simvirt.scenario.spec.models import ObjectiveSpec, Scenario, ServiceSpec
from simvirt.workload.intensity import scaled as times

IDLE_EVENTS: Final = 5_000_000
"""Work of idle instances in a replication at most, in events: some seconds."""
SEARCH_EVENTS: Final = 2_000_000_000
"""Work of the search of a platform at most."""
LIGHT: Final = 0.005
LOOK_EVENTS: Final = 150
"""What a look at the memory of an instance costs, in events; measured: 0.1 to 0.2 ms."""
BEYOND: Final = 3


@dataclass(frozen=True)
class Effort:
    """A scenario as it is simulated: how many times as often requests come, for how long [ns], and whether that was cut."""

    scenario: Scenario
    times: float
    duration_ns: int
    cut: bool


def affordable(scenario: Scenario, platform: Platform, wanted_ns: int, under_way: float) -> Effort:
    """What is simulated for `wanted_ns` of a scenario that has `under_way` requests in its system on average."""
    most_ns = IDLE_EVENTS / max(idle_per_s(scenario, platform), 1e-9) * 1e9
    if wanted_ns <= most_ns:
        return Effort(scenario, 1.0, wanted_ns, False)
    faster = min(wanted_ns / most_ns, LIGHT / under_way) if _steady(scenario) and under_way > 0 else 1.0
    if faster > 1:
        assert scenario.workload is not None
        scenario = scenario.model_copy(update={"workload": times(scenario.workload, faster)})
    else:
        faster = 1.0
    wanted = wanted_ns / faster
    return Effort(scenario, faster, int(min(wanted, most_ns)), wanted > 1.000001 * most_ns)


def _steady(scenario: Scenario) -> bool:
    """Whether requests arrive from outside at one rate."""
    return scenario.workload is not None and scenario.workload.open is not None and scenario.workload.open.rate is not None


def idle_per_s(scenario: Scenario, platform: Platform) -> float:
    """Events in a second without a request: guests and background threads begin and end their work, memory is looked at."""
    replicas = sum(service.replicas for service in scenario.services.values())
    machines = replicas if platform.vms is None else platform.vms.count
    guests = [layer.guest for layer in platform.hypervisors if layer.guest is not None]
    events: float = machines * sum(2e9 / guest.background_period for guest in guests if guest.background_duty > 0)
    events += sum(_background_per_s(service) for service in scenario.services.values())
    if follows(scenario, platform):
        events += 1e9 / PERIOD_NS * min(replicas, BOXES) * LOOK_EVENTS
    return events


def _background_per_s(service: ServiceSpec) -> float:
    spec = service.background
    return 0.0 if spec is None or spec.duty >= 1 else service.replicas * spec.threads * 2e9 / spec.period


def tells(objective: ObjectiveSpec, mix: Mapping[str, float], requests: int) -> bool:
    """Whether so many requests say anything of the strictest quantile of an objective."""
    beyond = [(1 - q) * share_of(name, mix) for name in objective.limits if (q := quantile_of(name)) is not None]
    return requests * min(beyond, default=0.1) >= BEYOND

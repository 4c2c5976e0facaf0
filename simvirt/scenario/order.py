"""The order of services, and what each is called where numbers are drawn: neither names nor the order of the file nor folders decide."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Iterable, Mapping

from simvirt.scenario.digest import with_content
from simvirt.scenario.graph import Name, callees_first, calls, name_of, reached
from simvirt.scenario.spec.experiment import TimelineEvent
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.orchestration import ORCHESTRATED
from simvirt.scenario.spec.steps import AnyStep, CallStep, ParallelStep, PublishStep, RepeatStep

UNREACHED = 2**32
"""Keys of services that no request reaches begin here; those of the others are their places in the order."""


def canonical_services(scenario: Scenario) -> list[str]:
    """Service names in an order that neither names nor the order of the file decide.

    First those that requests reach, as the mix and the steps mention them; then the others by their content.
    """
    return list(service_keys(scenario))


def service_keys(scenario: Scenario) -> dict[str, int]:
    """Services in canonical order, each with a number that other services which no request reaches do not shift."""
    met = list(dict.fromkeys(service for service, _ in reached(calls(scenario), map(name_of, scenario.mix))))
    keys = {name: place for place, name in enumerate(met)}
    others = [name for name in scenario.services if name not in keys]
    bodies = _bodies(scenario) if others else {}
    contents = {name: _content(scenario, name, bodies) for name in others}
    alike: dict[int, int] = {}
    for name in sorted(others, key=lambda name: contents[name]):
        content = contents[name]
        alike[content] = alike.get(content, -1) + 1
        keys[name] = UNREACHED + (content << 16) + alike[content]
    return keys


def _bodies(scenario: Scenario) -> dict[Name, int]:
    """What each operation does, without names."""
    found: dict[Name, int] = {}
    for service, operation in callees_first(calls(scenario)):
        found[service, operation] = _number(_plain(scenario.services[service].operations[operation], found))
    return found


def _plain(steps: Iterable[AnyStep], bodies: Mapping[Name, int]) -> list[Any]:
    """Steps as plain data, in which a call is what is done there."""
    return [_plain_step(step, bodies) for step in steps]


def _plain_step(step: AnyStep, bodies: Mapping[Name, int]) -> Any:
    if isinstance(step, CallStep):
        return step.model_dump(mode="json", exclude={"call"}) | {"called": bodies[step.target]}
    if isinstance(step, PublishStep):
        return step.model_dump(mode="json", exclude={"publish"}) | {"published": 1}
    if isinstance(step, ParallelStep):
        return step.model_dump(mode="json", exclude={"parallel"}) | {"branches": [_plain(branch, bodies) for branch in step.parallel]}
    if isinstance(step, RepeatStep):
        return step.model_dump(mode="json", exclude={"repeat"}) | {"group": _plain(step.repeat, bodies)}
    return with_content(step.model_dump(mode="json", exclude={"disk": {"volume"}}))


def _content(scenario: Scenario, name: str, bodies: Mapping[Name, int]) -> int:
    """What a service is where it is not as by default, and what the scenario says about it, without names."""
    service = scenario.services[name]
    own = service.model_dump(mode="json", exclude={"operations", "startup", "depends_on", "volumes"}, exclude_defaults=True) | {
        "operations": sorted(bodies[name, operation] for operation in service.operations), "startup": _plain(service.startup, bodies),
        "events": [_said(event) for event in scenario.timeline if event.service == name],
        "own": scenario.is_own(name), "kept": scenario.plan is not None and name in scenario.plan.keep,
        "counted": scenario.density is not None and scenario.density.service == name,
    }
    chances = scenario.failures.random if scenario.failures is not None else ()
    if fails := [spec.model_dump(mode="json", exclude={"fail"}) for spec in chances if spec.fail == name]:
        own |= {"fails": fails}
    waits = sorted(one.condition for one in service.depends_on.values())
    return _number(own | ({"waits": waits} if waits else {}))


def _number(content: Any) -> int:
    """64 bits of the digest of plain data."""
    return int.from_bytes(hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()[:8], "big")


def _said(event: TimelineEvent) -> tuple[Any, ...]:
    """What an event says, without the name of its service."""
    said: tuple[Any, ...] = (event.verb, event.at, event.replica, event.restart)
    said = (*said, event.how, event.for_) if event.fail is not None else said
    return said if event.verb not in ORCHESTRATED else (*said, event.replicas, event.image, event.cpus)

"""The order of services that neither their names nor the order of the file decide."""

from __future__ import annotations

import hashlib
from typing import Any

from simvirt.scenario.spec.models import Scenario, ServiceSpec


def canonical_services(scenario: Scenario) -> list[str]:
    """Service names in an order that neither names nor the order of the file decide.

    First those that requests reach, as the mix and the steps mention them; then the others by their content.
    """
    reached: list[str] = []

    def visit(service: str, operation: str) -> None:
        if service not in reached:
            reached.append(service)
        for step in scenario.services[service].operations[operation]:
            for inner, called in calls_of(step):
                visit(inner, called)

    for name in scenario.mix:
        service, _, operation = name.partition(".")
        visit(service, operation)
    others = [name for name in scenario.services if name not in reached]
    return reached + sorted(others, key=lambda name: _content(scenario.services[name]))


def calls_of(step: Any) -> list[tuple[str, str]]:
    """The (service, operation) pairs that a step calls, in order."""
    if hasattr(step, "call"):
        return [(step.service, step.operation)]
    if hasattr(step, "parallel"):
        return [call for branch in step.parallel for inner in branch for call in calls_of(inner)]
    return []


def _content(service: ServiceSpec) -> str:
    return hashlib.sha256(service.model_dump_json().encode()).hexdigest()

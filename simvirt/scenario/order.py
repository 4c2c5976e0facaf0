"""The order of services that neither their names nor the order of the file decide."""

from __future__ import annotations

import hashlib

from simvirt.scenario.graph import calls, name_of, reached
from simvirt.scenario.spec.models import Scenario, ServiceSpec


def canonical_services(scenario: Scenario) -> list[str]:
    """Service names in an order that neither names nor the order of the file decide.

    First those that requests reach, as the mix and the steps mention them; then the others by their content.
    """
    met = list(dict.fromkeys(service for service, _ in reached(calls(scenario), map(name_of, scenario.mix))))
    others = [name for name in scenario.services if name not in met]
    return met + sorted(others, key=lambda name: _content(scenario.services[name]))


def _content(service: ServiceSpec) -> str:
    return hashlib.sha256(service.model_dump_json().encode()).hexdigest()

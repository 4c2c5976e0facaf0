"""The kinds of cases that simvirt knows, one module each: a new kind is a module and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simvirt.validation.rules import (
    backoff_restart,
    eviction_qos,
    hpa_behaviour,
    hpa_replicas,
    live_migration,
    metastable_resilience,
    placement,
    registry_pull,
    rollout,
    scheduler_score,
    startup_phases,
)
from simvirt.validation.rules.rule import Rules

KNOWN: Final = (
    hpa_replicas,
    hpa_behaviour,
    rollout,
    scheduler_score,
    placement,
    backoff_restart,
    eviction_qos,
    live_migration,
    metastable_resilience,
    registry_pull,
    startup_phases,
)
RULES: Final[Mapping[str, Rules]] = {module.RULES.kind: module.RULES for module in KNOWN}

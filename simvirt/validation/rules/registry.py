"""The kinds of cases that simvirt knows, one module each: a new kind is a module and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simvirt.validation.rules import hpa_behaviour, hpa_replicas, metastable_resilience
from simvirt.validation.rules.rule import Rules

RULES: Final[Mapping[str, Rules]] = {rules.kind: rules for rules in (
    hpa_replicas.RULES, hpa_behaviour.RULES, metastable_resilience.RULES,
)}

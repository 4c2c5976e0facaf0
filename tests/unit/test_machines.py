"""When machines are bought and given back, as plain functions, and their adapters for rule cases."""

from __future__ import annotations

from typing import Any

import pytest

from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.machine_scaling import FUNCTIONS, rule_of


@pytest.mark.parametrize(("given", "key", "value"), [
    ({"clusters": [{"nodes": 5, "unready": 3}, {"nodes": 5, "unready": 4}, {"nodes": 20, "unready": 9}]}, "operations_stop", [False, True, False]),
    ({"pending_pod_arrivals_s": [3, 3.9, 6]}, "window_closes_at_s", 4.9),
    ({"pending_pod_arrivals_s": "every 0.5 s from 2 to 30", "max_s": 5}, "window_closes_at_s", 7.0),
    ({"kind": "Karpenter"}, "idle_s", 1.0), ({"kind": "scale-down defaults"}, "unneeded_min", 10.0),
])
def test_adapters(given: dict[str, Any], key: str, value: Any) -> None:
    inputs = Given(given)
    rule = rule_of(inputs)
    assert rule is not None
    assert FUNCTIONS[rule](inputs)[key] == value
    assert not inputs.overlooked()


def test_what_is_no_rule() -> None:
    assert rule_of(Given({"provider": "GCE"})) is None

"""What a plan leaves out of a scenario, it says."""

from __future__ import annotations

from typing import Any

import pytest

import simvirt
from simvirt.plan.document import left_out

PLAIN: dict[str, Any] = {
    "simvirt": 1, "name": "left-out", "hosts": {"node": {"count": 2, "cores": 2, "memory": "4GiB"}}, "platforms": ["docker"],
    "services": {"web": {"operations": {"get": [{"cpu": "1ms"}]}}, "db": {"operations": {"get": [{"cpu": "1ms"}]}}},
    "workload": {"open": {"rate": "1/s"}, "mix": {"web.get": 1}},
}


@pytest.mark.parametrize(("more", "said"), [
    ({}, []),
    ({"network": {"switches": {"tor": {"latency": "1us"}}, "links": [{"from": "node", "to": "tor"}]}}, ["the network"]),
    ({"services": {**PLAIN["services"], "db": {**PLAIN["services"]["db"], "deploy": {"placement": {"max_replicas_per_node": 1}}}}}, ["the placement of db"]),
    ({"failures": {"random": [{"fail": "node", "mtbf": "30d", "mttr": "1h"}]}}, ["failures by chance"]),
])
def test_what_an_answer_leaves_out_is_said(more: dict[str, Any], said: list[str]) -> None:
    found = list(left_out(simvirt.Scenario.model_validate(PLAIN | more)))
    assert len(found) == len(said) and all(text.startswith(f"{start} ") for text, start in zip(found, said, strict=True))

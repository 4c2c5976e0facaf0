"""A cluster of VMs that is balanced while it runs: where that helps, where nothing moves, and what is lost of neither."""

from __future__ import annotations

from typing import Any

import pytest

from simvirt import run
from simvirt.errors import ScenarioError
from simvirt.result.run_document import PlatformResult
from simvirt.scenario import loads

TEXT = """
simvirt: 1
name: balanced
hosts: {{node: {{count: 2, cores: 4, memory: 64GiB, nic: 10gbe}}}}
platforms: [{{name: vms, stack: [{stack}], orchestrator: mine}}]
services:
  orders: &vm
    {{mem_limit: 512MiB, cpus: 4, threads: unlimited, memory: {{base: 200MiB, dirty: 20KiB}}, deploy: {{resources: {{reservations: {{cpus: 0.5}}}}}},
      operations: {{get: [{{cpu: {{exponential: 10ms}}}}]}}}}
  search: *vm
workload: {{open: {{rate: {rate}/s}}, mix: {{orders.get: 1, search.get: 1}}}}
run: {{duration: {duration}, replications: 1, warmup: 0s, seed: 1}}
timeline: [{events}]
catalog:
  orchestrators: {{mine: {{like: {like}, {constants}}}}}
"""
SOON = "balance: {value: 5s, source: made up for a test}"
FIRST = "places: first-fit, "
"""All VMs begin on the first host."""


def found(rate: int, events: str = "", like: str = "drs", constants: str = FIRST + SOON, duration: str = "20s", stack: str = "kvm") -> PlatformResult:
    """What came of it."""
    text = TEXT.format(rate=rate, events=events, like=like, constants=constants, duration=duration, stack=stack)
    return next(iter(run(loads(text), maximum=False).typed().platforms.values()))


def told(result: PlatformResult, what: str) -> list[Any]:
    """What the story tells of a kind."""
    assert result.happened is not None
    return [event for event in result.happened.events if event.what == what]


def test_a_vm_moves_where_others_wait_for_cpus() -> None:
    balanced, left = found(395), found(395, like="vm-cluster", constants="places: first-fit")
    (move,), (event,) = balanced.migrations, told(balanced, "move")
    assert (move.source, move.to, move.ended) == ("node[0]", "node[1]", 1)
    assert move.asked_s == event.at_s == 5.0 and "priority 2: imbalance" in event.why
    assert not left.migrations
    assert balanced.latency_s.mean.value < 0.5 * left.latency_s.mean.value
    assert balanced.failed.value == balanced.rejected.value == 0
    assert balanced.happened is not None and {host for of in balanced.happened.placement.values() for host in of} == {"node[0]", "node[1]"}


def test_nothing_moves_where_all_get_what_they_ask_for() -> None:
    uneven = found(100)
    assert not uneven.migrations and uneven.hosts["node[1]"].cpu == 0.0


def test_after_a_failure_vms_go_back_to_the_host_that_is_there_again() -> None:
    """Both VMs were restarted on the host that was left, whatever admission control says; nobody but the balance would bring one back."""
    constants = "survives: 1, lost: {value: 1s, source: made up for a test}, balance: {value: 60s, source: made up for a test}"
    result = found(380, '{at: 2s, fail: "node[0]", for: 1s}', constants=constants, duration="200s")
    assert result.happened is not None
    assert sum(told.what == "start" for told in result.happened.events) >= 1 and not told(result, "waits")
    assert [move.ended for move in result.migrations] == [1]
    assert {host for of in result.happened.placement.values() for host in of} == {"node[0]", "node[1]"}


@pytest.mark.parametrize("stack", ["docker", "firecracker"])
def test_what_moves_no_vms_is_not_balanced(stack: str) -> None:
    with pytest.raises(ScenarioError, match="moves VMs while they run"):
        found(100, stack=stack)

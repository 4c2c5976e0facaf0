"""The density of simple systems against closed forms, and the resource that binds against what happens when it grows."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml

from simvirt import kernel, loads, run
from simvirt.density import density

pytestmark = pytest.mark.skipif(kernel.MODE == "plain", reason="many simulations")
HOST = {"cores": 4, "memory": "8GiB"}


def answer(spec: dict[str, Any], *sets: str) -> Any:
    """The answer of a scenario's only platform."""
    found = density(loads(yaml.safe_dump(spec, sort_keys=False), sets=list(sets)), jobs=2)
    return next(iter(found.answers.values()))


def queue(limit: str) -> dict[str, Any]:
    """Fronts that do nothing but call one thread: M/M/1 with n times the load."""
    return {
        "simvirt": 1, "name": "fronts", "host": HOST, "platforms": ["bare-metal"],
        "services": {
            "front": {"operations": {"get": [{"call": "server.job"}]}}, "server": {"threads": 1, "operations": {"job": [{"cpu": {"exponential": "10ms"}}]}},
        },
        "workload": {"open": {"rate": "1/s"}, "mix": {"front.get": 1}}, "objective": {"latency_p90": limit}, "density": {"service": "front"},
        "run": {"replications": 5, "seed": 3},
    }


@pytest.mark.parametrize(("limit", "limit_s"), [("50ms", 0.05), ("100ms", 0.1), ("230ms", 0.23)])
def test_the_edge_of_a_single_queue(limit: str, limit_s: float) -> None:
    """The p90 of M/M/1 is ln(10) / (mu - n lambda): the answer is at most that n, and less by no more than its confidence costs."""
    exact = math.floor(100 + math.log(0.1) / limit_s)
    found = answer(queue(limit))
    assert exact - max(4, 0.05 * exact) <= found.n <= exact + 1
    assert found.binding.resource == "server.threads"
    assert found.binding.check == "latency_p90"
    assert {found.n, found.n + 1} <= {point.n for point in found.points}, "both were simulated"


@pytest.mark.parametrize(("scope", "lock"), [("replica", "server.lock.table"), ("kernel", "kernel lock table")])
def test_the_edge_of_a_lock_is_that_of_a_single_queue_and_names_the_lock(scope: str, lock: str) -> None:
    """Of 64 threads on four cores all do their work under one lock: one at a time, and more of nothing helps."""
    spec = queue("100ms")
    held = {"lock": "table", "scope": scope, "hold": [{"cpu": {"exponential": "10ms"}}]}
    spec["services"]["server"] = {"threads": 64, "operations": {"job": [held]}}
    exact = math.floor(100 + math.log(0.1) / 0.1)
    found = answer(spec)
    assert exact - max(4, 0.05 * exact) <= found.n <= exact + 1
    assert (found.binding.resource, found.binding.check) == (lock, "latency_p90")
    assert all(relief.excess > 0.9 for relief in found.binding.reliefs), "more of something else does not help"


def test_a_lock_that_is_held_seldom_does_not_bind() -> None:
    """One thread does it all: nobody waits for the lock that it takes for a tenth of its work."""
    spec = queue("100ms")
    held = {"lock": "table", "hold": [{"cpu": {"exponential": "1ms"}}]}
    spec["services"]["server"]["operations"]["job"] = [{"cpu": {"exponential": "9ms"}}, held]
    assert answer(spec).binding.resource == "server.threads"


def test_tenants_of_an_open_load_have_poisson_streams_of_their_own() -> None:
    """Eight queues side by side with 1/8 of the load each are eight M/M/1."""
    spec = {
        "simvirt": 1, "name": "eight", "host": {"cores": 8, "memory": "8GiB"}, "platforms": ["bare-metal"], "tenants": {"count": 8},
        "services": {"server": {"threads": 1, "scale": 8, "operations": {"job": [{"cpu": {"exponential": "10ms"}}]}}},
        "workload": {"open": {"rate": "560/s"}, "mix": {"server.job": 1}}, "run": {"requests": 200_000, "replications": 5, "seed": 1},
    }
    outcomes = run(loads(yaml.safe_dump(spec)), maximum=False).outcomes("bare-metal")
    means = [o.latency_mean_s for o in outcomes]
    mean, spread = sum(means) / 5, (sum((m - sum(means) / 5) ** 2 for m in means) / 4) ** 0.5
    assert abs(mean - 0.01 / 0.3) < 4 * spread / 5**0.5


MEMORY: dict[str, Any] = {
    "simvirt": 1, "name": "memory", "host": HOST, "platforms": ["kvm"],
    "services": {"web": {"threads": 2, "cpus": 1, "mem_limit": "256MiB", "operations": {"get": [{"cpu": {"exponential": "5ms"}}]}}},
    "workload": {"open": {"rate": "5/s"}, "mix": {"web.get": 1}}, "objective": {"latency_p90": "60ms"}, "run": {"replications": 2, "seed": 1},
}
BUSY: dict[str, Any] = {**MEMORY, "name": "busy", "platforms": ["docker"], "workload": {"open": {"rate": "40/s"}, "mix": {"web.get": 1}}, "host": {"cores": 2, "memory": "32GiB"}}
DISK: dict[str, Any] = {
    **BUSY, "name": "disk", "host": {"cores": 8, "memory": "32GiB", "disk": "hdd"}, "objective": {"latency_p90": "200ms"},
    "services": {"web": {"threads": 8, "mem_limit": "64MiB", "operations": {"get": [{"cpu": "1ms"}, {"disk": {"read": "4KiB"}}]}}},
    "workload": {"open": {"rate": "4/s"}, "mix": {"web.get": 1}},
}
NIC: dict[str, Any] = {
    **BUSY, "name": "nic", "host": {"cores": 8, "memory": "32GiB", "nic": "1Gbps"},
    "services": {"web": {"threads": 8, "mem_limit": "64MiB", "operations": {"get": [{"cpu": "1ms"}, {"net": {"out": "1MiB"}}]}}},
    "workload": {"open": {"rate": "10/s"}, "mix": {"web.get": 1}},
}
CASES = [
    (MEMORY, "memory", "host.memory=16GiB", "host.cores=8"), (BUSY, "host.cpu", "host.cores=4", "host.memory=64GiB"),
    (DISK, "host.disk", "host.disk=sata-ssd", "host.cores=16"), (NIC, "host.nic", "host.nic=2Gbps", "host.cores=16"),
]


@pytest.mark.parametrize(("spec", "resource", "relief", "other"), CASES, ids=[case[1] for case in CASES])
def test_more_of_what_binds_raises_the_answer_and_more_of_something_else_does_not(spec: dict[str, Any], resource: str, relief: str, other: str) -> None:
    found = answer(spec)
    assert found.n >= 4
    assert found.binding.resource == resource
    assert answer(spec, relief).n >= 1.5 * found.n
    assert abs(answer(spec, other).n - found.n) <= max(1, 0.06 * found.n)


@pytest.mark.slow
@pytest.mark.parametrize("change", [
    pytest.param("host.ksm={}", marks=pytest.mark.verification), "host.swap=4GiB", pytest.param("platforms.0={name: kvm, stack: [kvm], balloon: auto}", marks=pytest.mark.verification),
])
def test_whatever_gets_memory_back_raises_the_answer_that_memory_ends(change: str) -> None:
    """Merged pages, swap and balloons make room for more VMs; memory still ends it."""
    web = {**MEMORY["services"]["web"], "memory": {"base": "100MiB"}, "operations": {"get": [{"cpu": "1ms"}]}}
    followed = {**MEMORY, "host": {**HOST, "memory": "3GiB"}, "services": {"web": web}, "workload": {"open": {"rate": "20/s"}, "mix": {"web.get": 1}}}
    before, after = answer(followed), answer(followed, change)
    assert before.binding.resource == after.binding.resource == "memory"
    assert after.n >= 1.2 * before.n
    assert all(ledger.balance == 0 for ledger in after.memory.values())


@pytest.mark.slow
@pytest.mark.verification
def test_merging_helps_no_container() -> None:
    spec = {**MEMORY, "host": {**HOST, "memory": "4GiB"}, "platforms": ["docker"], "workload": {"open": {"rate": "40/s"}, "mix": {"web.get": 1}}}
    without = answer(spec).n
    assert 0.95 * without - 1 <= answer(spec, "host.ksm={}").n <= without, "the scanner takes a little of a CPU"


@pytest.mark.slow
@pytest.mark.verification
def test_a_host_that_swaps_what_requests_touch_is_slow_before_it_is_full() -> None:
    """Memory binds although it would hold more: with twice of it the next n would be fast."""
    web = {**MEMORY["services"]["web"], "memory": {"base": "400MiB", "hot": 1, "touch": "4MB"}, "mem_limit": "512MiB"}
    found = answer({**MEMORY, "host": {**HOST, "swap": "8GiB", "disk": "sata-ssd"}, "services": {"web": web}}, "workload.open.rate=20/s")
    assert found.binding.resource == "memory"
    assert found.binding.check == "latency_p90"
    assert found.n < next(bound.most for bound in found.bounds if bound.resource == "memory")


def test_an_objective_out_of_reach_is_no_overload() -> None:
    """One request takes several times the limit, with a host that has nothing else to do."""
    found = answer({**BUSY, "objective": {"latency_p90": "1ms"}})
    assert (found.n, found.binding.resource) == (0, "request")
    assert found.typed().curve[0].overload is False


def test_a_request_that_is_too_slow_by_itself_has_no_density() -> None:
    """No resource helps where the work of one request takes longer than the limit."""
    found = answer({**BUSY, "objective": {"latency_p90": "5ms"}})
    assert found.n == 0
    assert found.binding.resource == "request"


def test_the_same_n_as_a_scenario_of_its_own_gives_the_same_numbers() -> None:
    """What the search simulates at n is what `run` simulates when the scenario says so."""
    from simvirt.density.copies import scaled, unit_of

    spec = loads(yaml.safe_dump(BUSY))
    found = answer(BUSY)
    point = found.at_answer
    at_n = scaled(spec, unit_of(spec), found.n)
    assert point.scenario == at_n.model_copy(update={"run": point.scenario.run})
    again = run(at_n.model_copy(update={"run": point.scenario.run.model_copy(update={"replications": 2})}), maximum=False).outcomes("docker")
    assert [o.latency_mean_s for o in again] == [o.latency_mean_s for o in point.outcomes[:2]]


def test_a_balloon_that_leaves_a_guest_too_little_is_named() -> None:
    """No VM runs at all, and the reason is not the host's memory."""
    found = answer(MEMORY, "platforms.0={name: kvm, stack: [kvm], balloon: 300MiB}")
    assert (found.n, found.binding.resource) == (0, "memory")
    assert "the guest of" in found.binding.why

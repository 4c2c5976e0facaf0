"""Machines that come for what waits and go when they are not needed: rules against cases, and the run of them in a cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import simvirt
import yaml

from simvirt.catalog.entries.machine_autoscalers import MachineAutoscalerEntry
from simvirt.catalog.resolve.startups import alone_ns, boot_of_machine
from simvirt.errors import ScenarioError
from simvirt.orchestration.machines import Going, leaving, since_when
from simvirt.placement import Asked, Hosts
from simvirt.placement.machines import chosen, option_of, removable, requested, unplaced
from simvirt.placement.packing import packed
from simvirt.runs.admission import catalog_of

S = 1e9


def hosts(*cpus: int) -> Hosts:
    """Hosts with so many CPUs each, and as many GiB of memory."""
    many = len(cpus)
    return Hosts([f"node[{n}]" for n in range(many)], {}, np.array(cpus), np.ones(many, int), np.array(cpus) * 2**30, np.zeros(many, int))


def replica(milli: int, service: str = "web") -> Asked:
    """What a replica asks that requests so many thousandths of a CPU."""
    return Asked(service, reserves={"cpu": milli})


# --- rules -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[500] * 7, [900, 300, 700, 600, 400, 100], [1500, 1500, 500, 500, 2000], [2000]])
def test_as_many_machines_as_first_fit_decreasing_opens(sizes: list[int]) -> None:
    """Simulated scheduling of one resource is bin packing: the largest first, each into the first bin that holds it."""
    waiting = [replica(size, f"s{number}") for number, size in enumerate(sizes)]
    found = option_of("node", hosts(*[2] * 9), range(9), waiting)
    assert found is not None and found.taken == len(sizes)
    assert len(found.machines) == len(packed([size / 2000 for size in sizes], 1.0, "first-fit-decreasing"))


def test_what_no_machine_of_a_pool_takes_brings_none() -> None:
    assert option_of("node", hosts(2, 2), range(2), [replica(2100)]) is None
    found = option_of("node", hosts(2, 2, 2), range(3), [replica(2100), replica(1500), replica(1500)])
    assert found is not None and (found.machines, found.taken) == ((0, 1), 2)
    assert len((option_of("node", hosts(2, 2), range(2), [replica(1500)] * 5) or found).machines) == 2  # no more than there may be


def test_what_fits_on_machines_that_are_there_waits_for_none() -> None:
    there = hosts(2, 2)
    assert unplaced(there, [replica(1000)] * 5) == [replica(1000)]
    assert requested(there, 0) == 1.0


def test_expanders_choose_by_what_they_want_least_of() -> None:
    """One large machine wastes more CPUs than a small one; it takes more."""
    waiting, both = [replica(900), replica(900)], hosts(8, 1, 1)
    large, small = option_of("large", both, [0], waiting), option_of("small", both, [1], waiting)
    assert large is not None and small is not None
    assert (large.waste[0], small.waste[0]) == (pytest.approx(1 - 1.8 / 8), pytest.approx(0.1))
    assert chosen([large, small], "least-waste") == small
    assert chosen([large, small], "most-pods") == large
    assert chosen([large, replace(small, machines=(1, 2))], "least-nodes") == large
    assert chosen([], "least-waste") is None


def test_a_machine_can_go_where_others_have_room_for_what_is_on_it() -> None:
    """Of three machines that are half full one can go; after it the others are full."""
    there, kept = hosts(2, 2, 2), replica(1000)
    for host in range(3):
        there.add("web", host, kept.reserves)
    standing = {host: [(kept, kept.reserves)] for host in range(3)}
    assert removable(there, [0, 1, 2], standing) == [0, 1]  # the second one's goes to the third beside the first one's
    there.add("web", 2, kept.reserves)
    assert removable(there, [0, 1], standing) == [0]
    assert int(there.taken_of("cpu")[0]) == 1000  # a trial changes nothing


def test_empty_machines_go_together_and_others_one_by_one() -> None:
    due = [Going(0, "a", False), Going(1, "a", False), *(Going(n, "a", True) for n in range(2, 15))]
    assert [one.machine for one in leaving(due, {"a": 99}, 10, 1)] == list(range(2, 12))
    assert [one.machine for one in leaving(due[:4], {"a": 99}, 10, 1)] == [2, 3, 0]
    assert [one.machine for one in leaving(due[:4], {"a": 1}, 10, 1)] == [2]
    assert leaving(due[:2], {"a": 9}, 10, 1, [Going(7, "a", False)]) == []


def test_a_break_begins_the_time_anew() -> None:
    first = since_when({}, [1, 2], 10.0)
    assert since_when(since_when(first, [1], 20.0), [1, 2], 30.0) == {1: 10.0, 2: 30.0}


# --- in a run --------------------------------------------------------------------------------------------------------------

STEP = """
simvirt: 1
name: step
hosts: {node: {count: 1, cores: 2, memory: 8GiB, autoscale: {min: 1, max: 4, boot: cloud-instance, unneeded: 60s, utilisation: 60%, delay_after_add: 90s}}}
platforms: [{name: pods, orchestrator: kubernetes, stack: [containerd]}, {name: vms, orchestrator: kubernetes, stack: [kvm]}]
services: {web: {cpus: 1, threads: 8, deploy: {replicas: 2}, operations: {get: [{cpu: 1ms}]}}}
workload: {open: {rate: 10/s}, mix: {web.get: 1}}
timeline: [{at: 15s, scale: web, replicas: 5}, {at: 2min, scale: web, replicas: 2}]
run: {duration: 6min, warmup: 0s, replications: 1}
"""


@pytest.fixture(scope="module")
def steps() -> dict[str, Any]:
    """What a run says of each platform."""
    return dict(simvirt.run(simvirt.loads(STEP), maximum=False).document()["platforms"])


def told(found: dict[str, Any], what: str) -> list[float]:
    """When something happened [s]."""
    return [event["at_s"] for event in found["happened"]["events"] if event["what"] == what]


def test_machines_come_after_a_look_their_boot_and_their_join(steps: dict[str, Any]) -> None:
    """Three replicas beyond the two that fit need two machines more, at the next look; each takes what the catalogue says of its boot."""
    scenario = simvirt.loads(STEP)
    catalog = catalog_of(scenario)
    entry = catalog.typed("machine_autoscalers", "cluster-autoscaler", MachineAutoscalerEntry)
    host = catalog.resolve_hosts(scenario)[0]
    boot = sum(alone_ns(phase, host) for phase in boot_of_machine(catalog, host, "cloud-instance")) / S
    for found in steps.values():
        assert told(found, "added") == [20.0, 20.0]  # looks are at 10 s, 20 s ...
        took = [at - 20.0 for at in told(found, "up")]
        assert took == pytest.approx([boot + entry.join / S] * 2, rel=0.01)
        assert found["machines"]["pools"]["node"]["up_after_s"]["value"] == pytest.approx(took[0], rel=1e-6)
        assert found["machines"]["waiting"]["web"]["value"] * 360 == pytest.approx(3 * (20.0 + took[0] - 15.05), rel=0.01)


def test_machines_go_once_unneeded_for_long_enough(steps: dict[str, Any]) -> None:
    """The first look at which what is left fits elsewhere begins the time; the one without replicas goes without an eviction."""
    for found in steps.values():
        gone, pool = told(found, "removed"), found["machines"]["pools"]["node"]
        assert len(gone) == 2 == pool["removed"]["value"]
        assert min(gone) >= 2 * 60 + 60
        assert pool["course"][-1] == {"at_s": max(gone), "asked": 1, "up": 1}
        began = {event["who"]: 20.0 for event in found["happened"]["events"] if event["what"] == "added"}
        ended = {event["who"]: event["at_s"] for event in found["happened"]["events"] if event["what"] == "removed"}
        hours = sum(ended.get(host, 360.0) - began.get(host, 0.0) for host in {"node[0]", *began}) / 3600
        assert pool["host_hours"]["value"] == pytest.approx(hours, rel=1e-9)


def test_nothing_is_lost_and_what_is_drained_stands_elsewhere(steps: dict[str, Any]) -> None:
    for found in steps.values():
        happened = found["happened"]
        assert found["failed"]["value"] == 0.0 == found["rejected"]["value"]
        assert happened["started"]["value"] == happened["running"]["value"] + sum(one["value"] for one in happened["ended"].values())
        assert sum(happened["placement"]["web"].values()) == 2
        assert len(happened["placement"]["web"]) == 1


def test_hosts_that_are_off_have_no_share_in_utilisation() -> None:
    """Four slots of which one is ever on are as busy as one host."""
    content = yaml.safe_load(STEP) | {"timeline": [], "run": {"duration": "20s", "warmup": "0s", "replications": 1}}
    alone = content | {"hosts": {"node": {"count": 1, "cores": 2, "memory": "8GiB"}}}
    some, one = (simvirt.run(simvirt.loads(yaml.safe_dump(tree)), maximum=False).document()["platforms"]["pods"] for tree in (content, alone))
    assert some["cpu"]["utilisation"]["value"] == pytest.approx(one["cpu"]["utilisation"]["value"], rel=0.02)
    assert some["machines"]["pools"]["node"]["asked"]["value"] == 1.0


def test_rent_is_paid_by_the_hour() -> None:
    content = yaml.safe_load(STEP) | {"platforms": [{"name": "pods", "orchestrator": "kubernetes", "stack": ["containerd"]}]}
    content["hosts"]["node"] = {"count": 2, "model": "aws-m6i-metal", "autoscale": {"min": 2, "max": 3}}
    content |= {"timeline": [], "run": {"duration": "36s", "warmup": "0s", "replications": 1}}
    scenario = simvirt.loads(yaml.safe_dump(content))
    pool = simvirt.run(scenario, maximum=False).document()["platforms"]["pods"]["machines"]["pools"]["node"]
    rent = float(catalog_of(scenario).raw("prices")["aws-m6i-metal"]["rent"]["value"].removesuffix("USD"))
    assert pool["host_hours"]["value"] == pytest.approx(0.02)
    assert pool["cost_usd"]["value"] == pytest.approx(0.02 * rent / 8766)


def test_a_machine_that_comes_anew_has_no_images() -> None:
    """Images are pulled again where the machine in a slot is another one."""
    content = yaml.safe_load(STEP) | {"platforms": [{"name": "pods", "orchestrator": "kubernetes", "stack": ["containerd"]}]}
    content["services"]["web"]["image"] = "nginx:1.27"
    content["state"] = {"images": "none", "instances": "none"}
    content["timeline"] += [{"at": "6min", "scale": "web", "replicas": 5}]
    content["run"]["duration"] = "8min"
    found = simvirt.run(simvirt.loads(yaml.safe_dump(content)), maximum=False).document()["platforms"]["pods"]
    added = [event["who"] for event in found["happened"]["events"] if event["what"] == "added"]
    assert len(added) == 4
    pulls = next(phase for phase in found["lifecycle"]["phases"] if phase["phase"] == "download")
    assert pulls["instances"] == found["lifecycle"]["started"] - 1  # only what was drained found its image where it went


@pytest.mark.parametrize(("change", "said"), [
    ({"count": 5}, "hosts at first; expected 1 to 4, as autoscale says; got 5"), ({"autoscale": {"min": 3, "max": 2}}, "expected at least min, which is 3"),
    ({"autoscale": {"max": 4, "by": "karpentre"}}, "cluster-autoscaler"), ({"autoscale": {"max": 4, "boot": "serverr"}}, "server"),
    ({"autoscale": {"max": 4, "threshold": 0.5}}, 'did you mean "utilisation"'),
])
def test_mistakes(change: dict[str, Any], said: str) -> None:
    content = yaml.safe_load(STEP)
    content["hosts"]["node"] |= change
    with pytest.raises(ScenarioError, match=said):
        catalog_of(simvirt.loads(yaml.safe_dump(content)))


@pytest.mark.parametrize("platform", ["docker", {"name": "docker", "orchestrator": "compose"}])
def test_nothing_waits_where_nothing_is_reserved(platform: Any) -> None:
    content = yaml.safe_load(STEP) | {"platforms": [platform]}
    with pytest.raises(ScenarioError, match="nothing waits for a host on docker"):
        catalog_of(simvirt.loads(yaml.safe_dump(content)))


def test_nothing_is_swapped_on_machines_that_are_off() -> None:
    """VMs of more memory than a host has would be swapped out there; the CPUs of a host that is not there do nothing."""
    reclaiming = """
        simvirt: 1
        name: off
        hosts: {node: {count: 1, cores: 1, memory: 2GiB, disk: hdd, swap: 8GiB, autoscale: {max: 3}}}
        platforms: [{name: vbox, stack: [virtualbox], vms: {count: 4, vcpus: 1, memory: 1GiB}, balloon: none, pages: huge, orchestrator: kubernetes}]
        services: {web: {memory: {base: 300MiB}, mem_limit: 340MiB, operations: {get: [{cpu: 100us}]}}}
        workload: {open: {rate: 50/s}}
        state: {instances: none}
        run: {duration: 200ms, replications: 1, warmup: 0s}
    """
    (found,) = simvirt.run(simvirt.loads(reclaiming), maximum=False).typed().platforms.values()
    assert [found.hosts[f"node[{n}]"].cpu for n in (1, 2)] == [0.0, 0.0]
    assert (found.cpu.utilisation.value or 0.0) <= 1.0

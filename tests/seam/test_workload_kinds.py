"""Kinds of workloads in a run: more important replicas drive others out, and all instances and requests are accounted for."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any

import pytest

import simvirt
from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.control.evicting import evict
from simvirt.control.orchestrate import Orchestration
from simvirt.runs.replicate import make_plane

S = 1_000_000_000


def scenario(services: dict[str, Any], timeline: list[dict[str, Any]], duration: str = "60s", orchestrator: str = "kubernetes", hosts: int = 2, **more: Any) -> dict[str, Any]:
    """Services on hosts of two CPUs; each answers requests."""
    body = {"image": "nginx:1.27", "threads": 8, "operations": {"get": [{"cpu": {"exponential": "2ms"}}]}}
    return {
        "simvirt": 1, "name": "kinds", "hosts": {"node": {"count": hosts, "cores": 2, "memory": "16GiB"}}, "platforms": [{"name": "x", "stack": ["docker"], "orchestrator": orchestrator}],
        "services": {name: body | service for name, service in services.items()},
        "workload": {"open": {"rate": "40/s"}, "mix": {f"{name}.get": 1 for name in services}}, "run": {"duration": duration, "replications": 1, "warmup": "0s"}, "timeline": timeline,
    } | more


def after(document: dict[str, Any]) -> Cluster:
    """The cluster at the end of a run, in which everything adds up."""
    spec = simvirt.Scenario.model_validate(document)
    catalog = Catalog.of(spec)
    plane = make_plane(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0)
    clock = Clock(plane)
    cluster = begin(clock, plane.lowered.scenario, catalog)
    clock.run(until=spec.run.duration)
    adds_up(cluster)
    return cluster


def adds_up(cluster: Cluster) -> None:
    """Instances started are those that ended and those that are there; requests that came ended or are on their way."""
    acting, read = of(cluster), cluster.plane.read
    started, ended = acting.counted()
    assert started == sum(ended.values()) + sum(len(hosts) for hosts in acting.placed().values())
    assert int(read("source", "issued")[0]) == sum(int(read("tallies", name).sum()) for name in ("completed", "rejected", "failed")) + int(read("tallies", "in_system")[0])
    hosts = acting.ledger.hosts
    assert all((hosts.taken_of(name) >= 0).all() for name in ("cpu", "memory")) and (hosts.total >= 0).all()


def of(cluster: Cluster) -> Orchestration:
    """What acts on a cluster."""
    assert isinstance(cluster.orchestration, Orchestration)
    return cluster.orchestration


def told(cluster: Cluster, what: str, who: str = "") -> list[float]:
    """The instants at which something happened to somebody [s]."""
    return [one.at / S for one in cluster.story.events if one.what == what and one.who.startswith(who)]


# --- priorities ------------------------------------------------------------------------------------------------------------


def pressed(priority: Any, timeline: list[dict[str, Any]] | None = None, **more: Any) -> Cluster:
    """Four containers on all four CPUs; two of another service are wanted later."""
    services = {"low": {"cpus": 1, "deploy": {"replicas": 3}}, "high": {"cpus": 1, "deploy": {"replicas": 1, "priority": priority}}}
    return after(scenario(services, timeline or [{"at": "10s", "scale": "high", "replicas": 3}], **more))


def test_what_matters_more_takes_the_place_of_what_matters_less() -> None:
    """The victims end within their grace, their own service waits for room, and gets it back once there is some."""
    cluster = pressed(1000, [{"at": "10s", "scale": "high", "replicas": 3}, {"at": "40s", "scale": "high", "replicas": 1}])
    victims = [one.who for one in cluster.story.events if one.what == "preempted" and one.why]
    assert len(victims) == len(set(victims)) == 2 and {who.split("-")[0] for who in victims} == {"low"}
    assert len(told(cluster, "ready", "high")) == 2 and max(told(cluster, "ready", "high")) < 40
    assert of(cluster).counted()[1] == {"preempted": 2, "stopped": 2}
    assert [at for at in told(cluster, "start", "low") if at > 40] == told(cluster, "start", "low") and len(of(cluster).standing("low")) == 3


@pytest.mark.parametrize("priority", [0, -5])
def test_what_matters_no_more_waits(priority: int) -> None:
    cluster = pressed(priority)
    assert not told(cluster, "preempted") and not told(cluster, "ready", "high") and told(cluster, "waits", "high")


def test_a_class_that_does_not_preempt_waits_and_is_first_where_there_is_room() -> None:
    """Two of low end, and both services have asked for one for a long time: the more important one gets it."""
    classes = {"priorities": {"patient": {"title": "patient", "source": "made up for a test", "value": 1000, "preempts": False}}}
    timeline = [{"at": "10s", "scale": "high", "replicas": 3}, {"at": "11s", "scale": "low", "replicas": 4}, {"at": "20s", "crash": "low", "replica": 0}, {"at": "30s", "scale": "low", "replicas": 2}]
    cluster = pressed("patient", timeline, catalog=classes)
    assert not told(cluster, "preempted") and len(of(cluster).standing("high")) == 2
    assert all(at > 30 for at in told(cluster, "start", "high"))


def test_requests_of_victims_that_take_longer_than_their_grace_are_lost() -> None:
    """Batch jobs of a minute; 30 s of grace: what they work on is lost with them, and the event says so."""
    services = {
        "low": {"cpus": 1, "deploy": {"replicas": 4, "priority": -1}, "operations": {"get": [{"cpu": "10min"}]}},
        "high": {"cpus": 1, "deploy": {"replicas": 1, "priority": 5}},
    }
    cluster = after(scenario(services, [{"at": "5s", "scale": "high", "replicas": 2}], "60s"))
    ends = [one for one in cluster.story.events if one.what == "preempted" and "grace" in (one.why or "")]
    assert len(ends) == 1 and ends[0].at / S == pytest.approx(35.05, abs=0.01)
    lost = sum(int((one.why or "").split("; ")[1].split()[0]) for one in ends)
    assert lost > 0 and int(cluster.plane.read("tallies", "failed").sum()) == lost


@pytest.mark.parametrize(("first", "second"), [(5, 0), (0, 5)])
def test_vms_that_matter_more_are_restarted_first_after_a_host_is_lost(first: int, second: int) -> None:
    """What is left has room for one VM more, whatever admission control says: the one that matters more, whatever order the services have."""
    big = {"cpus": 1, "deploy": {"placement": {"constraints": ["pool == spare"]}}}
    services = {"a": {"cpus": 1, "deploy": {"priority": first}}, "kept": big, "b": {"cpus": 1, "deploy": {"priority": second}}}
    document = scenario(services, [{"at": "10s", "fail": "node[0]", "how": "power"}], "90s", "vm-cluster")
    document["platforms"][0]["stack"] = ["kvm"]
    document["hosts"] = {"node": {"cores": 2, "memory": "16GiB"}, "spare": {"cores": 2, "memory": "16GiB"}}
    cluster = after(document)
    lost = {one.who for one in cluster.story.events if one.what == "lost" and "-" in one.who}
    assert lost == {"a-0", "b-0"}
    kept = "a" if first else "b"
    assert {name for name in services if of(cluster).standing(name)} == {"kept", kept} and len(told(cluster, "ready", kept)) == 1


# --- one on each host ------------------------------------------------------------------------------------------------------


def everywhere(orchestrator: str, timeline: list[dict[str, Any]], duration: str = "60s", **deploy: Any) -> Cluster:
    """An agent on each of three hosts but one, whose taint it does not tolerate, beside another service."""
    document = scenario({"agent": {"cpus": 0.5, "deploy": {"mode": "global"} | deploy}, "web": {"cpus": 1, "deploy": {"replicas": 2}}}, timeline, duration, orchestrator, 3)
    document["hosts"]["db"] = {"cores": 2, "memory": "16GiB", "taints": ["dedicated=db:NoSchedule"]}
    return after(document)


def on_hosts(cluster: Cluster, service: str) -> list[str]:
    """The hosts of a service's instances, in order."""
    return sorted(cluster.name_of(host) for host in of(cluster).placed()[service])


@pytest.mark.parametrize("orchestrator", ["swarm", "kubernetes"])
def test_a_global_service_is_on_each_host_that_may_have_it(orchestrator: str) -> None:
    assert on_hosts(everywhere(orchestrator, []), "agent") == ["node[0]", "node[1]", "node[2]"]
    tolerated = everywhere(orchestrator, [], placement={"tolerations": ["dedicated"]})
    assert on_hosts(tolerated, "agent") == ["db[0]", "node[0]", "node[1]", "node[2]"]


@pytest.mark.parametrize("orchestrator", ["swarm", "kubernetes"])
def test_a_host_that_comes_back_has_its_task_again_and_no_other_has_two(orchestrator: str) -> None:
    """Power is back after a minute: the boot of the host, then the task; no host takes two meanwhile."""
    cluster = everywhere(orchestrator, [{"at": "10s", "fail": "node[1]", "how": "power", "for": "60s"}, {"at": "5s", "crash": "agent", "replica": 2}], "400s")
    assert on_hosts(cluster, "agent") == ["node[0]", "node[1]", "node[2]"] and len(of(cluster).standing("agent")) == 3
    up = told(cluster, "up", "node[1]")[0]
    assert [at for at in told(cluster, "ready", "agent") if at > 20] == pytest.approx([up], abs=30)


@pytest.mark.parametrize(("orchestrator", "update", "at_once"), [("swarm", {}, 1), ("kubernetes", {}, 1), ("swarm", {"parallelism": 2}, 2), ("kubernetes", {"parallelism": 0}, 3)])
def test_a_global_service_is_updated_a_few_hosts_at_a_time(orchestrator: str, update: dict[str, Any], at_once: int) -> None:
    cluster = everywhere(orchestrator, [{"at": "10s", "update": "agent", "cpus": 0.4}], "120s", update_config=update)
    instants = sorted([(at, -1) for at in told(cluster, "stop", "agent")] + [(at, 1) for at in told(cluster, "ready", "agent")])
    there, least = 3, 3
    for _, step in instants:
        there += step
        least = min(there, least)
    assert there == 3 and least == 3 - at_once and on_hosts(cluster, "agent") == ["node[0]", "node[1]", "node[2]"]
    assert {task.version for task in of(cluster).ledger["agent"].tasks.values()} == {1}


def test_an_important_task_makes_room_on_its_own_host() -> None:
    """A host that comes back is full before its agent is looked at: who matters less goes, on that host alone."""
    document = scenario({"web": {"cpus": 1, "deploy": {"replicas": 4}}, "agent": {"cpus": 1, "deploy": {"mode": "global", "priority": 10}}}, [{"at": "10s", "crash": "agent"}], "90s")
    cluster = after(document)
    assert on_hosts(cluster, "agent") == ["node[0]", "node[1]"]


def test_a_host_that_is_bought_later_gets_its_task_too_and_goes_with_it() -> None:
    """Room for three of web needs a second host; the agent is on it as well, and keeps no host from going."""
    services = {"agent": {"cpus": 0.2, "deploy": {"mode": "global"}}, "web": {"cpus": 1, "deploy": {"replicas": 1}}}
    pool = {"cores": 2, "memory": "16GiB", "autoscale": {"min": 1, "max": 2, "unneeded": "20s", "delay_after_add": "20s"}}
    timeline = [{"at": "5s", "scale": "web", "replicas": 3}, {"at": "300s", "scale": "web", "replicas": 1}]
    cluster = after(scenario(services, timeline, "600s", hosts=1) | {"hosts": {"node": pool}})
    assert [round(at) for at in told(cluster, "ready", "agent")] and on_hosts(cluster, "agent") == ["node[0]"]
    assert told(cluster, "removed", "node[1]")


# --- jobs ------------------------------------------------------------------------------------------------------------------


def doing(orchestrator: str, timeline: list[dict[str, Any]], duration: str, job: dict[str, Any], work: str = "10s", **deploy: Any) -> Cluster:
    """A job that waits so long each time, beside a service that answers."""
    document = scenario({"web": {}}, timeline, duration, orchestrator)
    document["services"]["report"] = {"deploy": {"mode": "replicated-job", "job": job} | deploy, "startup": [{"delay": work}]}
    return after(document)


@pytest.mark.parametrize("orchestrator", ["swarm", "kubernetes"])
def test_a_job_is_done_as_often_as_it_is_wanted_some_at_a_time(orchestrator: str) -> None:
    """Five times ten seconds, two at a time: three rounds, the starts beside them, and nothing after that."""
    cluster = doing(orchestrator, [], "120s", {"completions": 5, "parallelism": 2})
    done = told(cluster, "completed", "report")
    assert of(cluster).counted()[1] == {"completed": 5} and not of(cluster).placed()["report"]
    assert [round(at / 11.5) for at in done] == [1, 1, 2, 2, 3] and max(done) == pytest.approx(3 * 11.5, abs=4)
    starts = sorted([(at, 1) for at in told(cluster, "start", "report")] + [(at, -1) for at in done])
    running = 0
    for _, step in starts:
        running += step
        assert 0 <= running <= 2


def test_a_pod_that_fails_is_followed_by_another_after_a_wait_that_doubles() -> None:
    """10 s after the first failure in a row, 20 s after the second one; a completion begins anew."""
    crashes = [{"at": at, "crash": "report"} for at in ("5s", "20s", "47s")]
    cluster = doing("kubernetes", crashes, "200s", {"completions": 2}, "15s")
    failed, started = told(cluster, "failed", "report"), told(cluster, "start", "report")
    assert len(failed) == 3 and of(cluster).counted()[1] == {"failed": 3, "completed": 2}
    assert [after - at for at, after in zip(failed, started[1:4], strict=True)] == pytest.approx([10, 20, 40], abs=0.2)
    assert started[4] - told(cluster, "completed", "report")[0] == pytest.approx(0.05, abs=0.05)


def test_a_job_that_fails_too_often_has_failed_and_what_runs_of_it_ends() -> None:
    cluster = doing("kubernetes", [{"at": "5s", "crash": "report", "replica": 0}], "60s", {"completions": 4, "parallelism": 2, "backoff_limit": 0}, "30s")
    assert of(cluster).counted()[1] == {"failed": 1, "stopped": 1} and not of(cluster).placed()["report"]
    assert any("backoff_limit 0: the job has failed" in (one.why or "") for one in cluster.story.events)


def test_swarm_starts_what_failed_as_its_restart_policy_says() -> None:
    cluster = doing("swarm", [{"at": "5s", "crash": "report"}, {"at": "12s", "crash": "report"}], "60s", {}, restart_policy={"max_attempts": 1, "delay": "2s"})
    assert [at - 5 for at in told(cluster, "start", "report") if at > 1] == pytest.approx([2], abs=0.2)
    assert not told(cluster, "completed") and not of(cluster).standing("report")


# --- one after the other ---------------------------------------------------------------------------------------------------


def stateful(timeline: list[dict[str, Any]], duration: str = "60s", replicas: int = 3, up: bool = True, **deploy: Any) -> Cluster:
    """Pods that are somebody each."""
    more = {} if up else {"state": {"instances": "none"}}
    return after(scenario({"db": {"deploy": {"mode": "stateful", "replicas": replicas} | deploy}}, timeline, duration, **more))


def story(cluster: Cluster, *what: str) -> list[tuple[str, str]]:
    """What happened to pods, in order."""
    return [(one.what, one.who) for one in cluster.story.events if one.what in what and "-" in one.who]


def test_a_set_comes_in_order_each_once_the_one_before_is_ready() -> None:
    cluster = stateful([], up=False)
    assert story(cluster, "start", "ready") == [(what, f"db-{ordinal}") for ordinal in range(3) for what in ("start", "ready")]
    together = stateful([], up=False, pod_management="Parallel")
    assert [what for what, _ in story(together, "start", "ready")] == ["start"] * 3 + ["ready"] * 3


def test_a_set_shrinks_from_the_last_on_one_at_a_time_and_grows_again_with_the_same_ordinals() -> None:
    timeline = [{"at": "5s", "scale": "db", "replicas": 1}, {"at": "20s", "scale": "db", "replicas": 3}]
    cluster = stateful(timeline)
    assert story(cluster, "stop", "stopped") == [("stop", "db-2"), ("stopped", "db-2"), ("stop", "db-1"), ("stopped", "db-1")]
    assert story(cluster, "start", "ready") == [("start", "db-1"), ("ready", "db-1"), ("start", "db-2"), ("ready", "db-2")]
    rows = of(cluster).standing("db")
    assert {ordinal: cluster.instance(row).replica for ordinal, row in rows.items()} == {0: 0, 1: 1, 2: 2}


def test_an_update_begins_with_the_last_one_and_waits_for_each() -> None:
    cluster = stateful([{"at": "5s", "update": "db", "cpus": 0.5}], pod_management="Parallel")
    expected = [(what, f"db-{ordinal}") for ordinal in (2, 1, 0) for what in ("stop", "stopped", "start", "ready")]
    assert story(cluster, "stop", "stopped", "start", "ready") == expected
    assert {task.version for task in of(cluster).ledger["db"].tasks.values()} == {1}


def test_one_that_is_not_ready_holds_up_all_that_come_after_it() -> None:
    """Pod 0 crashes twice, and waits for ten seconds: what is to come and to go waits for it."""
    crashes = [{"at": at, "crash": "db", "replica": 0} for at in ("5s", "8s")]
    cluster = stateful([*crashes, {"at": "9s", "scale": "db", "replicas": 4}], "40s")
    assert story(cluster, "restart", "start")[-1] == ("start", "db-3")
    assert told(cluster, "start", "db-3")[0] >= told(cluster, "ready", "db-0")[-1] > 18
    shrunk = stateful([*crashes, {"at": "9s", "scale": "db", "replicas": 2}], "40s")
    assert told(shrunk, "stop", "db-2")[0] >= told(shrunk, "ready", "db-0")[-1] > 18


# --- disruption budgets ----------------------------------------------------------------------------------------------------


def drained(budget: dict[str, Any] | None, orchestrator: str = "kubernetes", duration: str = "200s") -> Cluster:
    """Four replicas on two hosts, of which one is emptied at 10 s; a new one takes 20 s until it is ready."""
    deploy = {"replicas": 4} | ({} if budget is None else {"disruption_budget": budget})
    document = scenario({"web": {"deploy": deploy, "startup": [{"delay": "20s"}]}}, [{"at": "1s", "scale": "web", "replicas": 4}], duration, orchestrator)
    spec = simvirt.Scenario.model_validate(document)
    plane = make_plane(spec, catalog := Catalog.of(spec), catalog.platform(spec.platforms[0]), 1, 0)
    clock = Clock(plane)
    cluster = begin(clock, plane.lowered.scenario, catalog)
    clock.run(until=10 * S)
    of(cluster).host_changed(1, False)
    for row in of(cluster).rows_on(1):
        evict(of(cluster), row, "node[1] is drained")
    clock.run(until=spec.run.duration)
    adds_up(cluster)
    assert on_hosts(cluster, "web") == ["node[0]"] * 4
    return cluster


def fewest_ready(cluster: Cluster, at_first: int = 4) -> int:
    """The fewest replicas that were ready at a time."""
    steps = sorted([(at, 1) for at in told(cluster, "ready", "web")] + [(at, -1) for at in told(cluster, "stop", "web")])
    there = [at_first]
    for _, step in steps:
        there.append(there[-1] + step)
    return min(there)


@pytest.mark.parametrize(("budget", "fewest"), [
    (None, 2), ({"max_unavailable": 1}, 3), ({"min_available": 3}, 3), ({"min_available": "50%"}, 2), ({"max_unavailable": "25%"}, 3), ({"min_available": "75%"}, 3),
])
def test_a_drain_waits_for_the_budget(budget: dict[str, Any] | None, fewest: int) -> None:
    """Two go; one at a time where the budget says so, the second one once the successor of the first is ready."""
    cluster = drained(budget)
    assert fewest_ready(cluster) == fewest
    stops = told(cluster, "stop", "web")
    assert stops[0] == 10.0 and (stops[1] == 10.0) == (fewest == 2) and bool(told(cluster, "kept", "web")) == (fewest == 3)
    if fewest == 3:
        ready = told(cluster, "ready", "web")[0]
        assert 0 <= stops[1] - ready <= 5 and (stops[1] - 10) % 5 == 0


def test_a_budget_that_lets_none_go_holds_a_drain_up_for_ever_and_swarm_knows_none() -> None:
    services = {"web": {"deploy": {"replicas": 4, "disruption_budget": {"max_unavailable": 0}}}}
    document = scenario(services, [{"at": "20s", "update": "web", "cpus": 1}], "90s")
    spec = simvirt.Scenario.model_validate(document)
    plane = make_plane(spec, catalog := Catalog.of(spec), catalog.platform(spec.platforms[0]), 1, 0)
    cluster = begin(clock := Clock(plane), plane.lowered.scenario, catalog)
    clock.run(until=10 * S)
    rows = of(cluster).rows_on(1)
    for row in rows:
        evict(of(cluster), row, "node[1] is drained")
    clock.run(until=19 * S)
    assert of(cluster).rows_on(1) == rows and not told(cluster, "stop")
    clock.run(until=90 * S)
    assert {task.version for task in of(cluster).ledger["web"].tasks.values()} == {1}, "rollouts do not look at budgets"


def test_preemption_breaks_no_budget_where_it_has_a_choice() -> None:
    """Two services of one importance, one replica each on a host of its own; the second one may not lose any."""
    services = {"a": {"cpus": 2}, "kept": {"cpus": 2, "deploy": {"disruption_budget": {"min_available": 1}}}, "high": {"cpus": 2, "deploy": {"priority": 5, "placement": {"constraints": ["pool != far"]}}}}
    document = scenario(services, [{"at": "5s", "scale": "high", "replicas": 2}], "60s")
    document["hosts"]["node"]["count"] = 3
    cluster = after(document)
    victims = {one.who for one in cluster.story.events if one.what == "preempted"}
    assert victims == {"a-0"} and len(of(cluster).standing("high")) == 2 and of(cluster).standing("kept")


def test_a_drain_of_the_timeline_waits_for_budgets_and_leaves_what_each_node_has_one_of() -> None:
    """kubectl drain with --ignore-daemonsets; Swarm's drain ends its global tasks too."""
    def emptied(orchestrator: str) -> Cluster:
        services = {"web": {"deploy": {"replicas": 4} | ({"disruption_budget": {"max_unavailable": 1}} if orchestrator == "kubernetes" else {})}, "agent": {"deploy": {"mode": "global"}}}
        return after(scenario(services, [{"at": "10s", "drain": "node[1]", "how": "restart"}], "90s", orchestrator))

    kubernetes, swarm = emptied("kubernetes"), emptied("swarm")
    assert fewest_ready(kubernetes) == 3 and told(kubernetes, "kept", "web") and fewest_ready(swarm) == 2
    assert on_hosts(kubernetes, "agent") == ["node[0]", "node[1]"] and on_hosts(swarm, "agent") == ["node[0]"]
    assert on_hosts(kubernetes, "web") == on_hosts(swarm, "web") == ["node[0]"] * 4


# --- rollouts --------------------------------------------------------------------------------------------------------------


def test_a_deployment_that_is_scaled_during_its_rollout_grows_in_both_versions() -> None:
    """Ten pods, of which five new ones take long to start, become fifteen: three of the five more are of the old version."""
    config = {"max_surge": 3, "max_unavailable": 2}
    timeline = [{"at": "10s", "update": "web", "image": "nginx:1.28"}, {"at": "30s", "scale": "web", "replicas": 15}]
    document = scenario({"web": {"deploy": {"replicas": 10, "update_config": config}, "startup": [{"delay": "60s"}]}}, timeline, "300s")
    cluster = after(document)
    started = [at for at in told(cluster, "start", "web") if at < 40]
    assert [round(at) for at in started] == [10] * 5 + [30] * 5
    why = [one for one in cluster.story.events if one.what in ("stop", "ready") and one.at < 71 * S]
    assert sum(one.what == "stop" for one in why if one.at < 40 * S) == 2
    tasks = of(cluster).ledger["web"].tasks.values()
    assert len(tasks) == 15 and {task.version for task in tasks} == {1}


def test_no_more_may_be_missing_during_a_rollout_than_it_says() -> None:
    def fewest(**config: Any) -> int:
        document = scenario({"web": {"deploy": {"replicas": 4, "update_config": config}}}, [{"at": "10s", "update": "web", "cpus": 1}], "90s")
        cluster = after(document)
        assert {task.version for task in of(cluster).ledger["web"].tasks.values()} == {1}
        return fewest_ready(cluster)

    assert [fewest(max_surge=1, max_unavailable=0), fewest(max_surge=0, max_unavailable=1), fewest(max_unavailable="50%"), fewest(max_surge="100%", max_unavailable="100%")] == [4, 3, 2, 0]


@pytest.mark.parametrize("action", ["pause", "rollback"])
def test_an_update_without_progress_is_stalled_and_goes_back_where_that_is_asked_for(action: str) -> None:
    """A version that takes ten minutes to start, a deadline of half a minute: Kubernetes says so, once; back is what stands of the old one."""
    config = {"max_surge": 1, "max_unavailable": 0, "progress_deadline": "30s", "failure_action": action}
    service = {"deploy": {"replicas": 2, "update_config": config}, "startup": [{"delay": "10min"}]}
    cluster = after(scenario({"web": service}, [{"at": "10s", "update": "web", "cpus": 1}], "120s"))
    stalled = told(cluster, "stalled", "web")
    assert stalled[0] - 10 == pytest.approx(30.05, abs=0.1) and len(stalled) == 1
    back = [one for one in cluster.story.events if one.what == "update" and "back" in (one.why or "")]
    assert len(back) == (action == "rollback") and len(of(cluster).standing("web")) == (3 if action == "pause" else 2)

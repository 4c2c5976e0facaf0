"""What is started again and when, how it is seen, and what a node gives up first."""

from __future__ import annotations

from itertools import islice

import pytest

from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.orchestration import eviction, health, qos, restart
from simvirt.orchestration.swarm_update import SwarmUpdate


def back_off(orchestrator: str) -> restart.Backoff:
    """The waits of an orchestrator of the catalogue."""
    return restart.backoff_of(Catalog.load().typed("orchestrators", orchestrator, OrchestratorEntry))


def test_a_long_run_begins_the_waits_anew() -> None:
    assert list(back_off("compose").waits([1.0, 1.0, 10.0, 1.0])) == [0.1, 0.2, 0.1, 0.2]
    assert list(back_off("kubernetes").waits([0.0] * 7)) == [10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]


def test_the_kubelet_knows_no_back_off_before_the_first_crash() -> None:
    assert list(islice(restart.restarts(back_off("kubernetes"), 10.0, at_once=True), 3)) == [10.0, 30.0, 60.0]
    assert list(islice(restart.restarts(back_off("kubernetes"), 10.0), 3)) == [20.0, 50.0, 100.0]


def test_waits_by_number_are_those_in_a_row() -> None:
    """What orchestrators ask of a task's tries is what runs in a row lead to."""
    for name in ("compose", "kubernetes", "mesos"):
        assert [back_off(name).nth(before) for before in range(12)] == pytest.approx(list(back_off(name).waits([0.0] * 12)))


@pytest.mark.parametrize(("written", "by_hand", "expected"), [
    ("always", True, True), ("unless-stopped", True, False), ("unless-stopped", False, True), ("on-failure:3", False, False),
])
def test_the_daemon_starts_what_its_policy_says(written: str, by_hand: bool, expected: bool) -> None:
    assert restart.docker_policy(written).after_daemon(stopped_by_hand=by_hand) is expected


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="expected no, always"):
        restart.docker_policy("always:3")


def test_swarm_counts_attempts_in_a_window() -> None:
    lasting = restart.SwarmPolicy("on-failure", max_attempts=2)
    assert len(restart.swarm_restarts(lasting, [0.0, 10.0, 20.0, 30.0])) == 2
    recent = restart.SwarmPolicy("on-failure", max_attempts=2, window_s=15.0)
    assert restart.swarm_restarts(recent, [0.0, 10.0, 20.0, 30.0]) == [0.0, 10.0, 20.0, 30.0]
    assert restart.swarm_restarts(recent, [0.0, 1.0, 2.0, 3.0, 20.0]) == [0.0, 1.0, 20.0]
    assert not lasting.again(failed=False)


def test_an_update_goes_on_where_failures_are_allowed() -> None:
    update = SwarmUpdate(parallelism=2, delay_s=10.0, failure_action="rollback", max_failure_ratio=0.2)
    assert (update.action(2, 10), update.action(3, 10), update.workers(1)) == (None, "rollback", 1)
    assert (update.counts(11.0), update.counts(11.5), update.counts(None)) == (True, False, True)
    assert SwarmUpdate().duration_s(0, 5.0) == 0.0


def test_failures_of_a_start_do_not_count_until_it_was_healthy() -> None:
    check = health.HealthCheck(interval_s=10.0, retries=1, start_period_s=20.0)
    assert health.Health().probed(check, ok=False, began_s=19.0).status == "starting"
    assert health.Health().probed(check, ok=False, began_s=20.0).status == "unhealthy"
    assert health.Health("healthy").probed(check, ok=False, began_s=5.0).status == "unhealthy"
    assert list(islice(health.probe_starts(check, lambda at: at >= 10.0, takes_s=1.0), 4)) == [5.0, 11.0, 22.0, 33.0]


def test_a_probe_needs_its_thresholds_in_a_row() -> None:
    probe, seen = health.Probe(success_threshold=2, failure_threshold=2), health.Probed()
    verdicts = []
    for ok in (False, True, True, False, True, False, False):
        seen = seen.after(probe, ok=ok)
        verdicts.append(seen.good)
    assert verdicts == [None, None, True, True, True, True, False]


def test_requests_become_shares_weights_and_scores() -> None:
    assert [qos.cpu_shares(request) for request in (0, 1, 500, 10**9)] == [2, 2, 512, 262144]
    assert [qos.cpu_weight(shares) for shares in (2, 262144)] == [1, 10000]
    assert [qos.cpu_weight_later(shares) for shares in (2, 1024, 262144)] == [1, 100, 10000]
    assert qos.oom_score_adj("Burstable", 2 * 10**9, 8 * 10**9) == 750
    assert qos.oom_score_adj("Burstable", 8 * 10**9, 8 * 10**9) == 3
    assert qos.qos_class([qos.defaulted(qos.Resources(limits={"cpu": 1000, "memory": 2**30}))]) == "Guaranteed"


def test_a_node_gives_up_first_what_uses_more_than_it_asked() -> None:
    pods = [eviction.Candidate("calm", 100, 50), eviction.Candidate("greedy", 100, 300), eviction.Candidate("dear", 100, 900, priority=10)]
    assert [pod.name for pod in eviction.eviction_order(pods)] == ["greedy", "dear", "calm"]
    assert [pod.name for pod in eviction.eviction_order(pods, "pid.available")] == ["greedy", "calm", "dear"]


HARD, SOFT = eviction.Threshold(100.0, 0.0, 50.0), eviction.Threshold(300.0, 90.0, 50.0)
LOOKS: list[tuple[float, float, bool, bool]] = [  # instant, available, whether a pod goes, whether the node is under pressure
    (0, 400, False, False), (10, 290, False, True), (90, 250, False, True), (100, 250, True, True), (110, 340, True, True),
    (120, 360, False, True), (410, 400, False, True), (430, 400, False, False), (440, 90, True, True), (450, 140, True, True),
    (460, 310, False, True), (470, 360, False, True),
]
"""A hard threshold of 100 and a soft one of 300 for 90 s, each with 50 to be reclaimed beyond it."""


def test_thresholds_are_met_after_their_grace_until_enough_is_reclaimed() -> None:
    """The soft one after 90 s (100 - 10), until 350; the condition stays for 300 s after the last look that found one crossed."""
    known = eviction.Pressure()
    for at, available, acts, holds in LOOKS:
        known = eviction.observed([HARD, SOFT], known, available, at)
        assert (known.acts, known.holds(at, 300.0)) == (acts, holds), at


@pytest.mark.parametrize(("cores", "expected"), [(1, 60), (4, 140), (6, 140), (64, 740), (128, 740)])
def test_what_is_kept_back_grows_in_steps(cores: int, expected: int) -> None:
    assert eviction.aks_cpu_m(cores) == expected
    assert eviction.aks_memory_mb(4000.0, 30) == 650.0
    assert eviction.gke_memory_gib(0.5) == pytest.approx(0.249, abs=1e-3)

"""Starting, stopping and crashing: work that competes for CPUs, requests that are answered, rejected or lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from helpers.support import MS, S, after, begun, replications, scenario, service

from simvirt.clock import Clock
from simvirt.control.lifecycle import start
from simvirt.kernel import constants as k

JOB = {"cpu": "4ms"}
STEADY = {"open": {"rate": "100/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}}


def world(timeline: list[dict[str, Any]], duration: str = "10s", **fields: Any) -> Any:
    """Constant arrivals of 4 ms each at one service."""
    given = {"server": service(JOB, **fields.pop("server", {}))} | fields.pop("services", {})
    return scenario(given, fields.pop("workload", STEADY), {"duration": duration, "warmup": "0s"} | fields.pop("run", {}), timeline=timeline, **fields)


def tallies(clock: Clock) -> dict[str, int]:
    """What has become of all requests."""
    return {name: int(clock.plane.read("tallies", name).sum()) for name in ("arrived", "completed", "rejected", "failed")}


def ready_at(spec: Any, service_name: str = "late", platform: int = 0) -> float:
    """Instant at which the first replica of a service takes requests [s], to 1 ms."""
    clock = begun(spec, platform)
    (row, *_) = clock.plane.instances_of(service_name)
    for at in range(MS, 10 * S, MS):
        clock.run(until=at)
        if int(clock.plane.read("instances", "life")[row]) == k.READY:
            return at / S
    return float("inf")


# --- performed work --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheduler", ["eevdf", "cfs", "credit", "gps"])
@pytest.mark.parametrize(("rivals", "factor"), [(0, 1.0), (1, 2.0), (3, 4.0)])
def test_performed_work_competes_for_the_cpu(scheduler: str, rivals: int, factor: float) -> None:
    """A start-up of 300 ms on a core that it shares with n busy threads takes n + 1 times as long."""
    services = {"late": service(JOB, startup=[{"cpu": "300ms"}])}
    if rivals:
        services["hog"] = {"background": {"threads": rivals}}
    spec = scenario(services, {"open": {"rate": "0.001/s"}, "mix": {"late.job": 1}}, {"duration": "10s"},
                    timeline=[{"at": "1s", "start": "late"}], host={"scheduler": scheduler})
    assert ready_at(spec) == pytest.approx(1.0 + 0.3 * factor, abs=0.061)


def test_a_boot_storm_shares_the_cores() -> None:
    """Eight starts of 200 ms at once on two cores: the last is ready after 800 ms."""
    spec = scenario({"late": service(JOB, startup=[{"cpu": "200ms"}], scale=8)}, {"open": {"rate": "0.001/s"}, "mix": {"late.job": 1}},
                    {"duration": "10s"}, timeline=[{"at": "1s", "start": "late"}], host={"cores": 2})
    clock = begun(spec)
    clock.run(until=S + 790 * MS)
    assert int(clock.plane.read("services", "ready_count")[0]) < 8
    clock.run(until=S + 803 * MS)
    assert int(clock.plane.read("services", "ready_count")[0]) == 8


def test_performed_work_is_throttled_like_any() -> None:
    """A start-up of 200 ms under half a CPU takes about 400 ms: it pays for its last burst in full periods."""
    services = {"late": service(JOB, startup=[{"cpu": "200ms"}], cpu_quota="50ms", cpu_period="100ms")}
    spec = scenario(services, {"open": {"rate": "0.001/s"}, "mix": {"late.job": 1}}, {"duration": "10s"},
                    timeline=[{"at": "1s", "start": "late"}], platforms=["docker"], host={"cores": 4})
    assert 1.3 < ready_at(spec) < 1.45


def test_performed_work_uses_the_disk() -> None:
    """Two reads at once on a disk with one arm wait for each other."""
    services = {"late": service(JOB, startup=[{"disk": {"read": "90MB"}}], scale=2)}
    spec = scenario(services, {"open": {"rate": "0.001/s"}, "mix": {"late.job": 1}}, {"duration": "10s"}, timeline=[{"at": "1s", "start": "late"}], host={"disk": "hdd"})
    clock = begun(spec)
    clock.run(until=S + 600 * MS)
    assert int(clock.plane.read("services", "ready_count")[0]) == 1
    clock.run(until=S + 1200 * MS)
    assert int(clock.plane.read("services", "ready_count")[0]) == 2


def test_leaving_performed_work_abandons_it() -> None:
    """An interrupted start never makes its instance ready."""
    spec = scenario({"late": service(JOB, startup=[{"cpu": "300ms"}])}, {"open": {"rate": "0.001/s"}, "mix": {"late.job": 1}},
                    {"duration": "10s"}, timeline=[{"at": "9s", "start": "late"}])
    clock = begun(spec)
    (row,) = clock.plane.instances_of("late")

    def guarded() -> Any:
        try:
            yield from start(clock, "late", row)
        except BaseException:
            return

    process = clock.process(guarded())
    clock.run(until=100 * MS)
    process.interrupt()
    clock.run(until=2 * S)
    assert int(clock.plane.read("instances", "life")[row]) != k.READY
    assert not clock.plane._works


# --- stop and drain --------------------------------------------------------------------------------------------------------


def test_a_stopped_service_answers_what_it_has_and_rejects_the_rest() -> None:
    """Four jobs of 100 ms queue up; a stop in the middle lets all of them end."""
    workload = {"open": {"rate": "40/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}}
    spec = world([{"at": "110ms", "stop": "server"}], workload=workload, server={"operations": {"job": [{"cpu": "100ms"}]}})
    clock, _ = after(spec, 0.109)
    before = tallies(clock)
    clock, _ = after(spec, 5.0)
    found = tallies(clock)
    assert found["failed"] == 0
    assert found["completed"] == before["arrived"] - before["rejected"]
    assert found["arrived"] == found["completed"] + found["rejected"]
    (row,) = clock.plane.instances_of("server")
    assert int(clock.plane.read("instances", "life")[row]) == k.STOPPED


def test_draining_one_replica_loses_nothing() -> None:
    clock, _ = after(world([{"at": "1001ms", "stop": "server", "replica": 0}], server={"scale": 3}, host={"cores": 3}), 5.0)
    found = tallies(clock)
    assert found["rejected"] == found["failed"] == 0
    assert found["completed"] >= found["arrived"] - 1


def test_an_idle_service_stops_at_once_and_its_background_with_it() -> None:
    server = {"background": {"threads": 2}, "operations": {"job": [JOB]}, "threads": 1}
    spec = scenario({"server": server}, {"open": {"rate": "0.001/s"}, "mix": {"server.job": 1}}, {"duration": "10s"}, timeline=[{"at": "2s", "stop": "server"}], host={"cores": 4})
    clock, totals = after(spec, 6.0)
    assert totals.busy == pytest.approx(4 * S, abs=MS)
    assert int(clock.plane.read("instances", "life")[0]) == k.STOPPED


# --- crash -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["bare-metal", "docker", "kvm"])
@pytest.mark.parametrize("scheduler", ["eevdf", "credit", "gps"])
def test_a_crash_loses_what_is_under_way_and_nothing_else(platform: str, scheduler: str) -> None:
    """Jobs of 300 ms each 100 ms on four threads: the crash loses those that have not ended."""
    workload = {"open": {"rate": "10/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}}
    server = {"operations": {"job": [{"cpu": "300ms"}]}, "threads": 4}
    spec = world([{"at": "2050ms", "crash": "server"}], workload=workload, server=server, platforms=[platform], host={"cores": 4, "scheduler": scheduler})
    clock, _ = after(spec, 2.0499999)
    before = tallies(clock)
    clock, totals = after(spec, 2.051)
    found = tallies(clock)
    assert found["failed"] == before["arrived"] - before["completed"] > 0
    assert found["completed"] == before["completed"]
    clock, later = after(spec, 6.0)
    found = tallies(clock)
    assert found["arrived"] == found["completed"] + found["failed"] + found["rejected"]
    assert found["rejected"] > 30
    (row,) = clock.plane.instances_of("server")
    assert int(later.cpu_time[row]) == int(totals.cpu_time[row])  # a dead service computes nothing


def test_a_crash_with_a_restart_takes_requests_again() -> None:
    server = {"startup": [{"cpu": "200ms"}]}
    clock, _ = after(world([{"at": "2001ms", "crash": "server", "restart": "500ms"}], server=server), 9.0)
    found = tallies(clock)
    assert found["rejected"] == pytest.approx(70, abs=2)  # 0.7 s at 100/s
    assert found["completed"] == found["arrived"] - found["rejected"] - found["failed"]
    assert found["failed"] <= 1


def test_a_crash_of_the_callee_fails_the_callers_requests() -> None:
    """Requests whose call is lost are lost; later ones find no replica and are rejected."""
    services = {"back": service({"cpu": "50ms"}, threads=2)}
    spec = scenario({"server": service(JOB, {"call": "back.job"}, threads="unlimited")} | services, {"open": {"rate": "20/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}},
                    {"duration": "10s", "warmup": "0s"}, timeline=[{"at": "2030ms", "crash": "back"}], host={"cores": 4})
    clock, _ = after(spec, 5.0)
    found = tallies(clock)
    assert found["failed"] == 1
    assert found["rejected"] > 50
    assert found["arrived"] - sum(found[name] for name in ("completed", "rejected", "failed")) <= 1


def test_a_crash_of_the_caller_lets_the_callee_finish() -> None:
    """The callee does not learn of it: it computes to the end, and takes other calls after that."""
    back = service({"cpu": "200ms"})
    spec = scenario({"server": service({"call": "back.job"}, threads="unlimited"), "back": back}, {"open": {"rate": "1/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}},
                    {"duration": "10s", "warmup": "0s"}, timeline=[{"at": "1100ms", "crash": "server", "restart": "10ms"}], host={"cores": 2})
    clock, totals = after(spec, 8.5)
    found = tallies(clock)
    assert found["failed"] <= 1
    (row,) = clock.plane.instances_of("back")
    assert int(totals.cpu_time[row]) == pytest.approx((found["completed"] + found["failed"]) * 200 * MS, abs=200 * MS)


def test_a_late_start_adds_capacity_from_then_on() -> None:
    """Overload until a second replica comes: then the line is worked off."""
    workload = {"open": {"rate": "150/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}}
    timeline = [{"at": "3s", "start": "server", "replica": 1}]
    spec = world(timeline, workload=workload, server={"scale": 2, "operations": {"job": [{"cpu": "10ms"}]}}, host={"cores": 2}, duration="30s")
    clock, _ = after(spec, 3.0)
    waiting = int(clock.plane.read("tallies", "in_system")[0])
    assert waiting == pytest.approx(150, abs=3)
    clock, _ = after(spec, 3.1)
    assert int(clock.plane.read("instances", "in_flight").min()) > 0


@pytest.mark.parametrize("platform", ["bare-metal", "docker", "kvm"])
def test_what_happened_is_in_the_result(platform: str) -> None:
    (outcome,) = replications(world([{"at": "2001ms", "crash": "server", "restart": "1s"}], platforms=[platform]))
    assert outcome.rejected == pytest.approx(0.1, abs=0.01)
    assert set(outcome.checks.values()) == {"ok"}


def test_start_up_that_draws_more_than_a_request_changes_no_request() -> None:
    """Nothing starts in this run; the draws of requests stand in rows that are as wide as the widest itinerary."""
    long = [{"cpu": {"exponential": f"{n}ms"}} for n in (1, 2, 3)]
    found = [replications(scenario({"server": service({"cpu": {"exponential": "2ms"}}, threads=1, **more)}, {"open": {"rate": "200/s"}}, {"requests": 5000, "warmup": "0s"}))[0]
             for more in ({}, {"startup": long})]
    assert (found[0].histogram == found[1].histogram).all()


# --- room ------------------------------------------------------------------------------------------------------------------


def busy_rows(clock: Clock) -> int:
    """Frames in use; free and used ones together are all there are."""
    used = int((clock.plane.read("frames", "kind") != k.NONE).sum())
    assert used + int(clock.plane.read("run", "free_frames")[0]) == int(clock.plane.read("run", "frames")[0]) == len(clock.plane.read("frames", "kind"))
    assert int(clock.plane.read("run", "fresh_entity")[0]) <= int(clock.plane.read("run", "entities")[0]) == len(clock.plane.read("entities", "state"))
    return used


def test_a_late_start_of_many_threads_finds_room() -> None:
    """Requests have taken the rows that 2000 background threads were meant for."""
    services = {"web": service({"delay": "100s"}, threads="unlimited"), "hog": {"background": {"threads": 2000, "duty": 0.1, "period": "1s"}}}
    workload = {"open": {"rate": "1000/s", "arrivals": "deterministic"}, "mix": {"web.job": 1}}
    clock, _ = after(scenario(services, workload, {"duration": "9s"}, timeline=[{"at": "5s", "start": "hog"}]), 6.0)
    assert busy_rows(clock) == pytest.approx(8000, abs=2)


def test_starting_what_is_up_changes_nothing() -> None:
    """Four starts of a service with one background thread: one thread."""
    services = {"hog": {"background": {"threads": 1}}}
    timeline = [{"at": "0s", "stop": "hog"}, *({"at": f"{n}s", "start": "hog"} for n in (1, 2, 3, 4))]
    clock, totals = after(scenario(services, None, {"duration": "10s"}, timeline=timeline, host={"cores": 8}), 9.0)
    assert busy_rows(clock) == 1
    assert totals.busy == pytest.approx(8 * S, abs=MS)


def test_a_start_while_it_stops_happens_after_it() -> None:
    """A replica stopped in the middle of a job of one second, and started again meanwhile, answers it and then takes others."""
    workload = {"open": {"rate": "1/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}}
    timeline = [{"at": "1100ms", "stop": "server"}, {"at": "1200ms", "start": "server"}]
    spec = world(timeline, workload=workload, server={"operations": {"job": [{"cpu": "900ms"}]}, "startup": [{"cpu": "10ms"}]})
    clock, _ = after(spec, 9.5)
    found = tallies(clock)
    assert found["failed"] == 0 and found["completed"] >= 7
    (row,) = clock.plane.instances_of("server")
    assert int(clock.plane.read("instances", "life")[row]) == k.READY


def test_what_an_instance_performs_ends_with_it() -> None:
    """A replica stopped during its start-up, which waits for a disk, does not become ready."""
    services = {"late": service(JOB, startup=[{"disk": {"read": "90MB"}}])}
    timeline = [{"at": "1s", "start": "late"}, {"at": "1100ms", "stop": "late"}]
    spec = scenario(services, {"open": {"rate": "0.001/s"}, "mix": {"late.job": 1}}, {"duration": "10s"}, timeline=timeline, host={"disk": "hdd"})
    clock = begun(spec)
    (row,) = clock.plane.instances_of("late")
    clock.plane.stop(row)
    clock.run(until=5 * S)
    assert int(clock.plane.read("instances", "life")[row]) == k.STOPPED


def test_no_room_ends_the_run_and_nothing_lies_beyond_the_tables() -> None:
    """A plane that may not grow takes no more errands."""
    services = {"hog": {"background": {"threads": 300, "duty": 0.1, "period": "1s"}, "startup": [{"cpu": {"exponential": "1ms"}}]}}
    clock = begun(scenario(services, None, {"duration": "10s"}))
    plane = clock.plane
    plane._most_frames = int(plane.read("run", "frames")[0])
    (row,) = plane.instances_of("hog")
    for _ in range(plane._most_frames):
        with plane.perform(plane.lowered.startup["hog"], row) as done:
            assert not done.triggered
    assert plane.full
    assert busy_rows(clock) == plane._most_frames
    assert plane.catch_up(S) is None


# --- places ----------------------------------------------------------------------------------------------------------------


def test_an_instance_is_placed_while_it_is_down() -> None:
    """A place brings its cgroup's limits: a quarter of a CPU instead of the half that the scenario gives."""
    server = {"background": {"threads": 1}, "cpu_quota": "50ms", "cpu_period": "100ms"}
    spec = scenario({"hog": server}, None, {"duration": "10s"}, timeline=[{"at": "0s", "stop": "hog"}, {"at": "2s", "start": "hog"}], platforms=["docker"])
    clock = begun(spec)
    (instance,) = (i for i in clock.plane.lowered.arrangement.instances if i.service == "hog")
    assert instance.group is not None
    with pytest.raises(ValueError, match="is up"):
        clock.plane.place(instance.row, instance.place)
    clock.run(until=S)
    clock.plane.place(instance.row, replace(instance.place, group=replace(instance.group, fence=replace(instance.group.fence, quota=25 * MS))))
    clock.run(until=6 * S)
    assert int(clock.plane.read("instances", "cpu_time")[instance.row]) == pytest.approx(S, abs=80 * MS)

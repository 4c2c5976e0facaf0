"""Timelines of any verbs at any instants: tables hold, nobody gains or loses a thread, and requests are accounted for.

On a kernel with bounds checks (`SIMVIRT_BOUNDSCHECK=1`) a verb that launches work without asking for room raises here.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, Final

import pytest
from helpers.support import S, begun, scenario, service

from simvirt.clock import Clock
from simvirt.kernel import constants as k
from simvirt.metrics.measure import checks
from simvirt.gauges import snapshot

STEPS: Final = ({"cpu": "2ms"}, {"disk": {"read": "64KiB"}}, {"delay": "300ms"}, {"cpu": {"exponential": "20ms"}})
PLATFORMS: Final = ("bare-metal", "docker", "kvm", "xen-pv")


def background_threads(clock: Clock, row: int) -> int:
    """Background threads that an instance has."""
    frames = clock.plane.columns["frames"]
    return sum(kind == k.BACKGROUND and at == row for kind, at in zip(frames["kind"], frames["instance"], strict=True))


def random_world(seed: int) -> Any:
    """Two services with background threads and start-ups, one of them called, and up to twelve events."""
    draws = random.Random(seed)
    services = {name: service(draws.choice(STEPS), scale=draws.randint(1, 3), **some(draws)) for name in ("web", "hog")}
    services["web"]["operations"] = {"job": [draws.choice(STEPS), {"call": "hog.job"}, draws.choice(STEPS)]}
    events = [event(draws) for _ in range(draws.randint(1, 12))]
    load = draws.choice([{"open": {"rate": "200/s"}}, {"closed": {"clients": 20, "think": "10ms"}}])
    return scenario(services, load | {"mix": {"web.job": 1}}, {"duration": "3s", "warmup": "0s"}, timeline=events,
                    platforms=[draws.choice(PLATFORMS)], host={"cores": 2})


def some(draws: random.Random) -> dict[str, Any]:
    """Background threads, start-up work and worker threads, each or not."""
    found = {
        "background": {"threads": draws.choice([1, 3, 200]), "duty": draws.choice([0.05, 1]), "period": "50ms"},
        "startup": [draws.choice(STEPS) for _ in range(draws.randint(1, 3))],
        "threads": draws.randint(1, 30), "queue": draws.choice([0, 5, 1000]),
    }
    return {key: value for key, value in found.items() if draws.random() < 0.6}


def event(draws: random.Random) -> dict[str, Any]:
    """An event; several may be at one instant."""
    verb = draws.choice(["start", "start", "stop", "crash"])
    restart = {"restart": draws.choice(["0s", "1us", "200ms"])} if verb == "crash" and draws.random() < 0.7 else {}
    return {"at": f"{draws.choice([0, 0, 100, 500, 500, 1000, 1500, 2900])}ms", verb: draws.choice(["web", "hog"])} | restart


@pytest.mark.parametrize("seed", range(40))
def test_any_timeline_keeps_threads_and_requests(seed: int) -> None:
    """Replicas that are up have as many background threads as stated, others have none; every request is somewhere."""
    spec = random_world(seed)
    clock = begun(spec)
    for at in (S // 2, S, 3 * S // 2, 3 * S):
        clock.run(until=at)
        assert {**checks(clock.plane, snapshot(clock.plane, at))} == dict.fromkeys(("little", "flow", "utilisation_law"), "ok")
        for name, stated in spec.services.items():
            threads = stated.background.threads if stated.background is not None else 0
            for row in clock.plane.instances_of(name):
                up = int(clock.plane.read("instances", "life")[row]) in (k.READY, k.DRAINING)
                assert background_threads(clock, row) == (threads if up else 0)
    free = int(clock.plane.read("run", "free_frames")[0])
    kinds = Counter(clock.plane.columns["frames"]["kind"])
    assert free == kinds[k.NONE]


def test_starting_what_runs_has_no_effect() -> None:
    """However often it is started: threads do not multiply."""
    events = [{"at": f"{at}s", "start": "hog"} for at in range(1, 6)]
    spec = scenario({"hog": {"background": {"threads": 100, "duty": 0.1, "period": "1s"}}}, None, {"duration": "10s"}, timeline=events)
    clock = begun(spec)
    clock.run(until=9 * S)
    (row,) = clock.plane.instances_of("hog")
    assert background_threads(clock, row) == 100


def test_background_threads_start_beside_requests_that_have_taken_the_rows() -> None:
    """Three thousand threads at once, after a thousand requests a second have filled what there was."""
    services = {"web": service({"delay": "100s"}), "hog": {"background": {"threads": 3000, "duty": 0.1, "period": "1s"}}}
    spec = scenario(services, {"open": {"rate": "1000/s"}, "mix": {"web.job": 1}}, {"duration": "7s"}, timeline=[{"at": "2s", "start": "hog"}])
    clock = begun(spec)
    clock.run(until=6 * S)
    (row,) = clock.plane.instances_of("hog")
    assert background_threads(clock, row) == 3000


def test_as_many_replicas_as_there_are_can_be_ready_at_one_instant() -> None:
    """More ends of start-ups than the kernel can say at a time: none is lost."""
    spec = scenario({"late": service({"cpu": "1ms"}, scale=6000)}, {"open": {"rate": "1/s"}, "mix": {"late.job": 1}}, {"duration": "2s"},
                    timeline=[{"at": "1s", "start": "late"}])
    clock = begun(spec)
    clock.run(until=S + S // 2)
    assert int(clock.plane.read("services", "ready_count")[0]) == 6000

"""Pulls whose source dies, is cut off or falls silent while they are under way: who waits learns of it, and asks again as its runtime does."""

from __future__ import annotations

from typing import Any

import pytest
import simpy
import yaml
from helpers.pull_worlds import Bench
from helpers.pull_worlds import image as made_of
from helpers.support import S, service, write

from simvirt.catalog import Catalog
from simvirt.catalog.entries.images import RegistryEntry
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.control.fetching import Fetching
from simvirt.control.pull import Pulls, pull
from simvirt.control.registries import Registry
from simvirt.control.transfers import Transfers
from simvirt.images.resolve import named_engine
from simvirt.network.topology import Endpoint, Topology
from simvirt.runs.replicate import make_plane
from simvirt.scenario import loads

GBIT = 1e9
SIZE = 1_250_000_000
"""Bytes that take ten seconds over a link of 1 Gbit/s."""


class Cluster4:
    """Hosts at one switch, each with 1 Gbit/s, and a registry: on one of them, or outside."""

    def __init__(self, puller: str = "docker", registry: str = "node[3]", **more: Any) -> None:
        self.clock = simpy.Environment()
        outside = [] if registry.startswith("node") else [Endpoint(registry, 1e12)]
        self.transfers = Transfers(self.clock, Topology([(f"node[{n}]", GBIT) for n in range(4)], across_ns=0, outside=outside))
        catalog = Catalog.load()
        engine = named_engine(catalog, puller, catalog.host_model())
        self.told: list[tuple[float, str]] = []
        self.pulls = Pulls(
            self.clock, self.transfers, Bench(self.clock), lambda _: engine, "node[{}]".format,
            told=lambda host, image, why: self.told.append((self.clock.now / S, why)))
        entry = catalog.typed("registries", "local", RegistryEntry).model_copy(update={"stream": None, "latency": 0.0})
        self.registry = Registry("local", registry, entry, **more)

    def pull(self, host: int, *sizes: int) -> simpy.Process:
        """A pull that begins now."""
        return self.clock.process(pull(self.pulls, host, made_of("app", *sizes or (SIZE,)), self.registry))

    def at(self, seconds: float, what: Any, *given: Any) -> None:
        """Something that happens at an instant."""
        def later() -> Any:
            yield self.clock.timeout(round(seconds * S))
            what(*given)

        self.clock.process(later())

    def lose(self, host: int) -> None:
        """A host is gone, with all that it pulled."""
        self.pulls.lose({host})
        self.transfers.lose(f"node[{host}]")


def test_a_puller_gives_a_registry_up_that_is_gone_and_fails_after_the_attempts_of_its_runtime() -> None:
    """Docker makes five attempts.

    The first ends with the keepalive of its connection 300 s after it fell silent, each of the others waits 5 s times its number and finds no
    connection within 30 s.
    """
    world = Cluster4()
    done = world.pull(0)
    world.at(4, world.lose, 3)
    found = world.clock.run(done)
    assert found.failure == "the registry does not answer" and found.moved == 0
    assert found.done / S == pytest.approx(4 + 300 + (5 + 10 + 15 + 20) + 4 * 30, abs=0.01)
    assert world.registry.sent == 0 and world.transfers.carried().max() == pytest.approx(SIZE * 0.4, rel=1e-6), "what left, left"


def test_a_puller_learns_from_a_registry_that_is_back_and_has_its_layer_at_the_next_attempt() -> None:
    world = Cluster4()
    done = world.pull(0)
    world.at(4, world.lose, 3)
    world.at(60, world.transfers.regain, "node[3]")
    found = world.clock.run(done)
    assert found.failure is None and found.moved == SIZE
    assert found.arrived / S == pytest.approx(60 + 5 + 10, abs=0.01), "reset at the boot, the first retry after 5 s, ten seconds of transfer"


def test_a_kubelet_backs_off_and_says_so() -> None:
    world = Cluster4("kubelet")
    done = world.pull(0)
    world.at(4, world.lose, 3)
    world.at(400, world.transfers.regain, "node[3]")
    found = world.clock.run(done)
    waits = [why.split("again in ")[1] for _, why in world.told]
    assert waits == ["10 s", "20 s", "40 s"][: len(waits)] and found.failure is None and found.tries == len(waits) + 1
    assert world.told[0][0] == pytest.approx(304, abs=0.01), "image_pull_progress_timeout"


def test_among_peers_another_host_hands_the_layer_on() -> None:
    """Both got it from the first; once they know that this is gone, one gets it from the registry, and who counted on it from that one."""
    world = Cluster4(registry="hub", peers=True)
    first, others = world.pull(0), [world.pull(1), world.pull(2)]
    world.at(4, world.lose, 0)
    world.at(100, world.transfers.regain, "node[0]")
    records = [world.clock.run(one) for one in others]
    assert [one.arrived / S for one in records] == [pytest.approx(100 + 5 + 10, abs=0.01)] * 2 and not any(one.failure for one in records)
    assert world.clock.run(first).failure == "its kernel is gone"
    assert world.registry.sent == SIZE, "what the first host did not get whole does not count"


def test_a_mirror_that_dies_fetches_anew_what_had_not_come() -> None:
    world = Cluster4(registry="node[3]")
    world.registry.upstream = Registry("hub", "node[2]", world.registry.entry)
    done = world.pull(0)
    world.at(4, world.lose, 3)
    world.at(20, world.transfers.regain, "node[3]")
    found = world.clock.run(done)
    assert found.failure is None and (world.registry.fetched, world.registry.sent, world.registry.upstream.sent) == (SIZE, SIZE, SIZE)


def test_a_registry_that_falls_silent_closes_its_connections() -> None:
    world = Cluster4()
    done = world.pull(0)
    world.at(4, world.registry.silence, world.transfers)
    world.at(8, setattr, world.registry, "up", True)
    found = world.clock.run(done)
    assert found.arrived / S == pytest.approx(4 + 5 + 10, abs=0.01)


def test_what_crosses_a_cut_stands_still_and_goes_on_after_it() -> None:
    world = Cluster4()
    done, beside = world.pull(0), world.transfers.transfer("node[0]", "node[1]", SIZE)
    world.at(4, world.transfers.divide, {f"node[{n}]": (n == 3,) for n in range(4)})
    world.at(104, world.transfers.divide, {})
    found = world.clock.run(done)
    assert found.failure is None and found.arrived / S == pytest.approx(110, abs=0.01)
    assert beside.value is beside and beside.ended_at / S == pytest.approx(10, abs=0.01), "nobody else is held up"


def test_a_cut_longer_than_the_patience_of_a_puller_ends_its_attempt() -> None:
    world = Cluster4("containerd")
    done = world.pull(0)
    world.at(4, world.transfers.divide, {"node[3]": (True,), "node[0]": (False,)})
    assert world.clock.run(done).done / S == pytest.approx(304, abs=0.01)


def test_the_links_of_what_stands_still_are_free() -> None:
    """Two transfers share a link; while one is cut off the other has all of it."""
    world = Cluster4()
    cut, other = (world.transfers.transfer(source, "node[0]", SIZE) for source in ("node[3]", "node[1]"))
    world.at(4, world.transfers.divide, {"node[3]": (True,), "node[0]": (False,)})
    world.at(6, world.transfers.divide, {})
    world.clock.run(simpy.AllOf(world.clock, [cut, other]))
    assert (other.ended_at / S, cut.ended_at / S) == (pytest.approx(18, abs=0.01), pytest.approx(20, abs=0.01))
    assert world.transfers.carried().sum() == pytest.approx(2 * 2 * SIZE)


# --- on a data plane -----------------------------------------------------------------------------------------------------


def cluster(*events: dict[str, Any], platform: Any = "docker", duration: str = "900s", registries: Any = None, image: str = "postgres:17", **fields: Any) -> tuple[Clock, Cluster]:
    """Three hosts that pull an image from a registry on the first one, of which something fails."""
    services = {"web": service({"delay": "1ms"}, threads="unlimited", scale=3, restart="always") | {"image": image}}
    text = write(services, {"open": {"rate": "1/s"}, "mix": {"web.job": 1}}, {"duration": duration, "warmup": "0s"},
                 timeline=list(events), platforms=[platform], state={"images": "none", "instances": "none"}, **fields)
    document = yaml.safe_load(text)
    document["hosts"] = {"node": document.pop("host") | {"count": 3, "cores": 4, "nic": "1gbe"}}
    document["registries"] = registries or {"own": {"host": "node[0]", "entry": "local"}}
    spec = loads(yaml.safe_dump(document, sort_keys=False))
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), spec.run.seed, 0))
    return clock, begin(clock, spec, catalog)


@pytest.mark.parametrize(("orchestrator", "how"), [("none", "kernel-panic"), ("swarm", "power"), ("kubernetes", "power"), ("mesos", "kernel-panic")])
def test_nobody_waits_for_ever_for_a_registry_on_a_host_that_dies(orchestrator: str, how: str) -> None:
    platform = {"name": "x", "stack": ["docker"], "orchestrator": orchestrator}
    clock, story = cluster({"at": "1s", "fail": "node[0]", "how": how, "for": "60s"}, platform=platform)
    clock.run(until=899 * S)
    assert isinstance(story.fetch, Fetching)
    assert not any(story.fetch.pulls._layers.values()) and not story.fetch.pulls._images, "no pull is under way"
    ready = [life.host for life in story.lives if life.ready is not None]
    assert len(ready) == 3


@pytest.mark.parametrize(("orchestrator", "again"), [("none", False), ("compose", False), ("swarm", True), ("mesos", True)])
def test_an_image_that_cannot_be_pulled_is_the_end_of_a_start_that_is_told(orchestrator: str, again: bool) -> None:
    """Where the engine gives up, Compose and the engine alone leave it at that, Swarm and Marathon try another task."""
    platform = {"name": "x", "stack": ["docker"], "orchestrator": orchestrator}
    clock, story = cluster({"at": "0s", "fail": "hub", "how": "registry", "for": "300s"}, platform=platform, registries={"hub": {"entry": "region"}})
    clock.run(until=899 * S)
    told = [event for event in story.story.events if event.what == "pull fails"]
    assert {event.where for event in told} == {"node[0]", "node[1]", "node[2]"} and "does not answer" in (told[0].why or "")
    assert (sum(life.ready is not None for life in story.lives) == 3) == again


def test_a_build_that_dies_with_its_host_is_made_anew() -> None:
    images = {"shop": {"build": [{"name": "code", "size": "10MiB", "work": "60s", "changed": True}]}}
    clock, story = cluster({"at": "30s", "fail": "node[0]", "for": "10s"}, registries={"hub": {"entry": "region"}}, image="shop", images=images)
    clock.run(until=899 * S)
    assert {life.host for life in story.lives if life.ready is not None} == {0, 1, 2}

"""Large transfers: ends in whole nanoseconds, bytes conserved, links never exceeded, rates those of max-min fairness at every instant."""

import math
import random
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import simpy

from simvirt.control.transfers import Transfer, Transfers
from simvirt.network import Endpoint, Topology, max_min
from simvirt.scenario.spec.network import NetworkSpec

Process = Generator[simpy.Event, Any, None]
Sent = tuple[int, str, str, int, float | None]
"""Instant [ns], from where, to where, bytes, cap [bytes/s]."""


def hosts(n: int, *outside: Endpoint, spec: dict[str, Any] | None = None, across_ns: int = 0) -> tuple[simpy.Environment, Transfers]:
    """Transfers between hosts of 8 Gbit/s: a byte a nanosecond."""
    env = simpy.Environment(initial_time=0)
    network = None if spec is None else NetworkSpec.model_validate(spec)
    return env, Transfers(env, Topology([(f"n[{i}]", 8e9) for i in range(n)], network, across_ns=across_ns, outside=outside))


def after(env: simpy.Environment, transfers: Transfers, at: int, ends: dict[str, int], name: str, *args: Any) -> None:
    """Begin a transfer at an instant, and note when it has arrived."""

    def run() -> Process:
        yield env.timeout(at)
        yield transfers.transfer(*args)
        ends[name] = int(env.now)

    env.process(run())


def test_alone_with_its_latency() -> None:
    env, transfers = hosts(2, across_ns=50)
    ends: dict[str, int] = {}
    after(env, transfers, 10, ends, "a", "n[0]", "n[1]", 1000)
    env.run()
    assert ends == {"a": 1060}


def test_shares_change_when_one_begins_and_ends() -> None:
    env, transfers = hosts(3)
    ends: dict[str, int] = {}
    after(env, transfers, 0, ends, "a", "n[0]", "n[1]", 1000)
    after(env, transfers, 500, ends, "b", "n[0]", "n[2]", 1000)  # each has half until a's last 500 bytes are gone at 1500
    env.run()
    assert ends == {"a": 1500, "b": 2000} and env.now == 2000


def test_ends_are_whole_nanoseconds_and_never_early() -> None:
    env, transfers = hosts(2)
    ends: dict[str, int] = {}
    for n in range(3):
        after(env, transfers, 0, ends, str(n), "n[0]", "n[1]", 1000 + n)
    env.run()
    assert ends == {"0": 3000, "1": 3002, "2": 3003}


def test_a_cap_leaves_the_rest_to_others() -> None:
    env, transfers = hosts(2)
    ends: dict[str, int] = {}
    after(env, transfers, 0, ends, "slow", "n[0]", "n[1]", 1000, 1e8)
    after(env, transfers, 0, ends, "fast", "n[0]", "n[1]", 900)
    env.run()
    assert ends == {"slow": 10_000, "fast": 1000}


def test_inside_a_host_and_of_nothing() -> None:
    env, transfers = hosts(2, across_ns=7)
    ends: dict[str, int] = {}
    after(env, transfers, 3, ends, "inside", "n[0]", "n[0]", 10**9)
    after(env, transfers, 3, ends, "copied", "n[0]", "n[0]", 100, 1e9)
    after(env, transfers, 3, ends, "nothing", "n[0]", "n[1]", 0)
    env.run()
    assert ends == {"inside": 3, "copied": 103, "nothing": 10}


def test_directions_are_apart() -> None:
    env, transfers = hosts(2)
    ends: dict[str, int] = {}
    after(env, transfers, 0, ends, "there", "n[0]", "n[1]", 1000)
    after(env, transfers, 0, ends, "back", "n[1]", "n[0]", 1000)
    env.run()
    assert ends == {"there": 1000, "back": 1000}


def test_what_is_given_up_frees_its_share_and_does_not_happen() -> None:
    env, transfers = hosts(2)
    ends: dict[str, int] = {}
    after(env, transfers, 0, ends, "stays", "n[0]", "n[1]", 1000)
    gone = transfers.transfer("n[0]", "n[1]", 1000)

    def give_up() -> Process:
        yield env.timeout(1000)
        gone.cancel()
        gone.cancel()

    env.process(give_up())
    env.run()
    assert ends == {"stays": 1500} and not gone.triggered and gone.carried == 500
    assert transfers.carried().tolist() == [1500, 0, 0, 1500]


def test_one_given_up_while_its_last_byte_travels() -> None:
    env, transfers = hosts(2, across_ns=100)
    gone = transfers.transfer("n[0]", "n[1]", 1000)

    def give_up() -> Process:
        yield env.timeout(1050)
        gone.cancel()

    env.process(give_up())
    env.run()
    assert not gone.triggered and transfers.carried().tolist() == [1000, 0, 0, 1000]


def test_what_happens_at_one_instant_changes_rates_once(monkeypatch: pytest.MonkeyPatch) -> None:
    env, transfers = hosts(3)
    changes: list[int] = []
    fair = Transfers._fair

    def counted(self: Transfers, left: Any) -> Any:
        changes.append(int(env.now))
        return fair(self, left)

    monkeypatch.setattr(Transfers, "_fair", counted)

    def chain() -> Process:
        for _ in range(3):
            yield transfers.transfer("n[0]", "n[1]", 100)

    for _ in range(10):
        env.process(chain())
    env.run()
    assert changes == [0, 1000, 2000, 3000]


SPEC = {"switches": ["a", "b"], "links": [
    {"from": "n[0-2]", "to": "a"}, {"from": "n[3-5]", "to": "b"}, {"from": "a", "to": "b", "bandwidth": "12Gbps", "latency": "3us"}]}


@pytest.mark.parametrize("seed", range(6))
def test_random_transfers_against_small_steps_of_max_min_rates(seed: int) -> None:
    """Ends as those of a plain loop over all transfers; at random instants no link has carried more than it can, and all that it was sent."""
    rng = random.Random(seed)
    env, transfers = hosts(6, Endpoint("hub", 20e9), spec=SPEC)
    sent: list[Sent] = []
    for _ in range(40):
        source, to = rng.sample([f"n[{i}]" for i in range(6)] + ["hub"], 2)
        sent.append((rng.randrange(20_000), source, to, rng.randrange(1, 10_000), rng.choice([None, None, 0.3e9])))
    made: list[Transfer] = []
    ends: dict[int, int] = {}

    def run(n: int) -> Process:
        at, source, to, size, cap = sent[n]
        yield env.timeout(at)
        made.append(transfers.transfer(source, to, size, cap))
        transfer = yield made[-1]
        ends[n] = transfer.ended_at

    def look() -> Process:
        before, since = np.zeros(len(transfers.capacities)), 0
        while True:
            yield env.timeout(rng.randrange(1, 3000))
            now = transfers.carried()
            assert (now - before <= transfers.capacities * (env.now - since) * (1 + 1e-9) + 1e-6).all()
            for row, amount in enumerate(now):
                assert amount == pytest.approx(sum(t.carried for t in made if row in t.route.links), abs=1e-3)
            before, since = now, int(env.now)

    for n in range(len(sent)):
        env.process(run(n))
    env.process(look())
    env.run(until=200_000)
    assert ends == pytest.approx(plain_ends(transfers, sent), abs=10)  # each is up to a nanosecond late, which later ones inherit


def plain_ends(transfers: Transfers, sent: list[Sent]) -> dict[int, float]:
    """When the last byte of each has left, from one begin or end to the next."""
    paths = [transfers.topology.route(source, to).links for _, source, to, _, _ in sent]
    left = [float(size) for _, _, _, size, _ in sent]
    ends: dict[int, float] = {}
    now = 0.0
    while len(ends) < len(sent):
        live = [n for n, (at, *_) in enumerate(sent) if at <= now and n not in ends]
        rates = max_min(transfers.capacities, [paths[n] for n in live], [(sent[n][4] or math.inf) / 1e9 for n in live])
        step = min([left[n] / rate for n, rate in zip(live, rates, strict=True)] + [at - now for at, *_ in sent if at > now])
        now += step
        for n, rate in zip(live, rates, strict=True):
            left[n] -= rate * step
            if left[n] <= 1e-6:
                ends[n] = now
    return ends


def test_a_storm_takes_little_time() -> None:
    """Three hundred pulls of three layers through one registry by two hundred hosts, none at the same instant as another."""
    env, transfers = hosts(200, Endpoint("hub", 40e9))
    rng = random.Random(1)

    def pull(n: int) -> Process:
        yield env.timeout(rng.randrange(10**6))
        for _ in range(3):
            yield transfers.transfer("hub", f"n[{n % 200}]", rng.randrange(10**5, 10**7))

    for n in range(300):
        env.process(pull(n))
    env.run()
    hub = transfers.topology.route("hub", "n[0]").links[0]
    assert transfers.carried()[hub] / transfers.capacities[hub] == pytest.approx(env.now, rel=0.05)  # busy nearly all the time

"""Which runs are overloaded, and what is said of a load beyond the capacity: by how much, and only where that is sure."""

from __future__ import annotations

import re

import pytest

from simvirt.metrics.saturated import Saturation
from simvirt.metrics.warnings import Seen, warnings
from simvirt.runs.run import Result, run
from simvirt.scenario import loads

QUEUE = """
simvirt: 1
name: queue
host: {cores: 1, memory: 4GiB}
platforms: [bare-metal]
services: {server: {threads: 1, operations: {job: [{cpu: {exponential: 10ms}}]}}}
workload: {open: {rate: 105/s}, mix: {server.job: 1}}
run: {requests: 10000, replications: 3, seed: 1}
"""


@pytest.fixture(scope="module")
def five_percent_more() -> Result:
    """After the last arrival the backlog is worked off, so that over the whole run no more come than are answered."""
    return run(loads(QUEUE), maximum=False)


def said(result: Result, most: Saturation) -> str:
    """What is said of the load."""
    found, = (one for one in warnings(Seen(result.scenario, result.outcomes("bare-metal"), most)) if "offered load" in one)
    return found


@pytest.mark.parametrize(("most", "factor"), [
    (Saturation(), 1.05), (Saturation(101.4, 99.6, 103.0), 1.035), (Saturation(None, 90.0, 200.0), 1.05), (Saturation(50.0), 2.1),
])
def test_a_load_beyond_the_capacity_is_so_many_times_as_large(five_percent_more: Result, most: Saturation, factor: float) -> None:
    """The rate of arrivals, and not that of the whole run, over what can be answered."""
    found = re.fullmatch(r"offered load is (\d\.\d\d) x capacity; the numbers of requests and latencies grow without end",
                         said(five_percent_more, most))
    assert found is not None and float(found[1]) == pytest.approx(factor, rel=0.03) and float(found[1]) > 1


@pytest.mark.parametrize("most", [Saturation(105.0, 101.0, 109.0), Saturation(109.0, 108.0, 110.0), Saturation(109.0)])
def test_a_load_that_is_as_large_as_the_capacity_may_be_has_no_factor(five_percent_more: Result, most: Saturation) -> None:
    text = said(five_percent_more, most)
    assert text.startswith("offered load is about the capacity") and "without end" not in text


THRASHING = """
simvirt: 1
name: thrashing
host: {cores: 4, memory: 4GiB, disk: hdd, swap: 16GiB}
platforms: [docker, kvm]
services:
  app:
    scale: 6
    threads: 8
    memory: {base: 650MiB, hot: 0.9, touch: 400KB}
    operations: {get: [{cpu: 4ms}]}
workload: {open: {rate: 50/s}, mix: {app.get: 1}}
objective: {latency_p99: 1s}
run: {duration: 10s, warmup: 4s, replications: 2, seed: 1}
"""


def test_a_run_that_answers_nothing_is_overloaded() -> None:
    """VMs whose pages do not fit wait for a slow disk all the time: no request is answered, and their number grows."""
    result = run(loads(THRASHING), maximum=False).typed()
    kvm = result.platforms["kvm"]
    assert (kvm.requests, kvm.overload, kvm.bottleneck.resource) == (0, True, "host.disk")
    assert kvm.objective["latency_p99"].met is False
    assert any(one == "kvm: requests arrive and none is answered; the numbers of requests and latencies grow without end"
               for one in result.warnings)
    assert "Overload on kvm" in result.answer and "requests arrive and none is answered (host.disk is used most)" in result.answer


def test_requests_that_last_longer_than_the_run_are_no_overload() -> None:
    """They fill the system and nothing is answered, but nothing is used up either."""
    long = QUEUE.replace("[{cpu: {exponential: 10ms}}]", "[{delay: 1h}]").replace("threads: 1", "threads: 100000")
    found = run(loads(long.replace("{requests: 10000,", "{duration: 20s, warmup: 2s,")), maximum=False).typed()
    assert found.platforms["bare-metal"].requests == 0 and not found.platforms["bare-metal"].overload

"""The maximum throughput that a run states, against what hand calculation gives, and the resource that it names."""

from __future__ import annotations

from typing import Final

import pytest

from simvirt import kernel, loads, run
from simvirt.catalog import Catalog
from simvirt.metrics.saturated import BY_CHANCE, KILLED
from simvirt.result.run_document import Bottleneck
from simvirt.runs.probe import BACKLOG, LONG_RUN, SHORT_RUN, Case, probe, steady

pytestmark = pytest.mark.skipif(kernel.MODE == "plain", reason="a search takes some hundred thousand events")
HOST: Final = "host: {cores: 4, memory: 8GiB}"
BARE: Final = "platforms: [bare-metal]"
JOB: Final = "operations: {j: [{cpu: {exponential: 10ms}}]}"
OPEN: Final = "workload: {open: {rate: 20/s}, local: true}"
SHORTLY: Final = "run: {duration: 5s, replications: 1}"
CASES: Final = {
    "one thread": ("host: {cores: 1, memory: 8GiB}", BARE, f"services: {{s: {{threads: 1, {JOB}}}}}", OPEN, 100, "host.cpu"),
    "offered more than that": (
        "host: {cores: 1, memory: 8GiB}", BARE, "services: {s: {operations: {j: [{cpu: 10ms}]}}}",
        "workload: {open: {rate: 120/s}, local: true}", 100, "host.cpu"),
    "siblings": (
        "host: {cores: 2, smt: 2, memory: 8GiB}", BARE, f"services: {{s: {{threads: 8, {JOB}}}}}", OPEN, 2 * 1.25 * 100, "host.cpu"),
    "quota": (HOST, "platforms: [docker]", f"services: {{s: {{threads: 1, cpus: 0.5, {JOB}}}}}", OPEN, 50, "s.cpu"),
    "clients": (
        "host: {cores: 1, memory: 8GiB}", BARE, f"services: {{s: {{threads: 1, {JOB}}}}}",
        "workload: {closed: {clients: 5, think: {exponential: 1s}}, local: true}", 100, "host.cpu"),
    "threads held by a call": (
        HOST, BARE, "services: {a: {threads: 4, operations: {j: [{cpu: 1ms}, {call: b.k}]}}, b: {operations: {k: [{delay: {exponential: 39ms}}]}}}",
        "workload: {open: {rate: 20/s}, mix: {a.j: 1}, local: true}", 100, "a.threads"),
    "threads of the callee": (
        HOST, BARE, "services: {a: {threads: 64, operations: {j: [{cpu: 1ms}, {call: b.k}]}}, b: {threads: 2, operations: {k: [{delay: 20ms}]}}}",
        "workload: {open: {rate: 20/s}, mix: {a.j: 1}, local: true}", 100, "b.threads"),
    "the scarcer of two operations": (
        HOST, BARE, f"services: {{a: {{threads: 1, {JOB}}}, b: {{threads: 1, operations: {{j: [{{cpu: {{exponential: 1ms}}}}]}}}}}}",
        "workload: {open: {rate: 20/s}, mix: {a.j: 1, b.j: 3}, local: true}", 400, "a.threads"),
    "bursts": (
        "host: {cores: 1, memory: 8GiB}", BARE, f"services: {{s: {{threads: 1, {JOB}}}}}",
        "workload: {open: {mmpp: {rates: [10/s, 300/s], sojourn: [900ms, 100ms]}}, local: true}", 100, "host.cpu"),
    "a queue of eight": (
        "host: {cores: 1, memory: 8GiB}", BARE, f"services: {{s: {{threads: 1, queue: 8, {JOB}}}}}", OPEN, 67.9, "host.cpu"),
    "more threads than requests": (
        HOST, BARE, f"services: {{s: {{threads: 400, {JOB}}}}}", OPEN, 400, "host.cpu"),
    "answers of a megabyte": (
        "host: {cores: 4, memory: 8GiB, nic: 1Gbps}", BARE, "services: {s: {operations: {j: [{net: {out: 1MiB}}]}}}",
        "workload: {open: {rate: 20/s}}", 112.3, "host.nic"),
}
"""Host, platforms, services, workload; the maximum [per second] and what limits it.

M/M/1/9 rejects 1 % at 0.679 of what its server can do: (1 - r) r^9 / (1 - r^10) = 0.01.
1 MiB is 725 segments of 1,448 bytes with 90 bytes of headers and gaps each: 1,113,826 bytes, 112.2 a second through 1 Gbit/s.
"""


@pytest.mark.parametrize("name", CASES)
def test_the_maximum_is_what_a_hand_computes(name: str) -> None:
    *text, expected, resource = CASES[name]
    found = run(loads("\n".join(["simvirt: 1", f"name: {name}", *map(str, text), SHORTLY]), "maximum.yaml"))
    (platform,) = found.typed().platforms.values()
    assert platform.bottleneck.max_throughput_per_s == pytest.approx(expected, rel=0.025)
    assert platform.bottleneck.resource == resource


def bottleneck(*lines: str) -> Bottleneck:
    """What is said of the one platform of a scenario on which requests arrive at 20/s."""
    (platform,) = run(loads("\n".join(["simvirt: 1", "name: maximum", *lines, OPEN, SHORTLY]), "maximum.yaml")).typed().platforms.values()
    return platform.bottleneck


@pytest.mark.parametrize(("heap", "known"), [("32MiB", True), ("256MiB", False)])
def test_memory_that_requests_leave_in_the_long_run_counts(heap: str, known: bool) -> None:
    """A hundred requests of 64 KiB fit a limit of 128 MiB, a heap of twice that does not: the replica is killed again and again."""
    memory = f"memory: {{base: 8MiB, growth: 64KiB, heap: {heap}}}"
    found = bottleneck(HOST, "platforms: [docker]", f"services: {{s: {{threads: 4, mem_limit: 128MiB, {memory}, {JOB}}}}}")
    assert (found.max_throughput_per_s is not None) == known
    assert found.reason == ("" if known else KILLED)


def test_where_a_backlog_lowers_what_is_sustained_chance_decides() -> None:
    """A quota of a CPU is spent by one or two threads at full speed, by eight at that of siblings: 100/s alone, less with a backlog."""
    host = "host: {cores: 4, smt: 2, memory: 8GiB}"
    found = bottleneck(host, "platforms: [docker]", "services: {s: {threads: 16, cpus: 1, operations: {j: [{cpu: {exponential: 10ms}}]}}}")
    low, high = found.max_throughput_low_per_s, found.max_throughput_high_per_s
    assert low is not None and high is not None
    assert 0.55 * 100 < low < high < 1.03 * 100
    assert found.max_throughput_per_s is not None or found.reason == BY_CHANCE


@pytest.mark.parametrize(("service", "drains"), [("threads: 16, cpus: 1, ", False), ("threads: 16, ", True)])
def test_a_backlog_is_worked_off_only_where_it_does_not_slow_down_what_works_it_off(service: str, drains: bool) -> None:
    """Of 16 threads with a backlog siblings share cores, and spend a quota at 62.5 % of their speed: less than 92 % of what one at a time has."""
    host = f"host: {{cores: {1 if drains else 4}, smt: {1 if drains else 2}, memory: 8GiB}}"
    text = ["simvirt: 1", "name: backlog", host, "platforms: [docker]", f"services: {{s: {{{service}operations: {{j: [{{cpu: 10ms}}]}}}}}}"]
    scenario = loads("\n".join([*text, "workload: {open: {rate: 20/s, arrivals: deterministic}, local: true}", SHORTLY]), "backlog.yaml")
    catalog = Catalog.of(scenario)
    case = Case(steady(scenario), catalog, catalog.platform(scenario.platforms[0]), 1, 0.01)
    found = {kind: probe(case, kind, 92.0, 8000, 0, 10**6).keeps_up for kind in (LONG_RUN, BACKLOG)}
    assert found == {LONG_RUN: True, BACKLOG: drains}


def test_a_run_at_the_same_rate_shows_the_same() -> None:
    """Runs of a search share their tables, and leave them as they were."""
    text = ["simvirt: 1", "name: twice", HOST, "platforms: [docker]", f"services: {{s: {{threads: 4, cpus: 1, {JOB}}}}}", OPEN, SHORTLY]
    scenario = loads("\n".join(text), "twice.yaml")
    catalog = Catalog.of(scenario)
    case = Case(steady(scenario), catalog, catalog.platform(scenario.platforms[0]), 1, 0.01)
    first, again = (probe(case, SHORT_RUN, 90.0, 1500, 0, 10**6) for _ in range(2))
    assert first == again


def test_the_warning_of_an_overload_is_about_the_maximum_and_not_what_a_backlog_leaves_of_it() -> None:
    """120/s of constant 10 ms on one core: 1.2 times what it can; it answers some 83/s meanwhile, as all jobs share the core."""
    text = (
        "simvirt: 1\nname: x\nhost: {cores: 1, memory: 8GiB}\nplatforms: [bare-metal]\nservices: {s: {operations: {j: [{cpu: 10ms}]}}}\n"
        "workload: {open: {rate: 120/s}, local: true}\nrun: {duration: 30s, replications: 1}\n")
    result = run(loads(text))
    said, = [warning for warning in result.warnings() if "x capacity" in warning]
    assert float(said.partition("offered load is ")[2].partition(" x")[0]) == pytest.approx(1.2, rel=0.03)


def test_the_rate_that_a_run_carried_is_the_least_that_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing may be spent on a search, 5,000 requests that were answered at 50/s say that it is at least that."""
    from simvirt.runs import saturation

    monkeypatch.setattr(saturation, "FLOOR", 1)
    monkeypatch.setattr(saturation, "SHARE", 0.0)
    text = (
        "simvirt: 1\nname: x\nhost: {cores: 1, memory: 8GiB}\nplatforms: [bare-metal]\nservices: {s: {operations: {j: [{cpu: 10ms}]}}}\n"
        "workload: {open: {rate: 50/s}, local: true}\nrun: {duration: 100s, replications: 1}\n")
    found = run(loads(text)).typed().platforms["bare-metal"].bottleneck
    assert (found.max_throughput_per_s, found.max_throughput_low_per_s, found.max_throughput_high_per_s) == (None, 50, None)

"""Several workloads side by side: each as if alone where nothing is shared, all as one where one mix says the same."""

import csv
import io
import math
from collections.abc import Callable

import pytest

import simvirt
from simvirt.analysis.formulas import mm1
from simvirt.catalog import Catalog
from simvirt.density import density
from simvirt.errors import ScenarioError, SimulationError, UsageError
from simvirt.plan import plan
from simvirt.report.formats import rendered
from simvirt.report.run_report import report
from simvirt.validation.facts import Measure
from simvirt.validation.measures import read
from helpers.support import loads

HOST = """
simvirt: 1
name: beside
host: {cores: 4, memory: 16GiB, max_cstate: none}
platforms: [bare-metal]
services:
  fast: {threads: 1, operations: {job: [{cpu: {exponential: 1ms}}], rare: [{cpu: {exponential: 2ms}}]}}
  slow: {threads: 1, operations: {job: [{cpu: {exponential: 20ms}}]}}
"""
OPEN = "{open: {rate: 600/s}, local: true, mix: {fast.job: 1}}"
SLOW = "{open: {rate: 25/s}, local: true, mix: {slow.job: 1}}"
CLOSED = "{closed: {clients: 3, think: {exponential: 20ms}}, local: true, mix: {slow.job: 1}}"
RUN = "run: {duration: 60s, replications: 4}\n"


def answers(text: str, *sets: str) -> simvirt.Result:
    return simvirt.run(loads(text, sets=list(sets)), maximum=False)


def of(result: simvirt.Result, workload: str) -> dict:
    return result.document()["platforms"]["bare-metal"]["workloads"][workload]


def holds(estimate: dict, expected: float) -> bool:
    """Whether a value is within twice its interval of what is expected (four standard errors)."""
    return abs(estimate["value"] - expected) <= 2 * (estimate["high"] - estimate["value"])


def test_workloads_that_share_nothing_are_as_if_alone() -> None:
    """Two M/M/1 queues on four cores, each at its closed form, with the throughput and the quantiles of its own."""
    found = answers(HOST + f"workloads: {{fast: {OPEN}, slow: {SLOW}}}\n" + RUN)
    for name, rate, service in (("fast", 600.0, 0.001), ("slow", 25.0, 0.02)):
        mine, mean = of(found, name), mm1(rate, service).response_s
        assert holds(mine["latency_s"]["mean"], mean) and holds(mine["throughput_per_s"], rate)
        assert holds(mine["latency_s"]["p90"], mean * math.log(10))


def test_clients_beside_arrivals_keep_their_own_closed_form() -> None:
    """M/M/1//3 (machine repair) beside M/M/1: throughput of the clients by the product form."""
    found = answers(HOST + f"workloads: {{fast: {OPEN}, clients: {CLOSED}}}\n" + RUN)
    states = [math.perm(3, n) for n in range(4)]  # service and thinking take as long, so that rho is 1
    busy = 1 - states[0] / sum(states)
    assert holds(of(found, "clients")["throughput_per_s"], busy / 0.02)
    assert holds(of(found, "fast")["latency_s"]["mean"], mm1(600.0, 0.001).response_s)


def test_two_streams_into_one_queue_are_one_poisson_stream() -> None:
    """Halves of a Poisson stream, merged in the order of their instants, meet the queue of the whole, each of them."""
    half = "{open: {rate: 300/s}, local: true, mix: {fast.job: 1}}"
    found = answers(HOST + f"workloads: {{one: {half}, other: {half}}}\n" + RUN)
    mean = mm1(600.0, 0.001).response_s
    assert holds(of(found, "one")["latency_s"]["mean"], mean) and holds(of(found, "other")["latency_s"]["mean"], mean)
    whole = found.document()["platforms"]["bare-metal"]
    assert holds(whole["latency_s"]["mean"], mean) and holds(whole["operations"]["fast.job"]["latency_s"]["mean"], mean)


def test_a_workload_with_a_name_is_the_one_without() -> None:
    """The same numbers to the last bit, and the same maximum throughput."""
    text, run = HOST.replace("cores: 4", "cores: 2"), "run: {duration: 5s, replications: 2}\n"
    named = simvirt.run(loads(text + f"workloads: {{only: {OPEN}}}\n" + run)).document()["platforms"]["bare-metal"]
    plain = simvirt.run(loads(text + f"workload: {OPEN}\n" + run)).document()["platforms"]["bare-metal"]
    del named["wall_s"], plain["wall_s"]
    only = named.pop("workloads")["only"]
    assert named["bottleneck"].pop("max_throughput_of") == "only"
    assert named == plain
    assert only == {key: plain[key] for key in only}


def test_what_one_workload_draws_shifts_no_other() -> None:
    """A further operation in the mix of the first leaves arrivals and demands of the second as they are."""
    text = HOST + f"workloads: {{fast: {OPEN}, slow: {SLOW}}}\nrun: {{duration: 5s, replications: 1}}\n"
    mixed = text.replace("{fast.job: 1}", "{fast.job: 3, fast.rare: 1}")
    assert of(answers(text), "slow")["latency_s"] == of(answers(mixed), "slow")["latency_s"]


def test_a_number_of_requests_is_that_of_all_workloads_together() -> None:
    found = answers(HOST + f"workloads: {{fast: {OPEN}, slow: {SLOW}}}\nrun: {{requests: 2000, replications: 1, warmup: 0s}}\n")
    counts = [of(found, name)["requests"] for name in ("fast", "slow")]
    assert sum(counts) == 2000 and 1840 < counts[0] < 1980


def test_the_maximum_is_that_of_the_first_beside_the_others_as_they_are() -> None:
    """Two workloads that share one core: the first gets what the other, a fifth of it without any chance, leaves."""
    text = HOST.replace("cores: 4", "cores: 1") + f"workloads: {{fast: {OPEN}, slow: {SLOW}}}\nrun: {{duration: 20s, replications: 2}}\n"
    sets = ["workloads.fast.open.rate=200/s", "workloads.slow.open={rate: 10/s, arrivals: deterministic}", "services.slow.operations.job=[{cpu: 20ms}]"]
    found = simvirt.run(loads(text, sets=sets)).document()["platforms"]["bare-metal"]["bottleneck"]
    assert found["max_throughput_of"] == "fast" and found["resource"] == "host.cpu"
    assert found["max_throughput_per_s"] == pytest.approx(800.0, rel=0.03)


def test_each_objective_is_judged_by_its_own_requests() -> None:
    limits = ["workloads.fast.objective={latency_p90: 10ms}", "workloads.slow.objective={latency_p90: 20ms, throughput: 20/s}"]
    found = answers(HOST + f"workloads: {{fast: {OPEN}, slow: {SLOW}}}\n" + RUN, *limits)
    assert {name: verdict["met"] for name, verdict in of(found, "fast")["objective"].items()} == {"latency_p90": True}
    assert {name: verdict["met"] for name, verdict in of(found, "slow")["objective"].items()} == {"latency_p90": False, "throughput": True}


@pytest.mark.parametrize(("sets", "said"), [
    (["workloads.fast.mix.fast.jobb=1"], "workloads.fast.mix.fast.jobb"),
    (["workloads.fasd.open.rate=1/s"], 'unknown workload "fasd"; did you mean "fast"?'),
    ([f"workloads.slow={CLOSED}", "run={requests: 100}"], "expected a duration"),
    (["workloads.slow.objective={operations: {fast.job: {latency_p50: 1ms}}}"], "no request enters there"),
])
def test_mistakes_in_one_of_several_are_told_where_they_are(sets: list[str], said: str) -> None:
    with pytest.raises(ScenarioError, match=said.replace("?", r"\?")):
        loads(HOST + f"workloads: {{fast: {OPEN}, slow: {SLOW}}}\n" + RUN, sets=sets)


def test_a_workload_and_workloads_are_not_both_given() -> None:
    with pytest.raises(ScenarioError, match="not both"):
        loads(HOST + f"workload: {OPEN}\nworkloads: {{slow: {SLOW}}}\n" + RUN)


def test_a_table_of_measurements_reads_one_of_several() -> None:
    found = answers(HOST + f"workloads: {{fast: {OPEN}, slow: {SLOW}}}\nrun: {{duration: 5s, replications: 1}}\n")
    platform, host = found.typed().platforms["bare-metal"], Catalog.load().resolve_host(found.scenario.host)
    for name in ("fast", "slow"):
        assert read(platform, Measure(of="latency_p95", workload=name), host) == of(found, name)["latency_s"]["p95"]["value"]
    with pytest.raises(SimulationError, match="no workload other; it has fast, slow"):
        read(platform, Measure(of="throughput", workload="other"), host)


def test_frames_and_csv_have_the_answers_of_each() -> None:
    found = answers(HOST + f"workloads: {{fast: {OPEN}, slow: {SLOW}}}\nrun: {{duration: 5s, replications: 2}}\n")
    expected = of(found, "slow")["latency_s"]["p99"]
    assert [found.frame()[f"slow.latency_p99_s{end}"] for end in ("", "_low", "_high")] == [[expected[key]] for key in ("value", "low", "high")]
    row, = csv.DictReader(io.StringIO(rendered(report(found.typed()), "csv", 80)))
    assert float(row["workloads.slow.latency_s.p99.value"]) == expected["value"]


@pytest.mark.parametrize("ask", [density, plan])
def test_a_command_that_scales_one_workload_says_so(ask: Callable[[simvirt.Scenario], object]) -> None:
    text = HOST + f"workloads: {{fast: {OPEN}, slow: {SLOW}}}\nobjective: {{latency_p99: 1s}}\n" + RUN
    with pytest.raises((UsageError, ScenarioError), match="one workload"):
        ask(loads(text))

"""The labs about memory and about many servers: what each table says against the formula that the lab teaches, and the table in its text."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers.labs import LABS, expected, ms, percent, rate_of, shows, within
from scipy.optimize import brentq

import simvirt
from simvirt.catalog import Catalog

PLACES = {"14": "another socket", "1": "another core", "28": "the same core", "0": "the same thread", "1-13": "13 other cores"}


def test_7_neighbours_slow_and_a_slow_server_is_a_full_one(update_golden: bool) -> None:
    catalog = Catalog.load()
    yields = {name: float(catalog.named_profile(name).smt_yield or 0.0) for name in ("redis", "linpack")}
    lines = []
    for row in expected(7):
        cpuset, profile = row["cpuset"] if isinstance(row["cpuset"], str) else f"{row['cpuset']:.0f}", row["profile"]
        slowed = row["breakdown_cpu_s"] + row["breakdown_interference_s"] + row["breakdown_run_queue_s"]
        said = {"28": 0.004 / (yields["redis"] + yields[profile]), "0": 0.002, "1-13": None}.get(cpuset, 0.001) if profile in yields else None
        if said is not None:
            assert slowed == pytest.approx(said, rel=0.05)
        response = slowed / (1 - 300 * slowed)
        assert within(response, row, "latency_mean_s")
        lines.append((
            f"{profile} x {row['threads']:.0f}", PLACES[cpuset], f"{ms(slowed, 2)} ms", f"{ms(said, 2)} ms" if said else "-",
            f"{ms(row['latency_mean_s'], 2)} ms", f"{ms(response, 2)} ms", f"{ms(row['latency_p99_s'])} ms",
        ))
    shows(7, lines, update_golden)
    assert lines[-1][4] > lines[-2][4]


def test_8_memory_is_a_sum(update_golden: bool) -> None:
    """What six instances take, each, says what twelve lack; of containers only cold pages are swapped."""
    rows = {(row["scale"], row["platform"], row["ksm"]): row for row in expected(8)}
    capacity, lines = 8 * 2**30, []
    host = {"docker": 673e6, "kvm": 553.6e6, "kvm-balloon": 553.6e6}
    for (n, platform, ksm), row in rows.items():
        each = (capacity - rows[6, platform, "null"]["memory_free_bytes"] - host[platform]) / 6
        lacks = max(0.0, host[platform] + n * each - capacity)
        if ksm == "null" and platform != "kvm-balloon":
            assert row["memory_swapped_bytes"] == pytest.approx(lacks, abs=0.03e9)
        else:
            assert row["memory_swapped_bytes"] <= lacks + 0.03e9
        reads = 0.0 if platform == "docker" else 400e3 / 4096 * row["memory_swapped_bytes"] / (n * each)
        if platform != "kvm-balloon" and ksm == "null":
            assert row["breakdown_disk_s"] == pytest.approx(reads * 62e-6, rel=0.08)
        lines.append((
            f"{n:.0f}", platform, "-" if ksm == "null" else "yes", f"{row['memory_swapped_bytes'] / 1e9:.2f} GB", f"{lacks / 1e9:.2f} GB",
            f"{ms(row['breakdown_disk_s'], 2)} ms", f"{ms(reads * 62e-6, 2)} ms" if platform != "kvm-balloon" and ksm == "null" else "-",
        ))
    shows(8, sorted(lines, key=lambda line: (float(line[0]), line[2] == "yes")), update_golden)


def che(pages: float, records: int, skew: float) -> float:
    """The share of misses of an LRU cache by Che's approximation."""
    popular = np.arange(1, records + 1, dtype=float) ** -skew
    popular /= popular.sum()
    known = brentq(lambda log: -np.expm1(-popular * math.exp(log)).sum() - pages, 0.0, 40.0, xtol=1e-6)
    return float((popular * np.exp(-popular * math.exp(known))).sum())



def test_9_misses_by_che(update_golden: bool) -> None:
    rows = {(row["mem_limit"], row["zipf"], row["platform"]): row for row in expected(9)}
    read, lines = 119e-6, []
    for (limit, skew, platform), row in rows.items():
        if platform != "docker":
            continue
        cache = min(row["memory_page_cache_bytes"], 4 * 2**30)
        records = 4 * 2**30 // 8192
        missed = 0.0 if cache >= 4 * 2**30 else che(cache / 8192, records, skew)
        assert row["breakdown_disk_s"] / read == pytest.approx(missed, abs=0.02)
        other = rows[limit, skew, "kvm"]
        assert other["latency_mean_s"] > row["latency_mean_s"]
        lines.append((
            limit.replace("iB", " iB").replace(" iB", "iB"), f"{skew:g}", f"{cache / 2**20:.0f} MiB", percent(row["breakdown_disk_s"] / read),
            percent(missed), f"{1e6 * row['latency_mean_s']:.0f} us", f"{1e6 * other['latency_mean_s']:.0f} us",
        ))
    shows(9, lines, update_golden)


def erlang_c(servers: int, busy: float) -> float:
    """The probability that a job has to wait in M/M/c."""
    offered = servers * busy
    terms = [offered**k / math.factorial(k) for k in range(servers)]
    last = offered**servers / math.factorial(servers) / (1 - busy)
    return last / (sum(terms) + last)


def test_10_one_fast_server_or_many_slow_ones(update_golden: bool) -> None:
    lines = []
    for row in expected(10):
        servers, busy, c = int(row["cores"]), rate_of(row) * 0.01, float(row["cv"])
        wait = erlang_c(servers, busy) * 0.01 / (1 - busy) * (1 + c**2) / 2
        response = 0.01 * servers + wait
        if c == 1 or servers == 1:
            assert within(response, row, "latency_mean_s")
        else:
            assert row["latency_mean_s"] < response or within(response, row, "latency_mean_s")
        lines.append((
            f"{servers}", f"{rate_of(row):.0f}", f"{c:g}", f"{ms(row['latency_mean_s'])} ± {ms(row['latency_mean_s_high'] - row['latency_mean_s'])}",
            ms(response), ms(row["latency_p50_s"]),
        ))
    shows(10, lines, update_golden)


def test_11_one_line_is_worth_more_than_many(update_golden: bool) -> None:
    rows = {(rate_of(row), row["balance"] if row["scale"] > 1 else "one line"): row for row in expected(11)}
    lines = []
    for (rate, lines_of), row in rows.items():
        busy = rate / 800
        kingman = 0.01 + busy / (1 - busy) * (1 / 8 + 1) / 2 * 0.01
        pooled, alone = 0.01 + erlang_c(8, busy) * 0.01 / 8 / (1 - busy), 0.01 / (1 - busy)
        said = {"random": alone, "one line": pooled, "round-robin": kingman}.get(lines_of)
        if lines_of in ("random", "one line"):
            assert said is not None and within(said, row, "latency_mean_s")
        else:
            assert pooled < row["latency_mean_s"] < alone
        won = (rows[rate, "random"]["latency_mean_s"] - row["latency_mean_s"]) / (rows[rate, "random"]["latency_mean_s"] - rows[rate, "one line"]["latency_mean_s"])
        lines.append((
            f"{rate:.0f}", lines_of, ms(row["latency_mean_s"]), ms(said) if said else "-", ms(row["latency_p99_s"], 0), percent(won, 0),
        ))
    shows(11, sorted(lines, key=lambda line: float(line[0])), update_golden)


def test_12_the_slowest_of_many(update_golden: bool) -> None:
    lines = []
    for row in expected(12):
        n = int(row["fan"].strip("{}").partition(":")[0].removeprefix("front.fan"))
        mean = 0.01 * sum(1 / k for k in range(1, n + 1))
        p50, p99 = (-0.01 * math.log(1 - q ** (1 / n)) for q in (0.5, 0.99))
        assert within(mean, row, "latency_mean_s") and within(p50, row, "latency_p50_s") and within(p99, row, "latency_p99_s")
        lines.append((f"{n}", *(ms(value) for value in (row["latency_mean_s"], mean, row["latency_p50_s"], p50, row["latency_p99_s"], p99))))
    shows(12, lines, update_golden)


def test_13_who_is_refused_and_how_long_the_others_wait(update_golden: bool) -> None:
    lines = []
    for row in expected(13):
        rate, places = rate_of(row), int(row["queue"]) + 1
        a = rate * 0.01
        refused = (1 - a) * a**places / (1 - a ** (places + 1))
        served = rate * (1 - refused)
        response = (a / (1 - a) - (places + 1) * a ** (places + 1) / (1 - a ** (places + 1))) / served
        assert within(served, row, "throughput_per_s") and within(response, row, "latency_mean_s")
        assert within(refused, row, "rejected") or abs(refused - row["rejected"]) < 1e-4
        lines.append((
            f"{rate:.0f}", f"{places}", f"{row['throughput_per_s']:.1f}/s", f"{served:.1f}/s", percent(row["rejected"]), percent(refused),
            f"{ms(row['latency_mean_s'])} ms", f"{ms(response)} ms",
        ))
    shows(13, lines, update_golden)


NEEDED = {120.0: 1, 300.0: 2, 660.0: 4}
"""Servers that the loads need."""


def test_14_servers_by_load(update_golden: bool) -> None:
    rows = {(int(row["cores"]) // 4, rate_of(row)): row for row in expected(14)}
    lines = []
    for (servers, rate), row in rows.items():
        busy = rate * 0.02 / (4 * servers)
        assert row["objective"] == ("met" if servers >= NEEDED[rate] else "missed")
        assert row["cpu_utilisation"] == pytest.approx(min(busy, 1.0), abs=0.02)
        lines.append((f"{servers}", f"{rate:.0f}", percent(busy, 0), f"{ms(row['latency_p99_s'], 0)} ms", row["objective"]))
    shows(14, lines, update_golden)
    assert {rate: math.ceil(rate * 0.02 / 4) for rate in NEEDED} == NEEDED


@pytest.mark.slow
def test_14_the_planner_needs_as_many_and_has_the_same_regrets() -> None:
    """But for the energy of hosts that are not needed."""
    found = simvirt.plan(simvirt.load(LABS[13] / "scenario.yaml")).document()["regret"]
    choices = {row["hosts"]: row["regrets_usd"] for row in found["choices"]}
    assert next(iter(choices)) == 2 and set(choices) == set(NEEDED.values())
    for hosts, regrets in choices.items():
        for regret, needed in zip(regrets, NEEDED.values(), strict=True):
            assert regret == pytest.approx(428 * max(0, hosts - needed) + 214 * max(0, needed - hosts), rel=0.08, abs=1)


MEASURED = {"24.58us": {"bare-metal": 37.58, "docker-2013": 73.5, "kvm-2013": 67.94}, "23.02us": {"bare-metal": 36.02, "docker-2013": 75.5, "kvm-2013": 63.95}}
"""Felter et al., IBM RC25482, raw data, netperf RR over TCP and UDP [us]."""


def test_15_a_calibration_two_predictions_and_a_failure(update_golden: bool) -> None:
    lines, errors = [], []
    for row in expected(15):
        period = 1e6 / row["throughput_per_s"]
        assert period == pytest.approx(float(row["think"].removesuffix("us")) + 1e6 * row["latency_mean_s"], rel=0.002)
        if (measured := MEASURED.get(row["think"], {}).get(row["platform"])) is None:
            continue
        error, known = period / measured - 1, row["platform"] == "bare-metal"
        errors += [] if known else [error]
        lines.append((
            row["think"].replace("us", " us"), row["platform"], f"{period:.2f} us", f"{measured:g} us", f"{100 * error:+.1f} %",
            "calibration" if known else "prediction",
        ))
        assert not known or abs(error) < 0.001
    shows(15, lines, update_golden)
    assert sorted(round(abs(error), 2) for error in errors) == [0.04, 0.08, 0.37, 0.41]
    assert np.median(np.abs(errors)) == pytest.approx(0.23, abs=0.005)

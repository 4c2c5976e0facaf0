"""What each lab's table says against the formula that the lab teaches, and the table in its text."""

from __future__ import annotations

import math

import pytest
from helpers.labs import LABS, expected, ms, rate_of, shows, within

import simvirt
from simvirt.catalog import Catalog
from simvirt.catalog.cost_breakdown import differences

CATALOG = Catalog.load()


def half(row: dict[str, float], name: str) -> float:
    """Half the width of an interval."""
    return (row[f"{name}_high"] - row[f"{name}_low"]) / 2


def test_1_utilisation_law_and_response_times(update_golden: bool) -> None:
    lines = []
    for row in expected(1):
        busy, response = rate_of(row) * 0.01, 0.01 / (1 - rate_of(row) * 0.01)
        assert within(busy, row, "cpu_utilisation")
        assert row["cpu_utilisation"] == pytest.approx(row["throughput_per_s"] * 0.01, rel=0.003)
        assert within(response, row, "latency_mean_s")
        assert within(response * math.log(100), row, "latency_p99_s")
        mean = f"{ms(row['latency_mean_s'])} ± {ms(half(row, 'latency_mean_s'))} ms"
        used = f"{row['cpu_utilisation']:.1%}".replace("%", " %")
        lines.append((
            f"{rate_of(row):.0f}", used, f"{busy:.0%}".replace("%", " %"), mean, f"{ms(response)} ms", f"{ms(row['latency_p99_s'], 0)} ms",
            f"{ms(response * math.log(100), 0)} ms",
        ))
    shows(1, lines, update_golden)


def test_2_little_and_pollaczek_khinchine(update_golden: bool) -> None:
    lines = []
    for row in expected(2):
        busy, c = rate_of(row) * 0.01, float(row["cv"])
        wait = busy / (1 - busy) * (1 + c**2) / 2 * 0.01
        length = row["throughput_per_s"] * row["queue_wait_s"]
        assert within(wait + 0.01, row, "latency_mean_s")
        assert row["threads_busy"] == pytest.approx(row["throughput_per_s"] * (row["latency_mean_s"] - row["queue_wait_s"]), rel=0.005)
        lines.append((
            f"{rate_of(row):.0f}", f"{c:g}", f"{row['threads_busy']:.2f}", ms(row["queue_wait_s"]), ms(wait), f"{length:.2f}", f"{rate_of(row) * wait:.2f}",
        ))
    shows(2, lines, update_golden)


def prices(platform: str, host: str = "dell-r740-gold-6132") -> dict[tuple[str, str], float]:
    """What `simvirt explain` says that parts of operations cost on a host [s]."""
    rows = differences(CATALOG.named_platform(platform), CATALOG.named_platform("bare-metal"), CATALOG.host_model(host))
    return {(row.operation, row.part): 1e-9 * row.ns for row in rows}


def test_3_prices_of_operations_add_up(update_golden: bool) -> None:
    """Of packets in a VM only the work in the instance is in the request's time, and of that what is not coalesced: no row."""
    rows = {(row["work"].strip("{}").partition(":")[0].removeprefix("worker."), row["platform"]): row for row in expected(3)}
    counts = {"syscalls": 1000, "disk": 4, "packets": 20}
    read = ("latency", "wake", "host_cpu", "kick", "interrupt", "host_wake", "host_interrupt")
    said = {
        ("syscalls", "docker"): prices("docker")["syscall", "cpu"],
        ("syscalls", "gvisor"): prices("gvisor")["syscall", "cpu"],
        ("disk", "kvm"): sum(prices("kvm")["disk_read", part] for part in read) + prices("kvm")["idle_wakeup", "cpu"],
        ("disk", "gvisor"): prices("gvisor")["disk_read", "cpu"],
        ("packets", "docker"): (prices("docker")["packet_in", "cpu"] + prices("docker")["packet_out", "cpu"]) / 2,
    }
    lines = []
    for (work, platform), row in rows.items():
        mean, more = row["latency_mean_s"], row["latency_mean_s"] - rows[work, "bare-metal"]["latency_mean_s"]
        each = more / counts[work] if work in counts and more > 5e-6 else None
        if (price := said.get((work, platform))) is not None:
            assert each == pytest.approx(price, rel=0.005)
        elif work == "compute":
            assert more <= 0.0025 * mean
        if platform != "bare-metal":
            shown = f"{1e6 * each:.3g} us" if each else "-"
            lines.append((work, platform, f"{1e6 * mean:.0f} us", f"{1e6 * more:.0f} us", shown, f"{1e6 * price:.3g} us" if price else "-"))
    shows(3, lines, update_golden)


def work_of(row: dict[str, str]) -> str:
    """The operation of a mix with one: `exits` of `{worker.exits: 1}`."""
    return row["work"].strip("{}").partition(":")[0].rpartition(".")[2]


def test_4_exits_cost_what_the_processor_says(update_golden: bool) -> None:
    operations = {"privileged": "exits", "timer": "timers", "page_fault": "faults"}
    means = {(row["model"], row["platform"], work_of(row)): row["latency_mean_s"] for row in expected(4)}
    lines = []
    for model in dict.fromkeys(row["model"] for row in expected(4)):
        line = [model]
        for platform in ("kvm", "nested-kvm"):
            price = {work: prices(platform, model)[operation, "cpu"] for operation, work in operations.items()}
            for work, cost in price.items():
                each = (means[model, platform, work] - means[model, platform, "quiet"]) / 1000
                assert each == pytest.approx(cost, rel=0.01, abs=1e-9)
            for work in ("exits", "timers", "faults"):
                each = (means[model, platform, work] - means[model, platform, "quiet"]) / 1000
                line.append(f"{1e6 * each:.3g} ({1e6 * price[work]:.3g})")
        lines.append(line)
    shows(4, lines, update_golden)
    exits = {model: (means[model, "nested-kvm", "exits"] - 0.01) / (means[model, "kvm", "exits"] - 0.01) for model in dict.fromkeys(key[0] for key in means)}
    assert exits["dell-m1000e-e5540"] == pytest.approx(30, rel=0.02) and exits["dell-r740-gold-6132"] == pytest.approx(11, rel=0.02)


def test_5_steal_is_what_too_many_cpus_want(update_golden: bool) -> None:
    lines = []
    for row in expected(5):
        n, duty, rate, service = row["scale"], row["duty"], 100.0, 0.005
        share = min(1.0, 4 / (2 * n * duty + 2))
        wanted = 2 * n * duty + rate * service / share
        steal = max(0.0, 1 - 4 / wanted)
        response = service / share / (1 - (rate * service / share / 2) ** 2)
        if (n, duty) == (2, 1.0):
            assert response < row["latency_mean_s"] < 0.010 / (1 - 0.5**2)
        elif duty == 1.0:
            assert within(response, row, "latency_mean_s")
            assert row["cpu_steal"] == pytest.approx(steal, rel=0.03, abs=0.001)
        else:
            assert within(response, row, "latency_mean_s")
            assert row["cpu_steal"] < 0.015
        mean = f"{ms(row['latency_mean_s'])} ± {ms(half(row, 'latency_mean_s'))} ms"
        lines.append((
            f"{n:.0f}", "always" if duty == 1.0 else "a fifth", f"{(2 * n + 2) / 4:g}", f"{row['cpu_steal']:.1%}".replace("%", " %"),
            f"{steal:.1%}".replace("%", " %"), mean, f"{ms(response)} ms",
        ))
    shows(5, lines, update_golden)


def test_6_longer_periods_help_bursts(update_golden: bool) -> None:
    docker = {row["period"]: row for row in expected(6) if row["platform"] == "docker"}
    free = {row["period"]: row for row in expected(6) if row["platform"] == "bare-metal"}
    order = list(docker.values())
    assert [row["latency_p99_s"] for row in order] == sorted((row["latency_p99_s"] for row in order), reverse=True)
    assert [row["latency_mean_s"] for row in order] == sorted((row["latency_mean_s"] for row in order), reverse=True)
    assert order[0]["latency_p99_s"] > 3 * order[-1]["latency_p99_s"] > 9 * free["1000ms"]["latency_p99_s"]
    lines = []
    for period, row in docker.items():
        sleep = float(period.removesuffix("ms")) * 0.75
        lines.append((
            period.replace("ms", " ms"), f"{sleep:g} ms", f"{ms(row['latency_mean_s'], 0)} ms", f"{ms(row['latency_p99_s'], 0)} ms",
            f"{row['nr_throttled']:,.0f} x", f"{ms(free[period]['latency_mean_s'], 0)} ms", f"{ms(free[period]['latency_p99_s'], 0)} ms",
        ))
    shows(6, lines, update_golden)


def test_6_threads_that_always_compute_sleep_for_what_the_quota_lacks() -> None:
    sets = ["services.server.background.threads=4", "workload={open: {rate: 0.1/s}, mix: {server.job: 1}}", "run.duration=2s", "run.replications=2", "platforms=[docker]"]
    found = simvirt.run(simvirt.load(LABS[5] / "scenario.yaml", sets=sets), maximum=False).typed().platforms["docker"]
    assert found.cpu.throttled.value == pytest.approx(1 - 100 / (4 * 100), abs=0.01)
    assert found.services["server"].cpu_cores.value == pytest.approx(1.0, abs=0.01)

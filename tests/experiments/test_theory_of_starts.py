"""The labs about images, starts and several hosts: what each table says against the formula that the lab teaches, and the table in its text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from helpers.labs import LABS, expected, ms, shows

import simvirt
from simvirt.catalog import Catalog
from simvirt.catalog.resolve.startups import alone_ns
from simvirt.images.resolve import engine as engine_of
from simvirt.images.resolve import named_image
from simvirt.scenario import Scenario

MIB = 2**20
CATALOG = Catalog.load()


@cache
def scenario(number: int, *sets: str) -> Scenario:
    return simvirt.load(LABS[number - 1] / "scenario.yaml", sets=sets)


@dataclass
class Start:
    """One start on a host where nothing else runs: CPU time, waits, time of the drive, the lock that is held the longest [s]; bytes read."""

    cpu: float
    wait: float
    drive: float
    lock: float
    read: int

    @property
    def alone(self) -> float:
        return self.cpu + self.wait + self.drive


def start_of(number: int, platform: str, *sets: str) -> Start:
    """What `simvirt explain PLATFORM --start` says of a lab's service."""
    asked = scenario(number, *sets)
    host = CATALOG.resolve_hosts(asked)[0]
    phases = CATALOG.phases_of(CATALOG.named_platform(platform), host)
    held = dict.fromkeys((phase.lock or "" for phase in phases), 0.0)
    for phase in phases:
        held[phase.lock or ""] += (phase.cpu_ns + phase.wait_ns) / 1e9 if phase.lock else 0.0
    cpu, wait = (sum(getattr(phase, name) for phase in phases) / 1e9 for name in ("cpu_ns", "wait_ns"))
    alone = sum(alone_ns(phase, host) for phase in phases) / 1e9
    return Start(cpu, wait, max(0.0, alone - cpu - wait), max(held.values()), sum(phase.read for phase in phases))


def unpacking(number: int) -> float:
    """Time in which a core of a lab's host unpacks a byte of a layer that has been verified as it came [s]."""
    asked = scenario(number)
    engine = engine_of(CATALOG, CATALOG.named_platform("docker"), CATALOG.resolve_hosts(asked)[0])
    layer = named_image(CATALOG, asked, "shop").layers[-1]
    return engine.unpack_ns(layer) / layer.size / 1e9


def seconds(value: float) -> str:
    return f"{value:.3g} s" if value < 100 else f"{value:.0f} s"


def test_16_what_moves_is_the_union_of_layers(update_golden: bool) -> None:
    link, names, lines = 12.5e6, ("cart", "mail", "shop", "stock"), []
    rows = {(len({row[f"images.{name}.from"] for name in names}), row["images"], row["platform"]): row for row in expected(16)}
    for bases in (1, 2, 3, 4):
        union, alone = (30 + 120 * bases + 20 * 4) * MIB, 4 * 170 * MIB
        disks = 4 * (300 + 2.8 * 140) * MIB
        warm = rows[bases, "present", "docker"]["ready_last_s"]
        said = union / link + unpacking(16) * 140 * MIB + warm
        docker, vm = (rows[bases, "none", platform]["ready_last_s"] for platform in ("docker", "firecracker"))
        assert union < alone and docker == pytest.approx(said, rel=0.02)
        assert vm == pytest.approx(disks / link + rows[bases, "present", "firecracker"]["ready_last_s"], rel=0.002)
        lines.append((
            f"{bases}", f"{union / MIB:.0f} MiB", seconds(docker), seconds(said), seconds(warm), f"{disks / MIB:.0f} MiB", seconds(vm),
            seconds(disks / link),
        ))
    shows(16, lines, update_golden)


def test_17_a_start_is_the_sum_of_its_phases(update_golden: bool) -> None:
    lines = []
    for row in expected(17):
        one = start_of(17, row["platform"], f"host.model={row['model']}", f"host.disk={row['disk']}")
        assert row["ready_last_s"] == pytest.approx(one.alone, rel=0.03)
        assert row["ready_last_s"] == row["ready_first_s"]
        year = {"dell-r740-gold-6132": "2017", "dell-m1000e-e5540": "2009"}[row["model"]]
        lines.append((year, row["disk"], row["platform"], *(f"{ms(value, 0)} ms" for value in (one.cpu, one.wait, one.drive, one.alone, row["ready_last_s"]))))
    shows(17, lines, update_golden)


def bounds(n: int, cores: int, one: Start, disk: float) -> tuple[float, float]:
    """Between what the end of n starts at once lies: the busiest of cores, lock and drive; and that with all waits after it."""
    work, held, read = n * one.cpu / cores, (n - 1) * one.lock, n * one.read / disk
    return max(one.alone + held, work, read), max(one.cpu, work) + one.wait + held + max(one.drive, read)


def test_18_a_storm_lies_between_its_bounds(update_golden: bool) -> None:
    lines = []
    for row in expected(18):
        n, cores = int(row["scale"]), int(row["cores"])
        one = start_of(18, row["platform"], f"host.cores={cores}")
        disk = float(CATALOG.resolve_hosts(scenario(18))[0].disk.read_stream or 0)
        low, high = bounds(n, cores, one, disk)
        assert 0.97 * low <= row["ready_last_s"] <= 1.03 * high
        terms = {"cores": n * one.cpu / cores, "lock": (n - 1) * one.lock, "drive": n * one.read / disk, "one start": one.alone}
        lines.append((
            row["platform"], f"{n}", f"{cores}", *(seconds(terms[name]) for name in ("cores", "lock", "drive")),
            f"{seconds(low)} to {seconds(high)}", seconds(row["ready_last_s"]),
        ))
    shows(18, sorted(lines, key=lambda line: (line[0], int(line[2]))), update_golden)


WAYS = {"mirror": "mirror", "peers": "peers"}


def way_of(row: dict[str, Any]) -> str:
    """How images come in a row: straight from the registry, through the mirror, or from hosts as well."""
    return next((name for name in WAYS if name in str(row["way"])), "registry")


def test_19_the_link_or_the_core(update_golden: bool) -> None:
    image, office, nic = 300 * MIB, 1e9 / 8, 10e9 / 8
    unpack, start = unpacking(19) * image, start_of(19, "docker").alone
    rows = {(int(row["hosts"]), way_of(row)): row for row in expected(19)}
    lines = []
    for (n, way), row in rows.items():
        moving = {"registry": n * image / office, "mirror": max(image / office, n * image / nic), "peers": image / office}[way]
        said = moving + unpack + start
        assert row["ready_last_s"] == pytest.approx(said, rel=0.02)
        lines.append((f"{n}", way, seconds(moving), seconds(unpack), seconds(said), seconds(row["ready_last_s"])))
    shows(19, lines, update_golden)


def test_20_what_a_call_to_another_host_takes(update_golden: bool) -> None:
    rows = {(row["constraints.0"][-2], row["links.0.latency"], int(row["clients"]), row["platform"]): row for row in expected(20)}
    calls, lines = 10, []
    for (node, latency, clients, platform), row in rows.items():
        way = 0.0 if node == "0" else 2 * float(latency.removesuffix("us")) * 1e-6 + 1e-6
        same, one = rows["0", "25us", 1, platform]["latency_mean_s"], rows[node, latency, 1, platform]["latency_mean_s"]
        said = same + 2 * calls * way
        assert one == pytest.approx(said, rel=0.03 if platform == "kvm" else 0.003)
        served = min(clients, 4) / said
        assert row["throughput_per_s"] == pytest.approx(served, rel=0.05 if platform == "kvm" else 0.015)
        assert row["latency_mean_s"] == pytest.approx(clients / row["throughput_per_s"], rel=0.015)
        lines.append((
            "one host" if node == "0" else f"two, {latency}".replace("us", " us"), platform, f"{clients}", f"{ms(row['latency_mean_s'], 2)} ms",
            f"{ms(said if clients == 1 else clients / served, 2)} ms", f"{row['throughput_per_s']:.0f}/s", f"{served:.0f}/s",
        ))
    shows(20, lines, update_golden)

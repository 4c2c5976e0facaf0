"""`calibrate` makes entries that a scenario can include, predicts what it did not measure, and says what it may not measure."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simvirt.calibrate import cpu_probes, disk_probes, net_probes, rights
from simvirt.calibrate.entry import DEPTHS, entries, written
from simvirt.calibrate.holdouts import simulated
from simvirt.calibrate.machine import machine
from simvirt.calibrate.nearest import nearest
from simvirt.calibrate.sample import Sample, attempted, typical
from simvirt.catalog import Catalog
from simvirt.cli.app import main
from simvirt.runs.admission import catalog_of
from simvirt.scenario import load

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measures Linux")
CPUINFO = "\n\n".join(
    f"processor\t: {n}\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) Gold 6132 CPU @ 2.60GHz\nphysical id\t: {n // 4 % 2}\ncore id\t\t: {n % 2}\n"
    f"cpu MHz\t\t: 1000.0\nflags\t\t: fpu {'hypervisor ' if n < 0 else ''}sse" for n in range(8))
LATENCY, CHANNELS = 100e-6, 4


def samples() -> dict[str, Sample]:
    """As of a disk with four channels of 100 us, which nothing else bounds."""
    found = {name: Sample(name, "s", (value * 0.9, value, value * 1.2), method="as told") for name, value in (
        ("kernel_entry", 300e-9), ("thread_switch", 2e-6), ("connection", 30e-6), ("flush", 1e-3))}
    found |= {"memory_all": Sample("memory_all", "bytes/s", (20e9,), method="as told"), "vm_exit": Sample("vm_exit", "s", why="no KVM")}
    for way in ("read", "write"):
        found[f"{way}_1"] = Sample(way, "s", (LATENCY,) * 20, method="as told")
        found |= {f"{way}_iops_{depth}": Sample(way, "per s", (min(depth, CHANNELS) / LATENCY,), method="as told") for depth in DEPTHS}
        found[f"{way}_stream"] = Sample(way, "bytes/s", (1e9,), method="as told")
    return found


def test_a_machine_by_its_kernel() -> None:
    found = machine(CPUINFO)
    assert (found.sockets, found.cores, found.smt, found.threads) == (2, 2, 2, 8)
    assert found.vendor == "GenuineIntel" and not found.virtual
    assert machine().memory_bytes > 2**28 and machine().threads == len(Path("/proc/cpuinfo").read_text().split("\n\n")) - 1


@pytest.mark.parametrize("name", ["dell-r740-gold-6132", "dell-r7525-epyc-7543"])
def test_a_host_of_the_catalogue_is_nearest_to_itself(name: str) -> None:
    catalog = Catalog.load()
    host = catalog.host_model(name)
    like = replace(machine(CPUINFO), sockets=host.sockets, cores=host.cores, clock_hz=host.clock_hz, memory_bytes=host.memory)
    vendor = "AuthenticAMD" if "epyc" in name else "GenuineIntel"
    assert nearest(catalog, replace(like, vendor=vendor)).name == name


def test_entries_are_included_and_have_what_was_measured(tmp_path: Path) -> None:
    found, catalog = machine(CPUINFO), Catalog.load()
    kinds = entries("mine", found, samples(), catalog.host_model("dell-r740-gold-6132"), "2026-01-01")
    (tmp_path / "mine.yaml").write_text(written(kinds, "Measured.\nTwice: {no} # key"))
    (tmp_path / "s.yaml").write_text("simvirt: 1\nname: s\ninclude: mine.yaml\nhost: {model: mine}\nplatforms: [bare-metal]\nservices: {a: {operations: "
                                     "{b: [{cpu: 1ms}]}}}\nworkload: {open: {rate: 1/s}, mix: {a.b: 1}}\n")
    scenario = load(tmp_path / "s.yaml")
    host = catalog_of(scenario).resolve_host(scenario.first_host)
    assert (host.sockets, host.cores, host.smt) == (2, 2, 2) and host.kernel_entry_ns == pytest.approx(300)
    assert (host.thread_switch_ns, host.connection_ns, host.tick_ns) == pytest.approx((2000, 30_000, (found.tick_s or 0) * 1e9))
    assert (host.disk.read_latency, host.disk.channels, host.disk.read_iops) == pytest.approx((1e5, CHANNELS, 4e4))
    assert host.family.memory_bandwidth == pytest.approx(20e9) and host.thread_switch_ns > 0
    assert host.disk.read_latency.source.startswith("as told; simvirt calibrate on Intel")


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("way", ["read", "write"])
def test_a_disk_is_predicted_at_any_depth(way: str, depth: int) -> None:
    """As many requests at a time as there are channels, each as long as one alone."""
    kinds = entries("mine", machine(CPUINFO), samples(), Catalog.load().host_model("dell-r740-gold-6132"), "2026-01-01")
    assert simulated(kinds, "mine", way, depth) == pytest.approx(min(depth, CHANNELS) / LATENCY, rel=0.03)


def test_without_direct_access_there_is_no_disk() -> None:
    cached = samples() | {"read_1": Sample("read_1", "s", why="cached")}
    kinds = entries("mine", machine(CPUINFO), cached, Catalog.load().host_model("generic"), "2026-01-01")
    assert "disks" not in kinds and "disk" not in kinds["hosts"]["mine"]


def test_what_is_forbidden_is_said() -> None:
    def forbidden() -> list[float]:
        raise PermissionError(1, "Operation not permitted")

    assert attempted("x", "s", "m", forbidden) == Sample("x", "s", why="Operation not permitted", method="m")
    assert attempted("x", "s", "m", lambda: [-1e-9]).why == "nothing above the floor of the method"
    assert attempted("x", "s", "m", lambda: [1.0, 3.0, 2.0]).value == 2.0
    assert attempted("x", "s", "m", lambda: [5.0, 3.0, 2.0, 4.0, 1.0], undisturbed=True).value == 2.0


def test_what_is_shorter_than_the_loop_is_not_measured() -> None:
    """CPU times have a floor, rates and what is not CPU time have none."""
    short = attempted("x", "s", "a loop, CPU time", lambda: [4e-9, 12e-9], True)
    assert short.values == (12e-9,)
    assert "floor" in attempted("x", "s", "a loop, CPU time", lambda: [4e-9], True).why
    assert attempted("x", "s", "a sleep", lambda: [4e-9]).values == (4e-9,)


def test_requests_that_waited_for_a_cpu_do_not_count() -> None:
    assert typical([1.0, 1.1, 0.9, 50.0]) == (1.0, 1.1, 0.9) and typical([]) == ()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few turns of everything."""
    for module, name, value in (
        (cpu_probes, "CALLS", 500), (cpu_probes, "TRIPS", 40), (net_probes, "TRIPS", 40), (cpu_probes, "PAGES", 64), (cpu_probes, "LARGE", 1 << 16),
        (cpu_probes, "REPEATS", 1), (net_probes, "REPEATS", 1), (net_probes, "CONNECTIONS", 5), (disk_probes, "SIZE", 8 << 20),
        (disk_probes, "LASTING", 0.02), (rights, "BUSY_S", 0.05), (rights, "EXITS", 200),
    ):
        monkeypatch.setattr(module, name, value)


def test_bytes_go_round(short: None) -> None:
    before = os.sched_getaffinity(0)
    assert cpu_probes.ring(3) > 0 and os.sched_getaffinity(0) == before
    one, two = net_probes.tcp_pair()
    with one, two:
        assert net_probes.echoed(one, two) > 0


def test_a_drive_leaves_nothing(short: None, tmp_path: Path) -> None:
    with disk_probes.drive(tmp_path) as drive:
        (file,) = tmp_path.iterdir()
        before = file.read_bytes()
        assert len(drive.requests(2, write=False)) >= 2 and file.read_bytes() == before
        assert drive.requests(1, write=True) and file.read_bytes() != before
    assert not list(tmp_path.iterdir())


def test_pages_are_touched_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many faults as pages, counted by the kernel."""
    import resource

    def count(pages: int) -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        cpu_probes.faulted(pages)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    assert count(2048) - count(1024) == pytest.approx(1024, abs=64)


def test_the_command(short: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever this machine allows: a document with all quantities, and entries that load."""
    file = tmp_path / "mine.yaml"
    assert main(["calibrate", "--folder", str(tmp_path), "-o", str(file), "--format", "json", "-q"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["machine"]["kernel"] and out["answer"].endswith(".") and len(out["measured"]) == 24
    assert all(each["value"] is not None or each["why"] for each in out["measured"].values())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]
    (tmp_path / "s.yaml").write_text("simvirt: 1\nname: s\ninclude: mine.yaml\nhost: {model: this-machine}\nplatforms: [docker]\nservices: {a: {operations: "
                                     "{b: [{cpu: 1ms}]}}}\nworkload: {open: {rate: 1/s}, mix: {a.b: 1}}\n")
    assert main(["check", str(tmp_path / "s.yaml")]) == 0
    assert main(["calibrate", "--folder", str(tmp_path), "-o", str(file)]) == 2 and "is there already" in capsys.readouterr().err
    assert main(["calibrate", "--folder", str(tmp_path / "none")]) == 2


@pytest.mark.verification
def test_what_was_not_measured_is_predicted(tmp_path: Path) -> None:
    """Within 15 % in the median; on a machine that has nothing else to do."""
    from simvirt.calibrate.calibrating import calibrate

    document, _ = calibrate("mine", tmp_path)
    assert document.wall_s < 180 and len(document.held_out) >= 5
    if os.getloadavg()[0] < 1.5:
        assert float(np.median([abs(each.error) for each in document.held_out])) < 0.15

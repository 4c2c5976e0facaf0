"""From the machine to the rest: costs of what was counted, a profile that a scenario includes, a timeline."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.emulated import SMALL, hello

from simvirt import load
from simvirt.catalog import Catalog
from simvirt.cli.app import main
from simvirt.emulation.costs import charged
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.loading import guest
from simvirt.emulation.operations import exits_by_operation, performed
from simvirt.emulation.profile import profile_text
from simvirt.emulation.timeline import Timeline
from simvirt.result.emulation_document import EmulationDocument
from simvirt.scenario.spec.models import HostSpec
import itertools


def test_what_the_guest_performed_is_what_it_does() -> None:
    """Eleven calls of the program, three rings, one table of pages."""
    found = performed(hello("native"))
    assert (found["syscall"], found["timer"], found["context_switch"], found["page_fault"], found["privileged"]) == (11, 3, 1, 0, 0)


def test_every_exit_is_for_one_operation() -> None:
    found = hello("trap")
    by_operation = exits_by_operation(found.exits)
    assert sum(by_operation.values()) == sum(found.exits.values())
    assert by_operation["syscall"] == 11 and by_operation["tlb_miss"] == 10 and by_operation["devices"] == 135


def test_costs_are_counts_times_those_of_the_catalogue() -> None:
    found = hello("trap")
    cost = charged(found, "kvm", "dell-r740-gold-6132")
    catalog = Catalog({})
    host = catalog.resolve_host(HostSpec(model="dell-r740-gold-6132"))
    costs = catalog.platform_costs(catalog.named_platform("kvm"), host)
    rows = {row.operation: row for row in cost.operations}
    assert rows["timer"].charged_s == pytest.approx(3 * costs.cpu_ns["timer"] / 1e9)
    assert rows["syscall"].exits_s == pytest.approx(11 * host.family.vm_exit / host.clock_hz)
    assert cost.own_s == pytest.approx(found.instructions / host.clock_hz)
    assert cost.overhead == pytest.approx(sum(row.charged_s for row in cost.operations) / cost.own_s)
    assert cost.overhead_of_exits == pytest.approx(sum(found.exits.values()) * cost.exit_s / cost.own_s)


def test_without_a_monitor_there_are_no_exits_to_cost() -> None:
    cost = charged(hello("native"), "bare-metal", "generic")
    assert cost.overhead == 0 and cost.overhead_of_exits is None


def test_a_scenario_includes_the_profile(tmp_path: Path) -> None:
    """What the scenario is charged is what the rates say: counted ones, and for what is not counted those of `generic`."""
    found = hello("native")
    (tmp_path / "hello.yaml").write_text(profile_text(found, "generic"))
    (tmp_path / "scenario.yaml").write_text(
        "simvirt: 1\nname: x\ninclude: hello.yaml\nhost: {cores: 2, memory: 4GiB}\nplatforms: [kvm]\n"
        "services: {web: {profile: hello, operations: {get: [{cpu: 1ms}]}}}\nworkload: {open: {rate: 1/s}, mix: {web.get: 1}}\n"
    )
    scenario = load(tmp_path / "scenario.yaml")
    catalog = Catalog(scenario.catalog)
    rates = catalog.profile(scenario.services["web"]).rates
    clock = catalog.resolve_host(HostSpec(model="generic")).clock_hz
    assert rates["syscall"].value == pytest.approx(11 / found.instructions * clock, abs=1)
    assert rates["instruction"].value == pytest.approx(clock, abs=1)
    assert rates["page_table_update"].value == catalog.named_profile("generic").rates["page_table_update"].value


def traced(part: str, file: Path, technique: str = "native") -> tuple[EmulationDocument, list[dict[str, Any]]]:
    """A run of the first guest, and the events of its timeline."""
    from simvirt.emulation.counting import document

    timeline = Timeline(file, part, "hello")
    emulator = Emulator(SMALL, Console(), technique, timeline)
    emulator.boot(guest("hello", SMALL.base))
    end = emulator.run(100_000)
    timeline.end(emulator.made)
    written = gzip.decompress(file.read_bytes()) if file.name.endswith(".gz") else file.read_bytes()
    return document(emulator, "hello", end), [event for event in json.loads(written)["traceEvents"] if event["ph"] != "M"]


@pytest.mark.parametrize("technique", ["native", "trap", "nested"])
def test_the_timeline_has_what_is_counted(technique: str, tmp_path: Path) -> None:
    """As many events as counts, by name; modes follow one another without gaps from the begin to the end."""
    found, events = traced("all", tmp_path / "trace.json.gz", technique)
    names = Counter(event["name"] for event in events if event["ph"] == "i")
    expected = Counter({trap.cause: trap.count for trap in found.traps}) + Counter(found.exits)
    walks = {f"walk for {unit}": count for unit, count in found.translation.walks.items()}
    assert names == expected + Counter(walks)
    read = sum(event["args"]["entries"] for event in events if event["name"].startswith("walk"))
    assert read == sum(found.translation.references.values()) + sum(found.translation.second_stage.values())
    modes = [event for event in events if event["ph"] == "X"]
    assert modes[0]["ts"] == 0 and modes[-1]["ts"] + modes[-1]["dur"] == pytest.approx(found.ticks / 10)
    assert all(one["ts"] + one["dur"] == pytest.approx(two["ts"]) for one, two in itertools.pairwise(modes))


def test_the_first_mode_is_that_in_which_the_guest_begins(tmp_path: Path) -> None:
    """Above the firmware that is built in it is the supervisor's."""
    timeline = Timeline(tmp_path / "trace.json", "exits", "operations")
    emulator = Emulator(SMALL, Console(), "native", timeline)
    emulator.boot(guest("operations", SMALL.base, {"n": 1}))
    emulator.run(100_000)
    timeline.end(emulator.made)
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert next(event["name"] for event in events if event["ph"] == "X") == "supervisor"


def test_a_profile_is_yaml_whatever_the_guest_is_called() -> None:
    named = hello("native").model_copy(update={"guest": 'a: "b" #{c}.s'})
    (found,) = yaml.safe_load(profile_text(named, "generic"))["catalog"]["profiles"].items()
    assert found[0] == "a-b-c-s" and found[1]["title"].startswith('a: "b" #{c}.s as counted')


@pytest.mark.parametrize("compressed", [False, True])
def test_a_full_disk_ends_the_timeline_and_not_the_run(
    compressed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    """The report is printed, the file is named and removed, and the command has failed."""
    def full(writer: object, what: object = None) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("simvirt.trace.writer.Writer._flush", full)
    file = tmp_path / ("trace.json.gz" if compressed else "trace.json")
    assert main(["emulate", "hello", "--technique", "trap", "--counts", "--trace", str(file)]) == 3
    captured = capsys.readouterr()
    assert "powered off after 30,530 instructions" in captured.out
    assert f"{file}: cannot be written: No space left on device" in captured.err
    assert not file.exists()


def test_tracing_changes_nothing(tmp_path: Path) -> None:
    found, events = traced("walks", tmp_path / "trace.json")
    assert found.digest == hello("native").digest
    assert len(events) == 5


def test_the_command_writes_all_three(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile, trace = tmp_path / "profile.yaml", tmp_path / "trace.json"
    asked = ["--technique", "trap", "--cost", "kvm", "--profile", str(profile), "--trace", str(trace), "--trace-of", "exits"]
    assert main(["emulate", "hello", *asked]) == 0
    captured = capsys.readouterr()
    assert "Costs on kvm" in captured.out and "trace.json: a timeline of" in captured.err
    assert profile.read_text().startswith("# Rates of hello") and json.loads(trace.read_text())["traceEvents"]
    assert main(["emulate", "hello", "--profile", str(profile)]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(("asked", "said"), [
    (("--cost", "kvmm"), 'did you mean "kvm"'), (("--cost", "kvm", "--host", "nope"), 'unknown host "nope"'),
    (("--max-time", "3"), "expected a time with a unit"), (("--trace", "trace.txt"), "ends in .json"),
    (("--trace", "trace.json", "--trace-of", "everything"), "expected one of exits, walks, all"),
    (("--compare", "native,trap", "--cost", "kvm"), "one at a time"),
    (("--host", "generic"), "expected --cost or --profile"), (("--trace-of", "walks"), "expected --trace and a file"),
    (("--profile", "new.yaml", "--host", "nope"), 'unknown host "nope"'), (("--step", "--counts"), "--counts: not with --step"),
    (("--step", "--format", "csv"), "--format: not with --step"), (("--gdb", "0", "--max-time", "1s"), "--max-time: not with --gdb"),
])
def test_what_is_refused(asked: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything runs: nothing is said, nothing is written."""
    assert main(["emulate", "hello", *asked]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and not captured.out


def test_a_bound_of_time_ends_a_guest_that_does_not_end() -> None:
    emulator = Emulator(SMALL, Console())
    emulator.boot(guest("hello", SMALL.base))
    emulator.ram[: 2] = (0xA001).to_bytes(2, "little")  # c.j . : for ever
    assert emulator.run(1 << 40, 0.0) is End.late

"""Guests of simvirt: what they count is what their sources say, under each technique, compiled and plain."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simvirt import machine
from simvirt.cli.app import app
from simvirt.emulation import guests
from simvirt.emulation.assembler import assemble
from simvirt.emulation.counting import document
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.guest_list import listed
from simvirt.emulation.making import Size
from simvirt.emulation.starting import Start
from simvirt.emulation.wire import run_pair
from simvirt.errors import UsageError
from simvirt.result.emulation_document import EmulationDocument

ROOT = Path(__file__).resolve().parents[2]
SMALL = Size(memory=8 << 20, sets=16, ways=2)
REACH = 32
SECTORS = 64
TECHNIQUES = ("native", "trap")
Counts = dict[tuple[str, str], int]


def run(
    name: str, settings: Sequence[str] = (), technique: str = "native", disk: Path | None = None, end: End = End.powered_off,
    devices: Sequence[str] = (),
) -> EmulationDocument:
    """A guest, run to its end."""
    start = Start(guest=name, settings=settings, disk=disk, devices=devices)
    emulator = Emulator(SMALL, Console(), technique, cards=start.cards())
    emulator.boot(*start.load(SMALL.base))
    assert emulator.run(1_000_000) is end, emulator.console.said
    return document(emulator, name, end)


@cache
def trapped(n: int) -> dict[str, Counts]:
    """Operations under trap and emulate, by phase."""
    return phases(run("operations", (f"n={n}",), "trap"))


def phases(found: EmulationDocument) -> dict[str, Counts]:
    """Counts by phase."""
    return {phase.name: {(row["what"], row["where"]): row["count"] for row in phase.counts} for phase in found.phases}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A disk whose words are their numbers."""
    path = tmp_path / "disk.img"
    path.write_bytes(b"".join(k.to_bytes(8, "little") for k in range(SECTORS * 64)))
    return path


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("n", [1, 20])
def test_each_operation_is_done_so_often(n: int, technique: str) -> None:
    found = phases(run("operations", (f"n={n}",), technique))
    assert list(found) == ["loop", "syscall", "fault", "csr", "fence", "switch", "mmio", "call", "console", "timer"]
    traps = {
        name: sum(count for (what, where), count in counts.items() if where in ("user", "supervisor") and what != "instructions")
        for name, counts in found.items()
    }
    expected = dict.fromkeys(found, 0) | dict.fromkeys(("syscall", "fault", "call", "console"), n) | {"timer": 2 * n + 1}
    assert traps == expected
    assert found["syscall"]["call from user", "user"] == found["fault"]["store page fault", "user"] == n
    assert found["fence"]["fence", "sfence.vma"] == found["fault"]["fence", "sfence.vma"] == n
    assert found["switch"]["switch", "satp"] == found["mmio"]["device read", "uart"] == n
    assert found["call"]["call of the firmware", "base: version"] == found["console"]["call of the firmware", "dbcn: write a byte"] == n
    assert found["timer"]["supervisor timer interrupt", "supervisor"] == found["timer"]["wait", "wfi"] == n
    assert found["loop"]["instructions", "user"] >= 2 * n and found["csr"]["instructions", "supervisor"] >= 3 * n


EXITS = {
    "loop": {}, "csr": {"illegal instruction: csrrw sscratch": 1}, "fence": {"illegal instruction: sfence.vma": 1},
    "switch": {"illegal instruction: csrrw satp": 1}, "mmio": {"load page fault: device access": 1},
    "call": {"call from user: call of the kernel": 1},
    "console": {"call from user: call of the kernel": 1},
    "syscall": {
        "call from user: ecall": 1, "illegal instruction: csrrs scause": 1, "illegal instruction: csrrs sepc": 1,
        "illegal instruction: csrrw sepc": 1, "illegal instruction: sret": 1,
    },
}


@pytest.mark.parametrize("name", EXITS)
def test_exits_of_trap_and_emulate_are_those_of_the_operation(name: str) -> None:
    """Ten more of it are so many exits more, without the hidden faults that refill the shadow."""
    few, many = trapped(10)[name], trapped(20)[name]
    more = {where: count - few.get((what, where), 0) for (what, where), count in many.items() if what == "exit" and "hidden" not in where}
    assert {where: count for where, count in more.items() if count} == {where: 10 * count for where, count in EXITS[name].items()}


def misses(pages: int, rounds: int) -> int:
    """What a TLB of 16 sets of 2 ways misses, the oldest replaced: a set that more pages fall into than it has ways keeps none of them."""
    return rounds * sum(count for k in range(16) if (count := len(range(k, pages, 16))) > 2)


@pytest.mark.parametrize(("level", "pages"), [(0, 1), (0, 20), (0, REACH), (0, REACH + 8), (0, 100), (1, REACH), (1, 50), (2, REACH), (2, 60)])
def test_walks_of_a_stride_are_what_does_not_fit_the_tlb(level: int, pages: int) -> None:
    found = phases(run("stride", (f"pages={pages}", "rounds=3", f"level={level}")))
    for name, walks in (("first", pages), ("again", misses(pages, 3))):
        assert found[name].get(("walk", "data"), 0) == walks
        assert sum(count for (what, _), count in found[name].items() if what == "page table reference") == (3 - level) * walks


def test_a_stride_beyond_what_is_mapped_fails() -> None:
    run("stride", ("level=2", "pages=260"), end=End.failed)
    run("stride", ("level=3",), end=End.failed)


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize(("n", "sectors", "batch", "polls"), [(8, 1, 1, 0), (64, 8, 2, 0), (6, 1, 4, 1), (10, 4, 32, 0)])
def test_a_disk_is_read_with_so_many_requests_kicks_and_interrupts(image: Path, n: int, sectors: int, batch: int, polls: int, technique: str) -> None:
    settings = (f"n={n}", f"sectors={sectors}", f"batch={batch}", f"polls={polls}")
    found = run("disk", settings, technique, image)
    requests = -(-n // sectors)
    kicks = -(-requests // batch)
    words = requests * sectors * 64
    assert found.console == f"{requests * sectors} sectors read, the sum of their words is {words * (words - 1) // 2}\n"
    counts = found.virtio[0].counts
    assert counts["kicks"] == kicks and counts["requests"] == requests and counts["descriptors"] == 3 * requests
    assert (counts["interrupts"], counts["interrupts held off"]) == ((0, kicks) if polls else (kicks, 0))
    assert counts["bytes written"] == 512 * sectors * requests + requests and counts["bytes read"] == 16 * requests
    assert counts["sectors read"] == requests * sectors and not counts["errors"]
    taken = sum(trap.count for trap in found.traps if trap.cause == "supervisor external interrupt")
    assert taken == (0 if polls else kicks)


def test_a_disk_that_is_too_short_or_not_there_is_said(image: Path) -> None:
    assert run("disk", ("n=65",), disk=image, end=End.failed).console == "the disk has refused a request\n"
    assert "--disk" in run("disk", end=End.failed).console
    assert "expected" in run("disk", ("batch=33",), disk=image, end=End.failed).console


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_frames_that_come_back_are_so_many_kicks_and_interrupts(technique: str) -> None:
    found = run("packets", ("n=30", "bytes=100"), technique, devices=("net:echo",))
    counts = found.virtio[0].counts
    assert found.console == "30 frames came\n"
    assert counts["kicks"] == 30 + 31 and counts["requests"] == 60  # room is offered once more than it is used
    assert (counts["interrupts"], counts["interrupts held off"], counts["dropped"]) == (30, 30, 0)
    assert counts["bytes read"] == 30 * 100 and counts["bytes written"] == 30 * 112
    assert counts["frames sent"] == counts["frames received"] == 30


def pair(first: Sequence[str], second: Sequence[str]) -> list[Emulator]:
    """Two machines with a network between them."""
    made = []
    for number, settings in enumerate((first, second)):
        start = Start(guest="packets", settings=settings, wired=number)
        emulator = Emulator(SMALL, Console(), cards=start.cards())
        emulator.boot(*start.load(SMALL.base))
        made.append(emulator)
    return made


def test_two_guests_reach_each_other_over_a_wire_the_same_each_time() -> None:
    digests = set()
    for _ in range(2):
        one, other = pair(("n=200", "bytes=77"), ("n=200", "answers=1"))
        assert run_pair(one, other, 1_000_000) is End.powered_off
        assert bytes(one.console.said) == bytes(other.console.said) == b"200 frames came\n"
        assert [list(emulator.counts()["frames"]) for emulator in (one, other)] == [[200, 200]] * 2
        assert one.counts()["virtio"][3] == 200 * 77
        digests.add((one.digest(), other.digest()))
    assert len(digests) == 1


def test_a_pair_ends_when_both_wait_or_the_budget_is_used_up() -> None:
    assert run_pair(*pair(("n=5",), ("n=3", "answers=1")), 1_000_000) is End.idle
    assert run_pair(*pair(("n=5", "answers=1"), ("n=5", "answers=1")), 1_000_000) is End.idle
    assert run_pair(*pair(("n=5000",), ("n=5000", "answers=1")), 50_000) is End.budget


def test_a_machine_beside_is_named_with_what_is_set() -> None:
    done = CliRunner().invoke(app, ["emulate", "packets", "--beside", "packets answers=1 n=7", "--set", "n=7", "--memory", "4MiB"])
    assert (done.exit_code, done.output) == (0, "7 frames came\n")
    for text, message in (("", "no network"), (" ", "--beside: expected a guest"), ("packets n", "expected a name and a number")):
        refused = CliRunner().invoke(app, ["emulate", "packets", "--beside", text, "--memory", "4MiB"])
        assert message in refused.output + str(refused.exception)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_each_sensitive_instruction_traps(technique: str) -> None:
    lines = run("sensitive", technique=technique).console.splitlines()
    assert lines[-1] == "32 tried, 31 trapped"
    assert [line.split()[0] for line in lines if "does not trap" in line] == ["add"]


@pytest.mark.parametrize(("guest", "setting"), [("operations", "n=0"), ("stride", "level=3"), ("mapping", "pages=129"), ("packets", "bytes=13")])
def test_a_guest_says_what_it_expects(guest: str, setting: str) -> None:
    assert run(guest, (setting,), end=End.failed, devices=("net:echo",)).console.startswith("expected ")


def test_the_same_compiled_and_plain(image: Path) -> None:
    program = "from pathlib import Path\nfrom test_guests import *\n" \
        f"print([run(*one).digest for one in cases(Path({str(image)!r}))])"
    environment = os.environ | {"SIMVIRT_PLAIN": "1" if machine.MODE == "compiled" else "0", "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests", ROOT / "tests/machine")))}
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert other.stdout.strip() == str([run(*one).digest for one in cases(image)]), other.stderr


def cases(image: Path) -> list[Any]:
    """Runs of guests that use what a board has."""
    return [
        ("operations", ("n=3",), "native", None), ("stride", ("pages=40", "rounds=1"), "native", None), ("disk", ("n=4",), "native", image),
        ("packets", ("n=150",), "native", None, End.powered_off, ("net:echo",)),
    ]


def test_guests_are_listed_with_what_can_be_set() -> None:
    found = {one.name: one for one in listed().guests}
    assert list(found) == guests.names() and {"benchmark", "disk", "hello", "operations", "packets", "sensitive", "stride"} <= set(found)
    assert found["operations"].mode == "supervisor" and found["hello"].mode == "machine"
    assert found["operations"].parameters["n"].endswith("(100)")
    done = CliRunner().invoke(app, ["emulate", "--list"])
    assert done.exit_code == 0 and "stride" in done.output and "rounds" in done.output


def test_a_run_from_the_command_line_shows_phases_and_devices(image: Path) -> None:
    done = CliRunner().invoke(app, ["emulate", "disk", "--disk", str(image), "--set", "n=4", "--counts", "--memory", "8MiB"])
    assert done.exit_code == 0, done.output
    assert "Phases" in done.output and "descriptors" in done.output and "dbcn: write" in done.output


MISTAKES = [
    (".parameter n, 1", "expected a name, a default and its meaning"), (".mode user", "expected .mode machine or .mode supervisor"),
    (".include nothing", "expected one of supervisor"),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES)
def test_mistakes_in_directives_are_named_with_their_line(line: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"x.s:2: .*{message}"):
        assemble(f"nop\n{line}\n", "x.s", 0)


def test_a_mistake_in_what_is_included_is_named_with_its_own_line() -> None:
    with pytest.raises(UsageError, match=r"x.s:supervisor.inc:\d+: SRST: defined twice"):
        assemble(".equ SRST, 1\n.include supervisor\n", "x.s", 0)

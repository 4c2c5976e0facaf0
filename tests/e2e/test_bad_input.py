"""Whatever is wrong with an input is said in a line with its place, at once, with status 2; nothing is simulated and nothing half-written."""

# ruff: noqa: E501  (a case of a table stays on its line)

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
from helpers import shortened
from helpers.effort import effort
from helpers.processes import command, environment

from simvirt.cli.app import main
from simvirt.plane import DataPlane

MM1: Final = (shortened.CONFIGS / "mm1.yaml").read_text(encoding="utf-8")
WEB: Final = (shortened.CONFIGS / "web.yaml").read_text(encoding="utf-8")
PLACE: Final = re.compile(r"^(\S+\.(yaml|csv):\d+(:\d+)?|\S*--\S+|\S+\.yaml): ")
AT_ONCE: Final = 300_000
"""Calls of functions that a refusal may take: ten times what the longest takes today, less than what loads a long scenario a dozen times."""


def changed(text: str, old: str, new: str) -> str:
    """A text with one thing changed, which must be there."""
    assert old in text
    return text.replace(old, new)


def mm1(old: str, new: str) -> str:
    """The smallest shipped scenario with one thing changed."""
    return changed(MM1, old, new)


BOMB: Final = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True))
WRONG: Final = {
    "cyclic calls": (changed(WEB, "select: [{cpu", "select: [{call: web.GET /}, {cpu"), r"operations call one another in a cycle: "),
    "zero threads": (mm1("threads: 1", "threads: 0"), r"services\.server\.threads: expected a whole number from 1"),
    "negative replicas": (mm1("threads: 1,", "threads: 1, scale: -3,"), r"services\.server\.scale: expected a whole number from 1"),
    "a limit above an inline host": (mm1("threads: 1,", "threads: 1, cpus: 2,"), r"services\.server\.cpus: expected at most the 1 CPUs of the host; got 2"),
    "a limit above a model's": (changed(WEB, "cpus: 4", "cpus: 400"), r"400 CPUs on a host of 56"),
    "memory above the host": (mm1("threads: 1,", "threads: 1, mem_limit: 8GiB,"), r"services\.server\.mem_limit: expected at most the 4 GiB of the host"),
    "an empty mix": (mm1("mix: {server.job: 1}", "mix: {}"), r"workload\.mix: expected at least one operation"),
    "no mix among several": (changed(WEB, "  mix: {web.GET /: 9, web.POST /order: 1}\n", ""), r"workload\.mix: missing"),
    "not a number": (mm1("exponential: 10ms", "exponential: .nan"), r"exponential: expected a time that is a finite number"),
    "infinite": (mm1("80/s", ".inf"), r"workload\.open\.rate: expected a"),
    "negative": (mm1("exponential: 10ms", "exponential: -10ms"), r"exponential: expected a time above 0"),
    "an enormous time": (mm1("exponential: 10ms", "exponential: 1e300s"), r"exponential: expected a time"),
    "an enormous rate": (mm1("80/s", "1e300/s"), r"rate: expected a rate of at most"),
    "an enormous number": (mm1("1000000", "9" * 400), r"run\.requests: expected a whole number"),
    "an enormous digit string": (mm1("10ms", "9" * 100_000 + "ms"), r"exponential: expected a time"),
    "duplicate keys": (mm1("name: mm1", "name: mm1\nname: other"), r"name: .*(twice|already|again)"),
    "a list where a mapping belongs": ("- simvirt: 1\n", r"expected a mapping"),
    "a scalar": ("42\n", r"expected a mapping"),
    "nothing": ("", r"expected|missing|empty"),
    "a YAML bomb": (BOMB + MM1, r"(alias|values|large|at most)"),
    "a deep nest": (mm1("name: mm1", "name: " + "[" * 5000), r"."),
    "a Python object": (mm1("name: mm1", "name: !!python/object/apply:os.system [id]"), r"tag|python"),
    "binary": ("\x00\x01\x02", r"."),
    "ten million threads of a hundred thousand replicas": (mm1("threads: 1,", "threads: 10000000, scale: 99999,"), r"threads in all"),
    "too many requests": (mm1("requests: 1000000", "duration: 1000000d"), r"requests in a replication|expected a time"),
    "an explosion of steps": (mm1("[{cpu: {exponential: 10ms}}]", "[{cpu: 1ms, times: 20000}, {cpu: 1ms, times: 20000}]"), r"expected at most 20000 steps in a request"),
    "an unknown platform": (mm1("[bare-metal]", "[dokcer]"), r'did you mean "?docker"?'),
    "an unknown operation of a cost": (mm1("{cpu: {exponential: 10ms}}", "{cpu: 1ms, ops: {sycall: 3}}"), r'did you mean "?syscall"?'),
    "an unknown host": (mm1("{cores: 1, memory: 4GiB}", "{model: dell-r740}"), r"dell-r740"),
    "an event after the end": (mm1("requests: 1000000", "duration: 10s") + "timeline: [{at: 20s, crash: server}]\n", r"timeline\.0\.at: expected an instant before the end"),
    "a start-up that calls": (mm1("threads: 1,", "threads: 1, startup: [{call: server.job}],"), r"a start-up consists of"),
    "a cpuset outside the host": (mm1("threads: 1,", 'threads: 1, cpuset: "0-3",'), r"expected CPUs from 0 to 0"),
    "a quota too small": (mm1("threads: 1,", "threads: 1, cpus: 0.001,"), r"refuses less than 1ms"),
    "clients that fill the memory": (mm1("open: {rate: 80/s}", "closed: {clients: 10000000}"), r"GiB of memory"),
    "containers times CPUs that fill the memory": (changed(mm1("[bare-metal]", "[docker]"), "cores: 1,", "cores: 4096, sockets: 64,").replace("threads: 1,", "threads: 1, scale: 99999,"), r"GiB of memory"),
    "vCPUs that fill the memory": (changed(mm1("[bare-metal]", "[kvm]"), "cores: 1,", "cores: 4096,").replace("threads: 1,", "threads: unlimited, scale: 50000,"), r"at most 20,000 VMs"),
    "VMs that fill the memory": (mm1("[bare-metal]", "[{name: x, stack: [kvm, docker], vms: {count: 100000, vcpus: 4096, memory: 16MiB}}]").replace("4GiB", "4TiB"), r"at most 20,000 VMs"),
    "background threads that fill the memory": (mm1("threads: 1,", "threads: 1, scale: 1000, background: {threads: 20000},"), r"GiB of memory|threads in all"),
}


@pytest.fixture(autouse=True)
def nothing_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes a data plane here fails with status 3."""
    def refuse(self: DataPlane) -> None:
        raise AssertionError("a data plane is made")

    monkeypatch.setattr(DataPlane, "__post_init__", refuse)


def told(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """What a wrong command says; it ends at once with 2 and writes nothing to standard output."""
    work, status = effort(main, arguments)
    captured = capsys.readouterr()
    assert status == 2, captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err and "pydantic" not in captured.err
    assert work < AT_ONCE
    return captured.err


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_scenario(command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, expected = WRONG[name]
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    out = ["--out", str(tmp_path / "results")] if command == "run" else []
    said = told(capsys, [command, str(path), *out])
    assert re.search(expected, said), said
    assert all(PLACE.match(line) for line in said.splitlines()), said
    assert max(map(len, said.splitlines())) < 600
    assert sorted(tmp_path.iterdir()) == [path]


TABLES: Final = {
    "a backwards trace": ("trace: {file: t.csv, at: at_s}", "at_s\n1\n3\n2\n", r"t\.csv:4: at_s: expected an instant that is not before"),
    "a trace without numbers": ("trace: {file: t.csv, at: at_s}", "at_s\n1\ntwo\n", r"t\.csv:3: at_s: expected a number"),
    "a trace with NaN": ("trace: {file: t.csv, at: at_s}", "at_s\n1\nnan\n", r"t\.csv:3: at_s: expected a finite number"),
    "a trace without the column": ("trace: {file: t.csv, at: when_s}", "at_s\n1\n", r'no column "when_s"'),
    "an empty trace": ("trace: {file: t.csv, at: at_s}", "at_s\n", r"at least one line"),
    "a trace of unknown operations": ("trace: {file: t.csv, at: at_s, operation: op}", "at_s,op\n1,server.jop\n", r't\.csv:2: op: unknown operation "server\.jop"; did you mean'),
    "no trace at all": ("trace: {file: u.csv, at: at_s}", "", r"u\.csv"),
    "rates that stand still": ("rates: {file: t.csv, at: at_s, rate: r_per_s}", "at_s,r_per_s\n0,1\n0,2\n", r"t\.csv:3: at_s: expected an instant after"),
    "rates that are all zero": ("rates: {file: t.csv, at: at_s, rate: r_per_s}", "at_s,r_per_s\n0,0\n1,0\n", r"expected a rate above 0 in some line"),
    "a negative rate": ("rates: {file: t.csv, at: at_s, rate: r_per_s}", "at_s,r_per_s\n0,1\n1,-2\n", r"t\.csv:3: r_per_s: "),
    "demands that are negative": ("trace: {file: t.csv, at: at_s, cpu: d_ms}", "at_s,d_ms\n1,1\n2,-1\n", r"t\.csv:3: d_ms: "),
}


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("name", TABLES)
def test_a_wrong_table(command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workload, content, expected = TABLES[name]
    path = tmp_path / "x.yaml"
    path.write_text(mm1("open: {rate: 80/s}", workload), encoding="utf-8")
    (tmp_path / "t.csv").write_text(content)
    out = ["--out", str(tmp_path / "results")] if command == "run" else []
    said = told(capsys, [command, str(path), *out])
    assert re.search(expected, said), said
    assert not (tmp_path / "results").exists()


def test_a_wrong_empirical_distribution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(mm1("{exponential: 10ms}", "{empirical: t.csv}"), encoding="utf-8")
    (tmp_path / "t.csv").write_text("d_ms\n1\n-2\n")
    said = told(capsys, ["check", str(path)])
    assert re.search(r"t\.csv:3: d_ms: expected a finite number", said), said


@pytest.mark.parametrize(("arguments", "expected"), [
    (["run", "nowhere.yaml"], r"nowhere\.yaml"),
    (["run", "."], r"\."),
    (["run"], r"(?i)missing"),
    (["run", "x.yaml", "--set", "services.server.thread=1"], r"did you mean"),
    (["run", "x.yaml", "--set", "nonsense"], r"--set"),
    (["run", "x.yaml", "--seed", "-1"], r"seed"),
    (["run", "x.yaml", "--jobs", "-1"], r"jobs"),
    (["run", "x.yaml", "--format", "xml"], r"xml"),
    (["run", "x.yaml", "--assert"], r"objective"),
    (["rum", "x.yaml"], r"rum"),
])
def test_wrong_use(arguments: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.yaml").write_text(MM1, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    said = told(capsys, arguments)
    assert re.search(expected, said), said
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.yaml"]


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere"])
def test_no_place_for_results(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said before anything is simulated."""
    (tmp_path / "x.yaml").write_text(MM1, encoding="utf-8")
    (tmp_path / "file").write_text("not a folder")
    said = told(capsys, ["run", str(tmp_path / "x.yaml"), "--out", str(tmp_path / place)])
    assert "cannot write results here" in said and "--out" in said


@pytest.mark.parametrize("name", ["clients that fill the memory", "containers times CPUs that fill the memory", "VMs that fill the memory", "a YAML bomb"])
def test_a_promise_of_memory_is_not_kept(name: str, tmp_path: Path) -> None:
    """In a process that may not have more than 600 MiB: it is refused before it is tried."""
    import resource

    path = tmp_path / "x.yaml"
    path.write_text(WRONG[name][0], encoding="utf-8")
    done = subprocess.run(
        command("run", str(path), "--out", str(tmp_path / "results")), env=environment(), capture_output=True, text=True, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (600 * 2**20, 600 * 2**20)),
    )
    assert done.returncode == 2, done.stderr
    assert PLACE.match(done.stderr)
    assert not (tmp_path / "results").exists()

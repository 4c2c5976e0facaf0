"""Files: those that cannot be read, includes, and the CSV files that a scenario names."""

# ruff: noqa: E501  (a case of a table stays on its line)

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from helpers.mistakes import MM1, mm1, mm1_steps, mm1_workload
from helpers.shortened import CONFIGS

from simvirt.catalog.plain_names import unknown_names
from simvirt.errors import ScenarioError
from simvirt.scenario import Scenario, json_schema, load, loads
from simvirt.scenario.checks.contents import check_contents

TRACE = "{trace: {file: t.csv, at: arrives_s, cpu: demand_ms, operation: op}}"


def write(folder: Path, **files: str) -> None:
    """Writes files: `a_yaml="..."` is `a.yaml`."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")


def mistakes(path: Path, *sets: str) -> list[str]:
    """The mistakes of a file, without its folder."""
    with pytest.raises(ScenarioError) as caught:
        load(path, sets)
    return str(caught.value).replace(f"{path.parent}{os.sep}", "").splitlines()


def test_a_missing_file_a_folder_and_a_device(tmp_path: Path) -> None:
    write(tmp_path, web_yaml=MM1)
    assert mistakes(tmp_path / "wbe.yaml") == ['wbe.yaml: no such file; did you mean "web.yaml"?']
    assert mistakes(tmp_path / "no" / "x.yaml")[0].startswith("x.yaml: no such file; there is no folder")
    (tmp_path / "folder").mkdir()
    assert mistakes(tmp_path / "folder") == ["folder: expected a file; this is a directory"]
    assert "a device" in mistakes(Path("/dev/null"))[0]
    assert "expected the name of a file" in mistakes(Path("a\0b"))[0]


def test_binary_and_large_files(tmp_path: Path) -> None:
    for name, content, expected in (
        ("elf.yaml", b"\x7fELF\0\0\xff", "elf.yaml:1:7: expected text in UTF-8; got a binary file"), ("png.yaml", b"\x89PNG\0", "png.yaml:1:1: expected text in UTF-8; got a binary file"),
        ("latin.yaml", "simvirt: 1\nname: caf\xe9".encode("latin-1"), "latin.yaml:2:10: expected text in UTF-8; got the byte 0xe9"),
        ("big.yaml", b"# \n" * 2_000_000, "big.yaml: expected a scenario of at most 4 MiB"),
    ):
        (tmp_path / name).write_bytes(content)
        assert mistakes(tmp_path / name)[0].startswith(expected)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    write(tmp_path, x_yaml=MM1)
    (tmp_path / "x.yaml").chmod(0)
    assert mistakes(tmp_path / "x.yaml") == ["x.yaml: cannot be read: permission denied"]


def test_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbf" + MM1.replace("\n", "\r\n").encode())
    assert load(tmp_path / "x.yaml") == loads(MM1)


def test_an_included_base(tmp_path: Path) -> None:
    write(tmp_path, base_yaml=MM1, top_yaml="include: base.yaml\nname: top\nrun: {duration: 9s}\nservices: {server: {threads: 7}}\nhost: big\n")
    scenario = load(tmp_path / "top.yaml")
    assert (scenario.name, scenario.run.duration, scenario.run.requests, scenario.run.replications) == ("top", 9 * 10**9, None, 5)
    assert scenario.services["server"].threads == 7
    assert "job" in scenario.services["server"].operations
    assert scenario.host.model == "big"
    assert scenario.locate(("services", "server", "threads"))[0] == str(tmp_path / "top.yaml")
    assert scenario.locate(("workload", "open", "rate"))[0] == str(tmp_path / "base.yaml")


def test_several_included_files_and_the_catalogue(tmp_path: Path) -> None:
    write(tmp_path, a_yaml="catalog: {disks: {x: {title: a}}}\nname: a", b_yaml="catalog: {disks: {y: {title: b}}}\nname: b",
          top_yaml="include: [a.yaml, b.yaml]\n" + MM1.replace("name: mm1\n", ""))
    scenario = load(tmp_path / "top.yaml")
    assert scenario.name == "b"
    assert scenario.catalog == {"disks": {"x": {"title": "a"}, "y": {"title": "b"}}}


def test_mistakes_in_included_files_stand_there(tmp_path: Path) -> None:
    write(tmp_path, base_yaml=mm1("threads: 1", "thread: 1"), top_yaml="include: base.yaml\nrun: {sed: 1}\n")
    assert mistakes(tmp_path / "top.yaml") == [
        'top.yaml:2:7: run.sed: unknown key; did you mean "seed"?',
        'base.yaml:6:12: services.server.thread: unknown key; did you mean "threads"?',
    ]


def test_circles_and_other_mistakes_of_includes(tmp_path: Path) -> None:
    write(tmp_path, a_yaml="include: b.yaml", b_yaml="include: ./a.yaml", bad_yaml="include: [no.yaml, 3, bd.yaml, .]\n" + MM1, list_yaml="[1]",
          l_yaml="include: list.yaml\n" + MM1)
    assert any("b.yaml:1:10: include: files include one another in a cycle: " in line for line in mistakes(tmp_path / "a.yaml"))
    lines = mistakes(tmp_path / "bad.yaml")
    assert len(lines) == 4
    assert 'bad.yaml:1:11: include: "no.yaml": no such file' in lines[0]
    assert "include: expected a file or a list of files, for example base.yaml; got 3" in lines[1]
    assert 'did you mean "bad.yaml"?' in lines[2]
    assert "this is a directory" in lines[3]
    assert mistakes(tmp_path / "l.yaml") == [
        'l.yaml:1:10: include: "list.yaml": expected a scenario, a mapping with keys such as services or host']


@pytest.mark.parametrize("content", [
    "secret: hunter2\nsecret2: [hunter2]\n", "hunter2:x:0:0\n", "- hunter2\n", "hunter2: &a !!python/x 1\n", "a: 1\na: hunter2\n", "\tx: hunter2\n",
    "hunter2\n", "{hunter2: 1, *b}", "a: *hunter2\n",
])
def test_a_file_that_is_no_scenario_is_named_and_never_shown(tmp_path: Path, content: str) -> None:
    """Whether it is included, or named as a trace, rates or an empirical distribution."""
    write(tmp_path, notes_txt=content, top_yaml="include: notes.txt\n" + MM1)
    tables = [{"trace": {"file": "notes.txt", "at": "at_s"}}, {"rates": {"file": "notes.txt", "at": 0, "rate": 1}},
              {"rates": {"file": "notes.txt", "at": "x_s", "rate": "y_per_s"}}, {"closed": {"clients": 1, "think": {"empirical": "notes.txt"}}}]
    told = mistakes(tmp_path / "top.yaml")
    for table in tables:
        tree = yaml.safe_load(MM1)
        tree["workload"] = table | {"mix": tree["workload"].get("mix", {"server.job": 1})}
        write(tmp_path, table_yaml=yaml.safe_dump(tree))
        with pytest.raises(ScenarioError) as error:
            check_contents(load(tmp_path / "table.yaml"))
        told.append(str(error.value))
    assert len(told) == 5
    assert all("notes.txt" in line and "hunter2" not in line for line in told), told


def trace(folder: Path, content: str, workload: str = TRACE) -> Path:
    """A scenario with a trace."""
    write(folder, t_csv=content, s_yaml=mm1_workload(workload))
    return folder / "s.yaml"


def test_traces_are_found_beside_their_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = trace(tmp_path, "arrives_s,demand_ms,op\n0,1,server.job\n")
    spec = loaded_trace(load(path))
    assert spec == str(tmp_path / "t.csv")
    monkeypatch.chdir(tmp_path)
    assert loaded_trace(load("s.yaml")) == str(tmp_path / "t.csv")
    assert loaded_trace(load(path, ["workload.trace.file=t.csv"])) == str(tmp_path / "t.csv")


def loaded_trace(scenario: Scenario) -> str:
    """The file of the trace of a scenario."""
    assert scenario.workload is not None and scenario.workload.trace is not None
    return scenario.workload.trace.file


def test_mistakes_of_traces_at_load(tmp_path: Path) -> None:
    assert mistakes(trace(tmp_path, "arrive_s,demand_s,op\n0,1,x\n")) == [
        's.yaml:7:37: workload.trace.at: no column "arrives_s" in t.csv; did you mean "arrive_s"? (it has arrive_s, demand_s, op)',
        's.yaml:7:53: workload.trace.cpu: no column "demand_ms" in t.csv; did you mean "demand_s"? (it has arrive_s, demand_s, op)',
    ]
    assert mistakes(trace(tmp_path, "x", "{trace: {file: u.csv, at: at_s}}")) == [
        's.yaml:7:26: workload.trace.file: "u.csv": no such file; did you mean "t.csv"?']
    assert "directory" in mistakes(trace(tmp_path, "x", "{trace: {file: ., at: at_s}}"))[0]
    assert "first line is empty" in mistakes(trace(tmp_path, "\n1\n"))[0]
    (tmp_path / "t.csv").write_bytes(b"\x00\x01\x02")
    assert "binary file" in mistakes(tmp_path / "s.yaml")[0]
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x02")
    assert "binary file" in mistakes(tmp_path / "s.yaml")[0]


def test_a_trace_and_another_mistake_are_told_together(tmp_path: Path) -> None:
    write(tmp_path, s_yaml=mm1_workload("{trace: {file: no.csv, at: at_s}}").replace("threads: 1", "threads: 0"))
    assert len(mistakes(tmp_path / "s.yaml")) == 2


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = trace(tmp_path, "arrives_s,demand_ms,op\n")
    os.truncate(tmp_path / "t.csv", 3 * 2**30)
    assert "expected a file of at most 2 GiB" in mistakes(path)[0]


def test_empirical_distributions_at_load(tmp_path: Path) -> None:
    write(tmp_path, d_csv="a_ms,b_ms,c\n1,2,3\n", s_yaml=mm1_steps("[{cpu: {empirical: d.csv}}, {cpu: {empirical: {file: d.csv, column: c}}}, "
                                                                   "{delay: {empirical: {file: d.csv, column: d_ms}}}]"))
    lines = mistakes(tmp_path / "s.yaml")
    assert len(lines) == 3
    assert "cpu.empirical: expected one column whose name ends in _s, _ms, _us or _ns, or the name of one in d.csv; it has a_ms, b_ms, c" in lines[0]
    assert "empirical.column: expected a column whose name ends in its unit" in lines[1]
    assert 'empirical.column: no column "d_ms" in d.csv; did you mean' in lines[2]


def test_rates_with_and_without_a_header(tmp_path: Path) -> None:
    write(tmp_path, r_csv="time_s,rate_per_s\n0,1\n", n_csv="0.5,8.3\n1.5,16.6\n")
    for workload in ("{rates: {file: r.csv, at: time_s, rate: rate_per_s}}", "{rates: {file: n.csv, at: 0, rate: 1, unit: s}}"):
        write(tmp_path, s_yaml=mm1_workload(workload))
        load(tmp_path / "s.yaml")
    for workload, expected in (
        ("{rates: {file: n.csv, at: 0, rate: 2}}", 'no column "2"'), ("{rates: {file: r.csv, at: time_s, rate: 1}}", "both columns as names"),
        ("{rates: {file: r.csv, at: time_s, rate: rate_per_s, unit: s}}", "has no effect on named columns"),
        ("{rates: {file: r.csv, at: time_s, rate: time_s}}", "expected a column that ends in its unit (_per_s"),
    ):
        write(tmp_path, s_yaml=mm1_workload(workload))
        assert any(expected in line for line in mistakes(tmp_path / "s.yaml"))


COMPOSE = """
version: "3.8"
services:
  web: {image: "nginx:1.27", ports: ["80:80"]}
volumes: {data: {}}
"""


@pytest.mark.parametrize("text", [COMPOSE, "services: {web: {build: .}}", "name: shop\nservices: {db: {image: postgres, environment: {A: b}}}"])
def test_a_compose_file_is_recognised_and_told_what_a_scenario_adds(text: str) -> None:
    with pytest.raises(ScenarioError, match="this is a Compose file; expected a scenario") as error:
        loads(text)
    assert len(error.value.issues) == 1


def test_a_scenario_with_a_word_of_compose_is_a_scenario_with_a_mistake() -> None:
    with pytest.raises(ScenarioError, match="ports: unknown key"):
        loads(mm1("threads: 1", "threads: 1, ports: [80]"))


def test_wrong_names_of_the_catalogue_are_told_beside_other_mistakes(tmp_path: Path) -> None:
    """In the same round, whatever else is wrong; each once."""
    tree = yaml.safe_load(MM1)
    tree["host"] = {"model": "dell-r74", "disk": "nvmee", "nic": "25Gbps"}
    tree["platforms"] = ["dokcer", {"name": "mine", "stack": ["kwm"]}]
    tree["services"]["server"] |= {"profile": "rediss", "threads": "two"}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(tree))
    with pytest.raises(ScenarioError) as error:
        load(tmp_path / "s.yaml", names=unknown_names)
    paths = [issue.path for issue in error.value.issues]
    assert sorted(paths) == sorted({
        "host.model", "host.disk", "platforms.0", "platforms.1.stack.0", "services.server.profile", "services.server.threads"}), paths


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_files_validate_against_the_schema(file: Path) -> None:
    """One of them includes another, and leaves to that what is required."""
    validator = pytest.importorskip("jsonschema").Draft202012Validator(json_schema())
    assert [error.message[:200] for error in validator.iter_errors(yaml.safe_load(file.read_text()))] == []

"""The commands `simvirt compare` and `simvirt knee` as a user meets them: files, folders, sweeps, scenarios, statuses, mistakes."""

from __future__ import annotations

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import simvirt
from simvirt.cli.app import main
from simvirt.report.as_json import dumps
from simvirt.result.schema import result_schema
from simvirt.sweep import load as load_sweep

SCENARIO = """\
simvirt: 1
name: shop
host: {cores: 2, memory: 4GiB}
platforms: [bare-metal, docker]
services: {web: {threads: 8, operations: {get: [{cpu: {exponential: 5ms}}]}}}
workload: {open: {rate: 320/s}, mix: {web.get: 1}}
objective: {latency_p99: 50ms}
run: {duration: 4s, replications: 4, seed: 1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario, and two results of it: as it is, and with half of the load."""
    made = tmp_path_factory.mktemp("compare")
    (made / "shop.yaml").write_text(SCENARIO)
    for name, sets in (("before", []), ("after", ["workload.open.rate=100/s", "services.web.threads=4"])):
        (made / name).mkdir()
        result = simvirt.run(simvirt.load(made / "shop.yaml", sets=sets), maximum=False)
        (made / name / "result.json").write_text(dumps(result.document()))
    return made


@pytest.fixture
def ran(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """What a command ends with, prints and says."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*args: str) -> tuple[int, str, str]:
        status = main([*args, "--out", "kept"])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_two_results(ran: Any) -> None:
    status, out, err = ran("compare", "before", "after/result.json")
    assert status == 0
    assert out.splitlines()[0] == "before → after/result.json"
    assert "p99 is" in out.splitlines()[1]
    assert "faster on bare-metal" in out
    assert {("workload.open.rate", "320/s", "100/s"), ("services.web.threads", "8", "4")} <= {tuple(line.split()) for line in out.splitlines()}
    assert "replications paired" in out
    assert Path(err.strip()).name == "compare.json"
    assert {path.name for path in Path(err.strip()).parent.iterdir()} == {"compare.json", "compare.txt", "compare.csv"}


def test_a_result_and_itself(ran: Any) -> None:
    status, out, _ = ran("compare", "before", "before/result.json", "--assert", "p99 +0%", "--assert", "throughput -0%")
    assert status == 0
    assert "no difference seen in p99 and throughput; what was asserted holds." in out
    assert "What differs" not in out


def test_what_was_asserted_fails_with_status_1(ran: Any) -> None:
    status, out, err = ran("compare", "after", "before", "--assert", "docker: mean +5%", "--assert", "cpu +90%", "--format", "json")
    found = json.loads(out)
    jsonschema.Draft202012Validator(result_schema("compare")).validate(found)
    assert status == 1
    assert [(one["platform"], one["said"], one["holds"]) for one in found["asserted"]] == [
        ("docker", "docker: mean +5%", False), ("bare-metal", "cpu +90%", True), ("docker", "cpu +90%", True),
    ]
    assert "--assert: docker: mean" in err
    assert "is beyond docker: mean +5%" in err


def test_scenarios_are_run_first(ran: Any) -> None:
    status, out, _ = ran(
        "compare", "before", "shop.yaml", "--set", "platforms=[docker]", "--set", "run.duration=1s", "--set", "run.replications=2", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert status == 0
    assert {row["platform"] for row in rows} == {"docker"}
    assert {row["method"] for row in rows} == {"paired"}


def test_sweeps_are_compared_cell_by_cell_and_pair_by_pair(ran: Any, folder: Path) -> None:
    for name, limit in (("one", "2"), ("two", "1")):
        sets = ["platforms=[docker]", f"services.web.cpus={limit}", "run.duration=2s"]
        asked = load_sweep(folder / "shop.yaml", ["workload.open.rate=50/s..150/s:3"], sets)
        with ThreadPoolExecutor(1) as executor:
            result = simvirt.sweep(asked, folder / name, fresh=True, executor=executor)
        (folder / name / "sweep.json").write_text(dumps(result.document()))
    status, out, _ = ran("compare", "one", "two", "--format", "json")
    found = json.loads(out)
    assert status == 0
    assert [cell["cell"] for cell in found["cells"]] == [{"workload.open.rate": rate} for rate in ("50/s", "100/s", "150/s")]
    assert {cell["measures"]["latency_p99_s"]["method"] for cell in found["cells"]} == {"paired"}
    ratios = [cell["measures"]["latency_mean_s"]["ratio"]["value"] for cell in found["cells"]]
    whole = found["platforms"]["docker"]["latency_mean_s"]
    assert whole["ratio"]["value"] == pytest.approx((ratios[0] * ratios[1] * ratios[2]) ** (1 / 3))
    assert whole["ratio"]["value"] > 1
    assert [one["what"] for one in found["differs"]] == ["services.web.cpus"]
    (folder / "one" / "ledger.sqlite").unlink()
    _, out, _ = ran("compare", "one", "two", "--format", "json")
    assert {cell["measures"]["latency_p99_s"]["method"] for cell in json.loads(out)["cells"]} == {"unpaired"}, "no pairs without a ledger"


@pytest.mark.parametrize(("args", "words"), [
    (("before", "nowhere"), "nowhere: cannot be read: No such file or directory; expected a result, for example"),
    (("before", "kept"), "no result.json and no sweep.json in this folder"),
    (("before", "list.json"), "expected a result of `simvirt run` or `simvirt sweep`"),
    (("before", "text.json"), "text.json:1:1: no JSON"),
    (("before", "half.json"), "half.json: no whole result: simvirt: Field required"),
    (("before", "after", "--assert", "p99"), "--assert 'p99': expected a measure and the most that it may change, for example 'p99 +5%'"),
    (("before", "after", "--assert", "kvm: p99 +5%"), "neither result has it; platforms of both are bare-metal, docker"),
    (("before", "after", "--margin", "much"), "for example"),
    (("before", "after", "--seed", "3"), "--set and --seed are for scenarios"),
])
def test_mistakes(ran: Any, folder: Path, args: tuple[str, ...], words: str) -> None:
    (folder / "kept").mkdir(exist_ok=True)
    for name, text in (("list.json", "[]"), ("text.json", "shop"), ("half.json", '{"platforms": {}, "comparison": {}}')):
        (folder / name).write_text(text)
    status, out, err = ran("compare", *args)
    assert (status, out) == (2, "")
    assert words in err


def test_a_knee(ran: Any) -> None:
    status, out, err = ran(
        "knee", "shop.yaml", "--platform", "docker", "--objective", "latency_mean=20ms", "--precision", "30%", "--format", "json")
    found = json.loads(out)
    jsonschema.Draft202012Validator(result_schema("knee")).validate(found)
    knee = found["knees"]["docker"]["knee"]
    assert status == 0
    assert list(found["knees"]) == ["docker"]
    assert knee["low"] < knee["value"] < knee["high"] <= 420
    assert found["answer"].startswith("mean ≤ 20 ms breaks at ")
    assert f"{found['knees']['docker']['broken_by']['resource']}" == "host.cpu"
    assert Path(err.strip().splitlines()[-1]).name == "knee.json"


@pytest.mark.parametrize(("args", "words"), [
    (("--objective", "latency_p99"), "expected a limit and its value, for example --objective latency_p99=100ms"),
    (("--platform", "xen"), "--platform xen: expected one of the scenario's: bare-metal, docker"),
    (("--precision", "0%"), "for example"),
    (("--objective", "latency_p98=100ms"), "latency_p98: unknown key"),
])
def test_mistakes_of_a_knee(ran: Any, args: tuple[str, ...], words: str) -> None:
    status, out, err = ran("knee", "shop.yaml", *args)
    assert (status, out) == (2, "")
    assert words in err

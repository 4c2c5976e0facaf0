"""Whatever `--format json` prints keeps to the schema that `simvirt schema --result` prints, and its model reads it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from helpers import shortened
from helpers.collecting import hold_all
from pydantic import TypeAdapter

import simvirt
from simvirt.cli.app import main
from simvirt.density import density
from simvirt.plan import plan
from simvirt.report.as_json import dumps
from simvirt.result.schema import DOCUMENTS, result_schema
from simvirt.validation.facts import chosen
from simvirt.validation.predict import Conditions
from simvirt.validation.suite import validate

DOCS = Path(__file__).resolve().parents[1] / "docs"
WRONG = "simvirt: 1\nservices: {web: {thread: 1}}\n"


def keeps_to_its_schema(kind: str, text: str) -> None:
    """A printed document against its schema; what the model makes of it is printed as the same bytes."""
    document = json.loads(text)
    jsonschema.Draft202012Validator(result_schema(kind)).validate(document)
    adapter = TypeAdapter[Any](DOCUMENTS[kind])
    again = adapter.dump_python(adapter.validate_python(document), mode="json", by_alias=True, exclude_unset=True)
    assert dumps(again) == text


def printed(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """What a command prints as JSON."""
    main([*args, "--format", "json"])
    return capsys.readouterr().out


def test_results_of_shipped_scenarios() -> None:
    hold_all(lambda name: keeps_to_its_schema("run", dumps(simvirt.run(shortened.shortest(name), maximum=name in shortened.MAXIMUM).document())), list(shortened.SHORTER))


def test_a_result_with_two_replications_objective_and_samples() -> None:
    text = dumps(simvirt.run(shortened.scenario("load-profile", "run.duration=2s"), maximum=False).document())
    keeps_to_its_schema("run", text)
    assert all("series" in platform for platform in json.loads(text)["platforms"].values())


def test_a_density() -> None:
    data = yaml.safe_load((DOCS / "small.yaml").read_text()) | {"objective": {"latency_p90": "1s"}, "density": {"max": 2}, "timeline": []}
    keeps_to_its_schema("density", dumps(density(simvirt.loads(yaml.safe_dump(data, sort_keys=False))).document()))


def test_a_density_of_nothing() -> None:
    data = yaml.safe_load((DOCS / "small.yaml").read_text()) | {"objective": {"latency_p90": "1us"}, "density": {"max": 2}, "timeline": []}
    text = dumps(density(simvirt.loads(yaml.safe_dump(data, sort_keys=False))).document())
    keeps_to_its_schema("density", text)
    assert all(answer["n"] == 0 and "latency_s" not in answer for answer in json.loads(text)["density"].values())


def test_a_plan() -> None:
    text = dumps(plan(simvirt.loads((DOCS / "plan.yaml").read_text())).document())
    keeps_to_its_schema("plan", text)
    assert "regret" in json.loads(text)


def test_a_plan_that_nothing_carries() -> None:
    scenario = simvirt.loads((DOCS / "plan.yaml").read_text(), sets=["objective={latency_mean: 1us}"])
    text = dumps(plan(scenario).document())
    keeps_to_its_schema("plan", text)
    assert not any(found["feasible"] or "cost" in found for found in json.loads(text)["alternatives"])


def test_a_validation() -> None:
    table = min(chosen(), key=lambda table: len(table.rows) * len(table.columns))
    keeps_to_its_schema("validate", dumps(validate([table], Conditions(1, 1), with_theory=False).document()))


def test_mistakes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG, encoding="utf-8")
    for command in ("check", "run", "density", "plan"):
        text = printed(capsys, command, str(path))
        keeps_to_its_schema("error", text)
        found = json.loads(text)
        assert not found["ok"]
        assert "services.web.thread" in [issue["path"] for issue in found["issues"]]
    keeps_to_its_schema("error", printed(capsys, "run", str(path), "--seeed", "3"))
    assert json.loads(printed(capsys, "check", str(shortened.CONFIGS / "mm1.yaml"))) == {"ok": True, "issues": []}


LISTS = ("", "hosts", "platforms", "images", "prices", "profiles")
EXPLAINED = (("kvm",), ("docker",), ("dell-r740-gold-6132",), ("docker", "--against", "kvm"), ("kvm", "--workload", "nginx"))


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    hold_all(lambda kind: keeps_to_its_schema("list", printed(capsys, "list", *kind.split())), LISTS)


def test_what_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    hold_all(lambda args: keeps_to_its_schema("explain", printed(capsys, "explain", *args)), EXPLAINED)


def test_the_schema_of_each_result_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for kind in DOCUMENTS:
        assert main(["schema", "--result", kind]) == 0
        schema = json.loads(capsys.readouterr().out)
        assert schema == result_schema(kind)
        jsonschema.Draft202012Validator.check_schema(schema)
    main(["schema", "--result"])
    assert json.loads(capsys.readouterr().out) == result_schema("run")


@pytest.mark.parametrize(("args", "words"), [
    (["--result", "runs"], "no result 'runs'; expected one of run, deploy, density, knee, plan, fit, calibrate, sweep, compare, validate"),
    (["run"], "expected --result before the name of a result: simvirt schema --result run"),
])
def test_a_wrong_name_of_a_result(capsys: pytest.CaptureFixture[str], args: list[str], words: str) -> None:
    assert main(["schema", *args]) == 2
    assert words in capsys.readouterr().err

"""Rule cases of a file: how they are read, compared and reported, whatever is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simvirt.cli.app import main
from simvirt.report.formats import rendered
from simvirt.report.rules_report import report
from simvirt.validation.rules.cases import Case, Given, form_of
from simvirt.validation.rules.judge import judge, judged
from simvirt.validation.rules.rule import Answer, Rules, alike


def double(given: Given) -> Answer:
    """Twice a number, as it is and in a list."""
    return {"twice": 2 * given["number"], "both": (given["number"], 2 * given["number"]), "error": given.get("broken")}


RULES = Rules("doubling", {"double": double})
NEAR = Rules("doubling", {"double": double}, factor=1.5)


def case(expected: dict[str, Any], **given: Any) -> Case:
    """A case of doubling."""
    return Case("mine", "doubling", {"function": "double"} | given, expected)


@pytest.mark.parametrize(("expected", "given", "verdict"), [
    ({"twice": 4}, {"number": 2}, "same"),
    ({"twice": 4.0, "both": [2, 4]}, {"number": 2}, "same"),
    ({"twice": 5}, {"number": 2}, "different"),
    ({"twice": True}, {"number": 0.5}, "different"),
    ({"both": [2]}, {"number": 2}, "different"),
    ({"error": "anything"}, {"number": 2, "broken": "in other words"}, "same"),
    ({"error": "anything"}, {"number": 2}, "different"),
    ({"thrice": 6}, {"number": 2}, "unknown"),
    ({"twice": 4}, {}, "unknown"),
    ({"twice": 4}, {"number": {}}, "unknown"),
    ({"twice": 4}, {"function": "treble", "number": 2}, "unknown"),
    ({"twice": 4}, {"function": None, "number": 2}, "unknown"),
])
def test_verdicts(expected: dict[str, Any], given: dict[str, Any], verdict: str) -> None:
    found = judged(case(expected, **given), RULES)
    assert found.verdict == verdict
    assert (found.verdict == "unknown") == bool(found.reason)
    assert (found.verdict == "different") == bool(found.differences)


def test_what_no_rule_looked_at_is_said() -> None:
    assert judged(case({"twice": 4}, number=2, colour="red"), RULES).overlooked == ("colour",)
    assert judged(case({"twice": 4}, number=2), None).reason


def test_magnitudes_may_differ_by_a_factor_and_their_error_is_kept() -> None:
    near, far = judged(case({"twice": 5}, number=2), NEAR), judged(case({"twice": 7}, number=2), NEAR)
    assert near.verdict == "same"
    assert near.error == pytest.approx(0.25)
    assert far.verdict == "different"
    document = judge([case({"twice": 5}, number=2), case({"twice": 4}, number=2)], "mine.yaml", {"doubling": NEAR})
    assert document.kinds[0].median_error == pytest.approx(0.125)


def test_an_adapter_sees_what_is_asked_for_and_not_the_answer() -> None:
    assert form_of({"after_s": {"0": 1, "60": 5}, "first": [1, 2]}) == {"after_s": {"0": None, "60": None}, "first": [None, None]}
    assert alike({"0": 1}, {0: 1, 60: 2})


FILE = """
- {id: one, kind: hpa-replicas, source: x, given: {function: object_value, current_replicas: 3, metric_m: 20000, target_m: 15000, ready_pods: 3},
   expected: {replicas: 4}}
- {id: two, kind: hpa-replicas, given: {function: object_value, current_replicas: 3, metric_m: 20000, target_m: 15000}, expected: {replicas: 9}}
- {id: three, kind: hpa-replicas, given: {function: unheard_of}, expected: {replicas: 9}}
- {id: four, kind: alchemy, given: {}, expected: {gold: 1}}
"""


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(FILE)
    assert main(["validate", str(file), "--out", str(tmp_path), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [found["verdict"] for found in document["cases"]] == ["same", "different", "unknown", "unknown"]
    assert document["kinds"][0] == {"kind": "hpa-replicas", "cases": 3, "same": 1, "different": 1, "unknown": 1, "factor": 1.0, "median_error": None}
    assert main(["report", str(tmp_path / "rules"), "-o", str(tmp_path / "page.html")]) == 0
    text = (tmp_path / "rules" / "report.txt").read_text()
    assert "1 of 4 cases answered as expected, 1 otherwise, 2 not known." in text
    assert "hpa-replicas: unheard_of" in text


@pytest.mark.parametrize(("text", "said"), [
    ("", "expected a list of cases"), ("title: tables", "--tables FILE"), ("- {id: a, kind: b, expected: {}}", "0.given: expected a mapping"),
    ("- 3", "expected a case"),
])
def test_mistakes_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(text)
    assert main(["validate", str(file), "--out", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err
    assert main(["validate", str(file), "--topic", "2"]) == 2


def test_every_form_renders_it() -> None:
    document = judge([case({"twice": 5}, number=2, colour="red"), case({}, function="none")], "mine.yaml", {"doubling": RULES})
    assert all(rendered(report(document), form) for form in ("text", "json", "csv", "markdown", "html"))

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
from simvirt.validation.rules.registry import RULES as KINDS
from simvirt.validation.rules.rule import Answer, Near, Open, Rules, alike


def double(given: Given) -> Answer:
    """Twice a number, as it is and in a list."""
    return {"twice": 2 * given["number"], "both": (given["number"], 2 * given["number"]), "error": given.get("broken")}


RULES = Rules("doubling", {"double": double})


def about_double(given: Given) -> Answer:
    """The same, its numbers as magnitudes, but for one."""
    return {"twice": Near(2 * given["number"]), "exactly": 2 * given["number"], "parts": {"known": 1, "other": Open("nobody counted it")}}


NEAR = Rules("doubling", {"double": about_double}, factor=1.5)


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


def test_what_is_no_magnitude_is_exact() -> None:
    found = judged(case({"twice": 5, "exactly": 5}, number=2), NEAR)
    assert found.verdict == "different"
    assert [part.key for part in found.differences] == ["exactly"]
    assert found.errors == pytest.approx((0.25,))


def test_parts_that_are_open_are_said_beside_those_that_are_answered() -> None:
    part = judged(case({"exactly": 4, "parts": {"known": 1, "other": 7}}, number=2), NEAR)
    assert (part.verdict, part.reason) == ("part", "nobody counted it")
    assert judged(case({"parts": {"known": 2, "other": 7}}, number=2), NEAR).verdict == "different"
    assert judged(case({"parts": {"other": 7}}, number=2), NEAR).verdict == "unknown"
    also = judged(case({"exactly": 4, "thrice": 6}, number=2), NEAR)
    assert (also.verdict, also.reason) == ("part", "no answer to thrice")
    document = judge([case({"exactly": 4, "thrice": 6}, number=2)], "mine.yaml", {"doubling": NEAR})
    assert (document.kinds[0].same, document.kinds[0].part) == (0, 1)
    assert "1 in part" in rendered(report(document), "text")


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
    assert document["kinds"][0] == {"kind": "hpa-replicas", "cases": 3, "same": 1, "part": 0, "different": 1, "unknown": 1, "factor": 1.0, "median_error": None}
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


def answer(kind: str, expected: dict[str, Any], **given: Any) -> Any:
    """What the rules of a kind answer."""
    return judged(Case("mine", kind, given, expected), KINDS[kind])


def test_a_pull_is_bound_by_the_bandwidth_of_its_registry() -> None:
    found = answer("registry-pull", {"run_s": {"oci": 40}, "read_MB": {"oci": 100}, "convert_s": 3}, stored_MB={"oci": 100}, registry_MB_s=2.5)
    assert found.verdict == "part"
    assert found.errors[0] < 0.15
    assert found.errors[1] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("kind", "given", "expected", "verdict"), [
    ("startup-phases", {"events_s": {"asked": 3, "there": 10.25}}, {"asked_to_there_s": 7.25}, "same"),
    ("startup-phases", {"asked_at": "23:59:58.5", "there_at": "23:59:59"}, {"asked_to_there_s": 0.5}, "same"),
    ("startup-phases", {"events": {"asked": 3, "there": 10}}, {"asked_to_there_s": 7, "gone_to_there_s": 1}, "part"),
    ("startup-phases", {"events_s": {"scheduled": 1, "running1": 4, "completed1": 9, "running2": 19}},
     {"container_creating_s": 3, "first_restart_gap_s": 10}, "same"),
    ("startup-phases", {"events_s": {"failed_scheduling": 16, "triggered_scale_up": 22, "scheduled": 60}}, {"needless_node": False}, "same"),
    ("startup-phases", {"stage_s": [1, 2.5], "last_event_at_s": 9}, {"total_time_s": 3.5, "wall_s_at_least": 9}, "same"),
    ("startup-phases", {"extra_image_MB": 500, "MB_s": {"here": 25}}, {"extra_start_s": {"here": 20}}, "same"),
    ("startup-phases", {"firmware": "qboot", "vmm": "QEMU/KVM"}, {"kernel_entry_ms": 20}, "same"),
    ("startup-phases", {"firmware": "none", "vmm": "QEMU/KVM"}, {"kernel_entry_ms": 20}, "unknown"),
    ("registry-pull", {"image": "x", "compressed_MB": 70}, {"pull_s": 3}, "unknown"),
    ("registry-pull", {"durations_s": [1, 2, 3]}, {"mean_s": 2, "sd_s": 1}, "same"),
    ("live-migration", {"memory_MB": 1024, "network": "1 x 1 GbE"}, {"total_s": 9}, "unknown"),
])
def test_what_marks_and_sizes_determine(kind: str, given: dict[str, Any], expected: dict[str, Any], verdict: str) -> None:
    found = answer(kind, expected, **given)
    assert found.verdict == verdict, found


def test_what_is_missing_is_named() -> None:
    assert answer("registry-pull", {"pull_s": 3}, image="x", compressed_MB=70).reason == (
        "a measured pull; not given: the bytes of its files, its layers, the processor that unpacks, registry and link")
    assert answer("live-migration", {"total_s": 9}, memory_MB=1024, network="1 x 1 GbE").reason == "not given: how fast the guest writes"

"""The sentence that a report begins with: what it says of overload, objectives and differences, and what it must not claim."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.documents import estimate, platform, run_document

import simvirt
from simvirt.report import run_report
from simvirt.report.formats import rendered
from simvirt.result.run_sentence import answer
from simvirt.result.run_document import RunDocument

Json = dict[str, Any]
SMALL = """
simvirt: 1
name: small
host: {cores: 2, memory: 4GiB}
platforms: [bare-metal, docker]
services: {app: {threads: 1, operations: {job: [{cpu: {exponential: 10ms}}]}}}
workload: {open: {rate: 50/s}}
objective: {latency_p99: 400ms}
run: {requests: 3000, replications: 3, seed: 1}
"""


def compared(baseline: str, **others: tuple[float, float, float]) -> Json:
    """A comparison whose ratios of the mean have ends."""
    return {"baseline": baseline} | {
        name: {measure: {"ratio": ratio, "low": low, "high": high} for measure in ("latency_mean", "latency_p99", "throughput")}
        for name, (ratio, low, high) in others.items()
    }


def said(comparison: Json | None = None, **platforms: Json) -> str:
    return answer(RunDocument.model_validate(run_document(**platforms) | {"comparison": comparison or {}}))


def with_tail(mean: float, tail: float, relative: float = 0.02, **changes: Any) -> Json:
    """A platform with this p99."""
    found = platform(mean)
    found["latency_s"]["p99"] = estimate(tail, relative)
    verdict = "met" if tail * (1 + relative) <= 0.1 else "missed" if tail * (1 - relative) > 0.1 else "undecided"
    found["objective"]["latency_p99"] |= {"value": tail, "met": {"met": True, "missed": False}.get(verdict), "verdict": verdict}
    return found | changes


def test_who_meets_and_who_does_not_with_what_takes_the_time() -> None:
    kvm = with_tail(0.02, 0.13)
    kvm["breakdown_s"] |= {"cpu": 0.004, "queue": 0.002, "steal": 0.014}
    assert said(docker=with_tail(0.004, 0.031), kvm=kvm).startswith(
        "docker meets p99 ≤ 100 ms (31.0 ms); kvm does not (130 ms, 70 % of the mean is vCPU steal)."
    )


def test_an_interval_around_the_limit_decides_nothing() -> None:
    found = said(docker=with_tail(0.004, 0.098, 0.1))
    assert found.startswith("Whether docker meets p99 ≤ 100 ms is undecided (98.0 ± 9.8 ms);")
    assert "docker meets p99" in said(docker=with_tail(0.004, 0.098, 0.01))


def test_the_sentence_says_what_the_table_says_where_there_is_no_interval_or_one_that_cannot_be_believed() -> None:
    """One replication has no interval; a run that is too short has one that counts as wider."""
    for settings in (["run.replications=1"], ["run.replications=1", "objective.latency_p99=10ms"]):
        result = simvirt.run(simvirt.loads(SMALL, sets=settings), maximum=False).typed()
        verdicts = {name: found.objective["latency_p99"].verdict for name, found in result.platforms.items()}
        assert set(verdicts.values()) == {"undecided"}
        assert result.answer.startswith("Whether bare-metal and docker meet p99")
        assert "several replications would tell (--set run.replications=5)" in result.answer
    assert "docker misses p99 ≤ 100 ms with 102 ms" in said(docker=with_tail(0.004, 0.102, 0.01))


def test_a_difference_is_named_where_its_interval_excludes_none() -> None:
    base, slow = platform(0.004), platform(0.0044)
    slow["breakdown_s"] = base["breakdown_s"] | {"virtualization": 0.0004}
    sure, unsure = compared("bare-metal", kvm=(1.1, 1.05, 1.15)), compared("bare-metal", kvm=(1.1, 0.98, 1.22))
    text = said(sure, **{"bare-metal": base, "kvm": slow})
    assert "take 10 % longer on kvm than on bare-metal (4.40 ms against 4.00 ms, most of it virtualization)" in text
    text = said(unsure, **{"bare-metal": base, "kvm": slow})
    assert "Between bare-metal and kvm no difference of the mean is certain." in text
    assert "longer" not in text
    text = said(compared("bare-metal", kvm=(2.5, 2.4, 2.6)), **{"bare-metal": base, "kvm": platform(0.01)})
    assert "2.5 times as long on kvm as on bare-metal" in text


def test_one_replication_claims_no_difference() -> None:
    ratio = {"ratio": 1.4, "low": None, "high": None}
    comparison = {"baseline": "docker", "kvm": dict.fromkeys(("latency_mean", "latency_p99", "throughput"), ratio)}
    text = said(comparison, docker=platform(0.004), kvm=platform(0.0056))
    assert "longer" not in text
    assert "whether platforms differ takes more replications" in text


def test_of_several_limits_the_sentence_is_about_those_that_are_undecided() -> None:
    """p99 is met; its figure says nothing about the mean, whose interval holds its limit."""
    found = with_tail(0.01, 0.05)
    found["latency_s"]["mean"] = estimate(0.01, 0.2)
    found["objective"]["latency_mean"] = {"limit": 0.0105, "value": 0.01, "met": None, "verdict": "undecided", "longer": 9.0}
    text = said(docker=found)
    assert text.startswith("Whether docker meets mean ≤ 10.5 ms is undecided (10.0 ± 2.0 ms)"), text
    assert "p99" not in text.partition(".")[0]


def test_overload_comes_first_and_is_compared_with_nothing() -> None:
    over = platform(4.0) | {"overload": True}
    text = said(compared("docker", kvm=(1000.0, 900.0, 1100.0)), docker=platform(0.004), kvm=over)
    assert text.startswith("Overload on kvm: more requests arrive than the 1,290/s that can be answered (db.cpu is used most).")
    assert "as long" not in text


def test_one_platform_without_objective_says_what_saturates() -> None:
    text = said(docker=platform(0.0041) | {"objective": {}})
    assert text == "Requests take 4.10 ms in the mean and 31.2 ms at p99, at 799.6/s. db.cpu saturates first, at 1,290/s; it is used to 62.0 % now."


def test_nothing_answered_is_said() -> None:
    assert said(docker=platform(0.004) | {"requests": 0}).startswith("No request was answered; the CPUs are used to 41.0 % on docker.")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_the_sentence_stays_short(count: int) -> None:
    names = [f"platform-{i}" for i in range(count)]
    ratios = {name: (1.0 + i / 10, 0.99 + i / 10, 1.01 + i / 10) for i, name in enumerate(names) if i}
    text = said(compared(names[0], **ratios), **{name: with_tail(0.004, 0.2) for name in names})
    assert len(text) < 900
    assert text.count(".") < 3 * count + 12


def test_a_run_answers_in_its_document_and_first_in_its_report() -> None:
    document = simvirt.run(simvirt.loads(SMALL)).typed()
    assert document.answer == answer(document)
    assert document.answer.startswith("bare-metal and docker meet p99 ≤ 400 ms (")
    report = run_report.report(document)
    for width in (50, 80):
        text = rendered(report, "text", width)
        assert " ".join(text.split()).startswith(document.answer)
        assert max(map(len, text.splitlines()[:8])) <= width
    assert rendered(report, "markdown").startswith("**bare-metal and docker meet")
    assert list(document.document()).index("answer") == 2


def test_an_overloaded_run_says_so_first() -> None:
    document = simvirt.run(simvirt.loads(SMALL.replace("50/s", "150/s"))).typed()
    assert all(found.overload for found in document.platforms.values())
    assert document.answer.startswith("Overload on bare-metal and docker")


def test_what_is_rejected_is_said_first() -> None:
    lossy, sound = with_tail(0.004, 0.031, rejected=estimate(0.852)), with_tail(0.004, 0.031, rejected=estimate(0.004))
    assert said(docker=lossy, kvm=sound).startswith("Of the requests 85.2 % on docker are rejected; the times are those of the others. ")
    assert "rejected" not in said(docker=sound)

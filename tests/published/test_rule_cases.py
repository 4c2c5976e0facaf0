"""Documented and unit-tested behaviour of orchestrators, each case against simvirt's own rule."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from simvirt.result.rules_document import RulesDocument
from simvirt.validation.rules.cases import read_cases
from simvirt.validation.rules.judge import judge
from simvirt.validation.rules.registry import RULES

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "orchestration.yaml"
NO_LIMIT = "memory_limit_bytes is asked of a pod whose limit of memory is not given"
REFUSED: dict[str, str] = {"qos-cgroup-burstable-with-limits": NO_LIMIT, "qos-cgroup-guaranteed": NO_LIMIT}
"""Cases that are not answered as expected -> why."""
MEASURED = ("registry-pull", "startup-phases", "live-migration")
"""Kinds of which many cases are measurements that do not say what was done: those are not known, with a reason; none is different."""
LEAST: dict[str, tuple[int, int]] = {"registry-pull": (13, 1), "startup-phases": (13, 3), "live-migration": (8, 5)}
"""Kind -> how many cases are answered, and how many in part, at least."""


@pytest.fixture(scope="module")
def found() -> RulesDocument:
    """All cases of the kinds that there are rules for."""
    if not REFERENCE.is_file():
        pytest.skip(f"no cases: {REFERENCE} is absent")
    return judge([case for case in read_cases(REFERENCE) if case.kind in RULES], str(REFERENCE))


def said(names: Sequence[str]) -> list[str]:
    """Names that no reason is given for."""
    return sorted(set(names) - set(REFUSED))


def test_every_case_is_answered_as_expected(found: RulesDocument) -> None:
    """Those that are refused say why; magnitudes are within their factor, half of them within a fifth."""
    assert not said([case.id for case in found.cases if case.verdict == "different"])
    assert not said([case.id for case in found.cases if case.verdict != "same" and case.kind not in MEASURED])
    assert all(case.reason for case in found.cases if case.verdict != "same")
    assert not [kind.kind for kind in found.kinds if (kind.median_error or 0.0) > 0.2]
    assert set(REFUSED) <= {case.id for case in found.cases}
    for kind in found.kinds:
        same, part = LEAST.get(kind.kind, (0, 0))
        assert kind.same >= same, kind.kind
        assert kind.same + kind.part >= same + part, kind.kind


def test_all_that_is_given_is_looked_at(found: RulesDocument) -> None:
    assert not [f"{case.id}: {', '.join(case.overlooked)}" for case in found.cases if case.overlooked]

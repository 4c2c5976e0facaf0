"""A form of reports is one file and one entry: tab-separated tables, made here, render every kind of document."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
from helpers.documents import platform, run_document

from simvirt.cli.options import Format
from simvirt.report import density_report, plan_report, run_report, validation_report
from simvirt.report.blocks import PAGE, Report, Table
from simvirt.report.formats import rendered
from simvirt.result.density_document import DensityDocument
from simvirt.result.plan_document import PlanDocument
from simvirt.result.run_document import RunDocument
from simvirt.result.validation_document import ValidationDocument
from simvirt.validation.score import score

GOLDEN = Path(__file__).parents[1] / "golden"


def render(report: Report, width: int) -> str:
    """The tables of a report, cells parted by tabs: all of what `simvirt/report/as_tsv.py` would hold."""
    tables = [block for block in report.on(PAGE) if isinstance(block, Table)]
    lines = [line for table in tables for line in (table.head, *([cell.text for cell in row] for row in table.rows))]
    return "".join("\t".join(line) + "\n" for line in lines)


def validated() -> ValidationDocument:
    """A result of `simvirt validate` that compares one closed form."""
    none = score([], []).typed().document()
    row = {"model": "M/M/1", "measure": "latency_mean_s", "source": "x", "theory": 1.0, "simulated": 1.01, "low": 0.9, "high": 1.1, "error": 0.01}
    return ValidationDocument.model_validate({
        "simvirt": {"version": "0", "schema": 1, "kernel": "compiled"}, "seed": 1, "replications": 1, "topics": [], "tables": [],
        "summary": dict.fromkeys(("all", "validate", "calibrate"), none), "theory": [row], "wall_s": 1.0,
    })


REPORTS = {
    "run": lambda: run_report.report(RunDocument.model_validate(run_document(docker=platform(0.0041)))),
    "density": lambda: density_report.report(DensityDocument.model_validate_json((GOLDEN / "density" / "density.json").read_bytes())),
    "plan": lambda: plan_report.report(PlanDocument.model_validate_json((GOLDEN / "plan" / "plan.json").read_bytes())),
    "validation": lambda: validation_report.report(validated()),
}
A_CELL_OF = {"run": "  throughput", "density": "kvm\t5\tmemory\t", "plan": "docker\t", "validation": "M/M/1\tlatency mean\t1.01\t1"}


@pytest.fixture
def tsv(monkeypatch: pytest.MonkeyPatch) -> None:
    """The form, as the file `as_tsv.py` would bring it."""
    module = ModuleType("simvirt.report.as_tsv")
    vars(module)["render"] = render
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize("kind", REPORTS)
def test_a_new_form_renders_every_kind_of_document(kind: str, tsv: None) -> None:
    found = rendered(REPORTS[kind](), "tsv")
    assert A_CELL_OF[kind].strip(" ") in found
    assert "\t" in found


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("kind", REPORTS)
def test_every_form_says_every_kind(kind: str, form: Format) -> None:
    """A figure that is in the document is in each form; every form ends its last line."""
    report = REPORTS[kind]()
    found = rendered(report, form)
    assert found.endswith("\n") and not found.endswith("\n\n")
    assert {"run": "docker", "density": "kvm", "plan": "docker", "validation": "M/M/1"}[kind] in found

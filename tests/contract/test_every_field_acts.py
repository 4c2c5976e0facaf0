"""Every field of a scenario acts: changing it moves an output in the documented direction. A field without a case fails here."""

from __future__ import annotations

from pathlib import Path

import field_cases_autoscale
import field_cases_density
import field_cases_failures
import field_cases_files
import field_cases_host
import field_cases_images
import field_cases_machines
import field_cases_memory
import field_cases_migration
import field_cases_network
import field_cases_orchestration
import field_cases_plan
import field_cases_resilience
import field_cases_run
import field_cases_scheduling
import field_cases_services
import field_cases_topics
import field_cases_vertical
import field_cases_volumes
import field_cases_workload_kinds
import field_cases_workloads
import pytest
from helpers.field_bases import BARE
from helpers.fields import Case, fields_of, moved, output, own, patched, result

from simvirt import run
from simvirt.errors import ScenarioError
from simvirt.scenario import json_schema, load, loads
from simvirt.scenario.spec.distributions import KINDS, Constant

CASES = (
    *field_cases_density.CASES, *field_cases_host.CASES, *field_cases_services.CASES, *field_cases_memory.CASES, *field_cases_run.CASES,
    *field_cases_plan.CASES, *field_cases_files.CASES, *field_cases_images.CASES, *field_cases_workloads.CASES,
    *field_cases_orchestration.CASES,
    *field_cases_autoscale.CASES,
    *field_cases_machines.CASES,
    *field_cases_vertical.CASES,
    *field_cases_network.CASES,
    *field_cases_migration.CASES,
    *field_cases_failures.CASES,
    *field_cases_resilience.CASES,
    *field_cases_topics.CASES,
    *field_cases_volumes.CASES,
    *field_cases_scheduling.CASES,
    *field_cases_workload_kinds.CASES,
)
ELSEWHERE = {"Scenario.simvirt"}
"""Fields with a test of their own below."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of the scenarios lie."""
    return tmp_path_factory.mktemp("fields")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_acts(case: Case, folder: Path) -> None:
    before, after = (output(result(case, patch, folder), case.output) for patch in (case.before, case.after))
    assert moved(before, after, case.moves, case.least), f"{case.output}: {before!r} -> {after!r}, expected that it {case.moves}"


def test_no_field_is_forgotten() -> None:
    fields, cases = fields_of(), {case.field for case in CASES} | ELSEWHERE
    assert fields - cases == set(), "these fields have no case"
    assert cases - fields == set(), "these cases have no field"


def test_the_schema_has_the_same_fields() -> None:
    """What editors complete is what acts. `include` is gone before the models are reached; distributions are written by their kind."""
    schema = json_schema()
    parts = {"Scenario": schema} | schema["$defs"]
    written = {own(f"{name}.{key}") for name, part in parts.items() for body in (part, *part.get("anyOf", ())) for key in body.get("properties", {})}
    drawn = {field for field in fields_of() if field.partition(".")[0] in {kind.__name__ for kind in (Constant, *KINDS.values())}}
    assert written - {"Scenario.include"} == fields_of() - drawn


def test_another_version_of_the_schema_is_refused() -> None:
    import yaml

    with pytest.raises(ScenarioError, match="reads schema version 1"):
        loads(yaml.safe_dump(patched(BARE, {"simvirt": 2})))


def test_an_include_acts(tmp_path: Path) -> None:
    """What the included file says holds where the including one says nothing."""
    import yaml

    (tmp_path / "base.yaml").write_text(yaml.safe_dump(patched(BARE, {})))
    (tmp_path / "plain.yaml").write_text("include: base.yaml\nname: plain\n")
    (tmp_path / "busy.yaml").write_text("include: base.yaml\nworkload: {open: {rate: 90/s}}\n")
    plain, busy = (run(load(tmp_path / f"{name}.yaml"), maximum=False).document() for name in ("plain", "busy"))
    assert plain["scenario"]["name"] == "plain"
    assert output(busy, "throughput_per_s") > 1.2 * output(plain, "throughput_per_s")

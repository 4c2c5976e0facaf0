"""Constants fitted anew without a table, and that table predicted by them, on small tables of an exit on one processor."""

from __future__ import annotations

from typing import Any

import pytest

from simvirt.catalog import Catalog
from simvirt.report.leave_one_out_report import refits
from simvirt.result.validation_document import LeaveOneOut
from simvirt.runs.run import run
from simvirt.validation import predict as predict_module
from simvirt.validation.changed import changed, only, written
from simvirt.validation.facts import Table, Topic
from simvirt.validation.fitted import Fitted
from simvirt.validation.leave_out import leave_one_out
from simvirt.validation.predict import Conditions, predict
from simvirt.validation.score import cells
from simvirt.validation.solving import solve

ONCE = Conditions(seed=1, replications=1)
PLACE = ("families", "zen2", ("vm_exit",))
OWN = 1500  # cycles, as the catalogue has it


def made(name: str, measured: float) -> Table:
    """A table of the cycles of one exit."""
    text: dict[str, Any] = {
        "id": name, "title": "made up", "source": "nowhere at all", "found": "text", "setup": "none", "use": "calibrate", "unit": "cycles", "better": "lower",
        "scenario": {
            "host": {"model": "dell-r7525-epyc-7742"},
            "services": {"app": {"cpus": 1, "mem_limit": "1GiB", "threads": 1, "operations": {"op": [{"cpu": "1ns", "ops": {"privileged": 1}, "times": 50}]}}},
            "workload": {"closed": {"clients": 2}, "local": True}, "run": {"requests": 50},
        },
        "measure": {"of": "period", "cycles": True, "times": 0.02},
        "columns": {"kvm": {"platform": "kvm"}}, "rows": {"exit": {"values": {"kvm": measured}}},
    }
    return Table.model_validate(text)


def left_out(constant: Fitted, *tables: Table) -> LeaveOneOut:
    """Each of some tables without itself."""
    given = set(constant.cells)
    scored = [(table, cells(table, predict(table, ONCE), given)) for table in tables]
    return leave_one_out(scored, [Topic(number=0, title="made up", tables=tables)], [constant], ONCE)


def test_a_constant_of_two_tables_is_taken_from_the_other() -> None:
    constant = Fitted("families.zen2.vm_exit", ("one/exit/kvm", "two/exit/kvm"), (PLACE,))
    found = left_out(constant, made("one", 1400), made("two", 1800))
    first, second = found.tables
    assert [refit.rule for refit in first.constants] == ["other cells"]
    assert first.cells[0].predicted == pytest.approx(1800, rel=2e-3)
    assert second.cells[0].predicted == pytest.approx(1400, rel=2e-3)
    assert found.summary.all.predicted == 2
    assert found.summary.all.median_error == pytest.approx((400 / 1400 + 400 / 1800) / 2, rel=0.02)


def test_a_constant_of_one_table_is_taken_from_those_that_it_serves() -> None:
    found = left_out(Fitted("families.zen2.vm_exit", ("one/exit/kvm",), (PLACE,)), made("one", 1400), made("two", 1800))
    (table,) = found.tables
    assert [(refit.rule, refit.told) for refit in table.constants] == [("other tables", "1 of two")]
    assert table.cells[0].predicted == pytest.approx(1800, rel=2e-3)
    (constant,) = found.constants
    assert (constant.fitted_to, constant.serves, constant.predicted) == (("one",), ("two",), 1)
    assert constant.median_error == pytest.approx(1 - OWN / 1800, abs=0.01)


def test_a_constant_that_serves_nothing_else_is_what_the_catalogue_gives_otherwise() -> None:
    constant = Fitted("families.zen2.vm_exit", ("one/exit/kvm",), (PLACE,))
    (number,) = written(constant)
    (table,) = left_out(constant, made("one", 1400)).tables
    assert [(refit.rule, refit.factor, refit.told) for refit in table.constants] == [("otherwise", None, number["otherwise"]["why"])]
    assert table.cells[0].predicted == pytest.approx(float(number["otherwise"]["value"].split()[0]), rel=0.01)


def test_a_refit_without_a_solution_says_so() -> None:
    """No exit within a factor of five is so long; then it is as if the other table did not exist."""
    (table,) = left_out(Fitted("families.zen2.vm_exit", ("one/exit/kvm", "two/exit/kvm"), (PLACE,)), made("one", 1400), made("two", 18000)).tables[:1]
    (refit,) = table.constants
    assert refit.rule == "otherwise"
    assert refit.told.startswith("no value within a factor of 5 makes 1 of two right")
    found = left_out(Fitted("families.zen2.vm_exit", ("one/exit/kvm",), (PLACE,)), made("one", 1400))
    text = rendered_refits(found)
    assert "one" in text
    assert "families.zen2.vm_exit" in text


def rendered_refits(found: LeaveOneOut) -> str:
    """The table of constants without a table."""
    return "\n".join(" | ".join(cell.text for cell in row) for row in refits(found).rows)


def test_a_changed_constant_changes_what_depends_on_it_and_leaves_the_catalogue() -> None:
    table, constant = made("one", 1400), Fitted("families.zen2.vm_exit", ("one/exit/kvm",), (PLACE,))
    doubled = predict(changed(table, {constant: 2.0}), ONCE)["exit", "kvm"].value
    assert doubled == pytest.approx(2 * OWN, rel=0.01)
    assert predict(table, ONCE)["exit", "kvm"].value == pytest.approx(OWN, rel=0.01)


def test_a_run_is_made_again_only_where_an_entry_that_it_reads_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another processor's exit takes is nothing to this one; its own is, and the numbers are those of a run that knows of none."""
    runs: list[str] = []
    monkeypatch.setattr(predict_module, "run", lambda scenario, **more: runs.append(scenario.name) or run(scenario, **more))
    table, conditions = made("one", 1400), Conditions(seed=1, replications=1)
    own, other = (Fitted(f"families.{name}.vm_exit", (), (("families", name, ("vm_exit",)),)) for name in ("zen2", "sandy-bridge"))
    found = [predict(changed(table, values), conditions)["exit", "kvm"] for values in ({}, {other: 3.0}, {}, {own: 1.5}, {own: 1.5, other: 2.0})]
    assert len(runs) == 2 and found[0] == found[1] == found[2] and found[3] == found[4] != found[0]
    assert found[3] == predict(changed(table, {own: 1.5, other: 2.0}), Conditions(seed=1, replications=1))["exit", "kvm"]


def test_entries_that_were_read_are_those_that_were_asked_for_and_what_they_are_like() -> None:
    catalog = Catalog.load({"hypervisors": {"mine": {"like": "kvm"}}, "disks": {"unread": {"like": "nvme"}}})
    assert catalog.read == set(), "what is checked at first is not read yet"
    catalog.entry("hypervisors", "mine")
    assert {("hypervisors", "mine"), ("hypervisors", "kvm")} <= catalog.read and ("disks", "unread") not in catalog.read


def test_some_cells_of_a_table_come_with_those_that_it_calibrates_on() -> None:
    text = made("one", 1400).model_dump() | {
        "columns": {name: {"platform": "kvm"} for name in ("native", "a", "b")},
        "rows": {name: {"values": {"native": 1, "a": 2, "b": 3}} for name in ("x", "y", "z")},
        "calibration": [{"by": "native", "path": "run.requests", "start": "50", "row": "x", "why": "made up"}],
    }
    found = only(Table.model_validate(text), {("y", "b")})
    assert {name: set(row.values) for name, row in found.rows.items()} == {"x": {"native", "b"}, "y": {"native", "b"}}


@pytest.mark.parametrize(("error", "solution"), [
    (lambda x: x / 3 - 1, 3.0), (lambda x: 3 / x - 1, 3.0), (lambda x: (x * x) / 2 - 1, 2**0.5), (lambda x: 0.9 - 2 * (x < 4), 4.0), (lambda x: 1.0, None),
])
def test_errors_vanish_where_they_do(error: Any, solution: float | None) -> None:
    """Rising, falling, bent; a jump too wide to be a solution and none at all are told."""
    found = solve(error, 1.0, (0.2, 5.0))
    wanted = None if solution == 4.0 else solution
    assert found == (None if wanted is None else pytest.approx(wanted, rel=2e-3))

"""`simvirt validate`: predictions beside measurements and theory, a measured Linux kernel if given, or rules beside the cases of a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli.command import Question, Settings, carried_out
from simvirt.cli.options import Seed

if TYPE_CHECKING:
    from simvirt.result.rules_document import RulesDocument
    from simvirt.result.validation_document import ValidationDocument
    from simvirt.validation.facts import Table, Topic
    from simvirt.validation.predict import Conditions

Cases = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE]", help="Hold simvirt's rules against the cases of this file instead (docs/models/rules.md).", show_default=False
    ),
]
Topics = Annotated[
    list[int] | None, typer.Option("--topic", metavar="NUMBER", help="Only the tables of a topic. May be repeated.", show_default=False)
]
Tables = Annotated[
    list[str] | None, typer.Option("--table", metavar="ID", help="Only one table. May be repeated.", show_default=False)
]
Own = Annotated[
    Path | None,
    typer.Option(
        "--tables", metavar="FILE", help="Tables of this file instead of the shipped ones (docs/models/tables.md).", show_default=False
    ),
]
Replications = Annotated[int, typer.Option("--replications", min=1, help="Replications of each prediction.")]
Linux = Annotated[
    Path | None,
    typer.Option("--linux", metavar="FILE", help="Also replay the measured rows of a Linux kernel in this file.", show_default=False),
]
LeftOut = Annotated[
    bool,
    typer.Option(
        "--leave-one-out", help="Also predict each table by constants that were fitted to others (all tables: many minutes)."
    ),
]
WIDTH = 120


def validate(
    settings: Settings, file: Cases = None, topic: Topics = None, table: Tables = None, tables: Own = None, linux: Linux = None,
    replications: Replications = 1, seed: Seed = None, leave_one_out: LeftOut = False,
) -> int:
    """Score predictions against published measurements and theory; keep the result under results/validate/."""
    from simvirt.errors import UsageError

    if file is not None:
        if topic or table or tables or linux or leave_one_out:
            raise UsageError(f"{file}: expected no option beside FILE that chooses what is simulated; cases of rules are not")
        return _rules(file, settings)
    from simvirt.report.accuracyplot import svg
    from simvirt.report.validation_report import report
    from simvirt.validation.facts import chosen
    from simvirt.validation.predict import Conditions
    from simvirt.validation.tables_file import read_tables

    if tables and leave_one_out:
        raise UsageError("--leave-one-out: no constant was fitted to tables of a file; expected one of --tables and --leave-one-out")
    among = None if tables is None else (read_tables(tables),)
    asked, conditions = chosen(tuple(topic or ()), tuple(table or ()), among), Conditions(seed or 1, replications)

    def scored() -> "ValidationDocument":
        return _scored(asked, among, conditions, linux, settings, everything=not (topic or table or tables), left_out=leave_one_out)

    carried_out(Question(settings.out / "validate", scored, report, files={"accuracy.svg": svg}, width=WIDTH, piped=WIDTH), settings)
    return 0


def _rules(file: Path, settings: Settings) -> int:
    """Holds rules against the cases of a file."""
    from simvirt.report.rules_report import report
    from simvirt.validation.rules.cases import read_cases
    from simvirt.validation.rules.judge import judge

    cases = read_cases(file)

    def judged() -> "RulesDocument":
        return judge(cases, str(file))

    carried_out(Question(settings.out / "rules", judged, report, width=WIDTH), settings)
    return 0


def _scored(
    tables: "list[Table]", among: "tuple[Topic, ...] | None", conditions: "Conditions", linux: Path | None, settings: Settings,
    everything: bool, left_out: bool,
) -> "ValidationDocument":
    """All predictions, with a line on a terminal that says how far they are."""
    from simvirt.report.progress import counted
    from simvirt.validation.facts import chosen
    from simvirt.validation.suite import validate as score

    steps = len(tables) * 2 + len(chosen()) if left_out else len(tables)
    with counted(settings.console, steps, wanted=not settings.quiet) as progress:
        return score(tables, conditions, settings.jobs, everything, reference=linux, progress=progress, among=among, left_out=left_out)

"""`simvirt.validate`: predictions against published tables and theory, chosen by topic and table, or against tables of a file."""

import os
from collections.abc import Sequence

from simvirt.result.validation_document import ValidationDocument
from simvirt.validation.facts import chosen
from simvirt.validation.predict import Conditions
from simvirt.validation.suite import validate as score
from simvirt.validation.tables_file import read_tables


def validate(
    topics: Sequence[int] = (), tables: Sequence[str] = (), seed: int = 1, replications: int = 1, jobs: int = 1,
    file: str | os.PathLike[str] | None = None, leave_one_out: bool = False,
) -> ValidationDocument:
    """Predictions of some topics or tables, scored; of all of them, and of theory, where none are named; of a file's where one is given.

    With `leave_one_out`, each table is also predicted by constants that were fitted to others, which takes minutes.
    UsageError where there is no topic or table of that name; ScenarioError with every mistake in the file.
    """
    among = None if file is None else (read_tables(file),)
    everything = not (topics or tables or file)
    asked, conditions = chosen(tuple(topics), tuple(tables), among), Conditions(seed, replications)
    return score(asked, conditions, jobs, with_theory=everything, among=among, left_out=leave_one_out)

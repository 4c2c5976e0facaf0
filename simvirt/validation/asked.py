"""`simvirt.validate`: predictions against published tables and theory, chosen by topic and table."""

from collections.abc import Sequence

from simvirt.result.validation_document import ValidationDocument
from simvirt.validation.facts import chosen
from simvirt.validation.predict import Conditions
from simvirt.validation.suite import validate as score


def validate(
    topics: Sequence[int] = (), tables: Sequence[str] = (), seed: int = 1, replications: int = 1, jobs: int = 1
) -> ValidationDocument:
    """Predictions of some topics or tables, scored; of all of them, and of theory, where none are named.

    UsageError where there is no topic or table of that name.
    """
    return score(chosen(tuple(topics), tuple(tables)), Conditions(seed, replications), jobs, with_theory=not (topics or tables))

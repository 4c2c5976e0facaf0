"""Cases of the kind `startup-phases`: rules about machines that are bought and given back.

*Model*: see `machine_scaling`; what machines and containers take to start is predicted from tables of their own.
*Ignores*: measured starts, which do not say what was started on what: they are not known.
*Source*: that of `machine_scaling`.
"""

from __future__ import annotations

from typing import Final

from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.machine_scaling import FUNCTIONS, rule_of
from simvirt.validation.rules.rule import NotKnown, Rules


def _which(given: Given) -> str:
    """The rule that a case is about."""
    found = rule_of(given)
    if found is None:
        raise NotKnown("a measured start; what one takes here is predicted from tables")
    return found


RULES: Final = Rules("startup-phases", FUNCTIONS, by=_which)

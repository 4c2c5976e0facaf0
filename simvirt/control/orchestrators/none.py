"""Nobody but the timeline: what it wants is done at once, as an operator would by hand; what fails stays down.

*Model*: missing replicas start on hosts as spread chooses them; surplus ones stop, the highest numbers first. All of another version
    end at once, and others start in their place.
"""

from __future__ import annotations

from collections.abc import Iterator

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Action, Seen, Wanted
from simvirt.control.orchestrators.rules import added, outdated, surplus


def none(wanted: Wanted, seen: Seen, constants: OrchestratorEntry) -> Iterator[Action]:
    """As many replicas as are wanted; failed ones count as there."""
    yield from surplus(wanted, seen)
    yield from outdated(wanted, seen)
    yield from added(wanted, seen, constants)

"""Classes of priority: how important replicas are beside others, under a name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simvirt.catalog.entries.entry import Entry
from simvirt.scenario.spec.priorities import HIGHEST, LOWEST


class PriorityEntry(Entry):
    """A class of priority: the higher its `value`, the more important; `preempts` is whether its replicas drive less important ones out."""

    value: Annotated[int, Field(ge=LOWEST, le=HIGHEST)]
    preempts: bool = True

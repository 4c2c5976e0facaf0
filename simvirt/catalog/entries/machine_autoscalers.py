"""What adds machines to a cluster for what waits for room, and takes away those that are little used: its periods and bounds."""

from __future__ import annotations

from typing import Annotated, Literal

from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.sourced import Share, SourcedTime, SourcedWhole, within


class MachineAutoscalerEntry(Entry):
    """A machine autoscaler.

    It looks every `scan`. Where replicas wait that no machine takes, it asks for as many machines as these need, of the pool that the
    `expander` chooses; once such a machine has booted it takes replicas after `join`. A machine of which less than `utilisation` is
    requested, and whose replicas fit elsewhere, is unneeded; after `unneeded` it is emptied and goes, unless one was added less than
    `after_add` before. At most `at_once` empty ones go together, and `drains` that have to be emptied first. One that failed is given up
    after `unready`. Nothing is done while more than `ok_unready` are unready and more than `most_unready` of all.
    """

    scan: SourcedTime
    join: SourcedTime
    unneeded: SourcedTime
    utilisation: Share
    after_add: SourcedTime
    at_once: Annotated[SourcedWhole, within(1, 10_000)]
    drains: Annotated[SourcedWhole, within(0, 10_000)]
    unready: SourcedTime
    ok_unready: Annotated[SourcedWhole, within(0, 10_000)]
    most_unready: Share
    expander: Literal["least-waste", "most-pods", "least-nodes"] = "least-waste"

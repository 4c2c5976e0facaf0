"""Topics as tables: a line for each operation that subscribes, and what each replica of its service has in hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.rows import Columns, blank, fill
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.topics import SubscriberSpec

MESSAGE_COLUMNS: Final = ("subscription", "standing", "consumer", "script", "deliveries", "after", "ahead")
"""Columns of frames that are about messages alone: as long as the others where there are topics, a row where there are none."""
FULL: Final = {"block": k.BLOCKS, "drop-newest": k.DROPS_NEWEST, "drop-oldest": k.DROPS_OLDEST}


@dataclass(frozen=True)
class Subscription:
    """An operation that subscribes to a topic."""

    topic: str
    operation: str  # as service.operation
    of: SubscriberSpec

    @property
    def service(self) -> str:
        """The service of the operation."""
        return self.operation.partition(".")[0]

    @property
    def name(self) -> str:
        """What it is called where it is reported."""
        return f"{self.topic} > {self.operation}"


def subscriptions(scenario: Scenario) -> list[Subscription]:
    """All subscriptions, topic by topic, in the order of their rows."""
    return [Subscription(topic, name, of) for topic, spec in scenario.topics.items() for name, of in spec.subscribers.items()]


def first_of(scenario: Scenario, topic: str) -> int:
    """Row of the first subscription to a topic."""
    return [one.topic for one in subscriptions(scenario)].index(topic)


def topic_tables(found: list[Subscription], services: Sequence[str], of_instance: Sequence[str]) -> tuple[Columns, Columns]:
    """Subscriptions, and a row for each replica of their services; `of_instance`: the service of each instance, in their order."""
    spans = [_span(one.service, of_instance) for one in found]
    lengths = [last - least + 1 for least, last in spans]
    n, rows = max(len(found), 1), max(sum(lengths), 1)
    table = blank(t.Subscriptions, rows=n, histogram=n * k.N_BUCKETS if found else 1)
    if found:
        fill(
            table, service=[services.index(one.service) for one in found], first=np.cumsum([0, *lengths])[:-1],
            least=[least for least, _ in spans], **dict(_words(found)),
        )
    return table, blank(t.Consumers, rows=rows)


def _span(service: str, of_instance: Sequence[str]) -> tuple[int, int]:
    """The first and the last instance of a service."""
    rows = [row for row, name in enumerate(of_instance) if name == service]
    return (rows[0], rows[-1]) if rows else (0, 0)


def _words(found: list[Subscription]) -> Iterator[tuple[str, list[int]]]:
    """What subscriptions say, as columns."""
    of = [one.of for one in found]
    yield "concurrency", [one.concurrency for one in of]
    yield "prefetch", [_bound(one.in_hand) for one in of]
    yield "keeps", [int(one.delivery == "at-least-once") for one in of]
    yield "visibility", [_bound(one.visibility) for one in of]
    yield "most", [one.max_deliveries for one in of]
    yield "limit", [_bound(one.length) for one in of]
    yield "full", [FULL[one.full] for one in of]


def _bound(value: int | None) -> int:
    """A number, or one that is never reached."""
    return k.NEVER if value is None else value

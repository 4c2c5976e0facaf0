"""Which services of a Compose project wait for which: circles are mistakes, and what others wait for to end does not stay.

*Source*: compose-spec, 05-services.md (`depends_on`); deploy.md (`mode`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final

from simvirt.importers.application import Note, Service
from simvirt.importers.merging import STARTED
from simvirt.importers.nodes import refuse, table_at, text_at
from simvirt.scenario.reading.tree import Node, Table

COMPLETED = "service_completed_successfully"
CONDITIONS: Final = (STARTED, "service_healthy", COMPLETED)


def missing(services: Mapping[str, Service], defined: Collection[str]) -> Iterator[Note]:
    """Services that are waited for and that no profile brings; a mistake where there are none of the name."""
    for service in services.values():
        for other in service.after:
            if other not in defined:
                there = ", ".join(sorted(defined))
                said = f'there is no service "{other}"; expected one of: {there}; is this a file that goes over another one?'
                raise refuse(service.place, f"services.{service.name}.depends_on.{other}", said)
            if other not in services:
                yield Note(service.place, f"services.{service.name}.depends_on.{other}", "there is no such service with these profiles")


def check_circles(services: Mapping[str, Service]) -> None:
    """A mistake where services wait for each other, be it by way of others."""
    try:
        TopologicalSorter({name: set(service.after) & set(services) for name, service in services.items()}).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        said = f"services wait for each other: {' -> '.join(circle)}"
        raise refuse(services[circle[0]].place, f"services.{circle[0]}.depends_on", said) from None


def mark_ending(services: Mapping[str, Service], table: Table) -> None:
    """Marks services that end, by their mode or because others wait for it, and keeps what is waited for of those that stay."""
    waits = {name: dict(_waits(name, entry.node, services)) for name, entry in table.entries.items()}
    for name, entry in table.entries.items():
        deploy = table_at(entry.node, "deploy")
        services[name].ends = deploy is not None and (
            text_at(deploy, "mode").endswith("-job") or text_at(deploy, "replicas") == "0")
    for other in (other for conditions in waits.values() for other, condition in conditions.items() if condition == COMPLETED):
        services[other].ends = True
    for name, conditions in waits.items():
        stay = {other: {"condition": condition} for other, condition in conditions.items() if not services[other].ends}
        if stay and not services[name].ends:
            services[name].keys["depends_on"] = stay


def _waits(name: str, node: Node, services: Mapping[str, Service]) -> Iterator[tuple[str, str]]:
    """What a service waits for, and until when."""
    depends = table_at(node, "depends_on")
    for other, wish in depends.entries.items() if depends else ():
        condition = text_at(wish.node, "condition") or STARTED
        if condition not in CONDITIONS:
            said = f'expected one of {", ".join(CONDITIONS)}; got "{condition}"'
            raise refuse(wish.place, f"services.{name}.depends_on.{other}.condition", said)
        if other in services:
            yield other, condition

"""Operations and their calls as a graph: what is reached, in which order, whether calls form a cycle, how often each is executed.

Loading asks for order and cycles, which take the standard library alone; networkx, whose import takes longer than the check of a
scenario, comes in where a scenario is analysed.
"""

from __future__ import annotations

import math
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Callable, Hashable, Iterable, Mapping, TypeVar

from simvirt.scenario.spec.models import AnyStep, CallStep, PublishStep, Scenario
from simvirt.scenario.walk import elapsed, walk

if TYPE_CHECKING:
    import networkx as nx

Name = tuple[str, str]
"""A service and one of its operations."""
Node = TypeVar("Node", bound=Hashable)


def name_of(text: str) -> Name:
    """`service.operation` as a pair; the operation may have dots of its own."""
    service, _, operation = text.partition(".")
    return service, operation


def targets(scenario: Scenario, step: AnyStep) -> tuple[Name, ...]:
    """The operations that a step has carried out: that which it calls, or all that subscribe to the topic that it publishes to."""
    if isinstance(step, PublishStep):
        return tuple(map(name_of, scenario.topics[step.publish].subscribers))
    return (step.target,) if isinstance(step, CallStep) else ()


def calls(scenario: Scenario, published: bool = True) -> dict[Name, dict[Name, float]]:
    """The operations that one execution of each operation calls, in the order of its steps, with how often on average.

    `published`: whether those count that nobody waits for, because they are called by a message.
    """
    found: dict[Name, dict[Name, float]] = {
        (service, operation): {} for service, spec in scenario.services.items() for operation in spec.operations
    }
    for (service, operation), called in found.items():
        for visit in walk(scenario.services[service].operations[operation]):
            for target in targets(scenario, visit.step) if published or isinstance(visit.step, CallStep) else ():
                called[target] = called.get(target, 0.0) + visit.expected
    return found


def reached(edges: Mapping[Node, Iterable[Node]], entries: Iterable[Node]) -> list[Node]:
    """The nodes that edges lead to from some entries, depth first, in the order in which they are first met."""
    found: dict[Node, None] = {}
    waiting = list(entries)[::-1]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found[node] = None
            waiting += list(edges[node])[::-1]
    return list(found)


def callees_first(edges: Mapping[Node, Iterable[Node]]) -> list[Node]:
    """The nodes in an order in which edges lead backwards; CycleError where they form a cycle."""
    return list(TopologicalSorter(edges).static_order())


def cycle(edges: Iterable[tuple[Node, Node]]) -> list[Node] | None:
    """A cycle of edges, from its first node back to it; None where there is none."""
    sorter: TopologicalSorter[Node] = TopologicalSorter()
    for source, target in edges:
        sorter.add(target, source)
    try:
        sorter.prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def service_graph(scenario: Scenario) -> nx.DiGraph[Name]:
    """The operations of a scenario as nodes, its calls as edges; `calls` of an edge is how often one execution makes it."""
    import networkx as nx

    graph: nx.DiGraph[Name] = nx.DiGraph()
    found = calls(scenario)
    graph.add_nodes_from(found)
    graph.add_edges_from((caller, callee, {"calls": count}) for caller, called in found.items() for callee, count in called.items())
    return graph


def visits(edges: Mapping[Name, Mapping[Name, float]], mix: Mapping[str, float]) -> dict[Name, float]:
    """How often a request of a mix executes each operation, which `calls` others so often.

    *Source*: visit counts of operational analysis, Denning and Buzen 1978.
    """
    found: dict[Name, float] = dict.fromkeys(edges, 0.0) | entries(mix)
    for caller in reversed(callees_first(edges)):
        for callee, often in edges[caller].items():
            found[callee] += found[caller] * often
    return found


def entries(mix: Mapping[str, float]) -> dict[Name, float]:
    """The share of the requests of a mix that enter at each of its operations."""
    total = math.fsum(mix.values()) or 1.0
    return {name_of(entry): weight / total for entry, weight in mix.items()}


def operation_times(
    scenario: Scenario, of: Callable[[str, AnyStep], float], around: Callable[[Name], float] = lambda name: 0.0
) -> dict[Name, float]:
    """Expected time of one execution of each operation where nobody waits, with what it calls.

    One execution of a step other than a call takes `of` its service and it; `around` is what an operation takes besides its steps.
    """
    found: dict[Name, float] = {}
    for name in callees_first(calls(scenario)):
        service, operation = name

        def one(step: AnyStep, service: str = service) -> float:
            return of(service, step) + (found[step.target] if isinstance(step, CallStep) else 0.0)

        found[name] = around(name) + elapsed(scenario.services[service].operations[operation], one)
    return found

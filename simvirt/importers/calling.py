"""Who calls whom and what users ask, where no file says it: by addresses, links, order of start, names.

*Model*, *Ignores*, *Source*: those of `guesses`. A call that would close a circle, make a chain longer than a scenario may have, or
multiply what a request does beyond `calls` of the catalogue's `assumed` is left out, and said so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from simvirt.catalog.entries.demands import AssumedSpec
from simvirt.importers.application import Service
from simvirt.importers.assumed import Assumed, Guesses
from simvirt.scenario.bounds import MOST_LEVELS


class _Graph:
    """Calls that are taken in one by one: below each service, the longest chain and how many calls a request makes."""

    def __init__(self, found: Guesses, most: int) -> None:
        self.found, self.most = found, most
        self.callers: dict[str, list[str]] = {}
        self.below: dict[str, tuple[int, int]] = {}

    def calls(self, caller: str, callee: str) -> bool:
        """Whether one service calls another, perhaps by way of others."""
        seen: set[str] = set()
        line = [caller]
        while line:
            name = line.pop()
            if name == callee:
                return True
            if name not in seen:
                seen.add(name)
                line += self.found.calls.get(name, [])
        return False

    def add(self, caller: str, callee: str, why: str) -> bool:
        """Takes in a call, with its reason; False, and said why, where it cannot be one."""
        if self.calls(callee, caller):
            return self._without(caller, callee, f"{callee} calls {caller} already, perhaps by way of others")
        changed = self._with(caller, callee)
        if changed is None:
            why = f"it would make chains of more than {MOST_LEVELS} calls, or requests of more than {self.most}"
            return self._without(caller, callee, why)
        self.below |= changed
        self.callers.setdefault(callee, []).append(caller)
        self.found.calls.setdefault(caller, []).append(callee)
        self.found.assumed.append(Assumed(f"services.{caller}.operations.request", f"call {callee}", why))
        return True

    def _without(self, caller: str, callee: str, why: str) -> bool:
        self.found.assumed.append(Assumed(f"services.{caller}", f"no call of {callee}", why))
        return False

    def _with(self, caller: str, callee: str) -> dict[str, tuple[int, int]] | None:
        """What changes below services with one more call; None where that is too much."""
        changed: dict[str, tuple[int, int]] = {}
        line = [caller]
        while line:
            name = line.pop()
            others = [*self.found.calls.get(name, ()), *([callee] if name == caller else ())]
            each = [changed.get(other, self.below.get(other, (0, 0))) for other in others]
            new = (1 + max(depth for depth, _ in each), sum(1 + calls for _, calls in each))
            if new[0] > MOST_LEVELS or new[1] > self.most:
                return None
            if new != changed.get(name, self.below.get(name, (0, 0))):
                changed[name] = new
                line += self.callers.get(name, [])
        return changed


def assume_calls(services: Mapping[str, Service], aside: set[str], found: Guesses, assumed: AssumedSpec) -> None:
    """Who calls whom, and what users ask."""
    graph = _Graph(found, int(assumed.calls))
    names = {alias: name for name, service in services.items() for alias in service.names}
    pattern = _hosts_in(names)
    wanted: dict[str, dict[str, str]] = {}
    for name, service in services.items():
        addressed = {
            names[word]: "its address stands in the environment or the command" for text in service.texts for word in pattern.findall(text)
        }
        linked = {names[word]: "links says so" for word in service.others if word in names}
        after = {word: "it is started after it" for word in service.after if word in services}
        wanted[name] = {other: why for other, why in {**after, **linked, **addressed}.items() if other != name}
    for name in services:
        for other, why in wanted[name].items() if name not in aside else ():
            if other not in aside:
                graph.add(name, other, why)
    _owned_stores(services, graph, assumed)
    _entries(services, aside, graph, assumed)


def _hosts_in(names: Mapping[str, str]) -> re.Pattern[str]:
    """What finds the names of services where they stand as hosts: at a text's begin or behind `/@,=`, at its end or before `:/,`."""
    words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?:^|(?<=[/@,=;\s\"']))({words or '(?!)'})(?=$|[:/,;\s\"'])")


def _named(words: Iterable[str], whole: bool) -> re.Pattern[str]:
    """What finds words in names of services, at their begin; the `whole` word."""
    return re.compile(rf"(?i)(?:^|[^a-z])(?:{'|'.join(map(re.escape, words)) or '(?!)'}){'(?:$|[^a-z])' if whole else ''}")


def _entries(services: Mapping[str, Service], aside: set[str], graph: _Graph, assumed: AssumedSpec) -> None:
    """What users ask, and who calls what no file names: front doors do; workers work by themselves."""
    found = graph.found
    front, worker = _named(assumed.front, True), _named(assumed.workers, False)
    called = {other for others in found.calls.values() for other in others}
    roots = [name for name in services if name not in called and name not in aside]
    fronts = [name for name in roots if front.search(name)]
    workers = [
        name
        for name in roots
        if found.calls.get(name) and name not in fronts and (worker.search(name) or not (fronts or services[name].published))
    ]
    doors = [name for name in fronts if services[name].published] or fronts[:1] or [name for name in roots if services[name].published]
    if fronts:
        inner = next((name for name in fronts if name not in doors), doors[-1])
        _called_by(inner, [name for name in roots if name not in (*doors, *workers, inner)], graph)
        _called_by(doors[0], [inner] if inner not in doors else [], graph)
    for name in [*doors, *workers] or roots or list(services):
        why = (
            "it is reached from outside"
            if name in doors
            else "it calls others, and nobody calls it"
            if name in workers
            else "nobody calls it"
        )
        found.entries.append(name)
        found.assumed.append(Assumed(f"workload.mix.{name}.request", "1", why))


def _owned_stores(services: Mapping[str, Service], graph: _Graph, assumed: AssumedSpec) -> None:
    """Calls of stores whose names say whose they are: carts-db, mongodb-geo."""
    profile = graph.found.profile
    called = {other for others in graph.found.calls.values() for other in others}
    for store in services:
        if store in called or profile[store] not in assumed.stores:
            continue
        owner = next(
            (
                name
                for name in services
                if name != store and profile[name] not in assumed.stores and re.search(rf"(?:^|[-_.]){re.escape(name)}(?:$|[-_.])", store)
            ),
            None,
        )
        if owner is not None and not graph.calls(store, owner):
            graph.add(owner, store, "its name says whose it is")


def _called_by(caller: str, others: list[str], graph: _Graph) -> None:
    """Calls of services that no file says who calls."""
    for other in others:
        if not graph.calls(other, caller) and not graph.add(caller, other, "no file says who calls it; the front door is assumed to"):
            graph.found.entries.append(other)
            graph.found.assumed.append(Assumed(f"workload.mix.{other}.request", "1", "nobody can be assumed to call it"))

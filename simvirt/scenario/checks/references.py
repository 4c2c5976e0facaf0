"""Names that must lead somewhere: calls, the mix and the timeline; calls must not form cycles.

Works on the plain data of a scenario, so that it also finds mistakes in one whose other parts are wrong.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Iterator, Mapping

from simvirt.scenario.graph import cycle
from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.orchestration import ORCHESTRATED

Mistake = tuple[Path, str]
"""The path of a value and the message about it."""


def references(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """Everything in a scenario that names what does not exist."""
    operations = _operations(data)
    calls = list(_calls(data))
    services = _table(data.get("services"))
    for _, path, target in calls:
        yield from _unknown(path, target, operations, services)
    yield from _topics(data, operations, services)
    calls += list(_published(data))
    yield from _mix(data, operations, services)
    yield from _limited(data, operations, services)
    yield from _timeline(data, services)
    yield from _plan(data, services)
    yield from _shared(data, services)
    yield from _cycles(calls, operations)
    yield from _depended_on(services)


def _topics(data: Mapping[str, Any], operations: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[Mistake]:
    """Topics that are not there, that nobody publishes to, or that operations subscribe to which are not there."""
    topics, used = _table(data.get("topics")), set()
    for _, path, topic in _steps_with(data, "publish"):
        used.add(topic)
        if topic not in topics:
            there = ", ".join(list(topics)[:10]) or "none; expected topics: {orders: {subscribers: [billing.charge]}}"
            yield path, f'unknown topic "{topic[:60]}"; there is {there}'
    for topic, body in topics.items():
        for path, target in _subscribers(topic, body):
            yield from _unknown(path, target, operations, services)
        if topic not in used:
            yield ("topics", topic), f"nobody publishes to it; expected a step of an operation, for example {{publish: {topic}}}"


def _subscribers(topic: str, body: Any) -> Iterator[tuple[Path, str]]:
    """The operations that subscribe to a topic, with where they are written."""
    given = _table(body).get("subscribers")
    named = list(given) if isinstance(given, Mapping) else _list(given) if isinstance(given, list) else [given]
    for name in named:
        if isinstance(name, str) and "." in name:
            yield ("topics", topic, "subscribers", *([name] if isinstance(given, Mapping) else [])), name


def _published(data: Mapping[str, Any]) -> Iterator[tuple[str, Path, str]]:
    """Every message: the operation that publishes it, where, and each operation that is carried out for it."""
    topics = _table(data.get("topics"))
    for caller, path, topic in _steps_with(data, "publish"):
        yield from ((caller, path, target) for _, target in _subscribers(topic, topics.get(topic)))


def _depended_on(services: Mapping[str, Any]) -> Iterator[Mistake]:
    """Services that others wait for: they are there, and none waits for itself in the end."""
    edges = []
    for name, body in services.items():
        given = _table(body).get("depends_on")
        for other in given if isinstance(given, (Mapping, list)) else ():
            yield from _no_service(("services", name, "depends_on"), other, services)
            edges.append((name, other))
    if all(isinstance(other, str) for _, other in edges) and (found := cycle(edges)):
        yield ("services", found[0], "depends_on"), f"services wait for each other: {' -> '.join(found)}"


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _operations(data: Mapping[str, Any]) -> dict[str, Any]:
    """The steps of every operation, by `service.operation`."""
    return {
        f"{service}.{name}": steps
        for service, body in _table(data.get("services")).items()
        for name, steps in _table(_table(body).get("operations")).items()
    }


def _calls(data: Mapping[str, Any]) -> Iterator[tuple[str, Path, str]]:
    """Every call: the operation that makes it, its path and its target."""
    yield from (found for found in _steps_with(data, "call") if "." in found[2])


def _steps_with(data: Mapping[str, Any], verb: str) -> Iterator[tuple[str, Path, str]]:
    """Every step of a verb: the operation that it is in, its path and what the verb is followed by."""
    for service, body in _table(data.get("services")).items():
        for name, steps in _table(_table(body).get("operations")).items():
            for path, target in _found_in(verb, _list(steps), ("services", service, "operations", name)):
                yield f"{service}.{name}", path, target


def _found_in(verb: str, steps: list[Any], path: Path) -> Iterator[tuple[Path, str]]:
    """What a verb is followed by in some steps and in the branches in them."""
    for index, step in enumerate(steps):
        if isinstance(step, list):
            yield from _found_in(verb, step, (*path, index))
        elif isinstance(step, Mapping):
            if isinstance(step.get(verb), str):
                yield (*path, index, verb), step[verb]
            for key in ("parallel", "repeat", "hold"):
                yield from _found_in(verb, _list(step.get(key)), (*path, index, key))


def _unknown(path: Path, target: str, operations: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[Mistake]:
    """A mistake where `target` is no operation."""
    if target in operations:
        return
    service, _, name = target.partition(".")
    if service not in services:
        yield path, f'unknown service "{service[:60]}"{_guess(target, operations, services)}'
    else:
        here = [known.partition(".")[2] for known in operations if known.startswith(f"{service}.")]
        close = get_close_matches(name[:100], here, n=1)
        guess = f'; did you mean "{service}.{close[0]}"?' if close else f"; it has {', '.join(here[:10]) or 'none'}"
        yield path, f'service "{service}" has no operation "{name[:60]}"{guess}'


def _guess(target: str, operations: Mapping[str, Any], services: Mapping[str, Any]) -> str:
    close = get_close_matches(target[:100], list(operations), n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; there is {', '.join(list(services)[:10])}" if services else ""


def _mix(data: Mapping[str, Any], operations: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[Mistake]:
    """Mistakes of the mixes."""
    workloads = dict(workloads_of(data))
    if not workloads:
        yield from _no_workload(data, services)
    for path, workload in workloads.items():
        yield from _mix_of(workload, path, operations, services)


def workloads_of(data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The workload of a scenario's plain data, or each of several, with its path."""
    if data.get("workload") is not None:
        yield ("workload",), data["workload"]
    yield from ((("workloads", name), body) for name, body in _table(data.get("workloads")).items())


def _mix_of(workload: Any, path: Path, operations: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[Mistake]:
    """Mistakes of one mix."""
    for name in _table(_table(workload).get("mix")):
        if "." in name:
            yield from _unknown((*path, "mix", name), name, operations, services)
    if isinstance(workload, Mapping) and workload.get("mix") is None and not _drawn_elsewhere(workload) and len(operations) != 1:
        example = ", ".join(f"{name}: 1" for name in list(operations)[:2]) or "web.GET /: 1"
        yield (*path, "mix"), f"missing; a mix says which of {len(operations)} operations are called, for example mix: {{{example}}}"


def _limited(data: Mapping[str, Any], operations: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[Mistake]:
    """Operations with limits of their own that do not exist, or at which no request enters."""
    mixes = [_table(_table(workload).get("mix")) for _, workload in workloads_of(data)]
    joint = {name: weight for mix in mixes for name, weight in mix.items() if weight} if all(mixes) else {}
    yield from _limited_in(("objective",), data.get("objective"), joint, operations, services)
    for path, workload in workloads_of(data):
        mix = _table(_table(workload).get("mix"))
        yield from _limited_in((*path, "objective"), _table(workload).get("objective"), mix, operations, services)


def _limited_in(
    where: Path, objective: Any, mix: Mapping[str, Any], operations: Mapping[str, Any], services: Mapping[str, Any]
) -> Iterator[Mistake]:
    """The same of one objective, for a mix; an empty one is not known."""
    for name in _table(_table(objective).get("operations")):
        path = (*where, "operations", name)
        if isinstance(name, str) and "." in name and name not in operations:
            yield from _unknown(path, name, operations, services)
        elif mix and not mix.get(name):
            yield path, f"no request enters there; limits are those of operations in the mix: {', '.join(map(str, list(mix)[:10]))}"


def _no_workload(data: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[Mistake]:
    """A mistake where nothing at all would happen."""
    if services and data.get("state") is None and not any(_table(body).get("background") is not None for body in services.values()):
        yield ("workload",), 'missing (where requests come from), for example "workload: {open: {rate: 800/s}, mix: {web.GET /: 1}}"'


def _drawn_elsewhere(workload: Mapping[str, Any]) -> bool:
    """Whether a trace brings the operations."""
    return _table(workload.get("trace")).get("operation") is not None


def _timeline(data: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[Mistake]:
    """Events of services that do not exist."""
    for index, event in enumerate(_list(data.get("timeline"))):
        for verb in ("start", "stop", "crash", "migrate", *ORCHESTRATED):
            name = _table(event).get(verb)
            yield from _no_service(("timeline", index, verb), name, services)


def _shared(data: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[Mistake]:
    """Services of tenants, or of the question for the density, that do not exist."""
    for index, name in enumerate(_list(_table(data.get("tenants")).get("own"))):
        yield from _no_service(("tenants", "own", index), name, services)
    yield from _no_service(("density", "service"), _table(data.get("density")).get("service"), services)


def _no_service(path: Path, name: Any, services: Mapping[str, Any]) -> Iterator[Mistake]:
    """A mistake where a service is named that does not exist."""
    if isinstance(name, (str, int)) and str(name) not in services:
        close = get_close_matches(str(name)[:100], list(services), n=1)
        yield path, f'unknown service "{str(name)[:60]}"' + (f'; did you mean "{close[0]}"?' if close else "")


def _plan(data: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[Mistake]:
    """Services that a plan keeps or lets grow and that do not exist."""
    plan = _table(data.get("plan"))
    for key in ("keep", "scale"):
        named = plan.get(key)
        for index, name in enumerate([named] if isinstance(named, str) else _list(named)):
            yield from _no_service(("plan", key, index), name, services)


def _cycles(calls: list[tuple[str, Path, str]], operations: Mapping[str, Any]) -> Iterator[Mistake]:
    """Up to ten cycles of calls, each reported at the call that closes it."""
    edges = {(caller, target): path for caller, path, target in reversed(calls) if target in operations}
    for _ in range(10):
        found = cycle(edges)
        if found is None:
            return
        last = (found[-2], found[-1])
        yield edges.pop(last), f"operations call one another in a cycle: {' -> '.join(found)}"

"""What `deploy` of a Compose service says: replicas and resources, and what acts under Swarm alone.

*Model*: placement, updates and one replica a host are Swarm's; where a file says one of them, its platforms have Swarm as their
orchestrator. A restart policy by itself is the engine's `restart`, as Docker Compose takes it.
*Source*: compose-spec, deploy.md; docker/compose pkg/compose/create.go, getRestartPolicy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from simvirt.importers import values
from simvirt.importers.application import Note, Service
from simvirt.importers.nodes import items_at, known, number_at, refuse, size_at, table_at, text_at, whole_at, words_at
from simvirt.importers.placing import demanded
from simvirt.scenario.reading.tree import Table
from simvirt.units import shown

DEPLOY_KEYS: Final = frozenset(
    ("mode", "endpoint_mode", "replicas", "labels", "rollback_config", "update_config", "resources", "restart_policy", "placement")
)
BOUND_KEYS: Final = frozenset(("cpus", "memory", "pids", "devices", "generic_resources"))
UPDATE_KEYS: Final = frozenset(("parallelism", "delay", "failure_action", "monitor", "max_failure_ratio", "order"))
RESTART_KEYS: Final = frozenset(("condition", "delay", "max_attempts", "window"))
PLACEMENT_KEYS: Final = frozenset(("constraints", "preferences", "max_replicas_per_node"))
MODES: Final = ("replicated", "global", "replicated-job", "global-job")
SWARMS: Final = ("update_config", "rollback_config", "placement", "mode")
"""What no engine by itself heeds."""
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "failure_action": ("pause", "continue", "rollback"),
    "order": ("stop-first", "start-first"),
    "condition": ("none", "on-failure", "any"),
}
RESTARTS: Final = {"on-failure": "on-failure", "any": "always"}
"""A condition of a restart policy -> what the engine does."""


def deployed(path: str, node: Table, left_out: list[Note]) -> Iterator[tuple[str, Any]]:
    """What `deploy` of a service says, in a scenario's words."""
    deploy = table_at(node, "deploy", path)
    if deploy is None:
        return
    path = f"{path}.deploy"
    known(path, deploy, DEPLOY_KEYS)
    for key in ("endpoint_mode", "labels"):
        if key in deploy.entries:
            left_out.append(Note(deploy.entries[key].place, f"{path}.{key}", "changes no performance that is simulated"))
    yield from _instances(path, deploy)
    if found := _resources(path, deploy):
        yield "resources", found
    for key in ("update_config", "rollback_config"):
        if found := dict(_update(f"{path}.{key}", table_at(deploy, key, path))):
            yield key, found
    if found := dict(_restart(f"{path}.restart_policy", table_at(deploy, "restart_policy", path))):
        yield "restart_policy", found
    if found := dict(_placement(f"{path}.placement", table_at(deploy, "placement", path), left_out)):
        yield "placement", found


def _instances(path: str, deploy: Table) -> Iterator[tuple[str, Any]]:
    """How many instances there are."""
    mode = text_at(deploy, "mode")
    if mode and mode not in MODES:
        raise refuse(deploy.entries["mode"].place, f"{path}.mode", f'expected {", ".join(MODES[:-1])} or {MODES[-1]}; got "{mode}"')
    replicas = whole_at(deploy, "replicas", path)
    if mode == "global":
        yield "mode", mode
    elif replicas is not None and mode in ("", "replicated"):
        yield "replicas", max(replicas, 1)


def _resources(path: str, deploy: Table) -> dict[str, Any]:
    """Limits and reservations."""
    resources = table_at(deploy, "resources", path)
    if resources is None:
        return {}
    path = f"{path}.resources"
    each = {kind: dict(_bounds(f"{path}.{kind}", table_at(resources, kind, path))) for kind in ("limits", "reservations")}
    return {kind: bounds for kind, bounds in each.items() if bounds}


def _bounds(path: str, table: Table | None) -> Iterator[tuple[str, Any]]:
    """Limits or reservations."""
    if table is None:
        return
    known(path, table, BOUND_KEYS)
    if cpus := number_at(table, "cpus", path):
        yield "cpus", cpus
    if bytes_ := size_at(table, "memory", path):
        yield "memory", values.said_size(bytes_)


def _time(path: str, table: Table, key: str) -> Iterator[tuple[str, Any]]:
    """A time at a key."""
    text = text_at(table, key)
    if not text:
        return
    time = values.seconds(text)
    if time is None:
        raise refuse(table.entries[key].place, f"{path}.{key}", f"expected a time, for example 10s; got {shown(text)}")
    if time > 0 or key == "delay":
        yield key, values.said_time(time) if time > 0 else "0s"


def _word(path: str, table: Table, key: str) -> Iterator[tuple[str, Any]]:
    """One of some words at a key."""
    text = text_at(table, key)
    if text and text not in WORDS[key]:
        raise refuse(table.entries[key].place, f"{path}.{key}", f"expected one of {', '.join(WORDS[key])}; got {shown(text)}")
    if text:
        yield key, text


def _update(path: str, table: Table | None) -> Iterator[tuple[str, Any]]:
    """How instances are replaced."""
    if table is None:
        return
    known(path, table, UPDATE_KEYS)
    if (parallelism := whole_at(table, "parallelism", path)) is not None:
        yield "parallelism", parallelism
    if (ratio := number_at(table, "max_failure_ratio", path)) is not None:
        yield "max_failure_ratio", ratio
    for key in ("delay", "monitor"):
        yield from _time(path, table, key)
    for key in ("failure_action", "order"):
        yield from _word(path, table, key)


def _restart(path: str, table: Table | None) -> Iterator[tuple[str, Any]]:
    """When what ended is replaced."""
    if table is None:
        return
    known(path, table, RESTART_KEYS)
    yield from _word(path, table, "condition")
    for key in ("delay", "window"):
        yield from _time(path, table, key)
    if attempts := whole_at(table, "max_attempts", path):
        yield "max_attempts", attempts


def _placement(path: str, table: Table | None, left_out: list[Note]) -> Iterator[tuple[str, Any]]:
    """On which hosts it may stand."""
    if table is None:
        return
    known(path, table, PLACEMENT_KEYS)
    texts = words_at(table, "constraints")
    wanted = [demanded(text) for text in texts]
    if None in wanted:
        wrong = texts[wanted.index(None)]
        said = f"expected a comparison, for example node.labels.disk == ssd; got {shown(wrong)}"
        raise refuse(table.entries["constraints"].place, f"{path}.constraints", said)
    if wanted:
        yield "constraints", [str(one) for one in wanted]
    spread = [text_at(item, "spread") for item in items_at(table, "preferences")]
    if spread and spread[0]:
        yield "spread", "zone"  # whatever label it is, hosts of a scenario have zones to be spread over
    if spread[1:]:
        left_out.append(Note(table.entries["preferences"].place, f"{path}.preferences", "a scenario spreads over one label, the first"))
    if most := whole_at(table, "max_replicas_per_node", path):
        yield "max_replicas_per_node", most


def restart_of(node: Table) -> str | None:
    """What the engine does with a restart policy where `restart` says nothing; None where it does nothing."""
    policy = table_at(table_at(node, "deploy"), "restart_policy")
    return None if policy is None else RESTARTS.get(text_at(policy, "condition") or "any")


def wants_swarm(services: Iterable[Service], left_out: list[Note]) -> bool:
    """Whether a project says what only Swarm heeds; where it does not, restart policies are the engine's."""
    staying = [service for service in services if not service.ends]
    found = any(key in service.keys.get("deploy", {}) for service in staying for key in SWARMS)
    for service in staying:
        deploy = service.keys.get("deploy", {})
        if found:
            service.keys.pop("restart", None)
        elif deploy.pop("restart_policy", None) is not None:
            path = f"services.{service.name}.deploy.restart_policy"
            left_out.append(Note(service.place, path, "without Swarm its condition is that of restart, and nothing else of it counts"))
        if not deploy:
            service.keys.pop("deploy", None)
    return found

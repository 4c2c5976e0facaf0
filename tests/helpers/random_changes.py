"""Changes of a scenario whose effect on its answer is known: other names, a service without work, more load, a faster host."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from helpers.random_draws import Tree
from helpers.random_guards import calls_of

from simvirt.scenario.spec.resilience import GUARDS

OTHER: Final = {"front": "zulu", "api": "a1", "cache": "quebec", "db": "bravo", "batch": "xray", "log-2": "oscar", "night-job": "juliet"}
"""Service -> its other name; their alphabetical order is another one."""
TIMES: Final = ("wall_s", "version", "simvirt", "digest", "simulations_s")


def renamed(tree: Tree) -> Tree | None:
    """The same with other names of services; None where a file has their names."""
    if any("operation" in workload.get("trace", {}) for workload in workloads(tree)):
        return None
    new = _in_values(copy.deepcopy(tree))
    new["services"] = {OTHER[name]: spec for name, spec in new["services"].items()}
    for spec in new["services"].values():
        if isinstance(spec.get("depends_on"), dict):
            spec["depends_on"] = {OTHER[name]: condition for name, condition in spec["depends_on"].items()}
    for workload in workloads(new):
        if isinstance(workload.get("priority"), dict):
            workload["priority"] = {_called(name): value for name, value in workload["priority"].items()}
        if "mix" in workload:
            workload["mix"] = {_called(name): weight for name, weight in workload["mix"].items()}
    for topic in new.get("topics", {}).values():
        named = topic["subscribers"]
        topic["subscribers"] = {_called(name): of for name, of in named.items()} if isinstance(named, dict) else [_called(name) for name in named]
    if "operations" in tree.get("objective", {}):
        new["objective"]["operations"] = {_called(name): limits for name, limits in tree["objective"]["operations"].items()}
    return new


def workloads(tree: Tree) -> list[Tree]:
    """The workload of a scenario, or all of several."""
    return [tree["workload"]] if "workload" in tree else list(tree.get("workloads", {}).values())


def _called(name: str) -> str:
    service, _, operation = name.partition(".")
    return f"{OTHER[service]}.{operation}"


def _in_values(value: Any, key: str = "") -> Any:
    """With other names wherever a value names a service."""
    if isinstance(value, dict):
        return {name: inner if name == "mix" else _in_values(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_in_values(inner, key) for inner in value]
    if key == "call":
        return _called(value)
    return OTHER.get(value, value) if key in ("start", "stop", "crash", "fail", "own", "keep", "scale", "update", "rollback", "migrate", "service", "depends_on") and isinstance(value, str) else value


def names_restored(document: Mapping[str, Any]) -> Any:
    """A document of a renamed scenario with the first names, as far as it is the same otherwise."""
    text = json.dumps(comparable(document), sort_keys=True)
    for old, new in OTHER.items():
        text = re.sub(rf"\b{new}\b", old, text)
    return json.loads(text)


def comparable(value: Any) -> Any:
    """A document without what differs between runs of the same scenario, and between files of it."""
    if isinstance(value, Mapping):
        return {str(key): comparable(inner) for key, inner in value.items() if key not in TIMES}
    return [comparable(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def with_idle_service(tree: Tree) -> Tree | None:
    """The same beside a service that nobody calls, and that says how little memory it needs, so that memory is followed.

    None where it would take something else: a VM, a tenant's share; or where instances start in the run: it starts too, which is work, and takes a
    thread of the host, so that all that begin later begin on other CPUs.
    """
    if tree.get("state", {}).get("instances") == "none":
        return None
    if "workload" not in tree or "operation" in tree["workload"].get("trace", {}) or "tenants" in tree:
        return None
    new = copy.deepcopy(tree)
    new["workload"].setdefault("mix", {f"{name}.{operation}": 1 for name, spec in tree["services"].items() for operation in spec.get("operations", {})})
    new["services"]["unused"] = {"operations": {"never": [{"cpu": "1ms"}]}, "memory": {"base": "1MiB", "files": "0B"}}
    return new


def crowded(tree: Tree) -> Tree:
    """The same in containers and processes on one core, with memory enough."""
    policy = {} if isinstance(tree["host"], str) or "scheduler" not in tree["host"] else {"scheduler": tree["host"]["scheduler"]}
    return tree | {"host": {"cores": 1, "smt": 1, "memory": "256GiB"} | policy, "platforms": ["docker", "bare-metal"]}


def busier(tree: Tree, factor: float = 1.5) -> Tree | None:
    """The same requests at a higher rate; None where the load is not a constant rate, other things happen meanwhile, or callers give up."""
    if "topics" in tree:
        return None
    if any("shed" in spec or "limit" in spec for spec in tree["services"].values()) or any(key in step for step in [*calls_of(tree["services"]), tree.get("workload", {})] for key in GUARDS):
        return None
    text = tree.get("workload", {}).get("open", {}).get("rate")
    if text is None or tree.get("timeline") or any("background" in spec for spec in tree["services"].values()):
        return None
    new = copy.deepcopy(tree)
    new["workload"]["open"]["rate"] = f"{float(text.removesuffix('/s')) * factor:.9g}/s"
    return new


def measured_alike(tree: Tree, requests: int) -> Tree:
    """The same for so many requests, all of which count, five times over."""
    new = copy.deepcopy(tree)
    new["run"] = {"requests": requests, "replications": 5, "warmup": "0s", "seed": tree["run"].get("seed", 1)}
    return new


def faster(tree: Tree, clock: str) -> Tree:
    """The same on a host of that clock."""
    new = copy.deepcopy(tree)
    new["host"] = ({"model": tree["host"]} if isinstance(tree["host"], str) else new["host"]) | {"clock": clock}
    return new


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """The first places where two documents differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = [line for key in sorted({*one, *other}) for line in differences(one.get(key), other.get(key), f"{path}/{key}")]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        found = [line for index, pair in enumerate(zip(one, other, strict=True)) for line in differences(*pair, f"{path}/{index}")]
    else:
        found = [] if one == other or (one != one and other != other) else [f"{path}: {str(one)[:40]} and {str(other)[:40]}"]
    return found[:5]

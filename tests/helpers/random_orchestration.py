"""Random orchestration: what acts on instances, and what a timeline wants of it."""

from __future__ import annotations

from helpers.random_draws import Draws, Tree, time
from helpers.random_services import Drawn

ORCHESTRATORS = ("none", "compose", "swarm", "kubernetes", "mesos", "vm-cluster")


def orchestrated(draws: Draws, tree: Tree, drawn: Drawn, length: float) -> None:
    """Let something act on instances within a run of this length [ns]; not where clients that are turned away ask again at once."""
    load = str(tree.get("workload", tree.get("workloads")))
    if "tenants" in tree or ("closed" in load and "think" not in load):
        return
    tree["timeline"] = [event for event in tree.get("timeline", []) if not event.keys() & {"start", "stop", "migrate", "drain"}]
    for event in tree["timeline"]:
        event.pop("restart", None)
    tree["timeline"] += [_event(draws, drawn, length, "closed" in load or "trace" in load) for _ in range(draws.choice([0, 1, 2, 3, 5]))]
    for spec in tree["services"].values():
        spec |= draws.sometimes({"restart": (0.4, lambda: draws.choice(["always", "on-failure"]))})
        if draws.yes(0.2):
            spec["deploy"] = spec.get("deploy", {}) | {"update_config": draws.sometimes({
                "parallelism": (0.7, lambda: draws.randint(0, 3)), "delay": (0.5, lambda: time(length * draws.between(0.001, 0.2))),
                "order": (0.5, lambda: draws.choice(["start-first", "stop-first"])), "failure_action": (0.4, lambda: draws.choice(["pause", "continue", "rollback"])),
                "monitor": (0.3, lambda: time(length * draws.between(0.001, 0.2))), "max_failure_ratio": (0.3, lambda: draws.choice([0, 0.5, 1])),
            })}
        if draws.yes(0.3):
            spec["deploy"] = spec.get("deploy", {}) | {"restart_policy": draws.sometimes({
                "condition": (0.7, lambda: draws.choice(["none", "on-failure", "any"])), "delay": (0.5, lambda: time(length * draws.between(0.0001, 0.2))),
                "max_attempts": (0.4, lambda: draws.randint(0, 3)), "window": (0.3, lambda: time(length * draws.between(0.01, 0.5))),
            })} | draws.sometimes({"rollback_config": (0.3, lambda: {"parallelism": draws.randint(0, 3)})})
    tree["platforms"] = [_acted_on(draws, platform) for platform in tree["platforms"]]
    kinds(draws, tree, {platform["orchestrator"] for platform in tree["platforms"]})
    for spec in tree["services"].values():
        spec |= draws.sometimes({"healthcheck": (0.3, lambda: _healthcheck(draws, length))})
        if draws.yes(0.3):
            resources = spec.get("deploy", {}).get("resources", {})
            spec["deploy"] = spec.get("deploy", {}) | {"resources": resources | {"reservations": resources.get("reservations", {}) | {"memory": "6MiB"}}}


def kinds(draws: Draws, tree: Tree, acting: set[str]) -> None:
    """Say of services what only some orchestrators know: how important they are."""
    for spec in tree["services"].values():
        if acting & {"kubernetes", "vm-cluster"} and draws.yes(0.4):
            spec["deploy"] = spec.get("deploy", {}) | {"priority": draws.choice([-10, 0, 5, 1000, "system-cluster-critical"])}


def _acted_on(draws: Draws, platform: str | Tree) -> Tree:
    """A platform with an orchestrator."""
    spec = {"name": platform} if isinstance(platform, str) else platform
    return spec | {"orchestrator": draws.choice(ORCHESTRATORS)}


def _healthcheck(draws: Draws, length: float) -> Tree:
    """Checks that come often in a run of this length [ns]."""
    return {
        "interval": time(length * draws.between(0.001, 0.2)), "timeout": time(length * draws.between(0.001, 0.05)), "retries": draws.randint(1, 3),
    } | draws.sometimes({"start_period": (0.5, lambda: time(length * 0.2)), "start_interval": (0.5, lambda: time(length * 0.005))})


def _event(draws: Draws, drawn: Drawn, length: float, closed: bool) -> Tree:
    """Something that is wanted from an instant on."""
    event: Tree = {"at": time(length * draws.uniform(0.02, 0.9))}
    verb, service = draws.choice(["scale", "scale", "update", "rollback", "load"]), draws.choice(list(drawn.services))
    if verb == "load" and not closed:
        return event | {"load": draws.choice([0.5, 2, 3])}
    if verb == "update":
        return event | {"update": service} | draws.choice([{"image": "nginx:1.28"}, {"image": "redis:8", "cpus": 0.5}, {"cpus": 0.25}])
    if verb == "rollback":
        return event | {"rollback": service}
    return event | {"scale": service, "replicas": draws.randint(0, 5)}

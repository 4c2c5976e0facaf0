"""Random orchestration: what acts on instances, and what a timeline wants of it."""

from __future__ import annotations

from helpers.random_draws import MS, Draws, Tree, time
from helpers.random_hosts import names
from helpers.random_services import Drawn

from simvirt.catalog import Catalog
from simvirt.scenario.spec.models import PlatformSpec

ORCHESTRATORS = ("none", "compose", "swarm", "kubernetes", "mesos", "vm-cluster")


def orchestrated(draws: Draws, tree: Tree, drawn: Drawn, length: float) -> None:
    """Let something act on instances within a run of this length [ns]; not where clients that are turned away ask again at once."""
    load = str(tree.get("workload", tree.get("workloads")))
    if "tenants" in tree or ("closed" in load and "think" not in load):
        return
    tree["timeline"] = [event for event in tree.get("timeline", []) if not event.keys() & {"start", "stop", "migrate", "drain"}]
    for event in tree["timeline"]:
        event.pop("restart", None)
    tree["timeline"] += [_event(draws, drawn, length, any(kind in load for kind in ("closed", "trace", "rates"))) for _ in range(draws.choice([0, 1, 2, 3, 5]))]
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
    for spec in tree["services"].values():
        if "cpus" in spec and "autoscale" not in spec and all(_contained(platform, tree) for platform in tree["platforms"]) and draws.yes(0.5):
            spec["vertical"] = {"max": 4, "by": "quick"} | draws.sometimes({"min": (0.5, lambda: 0.1), "update": (0.7, lambda: draws.choice(["in-place", "recreate"]))})
            tree["catalog"] = {**tree.get("catalog", {}), "vertical_autoscalers": {"quick": {"like": "vpa"} | {
                key: {"value": value, "source": "made up for a test"} for key, value in {
                    "sampling": time(max(5 * MS, length / 400)), "resolution": time(max(5 * MS, length / 400)), "interval": time(max(20 * MS, length / 100)), "half_life": "1s"}.items()}}}
    _balanced(draws, tree, length)
    for spec in tree["services"].values():
        spec |= draws.sometimes({"healthcheck": (0.3, lambda: _healthcheck(draws, length))})
        if draws.yes(0.3):
            resources = spec.get("deploy", {}).get("resources", {})
            spec["deploy"] = spec.get("deploy", {}) | {"resources": resources | {"reservations": resources.get("reservations", {}) | {"memory": "6MiB"}}}
    kinds(draws, tree, {platform["orchestrator"] for platform in tree["platforms"]}, length)


def kinds(draws: Draws, tree: Tree, acting: set[str], length: float) -> None:
    """Say of services what only some orchestrators know: how important they are, of which kind they are; and a job beside them."""
    named = str(tree.get("failures", "")) + str([{key: value for key, value in event.items() if key != "at"} for event in tree["timeline"]])
    for name, spec in tree["services"].items():
        if acting & {"swarm", "kubernetes"} and name not in named and "autoscale" not in spec and draws.yes(0.2):
            spec.pop("scale", None)
            spec["deploy"] = {key: value for key, value in spec.get("deploy", {}).items() if key != "replicas"} | {"mode": "global"}
        elif "kubernetes" in acting and draws.yes(0.2):
            spec["deploy"] = spec.get("deploy", {}) | {"mode": "stateful"} | draws.sometimes({
                "pod_management": (0.5, lambda: draws.choice(["OrderedReady", "Parallel"]))})
        if "kubernetes" in acting and draws.yes(0.3):
            spec["deploy"] = spec.get("deploy", {}) | {"update_config": {
                "max_surge": draws.choice([1, 2, "25%", "100%"]), "max_unavailable": draws.choice([0, 1, "25%", "100%"])}
                | draws.sometimes({"progress_deadline": (0.4, lambda: time(length * draws.between(0.001, 0.3))), "failure_action": (0.4, lambda: "rollback")})}
        if "kubernetes" in acting and draws.yes(0.3):
            budget = {draws.choice(["min_available", "max_unavailable"]): draws.choice([0, 1, 2, "0%", "50%", "100%"])}
            spec["deploy"] = spec.get("deploy", {}) | {"disruption_budget": budget}
        if acting & {"kubernetes", "vm-cluster"} and draws.yes(0.4):
            spec["deploy"] = spec.get("deploy", {}) | {"priority": draws.choice([-10, 0, 5, 1000, "system-cluster-critical"])}
    if acting & {"swarm", "kubernetes"} and draws.yes(0.25):
        tree["services"]["night-job"] = {
            "deploy": {"mode": "replicated-job"} | draws.sometimes({"job": (0.8, lambda: draws.sometimes({
                "completions": (0.7, lambda: draws.randint(1, 6)), "parallelism": (0.6, lambda: draws.randint(1, 4)), "backoff_limit": (0.4, lambda: draws.randint(0, 2)),
            }))}), "startup": [{"delay": time(length * draws.between(0.001, 0.3))}, {"cpu": "1ms"}],
        }


def _contained(platform: Tree, tree: Tree) -> bool:
    """Whether a platform has containers."""
    return bool(Catalog.load(tree.get("catalog")).platform(PlatformSpec.model_validate({key: platform[key] for key in ("name", "stack") if key in platform})).runtimes)


def _acted_on(draws: Draws, platform: str | Tree) -> Tree:
    """A platform with an orchestrator."""
    spec = {"name": platform} if isinstance(platform, str) else platform
    return spec | {"orchestrator": draws.choice(ORCHESTRATORS)}


def _balanced(draws: Draws, tree: Tree, length: float) -> None:
    """Some clusters of VMs on several hosts are balanced, at looks that come several times in a run."""
    for spec in tree["platforms"]:
        if spec["orchestrator"] == "vm-cluster" and _moves_vms(tree, spec) and draws.yes(0.7):
            interval = {"value": time(length * draws.between(0.02, 0.3)), "source": "made up for a test"}
            catalog = tree.setdefault("catalog", {})
            catalog["orchestrators"] = {"balanced": {"like": "drs", "balance": interval, "threshold": draws.randint(1, 5)}}
            spec["orchestrator"] = "balanced"


def _moves_vms(tree: Tree, spec: Tree) -> bool:
    """Whether the VMs of a platform move while they run."""
    if "stack" in spec or spec["name"] not in names("platforms") or spec["name"] in tree.get("catalog", {}).get("platforms", {}):
        return False
    found = Catalog.load().named_platform(spec["name"])
    return bool(found.hypervisors) and found.migrator is not None


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
        return event | {"update": service} | draws.choice([{"image": "nginx:1.28"}, {"image": "redis:8", "cpus": 0.5}, {"cpus": 0.25}, {"mem_limit": "64MiB"}, {"cpus": 0.5, "replicas": draws.randint(0, 4)}])
    if verb == "rollback":
        return event | {"rollback": service}
    return event | {"scale": service, "replicas": draws.randint(0, 5)}

"""Random failures: on the timeline and by chance, of hosts and of instances."""

from __future__ import annotations

from helpers.random_draws import Draws, Tree, time
from helpers.random_services import Drawn
from helpers.random_workloads import FAILED

HOWS = ("power", "kernel-panic", "slow-disk", "loss", "partition", "process", "kernel-panic of a service", "registry")


def failing(draws: Draws, tree: Tree, drawn: Drawn, length: float) -> None:
    """Let something fail within a run of this length [ns]; not where clients that are turned away ask again at once."""
    if "closed" in str(tree.get("workload", tree.get("workloads"))) and "think" not in str(tree.get("workload", tree.get("workloads"))):
        return
    events = [_event(draws, tree, drawn, length) for _ in range(draws.choice([0, 1, 1, 2, 3]))]
    chances = [_chance(draws, tree, drawn, length) for _ in range(draws.choice([0, 0, 1] if events else [1, 1, 2]))]
    if events:
        tree["timeline"] = [*tree.get("timeline", []), *events]
    traced = {"trace": {"file": FAILED, "at": "at_ms", "fail": "which", "for": "down_ms"} | draws.sometimes({"how": (0.5, lambda: draws.choice(["kernel-panic", "slow-disk"]))})}
    if draws.yes(0.15):
        tree["failures"] = traced
    elif chances or draws.yes(0.3):
        tree["failures"] = ({"random": chances} if chances else {}) | draws.sometimes({"goal": (0.3, lambda: draws.choice(["99.9%", 0.5])), "unanswered": (0.7, lambda: time(length * draws.between(0.001, 1)))})


def _event(draws: Draws, tree: Tree, drawn: Drawn, length: float) -> Tree:
    """A failure at an instant."""
    event = {"at": time(length * draws.uniform(0.05, 0.9))} | _what(draws, tree, drawn)
    return event if event.get("how") == "process" else event | draws.sometimes({"for": (0.7, lambda: time(length * draws.between(0.01, 0.5)))})


def _chance(draws: Draws, tree: Tree, drawn: Drawn, length: float) -> Tree:
    """A failure by chance."""
    what = _what(draws, tree, drawn) | {"mtbf": time(length * draws.between(0.05, 2))}
    what.pop("replica", None)
    what |= draws.sometimes({"shape": (0.4, lambda: round(draws.uniform(0.5, 3), 2))})
    repair = time(length * draws.between(0.01, 0.5))
    return what if what.get("how") == "process" else what | {"mttr": draws.choice([repair, {"exponential": repair}, {"lognormal": {"mean": repair, "cv": 1}}])}


def _what(draws: Draws, tree: Tree, drawn: Drawn) -> Tree:
    """What fails, and how."""
    how = draws.choice(HOWS)
    if how == "registry" and tree.get("state", {}).get("images") == "none" and not tree.get("registries"):
        return {"fail": "docker-hub", "how": "registry"}
    if how in ("process", "kernel-panic of a service"):
        name = draws.choice(list(drawn.services))
        many = drawn.services[name].get("scale", drawn.services[name].get("deploy", {}).get("replicas", 1))
        return {"fail": name, "how": how.split()[0]} | draws.sometimes({"replica": (0.6, lambda: draws.randrange(many))})
    found: Tree = {"fail": "host"} if how in ("power", "registry") else {"fail": "host", "how": how}
    if how == "slow-disk":
        found |= draws.sometimes({"factor": (0.6, lambda: round(draws.between(1.5, 100), 1))})
    if how == "partition":
        found["clients"] = "rest"  # a host that is alone is parted from nobody else
    return found | (draws.sometimes({"ratio": (0.6, lambda: round(draws.between(0.001, 0.9), 3))}) if how == "loss" else {})

"""Random volumes: local ones, and on several hosts such as others serve."""

from __future__ import annotations

from typing import Any

from helpers.random_draws import Draws

Tree = dict[str, Any]


def with_volumes(draws: Draws, tree: Tree) -> Tree:
    """The scenario with volumes that some of its services have; what hosts serve lies on one of them or on all of a pool."""
    counts = {name: spec["count"] for name, spec in tree.get("hosts", {}).items()}
    volumes = {name: _volume(draws, counts) for name in ("data", "logs")[:draws.whole(1, 2)]}
    services = {name: dict(spec) for name, spec in tree["services"].items()}
    having = [name for name in services if draws.yes(0.7)] or list(services)[:1]
    for name in having:
        services[name]["volumes"] = [f"{volume}:/var/lib/{volume}" if draws.yes(0.3) else volume for volume in volumes]
        services[name]["operations"] = _on_volumes(draws, services[name].get("operations", {}), list(volumes))
    return tree | {"volumes": volumes, "services": services}


def _on_volumes(draws: Draws, part: Any, volumes: list[str]) -> Any:
    """The same steps, of which some that use the disk use a volume."""
    if isinstance(part, list):
        return [_on_volumes(draws, inner, volumes) for inner in part]
    if not isinstance(part, dict):
        return part
    if isinstance(part.get("disk"), dict) and draws.yes(0.6):
        return part | {"disk": part["disk"] | {"volume": draws.choice(volumes)}}
    return {key: _on_volumes(draws, inner, volumes) for key, inner in part.items()}


def _volume(draws: Draws, counts: dict[str, int]) -> Tree:
    """A volume on the hosts of some pools."""
    if sum(counts.values()) < 2 or draws.yes(0.15):
        return {"driver": "local"}
    pool = draws.choice(list(counts))
    driver = draws.choice(["nfs", "iscsi", "ceph"])
    if driver != "ceph":
        return {"driver": driver, "host": f"{pool}[{draws.whole(1, counts[pool]) - 1}]"}
    return {"driver": driver, "host": pool} | draws.sometimes({"replicas": (0.5, lambda: draws.whole(1, counts[pool]))})

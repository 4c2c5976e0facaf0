"""Random registries and images of a scenario's own, and platforms that pull in a way of their own."""

from __future__ import annotations

from typing import Any, Final

from helpers.random_draws import Draws

from simvirt.catalog import Catalog

Tree = dict[str, Any]
BASES: Final = ["alpine", "busybox", "redis:7", "nobody/knows:1"]
ENTRIES: Final = ["docker-hub", "docker-hub-account", "ghcr", "region", "local"]


def pulled(draws: Draws, tree: Tree) -> None:
    """Registries, images of the scenario's own for some services, and how they come to the hosts."""
    tree["registries"] = {"near": _registry(draws, tree), "far": _entry(draws)}
    if draws.yes(0.3):
        tree["registries"]["near"]["mirror_of"] = "far"
    tree["images"] = {name: _image(draws) for name in draws.some(["ours", "theirs"], 2)}
    for name in tree["images"]:
        tree["services"][draws.choice(list(tree["services"]))]["image"] = name
    tree["platforms"] = [_platform(draws, spec) for spec in tree["platforms"]]
    if "state" in tree and draws.yes(0.6):
        tree["state"]["images"] = draws.choice(["none", "none", "present"])


def _entry(draws: Draws) -> Tree:
    """A registry outside."""
    spec: Tree = draws.sometimes({
        "entry": (0.5, lambda: draws.choice(ENTRIES)), "bandwidth": (0.3, lambda: draws.choice(["200Mbps", "1Gbps"])),
        "latency": (0.3, lambda: draws.choice(["1ms", "30ms"])), "peers": (0.2, lambda: True),
    })
    return spec | ({"limit": draws.whole(1, 50), "window": "1s"} if draws.yes(0.2) else {})


def _registry(draws: Draws, tree: Tree) -> Tree:
    """A registry, maybe on the host."""
    return {"host": "host"} if "host" in tree and draws.yes(0.5) else _entry(draws)


def _image(draws: Draws) -> Tree:
    """An image of a few layers, stated or built."""
    made: Tree = {"build": [_step(draws, name) for name in ("system", "libraries", "code")[: draws.whole(1, 3)]]} if draws.yes(0.4) else {
        "layers": [_layer(draws, number) for number in range(draws.whole(1, 3))]}
    return made | draws.sometimes({
        "from": (0.4, lambda: draws.choice(BASES)), "touched": (0.3, lambda: draws.choice([0.05, 0.5])),
        "registry": (0.3, lambda: draws.choice(["near", "far"])),
    })


def _layer(draws: Draws, number: int) -> Tree:
    """A layer, which another image may have too: then it is the same one."""
    if draws.yes(0.3):
        return {"size": "1MiB", "digest": f"common-{number}"}
    return {"size": draws.choice(["10KiB", "1MiB", "4MiB"])} | draws.sometimes({
        "unpacked": (0.3, lambda: draws.choice(["1MiB", "9MiB"])), "files": (0.3, lambda: draws.whole(1, 500)),
    })


def _step(draws: Draws, name: str) -> Tree:
    """A step of a build."""
    return {"name": name, "size": draws.choice(["1MiB", "2MiB"])} | draws.sometimes({
        "work": (0.5, lambda: draws.choice(["10ms", "100ms"])), "download": (0.3, lambda: "1MiB"), "changed": (0.4, lambda: True),
    })


def _platform(draws: Draws, spec: Any) -> Any:
    """A platform, which may pull or make its VMs as others do."""
    of = spec if isinstance(spec, dict) else {"name": spec}
    catalog = Catalog.load()
    stack = of["stack"] if "stack" in of else catalog.raw("platforms").get(of["name"], {}).get("stack", ())
    if any(name in catalog.raw("runtimes") for name in stack) and draws.yes(0.4):
        of = of | {"puller": draws.choice(["kubelet", "podman", "soci", "kubelet-pigz"])}
    if any(name in catalog.raw("hypervisors") for name in stack) and draws.yes(0.4):
        of = of | {"disk_image": draws.choice(["microvm-overlay", "server-vmdk-shared"])}
    return spec if of == {"name": spec} else of

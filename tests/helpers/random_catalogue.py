"""Random entries of the catalogue, used by the scenario that they are in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from helpers.random_draws import MIB, Draws, Tree, size, time
from helpers.random_hosts import names, sourced


def catalogue(draws: Draws, tree: Tree) -> None:
    """Adds entries to a scenario now and then, and lets its host or its first platform use them."""
    if not draws.yes(0.15):
        return
    entries: Tree = {}
    for add in draws.sample(ADDITIONS, draws.choice([1, 1, 2])):
        add(draws, tree, entries)
    tree["catalog"] = entries


def _host_fields(tree: Tree) -> Tree:
    """The host as a mapping that may be changed."""
    if isinstance(tree["host"], str):
        tree["host"] = {"model": tree["host"]}
    fields: Tree = tree["host"]
    return fields


def a_disk(draws: Draws, tree: Tree, entries: Tree) -> None:
    """A slower or faster disk."""
    speed = {"read_latency": sourced(time(draws.between(1e4, 2e7))), "channels": sourced(draws.choice([1, 4, 32]))}
    entries["disks"] = {"my-disk": {"like": draws.choice(names("disks"))} | speed}
    _host_fields(tree)["disk"] = "my-disk"


def a_nic(draws: Draws, tree: Tree, entries: Tree) -> None:
    """A NIC with other segments."""
    entries["nics"] = {"my-nic": {"like": "10gbe", "segment": sourced(draws.choice(["1500B", "64KiB"]))}}
    _host_fields(tree)["nic"] = "my-nic"


def a_hypervisor(draws: Draws, tree: Tree, entries: Tree) -> None:
    """A hypervisor with a guest system and a way to poll of its own."""
    spec: Tree = {"like": draws.choice(["kvm", "xen-hvm", "esxi", "hyperv", "firecracker"]), "guest": "my-guest"}
    spec |= draws.sometimes({
        "halt_poll": (0.5, lambda: sourced(time(draws.between(1e4, 5e5)))), "spin_wait": (0.3, lambda: sourced(round(draws.random(), 2))),
        "host_load": (0.3, lambda: {"threads": sourced(1), "duty": sourced(0.2), "period": sourced("5ms")}),
        "vmm_memory": (0.3, lambda: sourced(size(draws.between(4, 200) * MIB))),
    })
    guest = {"like": "linux", "background_duty": sourced(round(draws.between(0.0005, 0.1), 4)), "scheduler": draws.choice(["eevdf", "cfs", "round-robin"])}
    entries["hypervisors"], entries["guests"] = {"my-hypervisor": spec}, {"my-guest": guest}
    if draws.random() < 0.5:
        spec["net"], entries["devices"] = "my-net", {"my-net": a_network_device(draws)}
    tree["platforms"][0] = {"name": "mine", "stack": ["my-hypervisor"]}


def a_network_device(draws: Draws) -> Tree:
    """A path to the network with costs by wake-up, interrupt and packet of its own."""
    parts = ("cpu", "host_cpu", "kick", "notify", "wake", "interrupt", "host_wake", "host_interrupt")
    costs = {name: {part: sourced(time(draws.between(100, 2e4))) for part in parts} for name in ("packet_in", "packet_out")}
    return {"like": "vhost-net", "costs": costs, "poll": sourced(time(draws.between(1, 1e5)))}


def a_runtime(draws: Draws, tree: Tree, entries: Tree) -> None:
    """A runtime on another network path."""
    entries["runtimes"] = {"my-runtime": {"like": draws.choice(["docker", "gvisor", "podman"]), "net": draws.choice(["bridge", "macvlan", "host-network"])}}
    tree["platforms"][0] = {"name": "mine", "stack": ["my-runtime"]}


def a_processor(draws: Draws, tree: Tree, entries: Tree) -> None:
    """A host with a processor of its own."""
    costs = {"smt_yield": sourced(round(draws.uniform(1, 1.8), 2)), "vm_exit": sourced(f"{draws.whole(500, 9000)}cycles")}
    entries["families"] = {"my-family": {"like": "skylake-sp"} | costs}
    entries["cpus"] = {"my-cpu": {"like": "generic-x86-2.6", "cores": draws.whole(1, 8), "smt": draws.choice([1, 2]), "family": "my-family"}}
    entries["hosts"] = {"my-host": {"like": "generic", "cpu": "my-cpu", "sockets": draws.choice([1, 2])}}
    fields = _host_fields(tree)
    for key in ("cores", "sockets", "smt", "max_cstate"):
        fields.pop(key, None)
    fields["model"] = "my-host"


def a_limit(draws: Draws, tree: Tree, entries: Tree) -> None:
    """Something of which a host has only so many."""
    entries["limits"] = {"my-limit": {
        "title": "made up", "source": "made up for a test", "resource": "tickets", "of": ["container", "vm"],
        "capacity": sourced(draws.choice([5, 100])), "per_instance": sourced(2),
    }}


ADDITIONS: Final[list[Callable[[Draws, Tree, Tree], Any]]] = [a_disk, a_nic, a_hypervisor, a_runtime, a_processor, a_limit]

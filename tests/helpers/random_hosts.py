"""Random hosts, schedulers, platforms, and entries of the catalogue."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any, Final

from helpers.random_draws import GIB, MIB, MS, S, US, Draws, Tree, size, thinking, time

from simvirt.catalog import Catalog
from simvirt.scenario.spec.host import PARAMETERS, RESERVING, PlatformSpec
from simvirt.units import parse_time

SOURCE: Final = "made up for a test"
SPANS: Final = {
    "base_slice": (200 * US, 20 * MS), "tick": (1 * MS, 20 * MS), "latency": (1 * MS, 50 * MS), "min_granularity": (200 * US, 10 * MS),
    "wakeup_granularity": (50 * US, 10 * MS), "timeslice": (1 * MS, 60 * MS), "ratelimit": (50 * US, 5 * MS), "migrate_resist": (10 * US, 5 * MS),
    "costop": (1 * MS, 20 * MS), "quantum": (500 * US, 60 * MS),
}
"""From where to where the parameters of schedulers are drawn [ns]."""
STATES: Final = ("none", "none", "C1", "C1E", "C6")
NETS: Final = {
    True: ("virtio-net-user", "vhost-user", "e1000", "sr-iov", "elvis", "vhost-net", "rtl8139", "vmxnet3"),
    False: ("host-network", "bridge", "macvlan", "slirp", "vxlan-overlay", "vxlan-overlay-2017", "docker-proxy", "gvisor-netstack", "venet"),
}
DISKS: Final = {
    True: ("virtio-blk", "virtio-blk-iothread", "virtio-scsi", "ahci", "ide", "nvme-passthrough", "virtio-9p", "virtio-fs"),
    False: ("overlay2", "aufs", "devicemapper", "volume", "ploop"),
}
"""Paths by whether a hypervisor has them."""


@cache
def names(kind: str) -> list[str]:
    """The names of the shipped entries of a kind."""
    return sorted(Catalog.load().names(kind))


def sourced(value: Any) -> Tree:
    """A number as an entry of the catalogue has it."""
    return {"value": value, "source": SOURCE}


def linux(draws: Draws) -> Tree:
    """Sometimes the version of the host's kernel."""
    return draws.sometimes({"linux": (0.1, lambda: draws.choice(["2.4", "3.10", "4.19", "5.4", "6.12"]))})


def bounds(draws: Draws) -> Tree:
    """Sometimes a cap of VMs apart from their vCPUs, or their credits."""
    if not draws.yes(0.15):
        return {}
    return draws.choice([{"cap": round(draws.uniform(0.5, 6), 2)}, {"credits": draws.choice(names("burstable"))}, {
        "credits": {"earn": f"{draws.whole(30, 200)}/h", "most": draws.choice([0, 1, 5]), "balance": round(draws.uniform(0, 0.2), 3)}}])


def host(draws: Draws, scarce: bool) -> Tree:
    """A host: of the catalogue, or described inline; `scarce` ones have little memory, and most often swap space."""
    spec = {"model": draws.choice(names("hosts"))} if draws.yes(0.25) else {"cores": draws.whole(1, 8), "memory": size(draws.between(2, 64) * GIB)}
    if scarce:
        spec["memory"] = size(draws.between(2.1, 6) * GIB)
    spec |= draws.sometimes({
        "sockets": (0.2, lambda: draws.choice([1, 2])), "smt": (0.4, lambda: draws.choices([1, 2, 4], [2, 5, 1])[0]),
        "clock": (0.3, lambda: f"{draws.uniform(1, 4):.2f}GHz"), "disk": (0.5, lambda: draws.choice(names("disks"))),
        "nic": (0.4, lambda: nic(draws)), "mitigations": (0.15, lambda: draws.choice(["auto", "off"])), "switching": (0.15, lambda: draws.choice(["auto", "none"])),
        "kernel_entry": (0.1, lambda: time(draws.between(50, 2000))), "memory_ratio": (0.15, lambda: round(draws.uniform(0.5, 2), 2)),
        "swap": (0.7 if scarce else 0.1, lambda: size(draws.between(0.2, 8) * GIB)), "ksm": (0.4 if scarce else 0.1, lambda: ksm(draws)),
        "max_cstate": (0.15, lambda: draws.choice(STATES)),
    })
    if scarce and draws.yes(0.1):
        spec["eviction"] = draws.choice([
            "100MiB", {"memory_available": "1GiB", "every": "2s"},
            {"memory_available": "200MiB", "soft": "2GiB", "grace": "100ms", "every": "50ms", "minimum_reclaim": "300MiB", "transition": "300ms"}])
    if "swap" in spec and draws.yes(0.3):
        spec["swappiness"] = draws.choice([0, 1, 60, 100, 200])
    if "swap" in spec and draws.yes(0.3):
        spec["zswap"] = draws.choice([0.2, "50%"])
    return spec


def nic(draws: Draws) -> str:
    """A NIC by its name or its bandwidth."""
    return draws.choice([name for name in names("nics") if not name[0].isdigit()] + ["1gbe", "10gbe", "100Mbps", "2.5Gbps", "25Gbps"])


def ksm(draws: Draws) -> Tree:
    """A scanner for equal pages."""
    return draws.sometimes({
        "pages_to_scan": (0.6, lambda: draws.whole(10, 20_000)), "sleep": (0.5, lambda: time(draws.between(5 * MS, S))),
        "since": (0.4, lambda: draws.choice(["0s", "10s", "1h"])),
    })


def scheduler(draws: Draws) -> Any:
    """Any policy with some of its parameters; None where the default is meant."""
    if draws.yes(0.25):
        return None
    policy = draws.choice(sorted(PARAMETERS))
    spec = draws.sometimes({name: (0.5, lambda name=name: time(draws.between(*SPANS[name]))) for name in PARAMETERS[policy] if name in SPANS})
    if policy == "hyperv" and draws.yes(0.6):
        spec["type"] = draws.choice(["classic", "core"])
    if "costop" in spec and draws.yes(0.5):
        spec["costart"] = time(0.5 * MS)
    return {"policy": policy} | spec if spec or draws.yes(0.5) else policy


def reserves(policy: Any) -> bool:
    """Whether a scheduler as a scenario writes it knows reservations."""
    return policy is None or (policy if isinstance(policy, str) else policy["policy"]) in RESERVING


def platforms(draws: Draws, most: int) -> list[Any]:
    """One platform or several, with names that differ."""
    found = [platform(draws, number) for number in range(draws.choices(range(1, most + 1), [2.0 ** -n for n in range(most)])[0])]
    seen: set[str] = set()
    return [spec for spec in found if not (_name(spec) in seen or seen.add(_name(spec)))]


def _name(spec: Any) -> str:
    return str(spec if isinstance(spec, str) else spec["name"])


def platform(draws: Draws, number: int) -> Any:
    """A platform of the catalogue, as it is or changed, or a stack."""
    if draws.yes(0.5):
        name = draws.choice(names("platforms"))
        return name if draws.yes(0.7) else {"name": name} | _settings(draws, *_layers(name))
    hypervisors = [draws.choice(names("hypervisors"))] if draws.yes(0.7) else []
    runtimes = [draws.choice(names("runtimes"))] if draws.yes(0.6) else []
    return {"name": f"stack-{number}", "stack": hypervisors + runtimes} | _settings(draws, bool(hypervisors), bool(runtimes))


@cache
def _layers(name: str) -> tuple[bool, bool]:
    """Whether a platform of the catalogue has hypervisors, and whether it has runtimes."""
    platform = Catalog.load().platform(PlatformSpec(name=name))
    return bool(platform.hypervisors), bool(platform.runtimes)


def _settings(draws: Draws, virtual: bool, contained: bool) -> Tree:
    """What a platform is set up with."""
    spec = draws.sometimes({"pages": (0.2, lambda: draws.choice(["4k", "thp", "huge"]))})
    if virtual or contained:
        side = virtual and (not contained or draws.yes(0.5))
        spec |= draws.sometimes({"net": (0.15, lambda: draws.choice(NETS[side])), "disk": (0.15, lambda: draws.choice(DISKS[side]))})
    return spec | (_of_vms(draws) if virtual else {})


def _of_vms(draws: Draws) -> Tree:
    """What only VMs can be set up with."""
    return draws.sometimes({
        "pin": (0.2, lambda: draws.yes(0.7)), "topology": (0.2, lambda: draws.choice(["exposed", "hidden"])), "vms": (0.4, lambda: vms(draws)), "balloon": (0.3, lambda: draws.choice(["auto", "none", size(draws.between(32, 512) * MIB)])),
        "disk_cache": (0.2, lambda: draws.choice(["none", "writeback", "writethrough", "unsafe"])), "free_page_reporting": (0.2, lambda: draws.yes(0.7)), "guest_swap": (0.2, lambda: size(draws.between(0.1, 2) * GIB)),
    })


def vms(draws: Draws) -> Tree:
    """VMs that replicas share."""
    return {"count": draws.whole(1, 4), "vcpus": draws.whole(1, 8), "memory": size(draws.between(0.5, 2) * GIB)}


def links(draws: Draws, tree: Tree) -> Tree:
    """Sometimes a network: switches in a row, hosts at some of them, each link with or without a bandwidth."""
    if not draws.yes(0.12):
        return {}
    ends, switches = list(tree["hosts"]) if "hosts" in tree else ["host"], ["tor", "spine", "far"][:draws.whole(1, 3)]
    pairs = [*((end, draws.choice(switches)) for end in ends), *pairwise(switches)]
    return {"network": {
        "switches": {name: draws.sometimes({"latency": (0.4, lambda: time(draws.between(100, 1e6)))}) for name in switches},
        "links": [{"from": a, "to": b} | draws.sometimes({
            "bandwidth": (0.5, lambda: f"{draws.choice([1, 10, 40])}Gbps"), "latency": (0.4, lambda: time(draws.between(10, 1e6)))}) for a, b in pairs],
    }}


def pools(draws: Draws, tree: Tree) -> Tree:
    """The scenario on several hosts: some like its own, sometimes others beside them that differ, and a word on who may stand where."""
    host = {"model": tree["host"]} if isinstance(tree["host"], str) else dict(tree["host"])
    found = {"node": host | {"count": draws.whole(1, 3)} | draws.sometimes({"zone": (0.5, lambda: draws.choice(["a", ["a", "b"]]))})}
    if draws.yes(0.5):
        found["other"] = host | {"count": draws.whole(1, 2), "zone": "c", "labels": {"kind": "other"}} | draws.sometimes({
            "clock": (0.7, lambda: draws.choice(["1.5GHz", "3.5GHz"])), "disk": (0.4, lambda: draws.choice(["hdd", "nvme"])),
            "nic": (0.4, lambda: draws.choice(["1gbe", "100gbe"])), "swap": (0.2, lambda: "2GiB"), "switching": (0.2, lambda: "none")})
        found["other"] |= draws.sometimes({"taints": (0.3, lambda: [draws.choice(["kind=other:NoSchedule", "kind=other:PreferNoSchedule"])])})
    services = {name: dict(spec) for name, spec in tree["services"].items()}
    for spec in services.values():
        if draws.yes(0.4):
            placement = draws.choice([
                {"constraints": ["zone != c"]}, {"constraints": ["pool == node"]}, {"spread": "zone"}, {"max_replicas_per_node": 9}, {"tolerations": ["kind"]},
                {"topology_spread": [{"topology_key": "host", "max_skew": draws.whole(1, 3), "when_unsatisfiable": "ScheduleAnyway"}]},
                {"topology_spread": [{"topology_key": "host"}]}, {"affinity": [{"near": draws.choice(list(services)), "topology_key": "pool"}]},
                {"affinity": [{"away_from": draws.choice(list(services)), "weight": draws.whole(1, 99)}]},
            ])
            spec["deploy"] = dict(spec.get("deploy", {})) | {"placement": placement}
    left = {key: value for key, value in tree.items() if key not in ("host", "density", "network", "registries", "images") and not (key == "failures" and "trace" in value)}
    tree = _renamed(left) | {"hosts": found, "services": services}
    if "other" in found:
        _parted(draws, tree)
    return tree


def _parted(draws: Draws, tree: Tree) -> None:
    """Hosts that are cut off from others may reach clients, or not."""
    for failure in [*tree.get("timeline", []), *tree.get("failures", {}).get("random", [])]:
        if failure.get("how") == "partition":
            failure["clients"] = draws.choice(["both", "rest", "cut"])


def _renamed(value: Any) -> Any:
    """The same, in which what befell the only host befalls those of the first pool."""
    if isinstance(value, dict):
        return {key: "node" if key == "fail" and inner == "host" else _renamed(inner) for key, inner in value.items()}
    return [_renamed(inner) for inner in value] if isinstance(value, list) else value


MOVERS: Final = ("kvm", "xen-pv", "xen-hvm", "esxi", "hyperv", "cloud-hypervisor", "docker-on-kvm")
"""Platforms whose VMs move to other hosts."""
WAYS: Final = ("pre-copy", "post-copy", "hybrid", "stop-and-copy", "checkpoint")
SWIFT: Final = {name: {"value": "10us", "source": "swift in a test"} for name in ("setup", "handover")} | {
    name: {"value": "1ns", "source": "swift in a test"} for name in ("scan", "send", "receive", "unlog")}


def moving(draws: Draws, tree: Tree) -> Tree:
    """The scenario on hosts of which there are several, with VMs that move swiftly from one to another, and hosts that are drained."""
    hosts = {name: spec | {"nic": "9000Gbps", "count": spec["count"] + (len(tree["hosts"]) == 1)} for name, spec in tree["hosts"].items()}
    names = [f"{name}[{n}]" for name, spec in hosts.items() for n in range(spec["count"])]
    length = parse_time(tree["run"].get("duration", "20ms"))
    events = [_move(draws, list(tree["services"]), names, length) for _ in range(draws.whole(1, 5))]
    entry = {"like": draws.choice(["qemu-auto-converge", "xl", "xen-2005", "vmotion"]), "bandwidth": {"value": "1000GB/s", "source": "swift in a test"}, **SWIFT}
    contained = any("vertical" in spec for spec in tree["services"].values())
    platform = {"name": "docker-on-kvm" if contained else draws.choice(MOVERS), "migrator": "swift"} | draws.sometimes({"pin": (0.2, lambda: True)}) | _one_orchestrator(tree)
    written = {name: spec | {"memory": spec.get("memory", {}) | {"dirty": "64KiB"}} if draws.yes(0.3) else spec for name, spec in tree["services"].items()}
    return tree | {"hosts": hosts, "platforms": [platform], "services": written, "timeline": [*tree.get("timeline", []), *events],
                   "catalog": {**tree.get("catalog", {}), "migrators": {"swift": entry}}}


def _one_orchestrator(tree: Tree) -> Tree:
    """What acts on a scenario, Kubernetes before others, for it knows the most keys."""
    acting = sorted({spec["orchestrator"] for spec in tree["platforms"] if "orchestrator" in spec and not isinstance(spec, str)}, key=lambda name: (name == "kubernetes", name))
    return {"orchestrator": acting[-1]} if acting else {}


def _move(draws: Draws, services: list[str], names: list[str], length: float) -> Tree:
    """A migration, or a drain."""
    said = draws.choice([{"migrate": draws.choice(services)}, {"drain": draws.choice(names)}])
    to = draws.choice(names)
    more = draws.sometimes({"how": (0.6, lambda: draws.choice(WAYS)), "storage": (0.2, lambda: "copy"), "to": (0.4, lambda: to)})
    if more.get("to") == said.get("drain"):
        more.pop("to", None)
    return {"at": time(length * draws.uniform(0.05, 0.7))} | said | more


RESERVING_ORCHESTRATORS: Final = ("swarm", "kubernetes", "mesos", "vm-cluster")
"""Orchestrators for which what finds no room waits."""


def growing(draws: Draws, tree: Tree) -> Tree:
    """The scenario on pools that grow and shrink with what replicas request of them, whose numbers change again and again; hosts may fail."""
    length = parse_time(tree["run"].get("duration", "20ms"))
    entries = _swift_machines(draws, length)
    hosts = {name: spec | {"autoscale": _machine_scaling(draws, spec["count"], length)} if at == 0 or draws.yes(0.6) else spec for at, (name, spec) in enumerate(tree["hosts"].items())}
    named = [{"name": spec} if isinstance(spec, str) else spec for spec in tree["platforms"]]
    platforms = [spec if spec.get("orchestrator") in (*RESERVING_ORCHESTRATORS, "balanced") else spec | {"orchestrator": draws.choice(RESERVING_ORCHESTRATORS)} for spec in named]
    services = {name: spec | {"cpus": draws.between(0.1, 0.9)} if not spec.keys() & {"cpus", "cpu_quota"} and "cpus" not in str(spec.get("deploy")) else spec
                for name, spec in tree["services"].items()}
    counted = [name for name, spec in services.items() if spec.get("deploy", {}).get("mode", "stateful") == "stateful"]
    events = [{"at": time(length * draws.uniform(0.02, 0.9)), "scale": draws.choice(counted), "replicas": draws.randint(0, 9)} for _ in range(draws.whole(1, 6) if counted else 0)]
    events += [{"at": time(length * draws.uniform(0.1, 0.9)), "fail": "node[0]", "for": time(length * draws.between(0.01, 0.5))}] if draws.yes(0.4) else []
    catalog = {**tree.get("catalog", {}), **entries}
    kept = [event for event in tree.get("timeline", []) if not event.keys() & {"start", "stop", "crash"}]
    run = {key: value for key, value in tree["run"].items() if key not in ("requests", "warmup", "observe")} | {"duration": time(length)}
    tree = {key: value for key, value in thinking(tree).items() if key != "tenants"}
    return tree | {"hosts": hosts, "platforms": platforms, "services": services, "timeline": [*kept, *events], "catalog": catalog, "run": run}


def _swift_machines(draws: Draws, length: float) -> Tree:
    """Entries of machines that come quickly in a run of this length [ns], and of what asks for them."""
    swift = {key: {"value": time(length * draws.between(low, high)), "source": "swift in a test"} for key, (low, high) in {
        "scan": (0.005, 0.05), "join": (1e-4, 0.02), "unneeded": (0.01, 0.2), "after_add": (0.001, 0.2), "unready": (0.05, 0.3)}.items()}
    power = {"title": "quick", "source": "swift in a test", "measured_on": "generic", "phases": [
        {"name": "power", "at": "host", "per": "host", "wait": {"value": time(length * draws.between(0.001, 0.1)), "source": "swift in a test"}}]}
    return {"machine_autoscalers": {"swift": {"like": "cluster-autoscaler"} | swift}, "startups": {"quick": power}}


def _machine_scaling(draws: Draws, count: int, length: float) -> Tree:
    """Bounds of a pool that has so many hosts at first, in a run of this length [ns]."""
    return {"min": draws.randint(0, count), "max": count + draws.randint(0, 4), "by": "swift", "boot": "quick"} | draws.sometimes({
        "unneeded": (0.3, lambda: time(length * draws.between(0.01, 0.2))), "utilisation": (0.4, lambda: draws.choice(["30%", 0.8, 1])),
        "delay_after_add": (0.3, lambda: time(length * draws.between(0.001, 0.2))),
    })

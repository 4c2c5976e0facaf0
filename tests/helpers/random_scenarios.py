"""Random scenarios: any host, platform, scheduler, service and load of the language, small enough to be simulated in well under a second.

`random_scenario(7)` is always the same tree. What it is made of is drawn from streams of their own (`random_hosts`, `random_services`,
`random_workloads`), and its load is chosen from an estimate of what the services can carry, its length from an estimate of the events.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from helpers import random_hosts
from helpers import random_workloads
import yaml
from helpers.random_catalogue import catalogue
from helpers.random_draws import MS, S, Draws, Tree, thinking, time
from helpers.random_failures import failing
from helpers.random_guards import guarded, with_priorities
from helpers.random_images import pulled
from helpers.random_orchestration import orchestrated
from helpers.random_questions import density, measured, objective, objectives_of_operations, plan, state, tenants, timeline
from helpers.random_services import FRONT, NAMES, Cost, Drawn, Room, services, with_adapting_limits, with_files, with_locks, with_shedding, with_teams
from helpers.random_topics import with_topics
from helpers.random_volumes import with_volumes

from simvirt.catalog import Catalog
from simvirt.catalog.records import HostEntry
from simvirt.scenario.spec.models import HostSpec

OF_VMS: Final = {"vms", "pin", "topology", "balloon", "free_page_reporting", "guest_swap", "disk_cache"}
"""Words of platforms that have VMs."""
DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
EVENTS_OF_A_STEP: Final = 8
SLICE_NS: Final = 2 * MS
"""Estimates for the length of a run."""


@dataclass(frozen=True)
class Size:
    """How large scenarios are: services, replicas of each and platforms at most, events of all runs together about."""

    services: int = 4
    replicas: int = 4
    platforms: int = 3
    events: float = 60_000.0


DEFAULT: Final = Size()


def random_scenario(seed: int, size: Size = DEFAULT) -> Tree:
    """The scenario of a seed, as the tree that its YAML would be; it names the files of `random_workloads.files`."""
    tree, draws = _hosted(seed, size), Draws(seed, "scenario")
    if isinstance(tree["host"], dict):
        tree["host"] |= random_hosts.linux(Draws(seed, "linux"))
    host = Catalog.load(tree.get("catalog")).resolve_host(HostSpec.model_validate(tree["host"]))
    drawn = _services(seed, size, tree, host)
    if any("vms" in spec for spec in tree["platforms"] if isinstance(spec, dict)):
        _bind_within_vms(drawn)
    tree["services"] = drawn.services
    with_files(Draws(seed, "files"), drawn)
    with_teams(Draws(seed, "teams"), drawn)
    with_locks(Draws(seed, "locks"), drawn)
    with_shedding(Draws(seed, "shedding"), drawn)
    with_adapting_limits(Draws(seed, "adapting limits"), drawn)
    length = _alone(tree, draws) if draws.yes(0.04) else _loaded(tree, seed, size, drawn, host)
    tree |= measured(Draws(seed, "measured"), tree["services"])
    _network(Draws(seed, "network"), tree)
    draws = Draws(seed, "questions")
    tree |= draws.sometimes({
        "objective": (0.4, lambda: objective(draws)), "timeline": (0.2, lambda: timeline(draws, drawn, length * S)),
        "plan": (0.15, lambda: plan(draws, drawn, random_hosts.names("sites"))),
    })
    of_operations = Draws(seed, "objectives of operations")
    if "workload" in tree and of_operations.yes(0.15):
        limits = objectives_of_operations(of_operations, drawn, tree["workload"])
        tree["objective"] = tree.get("objective", {}) | {"operations": limits}
    tree |= density(draws, drawn, tree["workload"]) if "workload" in tree and draws.yes(0.15) else {}
    failures = Draws(seed, "failures")
    if failures.yes(0.1):
        failing(failures, tree, drawn, length * S)
    acting = Draws(seed, "orchestration")
    if acting.yes(0.1):
        orchestrated(acting, tree, drawn, length * S)
    tree |= state(Draws(seed, "state"), tree, length * S)
    if "state" in tree and "requests" in tree["run"]:
        _lasting(tree, length)
    images = Draws(seed, "images")
    if images.yes(0.5 if "state" in tree else 0.08):
        pulled(images, tree)
    tree |= random_hosts.links(Draws(seed, "links"), tree)
    volumes = Draws(seed, "volumes")
    if volumes.yes(0.04):
        tree |= with_volumes(volumes, tree)
    side_by_side = Draws(seed, "side by side")
    if "workload" in tree and not tree.keys() & {"density", "plan"} and side_by_side.yes(0.2):
        _beside(side_by_side, tree, drawn)
    with_priorities(Draws(seed, "priorities"), tree)
    topics = Draws(seed, "topics")
    if "workload" in tree and topics.yes(0.15):
        with_topics(topics, tree)
    guards = Draws(seed, "guards")
    if guards.yes(0.2):
        guarded(guards, tree)
    skips = any(step.get("probability") == 0 for spec in tree["services"].values() for steps in spec.get("operations", {}).values() for step in steps)
    if skips or tree.keys() & {"timeline", "failures"} or any("limit" in spec for spec in tree["services"].values()):
        return thinking(tree)
    return tree


def _lasting(tree: Tree, length: float) -> None:
    """The run ends after its length [s], though what answers its requests may start much later."""
    tree["run"] = {key: value for key, value in tree["run"].items() if key not in ("requests", "warmup", "observe")} | {"duration": time(length * S)}


def _beside(draws: Draws, tree: Tree, drawn: Drawn) -> None:
    """The workload becomes one of several, beside which others ask a little."""
    first = tree.pop("workload")
    if len(drawn.costs) == 1:
        first.setdefault("mix", {f"{FRONT}.get": 1})
    tree["workloads"] = {"main": first} | {name: _another(draws, tree, drawn) for name in ("ping", "stream-2")[:draws.whole(1, 2)]}
    if any("closed" in spec for spec in tree["workloads"].values()) and "requests" in tree["run"]:
        tree["run"] |= {"duration": "50ms"}
        del tree["run"]["requests"]
        for name in ("warmup", "observe"):
            tree["run"].pop(name, None)
        tree.pop("timeline", None)


def _another(draws: Draws, tree: Tree, drawn: Drawn) -> Tree:
    """A workload at a low rate."""
    weights = random_workloads.mix(draws, drawn)
    cost = random_workloads.mean_cost(weights, drawn.costs)
    per_s = 1e9 / max(cost.response, 1e5) * draws.between(0.05, 0.3)
    spec = random_workloads.load(draws, per_s, cost.response, set(drawn.costs), False, per_s).workload
    if "closed" in spec:
        spec["closed"] = {"clients": 3 * tree.get("tenants", {}).get("count", 1), "think": time(3e9 / per_s)}
    spec |= {"mix": weights} if spec.get("trace", {}).get("operation") is None else {}
    spec |= draws.sometimes({"objective": (0.5, lambda: objective(draws)), "local": (0.2, lambda: True)})
    return spec | ({"connection": "new"} if not spec.get("local") and draws.yes(0.3) else {})


def _network(draws: Draws, tree: Tree) -> None:
    """What is said of the network, of its NIC, its flows and its connections."""
    if isinstance(tree["host"], dict):
        tree["host"] |= draws.sometimes({
            "offloads": (0.1, lambda: draws.choice(["all", "no-tunnels", "none"])), "receive_queues": (0.1, lambda: draws.whole(1, 8)),
        })
    for spec in tree["services"].values():
        spec |= draws.sometimes({"flows": (0.1, lambda: draws.whole(1, 8))})
    if "workload" in tree and not tree["workload"].get("local"):
        tree["workload"] |= draws.sometimes({"connection": (0.1, lambda: draws.choice(["kept", "new"]))})


def _bind_within_vms(drawn: Drawn) -> None:
    """CPUs that bind a service in VMs that services share are those of the smallest one."""
    for spec in drawn.services.values():
        if "cpuset" in spec:
            spec["cpuset"] = 0


def as_text(tree: Tree) -> str:
    """The YAML of a tree."""
    return str(yaml.dump(tree, Dumper=DUMPER, sort_keys=False, width=120))


def write_files(folder: Path) -> None:
    """Writes the files that random scenarios name."""
    for name, content in random_workloads.files().items():
        (folder / name).write_text(content, encoding="utf-8")


def _hosted(seed: int, size: Size) -> Tree:
    """Host, platforms and entries of the catalogue."""
    draws = Draws(seed, "host")
    host = random_hosts.host(draws, draws.yes(0.2))
    policy = random_hosts.scheduler(Draws(seed, "scheduler"))
    tree: Tree = {"simvirt": 1, "name": f"random {seed}", "host": host | ({} if policy is None else {"scheduler": policy})}
    tree["platforms"] = random_hosts.platforms(Draws(seed, "platforms"), size.platforms)
    for spec in tree["platforms"]:
        if isinstance(spec, dict) and spec.keys() & OF_VMS:
            spec |= random_hosts.bounds(Draws(seed, "bounds"))
    if host.keys() == {"model"} and draws.yes(0.5):
        tree["host"] = host["model"]
    catalogue(Draws(seed, "catalogue"), tree)
    if isinstance(tree["host"], dict) and tree["host"].get("max_cstate") not in (None, *_states(tree)):
        tree["host"]["max_cstate"] = "none"
    return tree


def _states(tree: Tree) -> list[str]:
    """Idle states that the processor of the host has."""
    spec = {key: value for key, value in tree["host"].items() if key != "max_cstate"}
    return ["none", *Catalog.load(tree.get("catalog")).resolve_host(HostSpec.model_validate(spec)).family.cstates]


def _services(seed: int, size: Size, tree: Tree, host: HostEntry) -> Drawn:
    """The services; with tenants, replicas for each of them."""
    draws = Draws(seed, "services")
    spec = tree["host"] if isinstance(tree["host"], dict) else {}
    room = Room(
        cpus=host.pcpus, memory=host.memory, demand=draws.between(0.03, 10) * MS, scarce=host.memory < 7 << 30,
        reserves=random_hosts.reserves(spec.get("scheduler")), replicas=size.replicas,
    )
    drawn = services(draws, draws.whole(1, min(size.services, len(NAMES))), room)
    if draws.yes(0.1):
        tree["tenants"] = tenants(draws, drawn)
    return drawn


def _loaded(tree: Tree, seed: int, size: Size, drawn: Drawn, host: HostEntry) -> float:
    """Adds a workload and the run; gives the length of the run [s]."""
    draws = Draws(seed, "workload")
    weights = random_workloads.mix(draws, drawn)
    cost = random_workloads.mean_cost(weights, drawn.costs)
    most = random_workloads.capacity(drawn, cost, host.pcpus, host.smt)
    first = [next((step for step in steps if "cpu" in step), {"team": "none computes"}) for steps in drawn.services[FRONT]["operations"].values()]
    has_cpu = not any("team" in step for step in first)
    load = random_workloads.load(draws, most * random_workloads.load_level(draws), cost.response, set(drawn.costs), has_cpu, most)
    tree["workload"] = load.workload
    if "trace" in load.workload:
        weights = {name: 1 for name in drawn.costs if name.startswith(f"{FRONT}.")}
    if len(drawn.costs) > 1 or draws.yes(0.7):
        tree["workload"]["mix"] = weights
    tree["workload"] |= draws.sometimes({"local": (0.15, lambda: draws.yes(0.8))})
    _divide(tree)
    tree["run"], length = _run(Draws(seed, "run"), tree, size, drawn, cost, load, host)
    return length


def _divide(tree: Tree) -> None:
    """As many clients as divide among the tenants."""
    if "tenants" in tree and "closed" in tree["workload"]:
        closed, count = tree["workload"]["closed"], tree["tenants"]["count"]
        closed["clients"] = max(1, round(closed["clients"] / count)) * count


def _run(draws: Draws, tree: Tree, size: Size, drawn: Drawn, cost: Cost, load: random_workloads.Load, host: HostEntry) -> tuple[Tree, float]:
    """How long and how often, and the length [s]: as many requests as the events allow, not longer than what happens by itself allows."""
    replications = draws.choice([1, 1, 1, 2, 3])
    events = size.events / len(tree["platforms"]) / replications
    requests = max(3, min(3000, events / (EVENTS_OF_A_STEP * (2 + cost.steps) + 2 * sum(cost.cpu.values()) / SLICE_NS)))
    length = min(requests / load.per_s, load.span or 1e9, events / _unasked(drawn, host))
    spec: Tree = {"replications": replications}
    enough = length * load.per_s > 5
    if "trace" not in load.workload and enough and draws.yes(0.4):
        spec["requests"] = max(2, int(length * load.per_s))
    else:
        spec["duration"] = time(length * S)
    return spec | _details(draws, length, "duration" in spec), length


def _details(draws: Draws, length: float, lasting: bool) -> Tree:
    """Seed, warm-up, what is observed, and how precise the answer is to be."""
    spec = draws.sometimes({
        "seed": (0.7, lambda: draws.randrange(2**draws.choice([8, 32, 62]))), "observe": (0.2, lambda: time(length * S / draws.between(2, 60))),
        "warmup": (0.6, lambda: time(length * S * draws.uniform(0.05, 0.6)) if draws.yes(0.5) else "0s"),
    })
    if draws.yes(0.06):
        spec |= {"precision": draws.choice(["10%", 0.3]), "max_replications": 4}
    return spec


def _unasked(drawn: Drawn, host: HostEntry) -> float:
    """Events per second that need no request: of background threads, and of guest systems."""
    found = 20.0 * len(drawn.services)
    for spec in drawn.services.values():
        if (own := spec.get("background")) is not None:
            found += random_workloads.replicas(spec) * own.get("threads", 1) * 2000
    return found


def _alone(tree: Tree, draws: Draws) -> float:
    """A run without requests, of services that compute by themselves."""
    for name, spec in tree["services"].items():
        kept = {key: value for key, value in spec.items() if key not in ("operations", "threads", "event_loops", "queue", "balance", "limit", "shed")}
        tree["services"][name] = kept | {"background": spec.get("background", {"duty": 0.3})}
    length = draws.between(0.1, 5)
    tree["run"] = {"duration": time(length * S), "replications": 1} | draws.sometimes({"observe": (0.3, lambda: time(length * S / 10))})
    return length

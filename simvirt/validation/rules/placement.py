"""Cases of the kind `placement`: where Swarm, Mesos, Nomad, a cluster of virtual machines and textbooks put things.

*Model*: nodes of a case become `simvirt.placement.Hosts`; what runs there is of the service that is placed and reserves the same.
*Ignores*: nothing that a case of this kind has said so far; what is given and not looked at is reported.
*Source*: moby/swarmkit manager/scheduler tests; Ghodsi and others, NSDI 2011 (what cases' words mean).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np

from simvirt.placement import fairness, kubernetes, nomad, offers, packing, slots, swarm
from simvirt.placement.hosts import Asked, Hosts
from simvirt.scenario.spec.cluster import Constraint
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Answer, NotKnown, Rules

SERVICE: Final = "service"
"""Name of what is placed where a case gives it none."""
CLOSE: Final = 1e-6


# --- Swarm ---------------------------------------------------------------------------------------------------------------


def _hosts(nodes: Any, reserve: Mapping[str, int]) -> Hosts:
    """Nodes as hosts: a number, labels by name, or mappings with resources, labels, and tasks of services."""
    if isinstance(nodes, int):
        nodes = [{"id": f"id{place + 1}"} for place in range(nodes)]
    if isinstance(nodes, Mapping):
        nodes = [{"id": name, **(label if isinstance(label, Mapping) else {"label": label})} for name, label in nodes.items()]
    names = [str(node.get("id", f"id{place + 1}")) for place, node in enumerate(nodes)]
    labels = {key for node in nodes for key, value in node.items() if isinstance(value, str) and key != "id"}
    said = {key: np.array([node.get(key) for node in nodes], object) for key in labels}
    zeros = np.zeros(len(names), np.int64)
    hosts = Hosts(names, said, zeros, zeros, zeros, zeros.copy())
    for name in reserve:
        hosts.room[name] = np.array([node.get(name, 0) for node in nodes], np.float64).astype(np.int64)
    for place, node in enumerate(nodes):
        for key in (key for key, value in node.items() if isinstance(value, int | float) and key not in reserve):
            for _ in range(int(node[key])):
                hosts.add(SERVICE if key == "running" else key, place, reserve if key == "running" else None)
    return hosts


def _reserve(given: Given) -> dict[str, int]:
    return {name: int(amount) for name, amount in given.get("reserve", {}).items()}


def spread(given: Given) -> Answer:
    """Swarm's spread: tasks of a service, or of several one after the other."""
    reserve = _reserve(given)
    hosts = _hosts(given["nodes"], reserve)
    for service, counts in given.get("existing", {}).items():
        for place, count in enumerate(counts if isinstance(counts, list) else counts.values()):
            for _ in range(count):
                hosts.add(service, place)
    new = given["new_tasks"] if "new_tasks" in given else {SERVICE: given["tasks"]}
    placed = [place for service, count in new.items() for place in swarm.place_group(hosts, Asked(service, reserves=reserve), count)]
    return {
        **{f"{service}_counts_sorted": sorted(counts.tolist()) for service, counts in hosts.of.items()},
        **{f"{name}_new": placed.count(place) for place, name in enumerate(hosts.names)},
        "assigned": len(placed), "pending": sum(new.values()) - len(placed),
    }


def preferences(given: Given) -> Answer:
    """Swarm's placement preferences, over one label or several."""
    reserve = _reserve(given)
    hosts = _hosts(given["nodes"], reserve)
    written = given["preferences"] if "preferences" in given else [given["preference"]]
    keys = [str(each).removeprefix("spread").strip().removeprefix("node.labels.") for each in written]
    keys = [key if key in hosts.said else "label" for key in keys]
    placed = swarm.place_group(hosts, Asked(SERVICE, reserves=reserve), given["tasks"], keys)
    new = {name: placed.count(place) for place, name in enumerate(hosts.names)}
    answer: dict[str, Any] = {"assigned": new, "pending": given["tasks"] - len(placed), **new, **_by_label(hosts, new, keys)}
    for key in given.form or ():
        if key.startswith("new_on_"):
            answer[key] = sum(new[name] for name in key.removeprefix("new_on_").split("_plus_"))
    return answer


def _by_label(hosts: Hosts, new: Mapping[str, int], keys: Sequence[str]) -> dict[str, Any]:
    """New tasks in each branch of the first preference: in all, at most on a node, split over the second."""
    found: dict[str, Any] = {}
    counts = np.array(list(new.values()))
    for value in dict.fromkeys(hosts.said[keys[0]]):
        here = hosts.said[keys[0]] == value
        found |= {f"{value}_total": int(counts[here].sum()), f"max_per_node_{value}": int(counts[here].max())}
        for key in keys[1:]:
            parts = dict.fromkeys(hosts.said[key][here])
            found[f"{key}_split_{value}"] = [int(counts[here & (hosts.said[key] == part)].sum()) for part in parts]
    return found


def faulty(given: Given) -> Answer:
    """Tasks of a service that fail one after the other, and where each went."""
    names = [key.removesuffix("_running") for key in given if key.endswith("_running")]
    hosts = _hosts([{"id": name, "running": given[f"{name}_running"]} for name in names], {})
    assigned = []
    for _ in range(given["attempts"]):
        place = swarm.place_group(hosts, Asked(SERVICE), 1)[0]
        assigned.append(hosts.names[place])
        if given.get("each_new_task_fails", True):
            hosts.remove(SERVICE, place)
            hosts.failures_of(SERVICE)[place] += 1
    return {"assigned_to": assigned}


def max_replicas(given: Given) -> Answer:
    """At most so many tasks of a service on a node."""
    hosts = _hosts(given["nodes"], {})
    placed = swarm.place_group(hosts, Asked(SERVICE, most=given["max_replicas_per_node"]), given["tasks"])
    return {"assigned": len(placed), "pending": given["tasks"] - len(placed)}


def constraint(given: Given) -> Answer:
    """Whether a node keeps a constraint."""
    written = str(given["constraint"])
    sign = "!=" if "!=" in written else "=="
    key, found, value = written.partition(sign)
    if not found:
        raise NotKnown(f"no comparison in {written}")
    node: dict[str, str] = {}
    for name, said in given["node"].items():
        prefix = name if name.startswith(("node.", "engine.")) else "node.labels" if name == "labels" else f"node.{name}"
        node |= {f"{prefix}.{label}": str(text) for label, text in said.items()} if isinstance(said, Mapping) else {prefix: str(said)}
    return {"match": swarm.node_matches(Constraint(key.strip(), sign == "==", value.strip()), node)}


# --- fairness ------------------------------------------------------------------------------------------------------------


def drf(given: Given) -> Answer:
    """Dominant-resource fairness in whole tasks."""
    demands, total = given["demand"], given["total"]
    found = fairness.drf(demands, total, given.get("weights"), most=given.get("max_tasks"))
    used = {user: {name: need * found.tasks[user] for name, need in demand.items()} for user, demand in demands.items()}
    shares = {}
    for user, demand in demands.items():
        name, _ = fairness.dominant(demand, total)
        shares[user] = f"{used[user][name]:g}/{total[name]:g}"
    orders = {
        key: list(fairness.drf(demands, total, given.get("weights"), [key.removeprefix("order_when_").removesuffix("_first")]).order)
        for key in given.form or () if key.startswith("order_when_")
    }
    return {"tasks": dict(found.tasks), "allocation": used, "dominant_share": shares, "order": list(found.order), **orders}


def asset_fairness(given: Given) -> Answer:
    """Asset fairness in fractions of tasks."""
    return {"tasks_fractional": fairness.asset_fair(given["demand"], given["total"])}


def ceei(given: Given) -> Answer:
    """Competitive equilibrium from equal incomes in fractions of tasks."""
    return {"tasks_fractional": fairness.equal_incomes(given["demand"], given["total"])}


def mesos_offer(given: Given) -> Answer:
    """What frameworks leave of an agent's offer, one after the other."""
    left: Mapping[str, float] = given["agent"]
    answer: dict[str, Any] = {}
    number = 1
    while f"framework{number}_tasks" in given:
        accepted = offers.accept(left, given[f"framework{number}_tasks"])
        left, number = accepted.left, number + 1
        answer |= {f"left_for_framework{number}": left, f"framework{number - 1}_accepted": len(accepted.tasks)}
    return answer


# --- packing and admission -------------------------------------------------------------------------------------------------


def hole_fit(given: Given) -> Answer:
    """Requests into holes."""
    holes = given["holes"]
    places = packing.filled(holes, given["requests"], given["strategy"])
    return {"placed_in_hole_of_size": [None if place is None else holes[place] for place in places]}


def bin_packing(given: Given) -> Answer:
    """Items into bins."""
    bins = packing.packed(given["items"], given["capacity"], given["strategy"])
    return {"bins": len(bins), "contents": bins}


def nomad_binpack(given: Given) -> Answer:
    """Nomad's score of a host."""
    amounts = given["free_cpu"], given["free_memory_MB"], given["used_cpu"], given["used_memory_MB"]
    return {"score": nomad.binpack_score(*amounts)}


def nomad_spread(given: Given) -> Answer:
    """The same where load is spread."""
    amounts = given["free_cpu"], given["free_memory_MB"], given["used_cpu"], given["used_memory_MB"]
    return {"score": nomad.spread_score(*amounts)}


def ha_slot_policy(given: Given) -> Answer:
    """Admission by slots."""
    names = [key for key in given["hosts"][0] if key != "name"]
    hosts, vms = ([{name: each[name] for name in names if name in each} for each in given[key]] for key in ("hosts", "vms"))
    found = slots.slot_policy(hosts, vms, given["host_failures_tolerated"])
    by_size = sorted(found.hosts, reverse=True)
    return {
        "slot": dict(found.slot), "slots": list(found.hosts), "slots_after_largest_host_fails": sum(by_size[1:]),
        "current_failover_capacity": found.failover_capacity, "admitted": found.admitted,
    }


def nodes_to_score(given: Given) -> Answer:
    """How many nodes the Kubernetes scheduler looks for."""
    return {"searched": [kubernetes.nodes_to_score(each["nodes"], each.get("pct", 0)) for each in given["cases"]]}


def defaults(given: Given) -> Answer:
    """Constants that a system has where nothing is said."""
    known: dict[str, dict[str, float]] = {
        "mesos": {"allocation_interval_s": offers.ALLOCATION_INTERVAL_S, "refuse_seconds_default": offers.REFUSE_S},
        "kube-scheduler pod back-off": {"initial_s": kubernetes.QUEUE.initial_s, "max_s": kubernetes.QUEUE.cap_s},
    }
    if given["kind"] not in known:
        raise NotKnown(f"no defaults of {given['kind']}")
    return known[given["kind"]]


def same(key: str, expected: Any, got: Any) -> bool | None:
    """One of several splits; fractions and decimals as far as they are written."""
    if "_split_" in key:
        return got in expected or list(got) == expected
    if key == "tasks_fractional" and isinstance(expected, Mapping):
        return expected.keys() == got.keys() and all(_as_written(value, got[user]) for user, value in expected.items())
    return None


def _as_written(expected: Any, got: float) -> bool:
    """Whether a number is what is written, as a fraction or to some decimals."""
    if isinstance(expected, str):
        return math.isclose(float(Fraction(expected)), got, rel_tol=CLOSE)
    return math.isclose(expected, round(got, len(str(expected).partition(".")[2])), rel_tol=CLOSE)


RULES: Final = Rules("placement", {
    "swarm_spread": spread, "swarm_preferences": preferences, "swarm_faulty_node": faulty, "swarm_max_replicas": max_replicas,
    "swarm_constraint": constraint, "drf": drf, "asset_fairness": asset_fairness, "ceei": ceei, "mesos_offer": mesos_offer,
    "hole_fit": hole_fit, "bin_packing": bin_packing, "nomad_binpack": nomad_binpack, "nomad_spread": nomad_spread,
    "ha_slot_policy": ha_slot_policy, "kube_nodes_to_score": nodes_to_score, "defaults": defaults,
}, same=same)

"""Random questions: objectives, timelines, tenants, densities and plans."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from helpers.random_draws import GIB, MS, S, Draws, Tree, rate, size, time
from helpers.random_services import FRONT, Drawn

HOSTS = ("dell-r650-gold-6338", "dell-r740-gold-6132", "generic", "dell-t340-e-2224")


def objective(draws: Draws) -> Tree:
    """One limit or several."""
    names = draws.some([f"latency_{name}" for name in ("mean", "p50", "p90", "p95", "p99", "p999")], 3)
    spec = {name: time(draws.between(0.2, 500) * MS) for name in names if draws.yes(0.9)}
    spec |= draws.sometimes({"throughput": (0.2, lambda: rate(draws.between(1, 5000))), "rejected": (0.2, lambda: draws.choice(["0.1%", 0, 0.2]))})
    return spec or {"latency_p99": "100ms"}


def objectives_of_operations(draws: Draws, drawn: Drawn, workload: Tree) -> Tree:
    """Limits of some operations at which requests enter."""
    entered = [name for name in drawn.costs if name.startswith(f"{FRONT}.")]
    names = [name for name, weight in workload.get("mix", dict.fromkeys(entered, 1)).items() if weight]
    limits = [f"latency_{name}" for name in ("mean", "p50", "p90", "p95", "p99", "p999")]
    return {name: {limit: time(draws.between(0.2, 500) * MS) for limit in draws.some(limits, 3)} for name in draws.some(names, 2)}


def measured(draws: Draws, services: Tree) -> Tree:
    """Says of demands where they were measured, of a service or a step here and there; gives what the scenario says of all."""
    for spec in services.values():
        if draws.yes(0.08):
            spec["measured_on"] = _machine(draws)
        steps = [step for body in spec.get("operations", {}).values() for step in body if "cpu" in step]
        if steps and draws.yes(0.08):
            draws.choice(steps)["measured_on"] = _machine(draws)
    return draws.sometimes({"measured_on": (0.08, lambda: _machine(draws))})


def _machine(draws: Draws) -> Tree | str:
    """Where demands were measured: a host, a clock, or both, at a utilisation."""
    if draws.yes(0.3):
        return draws.choice(HOSTS)
    key = draws.choice(["host", "clock"])
    spec: Tree = {key: draws.choice(HOSTS) if key == "host" else f"{draws.uniform(1.5, 3.5):.2f}GHz"}
    return spec | draws.sometimes({"clock": (0.3, lambda: f"{draws.uniform(1.5, 3.5):.2f}GHz"), "utilisation": (0.5, lambda: draws.choice([0.2, "60%", 1]))})


def timeline(draws: Draws, drawn: Drawn, length: float) -> list[Tree]:
    """Some events within a run of this length [ns]."""
    found = []
    for _ in range(draws.choice([1, 1, 2, 3, 6])):
        verb, service = draws.choices(["start", "stop", "crash"], [1, 2, 3])[0], draws.choice(list(drawn.services))
        event: Tree = {"at": time(length * draws.uniform(0.05, 0.9)), verb: service}
        many = drawn.services[service].get("scale", drawn.services[service].get("deploy", {}).get("replicas", 1))
        event |= draws.sometimes({"replica": (0.6, lambda many=many: draws.randrange(many))})
        if verb == "crash" and draws.yes(0.7):
            event["restart"] = time(length * draws.between(0.01, 0.5))
        found.append(event)
    return found


def state(draws: Draws, tree: Tree, length: float) -> Tree:
    """What is there at first: where events start instances, or rarely; in a run of this length [ns]."""
    if not draws.yes(0.5 if "timeline" in tree else 0.04) or "think" not in tree.get("workload", {}).get("closed", {"think": ""}):
        return {}
    names = list(tree["services"])
    for before, name in pairwise(names):
        tree["services"][name] |= draws.sometimes({"depends_on": (0.4, lambda before=before: draws.choice([[before], _healthy(before)]))})
    autoscaled(draws, tree, max(1.0, length / LOOKED_AT))
    return {"state": draws.sometimes({
        "instances": (0.9, lambda: draws.choice(["up", "up", "none"])), "images": (0.5, lambda: draws.choice(["present", "none"])),
    })}


LOOKED_AT: Final = 6 * S
"""Length of a run [ns] in which an autoscaler looks some 100 times, if it looks as often as in a short one."""


def autoscaled(draws: Draws, tree: Tree, slower: float) -> None:
    """Some services whose CPUs are limited or reserved get an autoscaler, which looks often, for runs are short; in long ones it is slower."""
    for spec in tree["services"].values():
        bounds = spec.get("deploy", {}).get("resources", {}).values()
        if spec.get("deploy", {}).get("mode") == "global" or not ("cpus" in spec or "cpu_quota" in spec or any("cpus" in bound for bound in bounds)) or draws.yes(0.6):
            continue
        low = draws.whole(1, 3)
        spec["autoscale"] = {"max": low + draws.randint(0, 4), "target": {"cpu": draws.choice(["30%", 0.6, 1])}, "by": "fast"} | draws.sometimes({
            "min": (0.7, lambda low=low: low),
            "schedule": (0.3, lambda low=low: [{"at": "50ms", "for": "100ms", "replicas": low} | draws.sometimes({"every": (0.5, lambda: "300ms")})]),
            "predict": (0.3, lambda: {"window": "300ms", "ahead": draws.choice(["10ms", "1s"])}),
            "tolerance": (0.2, lambda: "20%"),
            "scale_up": (0.4, lambda: _scaling(draws)), "scale_down": (0.6, lambda: {"stabilization": "0s"} | _scaling(draws)),
        })
        if draws.yes(0.5) or "vertical" in spec:
            targets = [{"requests": "50/s"}, {"concurrency": 2}, {"queue": 1, "cpu": "60%"}, {"requests": "200/s", "concurrency": 0.5}, {"memory_average": "20MiB"},
                       {"cpu": "60%", "memory_average": "300MiB"}]
            if "mem_limit" in spec or any("memory" in bound for bound in bounds):
                targets.append({"memory": "70%"})
            spec["autoscale"]["target"] = draws.choice([one for one in targets if not ("vertical" in spec and "cpu" in one)])
            if "cpu" not in spec["autoscale"]["target"]:
                spec["autoscale"].pop("predict", None)
        if draws.yes(0.4):
            spec["autoscale"] |= {"min": 0, "by": "zero"}
            if draws.yes(0.5):
                kept = {key: spec["autoscale"][key] for key in ("min", "max")}
                spec["autoscale"] = kept | {"by": "tick", "target": draws.choice([{"requests": "50/s"}, {"concurrency": 2}])}
        often = {key: {"value": time(value * slower * MS), "source": "made up for a test"} for key, value in {"sync": 60, "sampling": 20, "resolution": 40}.items()}
        tree["catalog"] = tree.get("catalog", {}) | {"autoscalers": {
            "fast": {"like": "hpa"} | often, "zero": {"like": "keda", "cooldown": {"value": time(80 * slower * MS), "source": "made up for a test"}} | often,
            "tick": {"like": "knative"} | {key: {"value": time(value * slower * MS), "source": "made up for a test"} for key, value in {
                "sync": 20, "sampling": 10, "stable": 100, "panic": 20}.items()}}}


def _scaling(draws: Draws) -> Tree:
    """How fast the number of replicas may change in one direction."""
    policy = draws.choice([{"replicas": 1}, {"replicas": 3, "period": "100ms"}, {"share": "100%"}, {"share": 0.5, "period": "1s"}])
    return draws.sometimes({
        "stabilization": (0.3, lambda: draws.choice(["0s", "200ms"])), "policies": (0.6, lambda: [policy]),
        "select": (0.3, lambda: draws.choice(["max", "min", "disabled"])),
    })


def _healthy(service: str) -> Tree:
    """That a service is ready."""
    return {service: {"condition": "service_healthy"}}


def tenants(draws: Draws, drawn: Drawn) -> Tree:
    """Some tenants; the services that each has for itself get replicas for all of them."""
    spec: Tree = {"count": draws.choice([1, 2, 3])}
    if draws.yes(0.5):
        spec["own"] = draws.some(list(drawn.services), 2)
    for name in spec.get("own", drawn.services):
        service = drawn.services[name]
        at, key = (service["deploy"], "replicas") if "deploy" in service else (service, "scale")
        at[key] = at.get(key, 1) * spec["count"]
        service.get("deploy", {}).get("resources", {}).pop("reservations", None)
    return spec


def density(draws: Draws, drawn: Drawn, workload: Tree) -> Tree:
    """How many fit."""
    spec: Tree = {"max": draws.whole(2, 30)} | draws.sometimes({"service": (0.5, lambda: FRONT)})
    if draws.yes(0.5):
        spec["per_instance"] = {"clients": draws.whole(1, 8)} if "closed" in workload else {"rate": rate(draws.between(0.5, 100))}
    return {"density": spec}


def plan(draws: Draws, drawn: Drawn, sites: list[str]) -> Tree:
    """Hosts to choose from, growth, and what must be survived."""
    spec: Tree = draws.sometimes({
        "hosts": (0.6, lambda: [draws.choice([name, {"model": name, "memory": size(draws.between(8, 256) * GIB)}]) for name in draws.some(list(HOSTS), 2)]),
        "scale": (0.3, lambda: [FRONT]), "growth": (0.5, lambda: draws.choice(["30%", 0.1, 0])), "years": (0.4, lambda: draws.choice([1, 2.5, 4])),
        "peak_to_mean": (0.4, lambda: draws.choice([1, 2.5])), "survive": (0.4, lambda: draws.choice([0, 1, "1 host", "2 hosts"])),
        "headroom": (0.4, lambda: draws.choice(["20%", 0, 0.4])), "memory_ratio": (0.2, lambda: draws.choice([0.8, 1.5])),
        "replicas": (0.5, lambda: draws.choice(["scaled", "fit", "stated"])), "keep": (0.3, lambda: draws.choice([FRONT, [FRONT]])),
        "site": (0.3, lambda: draws.choice(sites)), "energy_price": (0.2, lambda: "0.12USD/kWh"), "pue": (0.2, lambda: 1.4),
        "amortisation_years": (0.3, lambda: draws.choice([3, 5.5])), "premium": (0.3, lambda: draws.choice([0, 0.8])), "max_hosts": (0.3, lambda: draws.choice([10, 50])),
        "demand": (0.4, lambda: {"low": 0.8, "high": draws.choice([1.2, 2])}),
    })
    return {key: value for key, value in spec.items() if key != "scale" or "keep" not in spec}

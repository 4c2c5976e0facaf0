"""Random services: limits, threads, memory, and operations whose costs are known, so that a load can be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from helpers.random_draws import GIB, KIB, MIB, MS, S, US, Draws, Tree, distribution, size, time
from helpers.random_hosts import names

FRONT: Final = "front"
NAMES: Final = (FRONT, "api", "cache", "db", "batch", "log-2")
OPERATIONS: Final = ("get", "put", "POST /order.html")
LEAST: Final = 6 * MIB
"""The least that a bound of memory may be."""
MOST_STEPS: Final = 80
"""Steps of a request, those of calls included."""
OPS: Final = ("syscalls", "page_faults", "context_switches", "tlb_miss", "timers", "ipis", "instructions", "page_table_updates", "privileged")
NOMINAL_IO: Final = {"read": 150 * US, "write": 20 * US, "sync": 300 * US}


@dataclass
class Cost:
    """What a request to an operation takes on the average: steps, CPU time [ns] and time of threads [ns] by service, time on the disk [ns]."""

    steps: float = 0.0
    disk: float = 0.0
    bytes: float = 0.0
    response: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    held: dict[str, float] = field(default_factory=dict)

    def add(self, other: Cost, times: float = 1.0) -> None:
        """Adds another cost so many times."""
        for name in ("steps", "disk", "bytes", "response"):
            setattr(self, name, getattr(self, name) + times * getattr(other, name))
        for mine, theirs in ((self.cpu, other.cpu), (self.held, other.held)):
            for service, value in theirs.items():
                mine[service] = mine.get(service, 0.0) + times * value


@dataclass(frozen=True)
class Drawn:
    """Services as a scenario writes them, and the cost of each `service.operation`."""

    services: dict[str, Tree]
    costs: dict[str, Cost]


@dataclass(frozen=True)
class Room:
    """What services may ask for: CPUs and memory of the host, the mean CPU time of a step [ns], whether memory runs short, reservations."""

    cpus: int
    memory: int
    demand: float
    scarce: bool
    reserves: bool
    replicas: int


def services(draws: Draws, count: int, room: Room) -> Drawn:
    """Services in a row, each of which may call those after it, and perhaps some that only compute."""
    drawn = Drawn({}, {})
    for name in reversed(NAMES[:count]):
        idle = name != FRONT and draws.yes(0.25)
        spec = limits(draws, room) | memory(draws, room, count)
        spec |= {} if idle else serving(draws) | {"operations": operations(draws, name, room.demand, drawn.costs)}
        if idle or draws.yes(0.1):
            spec["background"] = background(draws)
        drawn.services[name] = in_long_form(spec) if draws.yes(0.4) else spec
    for name in NAMES[:count]:
        drawn.services[name] = drawn.services.pop(name)
    return drawn


def in_long_form(spec: Tree) -> Tree:
    """With the memory limit where Compose has the others, if the service is told in that form."""
    if "deploy" not in spec or "mem_limit" not in spec:
        return spec
    limit = spec.pop("mem_limit")
    spec["deploy"].setdefault("resources", {}).setdefault("limits", {})["memory"] = limit
    return spec


def serving(draws: Draws) -> Tree:
    """How a service takes requests."""
    spec = draws.sometimes({
        "threads": (0.8, lambda: draws.choice([1, 2, 3, 8, 64, "unlimited", "cores"])),
        "balance": (0.4, lambda: draws.choice(["round-robin", "least-connections", "random", "two-choices"])),
        "startup": (0.2, lambda: startup(draws)),
    })
    if spec.get("threads", "unlimited") != "unlimited" and draws.yes(0.4):
        spec["queue"] = draws.choice([0, 1, 4, 50, "unlimited"])
    if "threads" in spec and draws.yes(0.2):
        del spec["threads"]
        spec["event_loops"] = draws.choice([1, 1, 2, 4, "cores"])
    return spec


def with_shedding(draws: Draws, drawn: Drawn) -> None:
    """Lets some services whose threads are limited drop what has waited too long."""
    for spec in drawn.services.values():
        if spec.get("threads", "unlimited") != "unlimited" and draws.yes(0.1):
            spec["shed"] = draws.sometimes({
                "target": (0.7, lambda: time(draws.choice([1e4, 1e6, 2e7]))), "interval": (0.7, lambda: time(draws.choice([1e6, 1e8])))})


def with_adapting_limits(draws: Draws, drawn: Drawn) -> None:
    """Lets some services take as many calls at once as their times allow."""
    for spec in drawn.services.values():
        if "event_loops" not in spec and "operations" in spec and draws.yes(0.1):
            rule = draws.choice(["gradient2", "aimd", "vegas"])
            own = {"gradient2": {"smoothing": 0.5, "room": 2, "memory": 30}, "aimd": {"timeout": time(draws.choice([1e5, 1e7])), "backoff": 0.5}}.get(rule, {})
            spec["limit"] = draws.choice([rule, {"rule": rule} | draws.sometimes({
                "initial": (0.5, lambda: draws.choice([2, 20])), "min": (0.3, lambda: 2), "max": (0.5, lambda: draws.choice([20, 300])),
                "window": (0.8, lambda: time(draws.choice([1e5, 1e7]))), **{key: (0.8, lambda value=value: value) for key, value in own.items()},
            })])


def limits(draws: Draws, room: Room) -> Tree:
    """Replicas, limits and weights of a service, in the short or the long form."""
    spec = draws.sometimes({
        "image": (0.4, lambda: draws.choice(names("images")) + draws.choice(["", ":1.27", "-alpine"])),
        "profile": (0.15, lambda: draws.choice(names("profiles"))), "restart": (0.3, lambda: draws.choice(["no", "always", "on-failure", "unless-stopped"])),
        draws.choice(["cpu_shares", "cpu_weight"]): (0.25, lambda: draws.choice([2, 50, 100, 512, 1024, 4096])),
        "cpuset": (0.1, lambda: cpuset(draws, room.cpus)), "cpuset_mems": (0.05, lambda: 0), "oom_score_adj": (0.1, lambda: draws.randint(-1000, 1000)),
    })
    replicas, cpus = draws.whole(1, room.replicas), quota(draws, room)
    if draws.yes(0.5):
        return spec | ({"scale": replicas} if replicas > 1 or draws.yes(0.2) else {}) | cpus
    deploy: Tree = {"replicas": replicas}
    resources: Tree = {"limits": {"cpus": cpus.pop("cpus")}} if "cpus" in cpus else {}
    if room.reserves and "cpu_quota" not in cpus and draws.yes(0.4):
        resources["reservations"] = {"cpus": round(min(resources.get("limits", {}).get("cpus", 1), room.cpus / 8) / replicas * 0.9, 3)}
    return spec | {"deploy": deploy | ({"resources": resources} if resources else {})} | cpus


def quota(draws: Draws, room: Room) -> Tree:
    """A limit on CPU time, in one of its forms, or none."""
    most, kind = min(room.cpus, 4), draws.choices(["none", "cpus", "quota"], [5, 4, 2])[0]
    if kind == "none":
        return {}
    period, cpus = draws.between(5 * MS, 500 * MS), round(draws.between(0.25, most), 2)
    shape: Tree = {"cpu_period": time(period)} if draws.yes(0.5) else {}
    spec = {"cpus": cpus} if kind == "cpus" else {"cpu_quota": time(max(cpus * (period if shape else 100 * MS) * 0.99, 1.01 * MS))}
    if draws.yes(0.3):
        shape["cpu_burst"] = time(draws.uniform(0.1, 0.9) * cpus * (period if "cpu_period" in shape else 100 * MS))
    return spec | shape


def cpuset(draws: Draws, cpus: int) -> Any:
    """Some CPUs of the host."""
    first = draws.randrange(cpus)
    return draws.choice([first, f"0-{first}", ",".join(map(str, sorted({first, draws.randrange(cpus)})))])


def memory(draws: Draws, room: Room, count: int) -> Tree:
    """What a service needs of memory and may have; of a host where memory is scarce about as much as there is."""
    if not draws.yes(0.8 if room.scarce else 0.25):
        return {}
    fair = room.memory / count / room.replicas if room.scarce else draws.between(16 * MIB, 256 * MIB)
    need = fair * draws.between(0.3, 1.3)
    spec: Tree = {"memory": {"base": size(need)} | working_set(draws, need)}
    if draws.yes(0.15):
        used = need * draws.uniform(0.0, 0.3)
        spec["tmpfs"] = draws.choice([size(used), {"used": size(used), "growth": size(draws.between(1, 64) * 1024), "size": size(used + need)}])
    if draws.yes(0.5):
        limit = min(need * draws.between(0.9, 2), room.memory * 0.9)
        spec["mem_limit"] = size(limit)
        spec |= draws.sometimes({
            "mem_reservation": (0.3, lambda: size(max(limit * 0.6, LEAST))), "mem_high": (0.3, lambda: size(max(limit * draws.uniform(0.5, 0.95), LEAST))),
            "memswap_limit": (0.3, lambda: size(limit * draws.uniform(1.05, 2))),
        })
    return spec


def working_set(draws: Draws, need: float) -> Tree:
    """What a load adds to the memory that a replica keeps."""
    spec = draws.sometimes({
        "per_connection": (0.4, lambda: size(draws.between(4 * KIB, MIB))), "per_request": (0.3, lambda: size(draws.between(4 * KIB, 2 * MIB))),
        "growth": (0.3, lambda: size(need * draws.between(1e-5, 1e-2))), "files": (0.3, lambda: size(draws.between(MIB, 50 * MIB))),
        "hot": (0.4, lambda: round(draws.random(), 2)), "touch": (0.3, lambda: size(draws.between(4 * KIB, 4 * MIB))),
    })
    return spec | ({"heap": size(need * draws.between(0.1, 1))} if "growth" in spec and draws.yes(0.5) else {})


def background(draws: Draws) -> Tree:
    """Threads that compute on their own."""
    return draws.sometimes({
        "threads": (0.6, lambda: draws.whole(1, 6)), "duty": (0.6, lambda: round(draws.uniform(0.02, 1), 2)),
        "period": (0.5, lambda: time(draws.between(2 * MS, 200 * MS))),
    })


def startup(draws: Draws) -> list[Tree]:
    """Work before the first request."""
    kinds = ({"cpu": time(draws.between(MS, 50 * MS))}, {"disk": {"read": size(draws.between(4 * KIB, 4 * MIB))}}, {"delay": time(draws.between(MS, 20 * MS))},
             {"cpu": {"exponential": "2ms"}, "times": 2}, {"disk": {"write": "64KiB", "sync": True}})
    return draws.sample(kinds, draws.choice([1, 1, 2, 3]))


def operations(draws: Draws, service: str, demand: float, costs: dict[str, Cost]) -> dict[str, list[Tree]]:
    """The operations of a service; notes what each costs."""
    found, before = {}, list(costs)
    for name in OPERATIONS[: draws.choices([1, 2, 3], [5, 3, 1])[0]]:
        cost = Cost(steps=1)
        found[name] = steps(draws, service, demand, {key: costs[key] for key in before}, cost, draws.choices([1, 2, 3, 5], [3, 4, 3, 1])[0])
        cost.held[service] = cost.held.get(service, 0.0) + cost.response
        costs[f"{service}.{name}"] = cost
    return found


def steps(draws: Draws, service: str, demand: float, callable_: Mapping[str, Cost], cost: Cost, count: int, depth: int = 0) -> list[Tree]:
    """So many steps; their costs are added to `cost`."""
    found = []
    for number in range(count):
        verbs = {"cpu": 5, "call": 4 if callable_ else 0, "disk": 1.5, "net": 1.2, "delay": 0.8, "parallel": 1 if depth < 2 else 0, "repeat": 0.5 if depth < 2 else 0}
        verb = "cpu" if number == 0 and depth == 0 and draws.yes(0.8) else draws.choices(list(verbs), list(verbs.values()))[0]
        step, one = _step(draws, verb, service, demand, callable_, depth)
        often = draws.sometimes({"times": (0.15, lambda: draws.choice([2, 2, 3, 7, 20])), "probability": (0.15, lambda: draws.choice([0.1, "50%", 0.9, 0]))})
        times = often.get("times", 1) * {"50%": 0.5}.get(often.get("probability", 1.0), often.get("probability", 1.0))
        if cost.steps + one.steps * often.get("times", 1) <= MOST_STEPS:
            cost.add(one, times)
            found.append(step | often)
    return found or [{"cpu": time(demand)}]


def _step(draws: Draws, verb: str, service: str, demand: float, callable_: Mapping[str, Cost], depth: int) -> tuple[Tree, Cost]:
    """A step of a kind, and its cost."""
    mean = demand * draws.between(0.2, 3)
    if verb == "cpu":
        return {"cpu": distribution(draws, mean)} | ({"ops": ops(draws)} if draws.yes(0.1) else {}), Cost(1, response=mean, cpu={service: mean})
    if verb == "call":
        name = draws.choice(list(callable_))
        called = Cost(2)
        called.add(callable_[name])
        return {"call": name}, called
    if verb == "delay":
        return {"delay": distribution(draws, mean)}, Cost(1, response=mean)
    if verb == "parallel":
        return parallel(draws, service, demand, callable_, depth)
    if verb == "repeat":
        cost = Cost(1)
        return {"repeat": steps(draws, service, demand / 2, callable_, cost, draws.choice([1, 2, 3]), depth + 1)}, cost
    return disk(draws) if verb == "disk" else net(draws)


def parallel(draws: Draws, service: str, demand: float, callable_: Mapping[str, Cost], depth: int) -> tuple[Tree, Cost]:
    """Branches of one step or several."""
    cost, branches = Cost(1), []
    for _ in range(draws.choice([1, 2, 2, 3])):
        branch = steps(draws, service, demand / 2, callable_, cost, draws.choice([1, 1, 2]), depth + 1)
        branches.append(branch[0] if len(branch) == 1 and draws.yes(0.5) else branch)
    return {"parallel": branches}, cost


def with_teams(draws: Draws, drawn: Drawn) -> None:
    """Lets teams compute some steps: as many threads as are seen, or as a limit allows, or a number; they spin or sleep."""
    for spec in drawn.services.values():
        for steps in spec.get("operations", {}).values() if "event_loops" not in spec else ():
            for step in steps:
                if "cpu" in step and draws.yes(0.06):
                    step["team"] = draws.choice([draws.choice(["visible", "limit"]), draws.sometimes({
                        "threads": (0.5, lambda: draws.choice([1, 2, 5])), "regions": (0.5, lambda: draws.choice([1, 3, 10])),
                        "spin": (0.5, lambda: time(draws.between(1e3, 10 * MS))), "serial": (0.4, lambda: round(draws.random(), 2)),
                    })])


def ops(draws: Draws) -> Tree:
    """Numbers of operations of a CPU step."""
    return {name: round(draws.between(0.5, 50), 1) for name in draws.some(list(OPS), 3)}


def disk(draws: Draws) -> tuple[Tree, Cost]:
    """A read or a write."""
    length = draws.between(512, 128 * KIB)
    if draws.yes(0.5):
        how = draws.choices([{}, {"sync": True}, {"direct": True}], [2, 2, 1])[0]
        nominal = NOMINAL_IO["sync" if how else "write"]
        return {"disk": {"write": size(length)} | how}, Cost(2, disk=nominal, response=nominal)
    how = draws.choice([{}, {"hit": draws.choice([0, "50%", 0.98, 1])}, {"working_set": size(draws.between(MIB, 8 * GIB))}])
    how = how | ({"zipf": round(draws.uniform(0, 2), 2)} if "working_set" in how and draws.yes(0.4) else {})
    return {"disk": {"read": size(length)} | how}, Cost(2, disk=NOMINAL_IO["read"], response=NOMINAL_IO["read"])


def net(draws: Draws) -> tuple[Tree, Cost]:
    """Bytes sent and received."""
    out, received = draws.between(64, 256 * KIB), draws.between(64, 64 * KIB)
    spec = draws.choice([{"out": size(out)}, {"in": size(received)}, {"out": size(out), "in": size(received)}])
    return {"net": spec}, Cost(2, bytes=out + received, response=(out + received) / 1e9 * S)


def with_locks(draws: Draws, drawn: Drawn) -> None:
    """Puts some steps that call nothing under locks: of the replica or the kernel, waited for asleep or spinning."""
    scopes = {lock: draws.choice(["kernel", "replica", "replica"]) for lock in ("log", "index")}
    for spec in drawn.services.values():
        for steps in spec.get("operations", {}).values():
            for at, step in enumerate(steps):
                if step.keys() & {"cpu", "disk", "delay"} and draws.yes(0.08):
                    lock = draws.choice(["log", "index"])
                    steps[at] = {"lock": lock, "hold": [step], "scope": scopes[lock]} | draws.sometimes({
                        "spin": (0.4, lambda: time(draws.between(1e3, 1 * MS))),
                        "times": (0.1, lambda: 2), "probability": (0.1, lambda: 0.5),
                    })


def with_files(draws: Draws, drawn: Drawn) -> None:
    """Puts operations on files before some steps that compute, in start-ups too."""
    for spec in drawn.services.values():
        for steps in [*spec.get("operations", {}).values(), *([spec["startup"]] if "startup" in spec else [])]:
            for at in reversed(range(len(steps))):
                if "cpu" in steps[at] and draws.yes(0.06):
                    steps.insert(at, {"files": files(draws)} | draws.sometimes({"times": (0.1, lambda: 2), "probability": (0.1, lambda: 0.5)}))


def files(draws: Draws) -> Tree:
    """Some operations on files, and where they lie."""
    counts = {name: draws.choice([1, 2, 0.5, 20]) for name in draws.some(["stat", "fstat", "open", "read", "write", "close", "create", "rename", "unlink",
                                                                          "readdir", "mmap", "fsync"], 4)} or {"open": 1}
    hit = draws.choice([0.5, 0.98, 1])
    return counts | draws.sometimes({
        "size": (0.3, lambda: size(draws.between(512, 128 * KIB))), "depth": (0.2, lambda: draws.choice([1, 6])), "hit": (0.3, lambda: hit),
        "layer": (0.2, lambda: draws.choice([1, 12])), "copy_up": (0.2, lambda: size(draws.between(512, 128 * KIB))),
        "place": (0.2, lambda: draws.choice(["tmpfs", "disk"])), "cached": (0.2, lambda: draws.choice([0, 0.3])),
    })

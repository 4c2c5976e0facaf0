"""Small scenarios that together use every mechanism, for laws that must hold whatever is simulated; also a program that prints their digests."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import yaml
from helpers.support import after, digests, write

from simvirt import kernel, run
from simvirt.catalog.operations import RATE_OPERATIONS
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario

SCHEDULERS = ("eevdf", "cfs", "credit", "credit2", "esxi", "hyperv", "round-robin", "gps")
UNTIL_S = 2.0


RESERVED = {"deploy": {"resources": {"reservations": {"cpus": 0.7}, "limits": {"cpus": 1.5}}}, "cpu_shares": 100}


def crowd(requests: int = 250, **fields: Any) -> str:
    """A service with a pool of threads, one that computes for ever and one that computes now and then, on two cores."""
    services = {
        "web": {"threads": 6, "operations": {"get": [{"cpu": {"exponential": "4ms"}}], "put": [{"cpu": {"lognormal": {"mean": "8ms", "cv": 2}}}]}},
        "hog": {"background": {"threads": 2}, "cpu_shares": 256},
        "cron": {"background": {"threads": 1, "duty": 0.3, "period": "20ms"}},
    }
    services["web"] |= fields.pop("web", {})
    host = {"cores": 2} | fields.pop("host", {})
    workload = {"open": {"rate": "150/s"}, "mix": {"web.get": 3, "web.put": 1}}
    return write(services, workload, {"requests": requests, "warmup": "0s", "replications": 2}, host=host, **fields)


def shop(requests: int = 200, **fields: Any) -> str:
    """A front that calls, forks, reads, writes, sends and waits; replicas behind every balancing policy."""
    fork = {"parallel": [[{"call": "stock.look"}], [{"call": "price.look", "probability": 0.7}, {"cpu": "300us"}], {"delay": {"exponential": "2ms"}}]}
    services = {
        "front": {
            "threads": 20, "deploy": {"replicas": 2, "resources": {"limits": {"cpus": 1.5, "memory": "256MiB"}}}, "image": "nginx",
            "operations": {
                "view": [{"cpu": {"exponential": "1ms"}}, fork, {"net": {"out": "64KiB", "in": "2KiB"}}],
                "buy": [{"cpu": {"gamma": {"mean": "2ms", "cv": 0.7}}}, {"call": "stock.take", "times": 2}, {"net": {"out": "8KiB"}}],
            },
        },
        "stock": {
            "threads": 4, "deploy": {"replicas": 3, "resources": {"limits": {"cpus": 1, "memory": "256MiB"}}}, "balance": "least-connections", "image": "postgres",
            "operations": {
                "look": [{"cpu": {"exponential": "1ms"}}, {"disk": {"read": "8KiB", "hit": 0.6}}],
                "take": [{"cpu": {"exponential": "1500us"}}, {"disk": {"write": "16KiB", "sync": True}}, {"disk": {"write": "4KiB"}}],
            },
        },
        "price": {
            "threads": 2, "queue": 5, "scale": 3, "cpus": 1, "balance": "two-choices",
            "operations": {"look": [{"cpu": {"pareto": {"mean": "1ms", "shape": 2.5}}}]},
        },
    }
    for name, more in fields.pop("services", {}).items():
        services[name] |= more
    host = {"cores": 4} | fields.pop("host", {})
    workload = fields.pop("workload", {"open": {"rate": "200/s"}}) | {"mix": {"front.view": 3, "front.buy": 1}}
    return write(services, workload, {"requests": requests, "warmup": "0s", "replications": 2} | fields.pop("run", {}), host=host, **fields)


def limited(**fields: Any) -> str:
    """Bursts of parallel work under a quota."""
    work = {"threads": "unlimited", "cpu_quota": "30ms", "cpu_period": "50ms", "operations": {"do": [{"parallel": [{"cpu": {"exponential": "6ms"}}] * 5}]}}
    services = {"burst": work | fields.pop("burst", {}), "hog": {"background": {"threads": 3}, "cpuset": "1,2"}}
    workload = {"open": {"rate": "12/s"}, "mix": {"burst.do": 1}}
    host = {"cores": 4} | fields.pop("host", {})
    return write(services, workload, {"requests": 80, "warmup": "0s", "replications": 2}, platforms=["docker"], host=host, **fields)


def serial(**fields: Any) -> str:
    """Replicas whose threads wait for locks of their own and of their kernel, asleep or spinning, beside one that takes their CPUs."""
    inner = {"lock": "page", "hold": [{"cpu": {"exponential": "200us"}}], "spin": "100us"}
    write_log = {"lock": "log", "hold": [{"cpu": "300us"}, inner, {"disk": {"write": "4KiB", "sync": True}}], "probability": 0.7}
    name = {"lock": "dentry", "scope": "kernel", "hold": [{"cpu": {"exponential": "400us"}}], "spin": "1ms", "times": 2}
    services = {
        "db": {"threads": 6, "scale": 2, "cpus": 1.5, "operations": {"put": [{"cpu": {"exponential": "1ms"}}, write_log, name], "get": [inner, {"cpu": "500us"}]}},
        "loop": {"event_loops": 2, "operations": {"put": [name, {"call": "db.get"}, {"lock": "one", "hold": [{"delay": "1ms"}]}]}},
        "hog": {"background": {"threads": 2, "duty": 0.5, "period": "10ms"}},
    }
    workload = {"open": {"rate": "500/s"}, "mix": {"db.put": 2, "db.get": 1, "loop.put": 1}}
    host = {"cores": 3} | fields.pop("host", {})
    return write(services, workload, {"requests": 300, "warmup": "0s", "replications": 2}, host=host, **fields)


def eventful(**fields: Any) -> str:
    """Replicas that start late, stop, crash and come back."""
    timeline = [
        {"at": "300ms", "start": "stock", "replica": 2}, {"at": "500ms", "crash": "price", "replica": 0, "restart": "200ms"},
        {"at": "700ms", "crash": "front", "replica": 1, "restart": "100ms"}, {"at": "900ms", "stop": "stock", "replica": 0},
        {"at": "1100ms", "crash": "stock", "replica": 1, "restart": "0ms"}, {"at": "1300ms", "start": "stock", "replica": 0},
    ]
    startup = {"startup": [{"cpu": {"exponential": "20ms"}}, {"disk": {"read": "1MB"}}]}
    services = {"front": startup, "stock": startup, "price": {"startup": [{"delay": "10ms"}]}}
    return shop(timeline=timeline, services=services, **fields)


def posted(**fields: Any) -> str:
    """Messages to two services whose replicas crash: kept, invisible for a time, or lost; in lines that let wait or drop."""
    services = {
        "web": {"threads": 8, "operations": {"buy": [{"cpu": {"exponential": "500us"}}, {"publish": "orders", "times": 2}, {"publish": "mail", "probability": 0.5}]}},
        "work": {"threads": 3, "scale": 3, "operations": {"do": [{"cpu": {"exponential": "2ms"}}, {"call": "db.put", "timeout": "6ms"}], "log": [{"disk": {"write": "4KiB", "sync": True}}]}},
        "db": {"threads": 2, "balance": "random", "operations": {"put": [{"cpu": {"exponential": "1ms"}}, {"publish": "late"}]}},
        "loop": {"event_loops": 2, "operations": {"send": [{"cpu": {"exponential": "1ms"}}, {"delay": {"exponential": "2ms"}}]}},
    }
    topics = {
        "orders": {"subscribers": {"work.do": {"concurrency": 2, "prefetch": 5}, "work.log": {"delivery": "at-most-once", "prefetch": 3}}},
        "mail": {"subscribers": {"loop.send": {"concurrency": 9, "visibility": "4ms", "max_deliveries": 2, "length": 6, "full": "drop-oldest"}}},
        "late": {"subscribers": {"loop.send": {"length": 2}}},
    }
    timeline = [{"at": f"{at}ms", "crash": "work", "replica": at // 100 % 3, "restart": "150ms"} for at in range(200, 1400, 100)]
    workload = {"open": {"rate": "250/s"}, "mix": {"web.buy": 1}}
    host = {"cores": 4} | fields.pop("host", {})
    return write(services, workload, {"requests": 300, "warmup": "0s", "replications": 2}, host=host, topics=topics, timeline=timeline, **fields)


def forgetful(platform: str) -> str:
    """A host whose memory runs short: swap, compressed pages, balloons, KSM, a page cache that gives way, and replicas that are killed."""
    memory = {"base": "900MiB", "growth": "2MiB", "hot": 0.7, "touch": "200KB"}
    steps = [{"cpu": {"exponential": "2ms"}}, {"disk": {"read": "16KiB", "working_set": "2GiB"}}, {"cpu": "1ms"}]
    services = {
        "db": {"threads": 8, "scale": 2, "mem_limit": "1100MiB", "memory": memory, "restart": "always", "operations": {"get": steps}},
        "batch": {"memory": {"base": "1GiB"}, "mem_limit": "2GiB", "mem_reservation": "512MiB", "background": {"threads": 1, "duty": 0.5}},
    }
    host = {"cores": 4, "memory": "3GiB", "disk": "sata-ssd", "swap": "4GiB", "zswap": 0.05, "ksm": {"pages_to_scan": 20000}}
    chosen = {"name": platform} | ({"balloon": "auto", "guest_swap": "256MiB"} if platform == "kvm" else {})
    workload = {"open": {"rate": "150/s"}, "mix": {"db.get": 1}}
    return write(services, workload, {"requests": 300, "warmup": "0s", "replications": 2}, platforms=[chosen], host=host)


def number(value: str | float) -> dict[str, Any]:
    """A sourced number of a catalogue made up for a test."""
    return {"value": value, "source": "made up for a test"}


def served(backend: str, **hypervisor: Any) -> str:
    """A shop in VMs whose devices have a certain backend; what a device may have beside it is used."""
    threads = backend not in ("none", "vcpu")
    bare = [f"{way}_{what}" for way in ("packet", "disk") for what in (("in", "out") if way == "packet" else ("read", "write", "flush"))]
    turns = {"host_wake": "4us", "host_interrupt": "1us"}
    parts = {"host_cpu": "9us", "kick": "1us", "notify": "2us", "wake": "7us", "interrupt": "3us"} | turns if threads else {"cpu": "6us", "interrupt": "3us"}
    costs = {name: {part: number(value) for part, value in parts.items()} for name in bare}
    extra = {"backend": backend, "moderation": number("40us"), "poll": number("30us" if threads else "0us")}
    copies = {"none": "made up for a test"}
    net = {name: cost for name, cost in costs.items() if name.startswith("packet")} | {"kib_in": copies, "kib_out": copies}
    disk = {name: cost for name, cost in costs.items() if name.startswith("disk")} | {"kib_read": copies, "kib_written": copies}
    catalog = {
        "devices": {
            "my-net": {"like": "vhost-net", "costs": net} | extra, "my-disk": {"like": "virtio-blk", "costs": disk, "serial": backend in ("vmm", "vcpu")} | extra,
        },
        "hypervisors": {"mine": {"like": "kvm", "net": "my-net", "disk": "my-disk", "halt_poll": number("200us")} | hypervisor},
    }
    return shop(platforms=[{"name": "x", "stack": ["mine"]}], catalog=catalog)


def shared_hardware(**profiles: dict[str, Any]) -> dict[str, Any]:
    """A catalogue with two sockets of two cores whose memory, cache and threads matter, and profiles that perform no operations but use them."""
    memory = {"memory_bandwidth": "20GB/s", "memory_latency": "80ns", "llc": "20MiB", "remote_latency": 1.6, "huge_reach": 3}
    none = {operation: number("0/s") for operation in RATE_OPERATIONS}
    return {
        "families": {"shared": {"like": "generic-x86"} | {name: number(value) for name, value in memory.items()}},
        "cpus": {"shared": {"like": "generic-x86-2.6", "cores": 2, "smt": 2, "family": "shared"}},
        "hosts": {"shared": {"like": "generic", "cpu": "shared", "sockets": 2}},
        "profiles": {
            name: {"title": name, "source": "made up for a test", "rates": none | {key: number(rate) for key, rate in given.get("rates", {}).items()}}
            | {key: number(value) for key, value in given.items() if key != "rates"}
            for name, given in profiles.items()
        },
    }


def neighbours(requests: int = 250, **fields: Any) -> str:
    """Services that get into each other's way: one that streams, one that wants the cache, one that locks and shoots down."""
    catalog = shared_hardware(
        stream={"memory_bandwidth": "9GB/s", "stall": 0.8}, cache={"memory_bandwidth": "1GB/s", "stall": 0.3, "llc": "16MiB", "smt_yield": 1.5},
        kernel={"kernel_share": 0.1, "shootdowns": "300/s", "rates": {"tlb_miss": "2000000/s"}, "walk_miss": 0.5},
    )
    services = {
        "cache": {"threads": 3, "profile": "cache", "operations": {"get": [{"cpu": {"exponential": "4ms"}}, {"call": "kernel.do"}]}},
        "kernel": {"threads": 5, "profile": "kernel", "scale": 2, "operations": {"do": [{"cpu": {"lognormal": {"mean": "3ms", "cv": 2}}}]}},
        "stream": {"background": {"threads": 4, "duty": 0.6, "period": "30ms"}, "profile": "stream"},
    }
    workload = {"open": {"rate": "300/s"}, "mix": {"cache.get": 1}}
    host = {"model": "shared"} | fields.pop("host", {})
    document = yaml.safe_load(write(services, workload, {"requests": requests, "warmup": "0s", "replications": 2}, catalog=catalog, **fields))
    return yaml.safe_dump(document | {"host": host}, sort_keys=False)


def worlds() -> dict[str, str]:
    """All of them, by name."""
    found = {f"crowd-{name}-bare": crowd(host={"scheduler": name}) for name in SCHEDULERS}
    found |= {f"crowd-{name}-docker": crowd(host={"scheduler": name}, platforms=["docker"]) for name in SCHEDULERS}
    found |= {f"crowd-{name}-kvm": crowd(host={"scheduler": name}, platforms=["kvm"]) for name in SCHEDULERS}
    found |= {f"limited-{name}": limited(host={"scheduler": name}) for name in SCHEDULERS}
    found |= {f"shop-{name}": shop(platforms=[name]) for name in ("bare-metal", "docker", "kvm", "firecracker")}
    found |= {f"served-by-{name}": served(name) for name in ("none", "vcpu", "vhost", "io-thread", "vmm")}
    found |= {"served-by-dom0": served("dom0", dom0={"vcpus": number(2), "memory": number("1GiB")})}
    found |= {"hosted": served("vhost", host_load={"threads": number(2), "duty": number(0.3), "period": number("5ms")})}
    vms = {"name": "docker-in-two-vms", "stack": ["kvm", "docker"], "vms": {"count": 2, "vcpus": 3, "memory": "2GiB"}}
    found |= {"docker-on-kvm": shop(platforms=[vms]), "docker-on-kvm-gps": shop(platforms=[vms], host={"scheduler": "gps"})}
    found |= {f"docker-on-kvm-{name}": shop(platforms=[vms], host={"scheduler": name, "cores": 3}) for name in ("credit2", "esxi", "hyperv")}
    found |= {"smt": shop(platforms=["docker"], host={"cores": 2, "smt": 2}), "smt-crowd": crowd(host={"cores": 2, "smt": 2, "scheduler": "cfs"})}
    found |= {"smt-kvm": crowd(platforms=["kvm"], host={"smt": 2}), "hdd-slow-nic": shop(host={"disk": "hdd", "nic": "100Mbps"}, requests=60)}
    found |= {"burst": limited(burst={"cpu_burst": "30ms"}), "quota-of-a-vm": shop(platforms=["kvm"], services={"front": {"threads": 3}})}
    found |= {"closed": shop(workload={"closed": {"clients": 30, "think": {"exponential": "20ms"}}}), "no-think": shop(workload={"closed": {"clients": 8}})}
    found |= {"mmpp": shop(workload={"open": {"mmpp": {"rates": ["50/s", "500/s"], "sojourn": ["200ms", "100ms"]}}}, platforms=["docker"])}
    found |= {"random-balance": shop(services={"stock": {"balance": "random"}}), "nearly-no-threads": shop(services={"front": {"threads": 1, "queue": 3}})}
    found |= {f"eventful-{name}": eventful(platforms=[name]) for name in ("bare-metal", "docker", "kvm")}
    found |= {f"eventful-memory-{name}": forgetful(name) for name in ("docker", "kvm")}
    found |= {f"neighbours-{name}": neighbours(platforms=[name], host={"scheduler": "cfs"} if name == "docker" else {}) for name in ("bare-metal", "docker", "kvm")}
    found |= {"neighbours-credit": neighbours(platforms=["kvm"], host={"scheduler": "credit"}), "neighbours-gps": neighbours(platforms=["kvm"], host={"scheduler": "gps"})}
    pinned = {"name": "pinned", "stack": ["kvm"], "pin": True, "topology": "exposed", "pages": "huge", "vms": {"count": 2, "vcpus": 6, "memory": "4GiB"}}
    found |= {"neighbours-pinned": neighbours(platforms=[pinned]), "neighbours-seen": neighbours(platforms=[pinned | {"vms": {"count": 1, "vcpus": 8, "memory": "4GiB"}}])}
    found |= {f"reserved-{name}": crowd(platforms=["kvm"], host={"scheduler": name}, web=RESERVED) for name in ("esxi", "hyperv")}
    core = {"policy": "hyperv", "type": "core"}
    found |= {"cores-crowd": crowd(platforms=["kvm"], host={"smt": 2, "scheduler": core}), "cores-crowd-bare": crowd(host={"smt": 2, "scheduler": core})}
    found |= {"cores-shop": shop(platforms=["kvm"], host={"cores": 3, "smt": 2, "scheduler": core}), "cores-docker": crowd(platforms=["docker"], host={"smt": 2, "scheduler": core})}
    found |= {"eventful-cores": eventful(platforms=["kvm"], host={"cores": 2, "smt": 2, "scheduler": core})}
    found |= {"eventful-esxi": eventful(platforms=["kvm"], host={"scheduler": "esxi", "cores": 2})}
    wide = {"cores": 2, "smt": 4}
    found |= {"wide-crowd": crowd(host=wide), "wide-gps": crowd(platforms=["docker"], host=wide | {"scheduler": "gps"})}
    found |= {"wide-cores": crowd(platforms=["kvm"], host={"smt": 3, "scheduler": core})}
    asleep = {"max_cstate": "C6"}
    found |= {f"asleep-{name}": shop(platforms=[name], host=asleep | {"cores": 3, "smt": 2}) for name in ("bare-metal", "docker", "kvm")}
    found |= {"asleep-crowd": crowd(host=asleep), "asleep-cores": crowd(platforms=["kvm"], host=asleep | {"smt": 2, "scheduler": core})}
    found |= {"eventful-asleep": eventful(platforms=["kvm"], host=asleep), "asleep-neighbours": neighbours(platforms=["kvm"], host=asleep)}
    found |= {f"serial-{name}": serial(platforms=[name]) for name in ("bare-metal", "docker", "kvm")}
    found |= {"serial-gps": serial(host={"scheduler": "gps"}), "serial-smt": serial(platforms=["docker"], host={"cores": 2, "smt": 2})}
    found |= {f"posted-{name}": posted(platforms=[name]) for name in ("bare-metal", "docker", "kvm")}
    found |= {"eventful-gps": eventful(host={"scheduler": "gps"}), "observed": shop(run={"observe": "10ms"})}
    return found


def document(spec: Scenario, jobs: int = 1) -> dict[str, Any]:
    """A scenario's result without what depends on the machine: times of the wall clock and the kernel in use."""
    found = run(spec, jobs=jobs, maximum=False).document()
    del found["wall_s"], found["simvirt"]
    for platform in found["platforms"].values():
        del platform["wall_s"]
    return found


def fingerprint(text: str, whole: bool = True) -> dict[str, str]:
    """Digests of every column in the middle of a scenario's first replication, and of its `whole` result, which is made of such columns."""
    spec = loads(text, sets=["run.replications=1"])
    found = digests(after(spec, UNTIL_S)[0].plane)
    return found | ({"result": hashlib.sha256(json.dumps(document(spec), sort_keys=True).encode()).hexdigest()[:16]} if whole else {})


if __name__ == "__main__":
    chosen = worlds()
    print(json.dumps({name: fingerprint(chosen[name], whole=kernel.MODE == "compiled") for name in sys.argv[1:] or chosen}))

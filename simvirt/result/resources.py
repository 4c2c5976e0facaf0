"""The names of resources in words."""

from typing import Final

NAMES: Final = {
    "host.cpu": "host CPU", "host.disk": "disk", "host.nic": "NIC", "max": "density.max",
    "request": "the request", "work": "the work of a search",
    "bridge.ports": "bridge ports", "subnet.ips": "IP addresses", "pids": "PIDs", "files": "open files", "inotify.instances": "inotify",
    "loop.devices": "loop devices", "virtual.functions": "NIC functions",
    "disk.space": "disk space", "memory.committed": "memory_ratio", "guest.memory": "guest memory", "memory.promised": "promised memory",
}
_OF_HOST: Final = {"cpu": "CPU", "nic": "NIC"}


def name_of(resource: str) -> str:
    """A resource in words; those that a plan counts on a host (`host.memory`) as they are called without it."""
    host, of_one, kind = resource.partition("].")
    if of_one:
        return f"{host}] {_OF_HOST.get(kind, NAMES.get(kind, kind))}"
    counted = resource.removeprefix("host.")
    of_service = counted.replace(".cpu", " CPU").replace(".threads", " threads").replace(".event_loops", " event loops")
    of_service = of_service.replace(".lock.", " lock ")
    return NAMES.get(resource, NAMES.get(counted, of_service))


def without_number(resource: str) -> str:
    """The resource of a host of a pool as that of all of them: `node[2].cpu` is `node.cpu`."""
    host, of_one, kind = resource.partition("].")
    return f"{host.partition('[')[0]}.{kind}" if of_one else resource

"""The names of resources in words."""

from typing import Final

NAMES: Final = {
    "host.cpu": "host CPU", "host.disk": "disk", "host.nic": "NIC", "max": "density.max",
    "request": "the request", "work": "the work of a search",
    "bridge.ports": "bridge ports", "subnet.ips": "IP addresses", "pids": "PIDs", "files": "open files", "inotify.instances": "inotify",
    "loop.devices": "loop devices", "virtual.functions": "NIC functions",
    "disk.space": "disk space", "memory.committed": "memory_ratio", "guest.memory": "guest memory", "memory.promised": "promised memory",
}


def name_of(resource: str) -> str:
    """A resource in words; those that a plan counts on a host (`host.memory`) as they are called without it."""
    counted = resource.removeprefix("host.")
    of_service = counted.replace(".cpu", " CPU").replace(".threads", " threads").replace(".event_loops", " event loops")
    of_service = of_service.replace(".lock.", " lock ").replace("].disk", "] disk").replace("].nic", "] NIC")
    return NAMES.get(resource, NAMES.get(counted, of_service))

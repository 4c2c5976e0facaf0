"""What a report says in one place of several hosts and the links between them."""

from __future__ import annotations

from collections.abc import Callable

from simvirt.result import figures
from simvirt.result.run_document import PlatformResult


def host_use(platform: PlatformResult, name: str) -> str | None:
    """How full the CPUs of a host are."""
    return figures.percent(platform.hosts[name].cpu) if name in platform.hosts else None


def fullest_link(platform: PlatformResult) -> str | None:
    """The link between switches that carries most of what it can, and how much that is."""
    name = max(platform.links, key=lambda one: platform.links[one], default=None)
    return None if name is None else f"{name} {figures.percent(platform.links[name])}"


def extreme(platform: PlatformResult, kind: str, of: Callable[..., str]) -> str | None:
    """The host that has most or least of something in use, and how much that is; nothing where none has any."""
    used = {name: getattr(host, kind) or 0.0 for name, host in platform.hosts.items()}
    if not any(used.values()):
        return "0" if used else None
    name = of(used, key=lambda one: used[one])
    return f"{name} {figures.percent(used[name])}"

"""Names of the catalogue in the plain data of a scenario whose other parts are wrong, so that all mistakes are told in one round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simvirt.catalog.problems import Path, unknown
from simvirt.errors import ScenarioError
from simvirt.scenario.spec.volumes import LOCAL

HARDWARE = {"model": "hosts", "disk": "disks", "nic": "nics"}
"""Key of a host -> kind of entry that it names."""


def unknown_names(data: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Names that do not exist, of platforms, layers, hosts, devices, profiles, registries, sites; none where the entries are wrong."""
    from simvirt.catalog.catalog import Catalog

    try:
        catalog = Catalog.load(data.get("catalog"))
    except ScenarioError:
        return
    for path, kind, name in _named(data):
        known = (*catalog.names("hypervisors"), *catalog.names("runtimes")) if kind == "layers" else catalog.names(kind)
        if isinstance(name, str) and name not in known and not _is_quantity(kind, name):
            yield path, unknown(kind, name, known)


def _is_quantity(kind: str, name: str) -> bool:
    """Whether a NIC is given by its bandwidth."""
    return kind == "nics" and name[:1].isdigit()


def _named(data: Mapping[str, Any]) -> Iterator[tuple[Path, str, Any]]:
    """Paths, kinds and names."""
    yield from _of_host(data.get("host"), ("host",))
    for name, pool in _table(data.get("hosts")).items():
        yield from _of_host(pool, ("hosts", name))
        for key, kind in (("by", "machine_autoscalers"), ("boot", "startups")):
            yield ("hosts", name, "autoscale", key), kind, _table(_table(pool).get("autoscale")).get(key)
    for index, platform in enumerate(_list(data.get("platforms"))):
        path: Path = ("platforms", index)
        if isinstance(platform, Mapping) and isinstance(platform.get("stack"), list):
            yield from (((*path, "stack", at), "layers", name) for at, name in enumerate(platform["stack"]))
        else:
            yield path, "platforms", platform.get("name") if isinstance(platform, Mapping) else platform
        credits = _table(platform).get("credits")
        yield (*path, "puller"), "pullers", _table(platform).get("puller")
        yield (*path, "orchestrator"), "orchestrators", _table(platform).get("orchestrator")
        yield (*path, "disk_image"), "disk_images", _table(platform).get("disk_image")
        yield (*path, "migrator"), "migrators", _table(platform).get("migrator")
        yield (*path, "credits"), "burstable", credits if isinstance(credits, str) else _table(credits).get("of")
    yield from _of_measured(data, ())
    for name, service in _table(data.get("services")).items():
        yield ("services", name, "profile"), "profiles", _table(service).get("profile")
        yield ("services", name, "vertical", "by"), "vertical_autoscalers", _table(_table(service).get("vertical")).get("by")
        yield ("services", name, "autoscale", "by"), "autoscalers", _table(_table(service).get("autoscale")).get("by")
        yield ("services", name, "deploy", "priority"), "priorities", _table(_table(service).get("deploy")).get("priority")
        yield from _of_measured(_table(service), ("services", name))
    for name, registry in _table(data.get("registries")).items():
        yield ("registries", name, "entry"), "registries", _table(registry).get("entry")
    for name, volume in _table(data.get("volumes")).items():
        driver = _table(volume).get("driver")
        yield ("volumes", name, "driver"), "volume_drivers", None if driver == LOCAL else driver
    plan = _table(data.get("plan"))
    yield ("plan", "site"), "sites", plan.get("site")
    for index, host in enumerate(_list(plan.get("hosts"))):
        yield from _of_host(host, ("plan", "hosts", index))


def _of_host(host: Any, path: Path) -> Iterator[tuple[Path, str, Any]]:
    """What a host names."""
    if isinstance(host, str):
        yield path, "hosts", host
    for key, kind in HARDWARE.items():
        yield (*path, key), kind, _table(host).get(key)


def _of_measured(part: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str, Any]]:
    """The host on which the demands of a part were measured."""
    measured = part.get("measured_on")
    if isinstance(measured, str):
        yield (*path, "measured_on"), "hosts", measured
    yield (*path, "measured_on", "host"), "hosts", _table(measured).get("host")


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

"""Whether volumes are where they are said to be: hosts that serve them, services that have them, steps that use them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from simvirt.scenario.checks.network import unknown_end
from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.network import named
from simvirt.scenario.spec.services import ServiceSpec
from simvirt.scenario.spec.steps import DiskStep
from simvirt.scenario.spec.volumes import VolumeSpec
from simvirt.scenario.walk import walk

Mistake = tuple[Path, str]
"""The path of a value and the message about it."""


def volume_mistakes(scenario: Scenario) -> Iterator[Mistake]:
    """Volumes that no host serves or no service has, and names of volumes that are not there."""
    names = dict.fromkeys((host.name for host in scenario.each_host), 0)
    for name, volume in scenario.volumes.items():
        yield from _hosts(volume, ("volumes", name), names) if scenario.several_hosts else _alone(volume, ("volumes", name))
    for name, service in scenario.services.items():
        yield from _mounts(scenario, service, ("services", name))
        yield from _steps(service, ("services", name))
    mounted = {name for service in scenario.services.values() for name in service.volumes}
    for name in scenario.volumes:
        if name not in mounted:
            example = f"{next(iter(scenario.services))}: {{volumes: [{name}]}}"
            yield ("volumes", name), f"no service has it; expected it among the volumes of one, for example {example}"


def _alone(volume: VolumeSpec, path: Path) -> Iterator[Mistake]:
    """A volume that others would serve, where there are none."""
    if volume.host:
        example = "hosts: {node: {cores: 4, memory: 16GiB}, nas: {cores: 4, memory: 16GiB}}"
        yield (*path, "host"), f"there is one host, on which a volume is local; expected several, for example {example}"


def _hosts(volume: VolumeSpec, path: Path, names: dict[str, int]) -> Iterator[Mistake]:
    """Hosts that are not there, and those that are named twice."""
    unknown = [end for end in volume.host if not named(end, names)]
    for end in unknown:
        yield (*path, "host"), f"expected a host, {unknown_end(end, names)}"
    hosts = [host for end in volume.host for host in named(end, names)]
    twice = next((host for host in hosts if hosts.count(host) > 1), None)
    if twice is not None:
        yield (*path, "host"), f"expected each host once; {twice} is named twice"
    if volume.replicas is not None and not unknown and volume.replicas > len(hosts):
        yield (*path, "replicas"), f"expected at most as many as the {len(hosts)} hosts that it lies on; got {volume.replicas}"


def _mounts(scenario: Scenario, service: ServiceSpec, path: Path) -> Iterator[Mistake]:
    """Volumes of a service that the scenario does not have, or that it names twice."""
    for index, name in enumerate(service.volumes):
        if name not in scenario.volumes:
            yield (*path, "volumes", index), _unknown(name, list(scenario.volumes), f"volumes: {{{name}: {VolumeSpec.example}}}")
        elif name in service.volumes[:index]:
            yield (*path, "volumes", index), f"{name} is already there; expected each volume once"


def _steps(service: ServiceSpec, path: Path) -> Iterator[Mistake]:
    """Steps on volumes that their service does not have."""
    bodies = [((*path, "operations", name), steps) for name, steps in service.operations.items()]
    for where, steps in [((*path, "startup"), service.startup), *bodies]:
        for visit in walk(steps, where):
            if isinstance(visit.step, DiskStep) and visit.step.disk.volume is not None and visit.step.disk.volume not in service.volumes:
                name = visit.step.disk.volume
                yield (*visit.path, "disk", "volume"), _unknown(name, list(service.volumes), f"volumes: [{name}] beside operations")


def _unknown(name: str, known: list[str], example: str) -> str:
    """The message about a volume that is not there."""
    close = get_close_matches(name, known, n=1)
    guess = f'did you mean "{close[0]}"?' if close else f"there is {', '.join(known[:10])}" if known else f"expected {example}"
    return f'unknown volume "{name[:60]}"; {guess}'

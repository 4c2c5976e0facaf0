"""Whether what is to fail is there, and whether that it fails can have an effect."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.failures import OF_HOSTS, OF_SERVICES, FailEvent, RandomFailureSpec
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.targets import hosts_of

DEFAULT_REGISTRY = "docker-hub"


def failure_mistakes(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """Failures of what there is not, and failures without effect."""
    for index, event in enumerate(scenario.timeline):
        if event.fail is not None:
            yield from _mistakes(scenario, event.how, event.fail, ("timeline", index), event.replica is not None)
            yield from _divides(scenario, event, len(hosts_of(scenario, event.fail)), ("timeline", index))
    for index, spec in enumerate(scenario.failures.random if scenario.failures is not None else ()):
        yield from _mistakes(scenario, spec.how, spec.fail, ("failures", "random", index))
        yield from _divides(scenario, spec, 1, ("failures", "random", index))


def _mistakes(scenario: Scenario, how: str, target: str, path: Path, numbered: bool = False) -> Iterator[tuple[Path, str]]:
    """The mistakes of one of them."""
    hosts, known = hosts_of(scenario, target) if how in OF_HOSTS else (), names_of(scenario, how)
    if not hosts and (how not in (*OF_SERVICES, "registry") or target not in known):
        yield (*path, "fail"), f"expected {_what(how)}, {_guess(target, known)}; got {target}"
    elif hosts and numbered:
        yield (*path, "replica"), "has no effect where hosts fail"
    elif how == "registry" and not _pulls(scenario):
        yield (*path, "fail"), "has no effect: nothing is pulled where images are present; expected state: {images: none}"


def _divides(scenario: Scenario, failure: FailEvent | RandomFailureSpec, together: int, path: Path) -> Iterator[tuple[Path, str]]:
    """The mistake of a partition that keeps nobody from anybody: of all hosts at once, which clients reach."""
    if failure.how == "partition" and together == len(scenario.each_host) and failure.clients != "rest":
        said = "expected some of the hosts, which then do not reach the others, or clients: rest, which reach none of them"
        yield (*path, "fail"), f'{said}; for example "node[0]" of two'


def _pulls(scenario: Scenario) -> bool:
    """Whether hosts pull images."""
    later = any(event.update is not None and event.image is not None for event in scenario.timeline)
    return later or scenario.beginning.images == "none" or any(image.build for image in scenario.images.values())


def names_of(scenario: Scenario, how: str) -> list[str]:
    """The names of what may fail in a way."""
    if how == "registry":
        return list(scenario.registries) or [DEFAULT_REGISTRY]
    found = [host.name for host in scenario.each_host] if how in OF_HOSTS else []
    return found + (list(scenario.services) if how in OF_SERVICES else [])


def _what(how: str) -> str:
    """What may fail in a way, in words."""
    if how == "registry":
        return "a registry"
    return "hosts or a service" if how == "kernel-panic" else "hosts" if how in OF_HOSTS else "a service"


def _guess(target: str, known: list[str]) -> str:
    """The name that was meant, or an example of one."""
    close = get_close_matches(target, known, n=1)
    return f'did you mean "{close[0]}"?' if close else f'for example "{known[0]}"'

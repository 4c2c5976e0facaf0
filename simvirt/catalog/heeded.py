"""What orchestrators make of the words of `deploy`: which of them act on a platform, and which say nothing there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from simvirt.catalog.problems import Path
from simvirt.catalog.records import Platform
from simvirt.scenario.spec.services import ServiceSpec

HEEDED: Final[Mapping[str, Callable[[Platform], bool]]] = {
    "priority": lambda platform: platform.priorities is not None,
    "disruption_budget": lambda platform: platform.acts == "kubernetes",
    "update_config.max_surge": lambda platform: platform.acts == "kubernetes",
    "update_config.max_unavailable": lambda platform: platform.acts == "kubernetes",
    "update_config.progress_deadline": lambda platform: platform.acts == "kubernetes",
    "mode: global": lambda platform: platform.acts in ("swarm", "kubernetes"),
    "mode: replicated-job": lambda platform: platform.acts in ("swarm", "kubernetes"),
    "mode: stateful": lambda platform: platform.acts == "kubernetes",
}
"""Word -> whether what acts on a platform makes something of it."""
KNOWING: Final[Mapping[str, str]] = {
    "priority": "kubernetes or vm-cluster",
    "disruption_budget": "kubernetes",
    "update_config.max_surge": "kubernetes",
    "update_config.max_unavailable": "kubernetes",
    "update_config.progress_deadline": "kubernetes",
    "mode: global": "swarm or kubernetes",
    "mode: replicated-job": "swarm or kubernetes",
    "mode: stateful": "kubernetes",
}
"""Word -> orchestrators that do."""


def words(service: ServiceSpec) -> list[str]:
    """The words of a service's `deploy` that not every orchestrator knows."""
    return [word for word in HEEDED if _says(service, *word.split(": "))]


def _says(service: ServiceSpec, key: str, value: str | None = None) -> bool:
    """Whether a service states a key, or a value of it."""
    said: Any = service.deploy
    for name in key.split("."):
        said = getattr(said, name, None)
    return said is not None and value in (None, said)


def unheeded(services: Mapping[str, ServiceSpec], platform: Platform) -> Iterator[str]:
    """What a report says of words that nothing heeds on a platform."""
    for word, heeds in HEEDED.items():
        names = [name for name, service in services.items() if word in words(service)]
        if names and not heeds(platform):
            acts = platform.orchestrator or "the timeline"
            yield f"deploy.{word} of {', '.join(names)} has no effect: {acts} makes nothing of it"


def idle_words(services: Mapping[str, ServiceSpec], platforms: list[Platform]) -> Iterator[tuple[Path, str]]:
    """Words that no platform of a scenario heeds."""
    for name, service in services.items():
        for word in words(service):
            if not any(HEEDED[word](platform) for platform in platforms):
                example = f"{{name: {platforms[0].name}, orchestrator: {KNOWING[word].split()[0]}}}"
                yield ("services", name, "deploy", *word.split(":")[0].split(".")), (
                    f"has no effect, for no platform has an orchestrator that knows it; expected {KNOWING[word]}, for example {example}")

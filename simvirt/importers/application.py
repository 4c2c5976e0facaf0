"""What imported files say, in simvirt's words, before anything is guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from simvirt.scenario.reading.tree import Place

IMAGE: Final = re.compile(r"[!-~]{1,200}")


def image(text: str) -> str | None:
    """An image's name, None where the text is none; what stands for a variable without a value is passed over."""
    return text if IMAGE.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a file says and the scenario does not: where, which key, and why."""

    place: Place
    path: str
    reason: str


@dataclass(slots=True)
class Service:
    """A service: `keys` are those of a scenario that its file says; the rest is what guesses are made of."""

    name: str
    place: Place
    keys: dict[str, Any] = field(default_factory=dict)
    image: str | None = None
    base: str | None = None  # the image that it is built on, where no image is named
    texts: tuple[str, ...] = ()  # values of its environment, words of its command: addresses of others may be among them
    others: tuple[str, ...] = ()  # services that it names in so many words: links
    after: tuple[str, ...] = ()  # services that it is started after
    names: tuple[str, ...] = ()  # what others call it
    published: bool = False  # whether it is reached from outside
    ends: bool = False  # whether it does its work once and ends


@dataclass(slots=True)
class Application:
    """Services by name, what was left out, and where it comes from."""

    name: str
    kind: str
    files: tuple[str, ...]
    services: dict[str, Service]
    left_out: list[Note] = field(default_factory=list)
    unset: Mapping[str, Place] = field(default_factory=dict)
    platforms: tuple[str, ...] = ("docker", "kvm")
    unvalidated: str | None = None  # why its files were not held against their schema

    def lasting(self) -> Iterable[Service]:
        """The services that stay."""
        return (service for service in self.services.values() if not service.ends)

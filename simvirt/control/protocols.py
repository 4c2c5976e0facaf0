"""What a cluster knows of those who act on it: who fetches, who decides, who moves."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Protocol

import simpy

from simvirt.control.records import Life
from simvirt.control.tasks import Ledger


class Fetch(Protocol):
    """How instances get what has to be on a host before they start."""

    def lose(self, machines: set[int], host: str | None) -> None:
        """What some kernels were fetching is lost; with the whole host of a name all transfers from and to it end."""

    def forget(self, machines: set[int]) -> None:
        """What some kernels have is gone with the disks beneath them."""

    def answers(self, registry: str, does: bool) -> None:
        """Takes in whether a registry answers."""

    @property
    def moved(self) -> int:
        """Bytes that came from registries."""

    @property
    def saved(self) -> int:
        """Bytes of layers that did not have to come, because another image or instance had brought them."""

    def disk(self, life: Life) -> Generator[simpy.Event, Any, None]:
        """The disk of an instance's VM."""

    def image(self, life: Life) -> Generator[simpy.Event, Any, bool]:
        """Its image; whether it is there in the end."""


class Moving(Protocol):
    """What moves running VMs to other hosts."""

    def migrate(self, machine: int, to: int | None, how: str = "pre-copy", copies_disk: bool = False) -> Generator[simpy.Event, Any, None]:
        """Move a VM to a host, by default the one with the most memory left."""

    def forget(self, row: int) -> None:
        """Takes in that an instance is gone: it does not move any more."""


class Acting(Protocol):
    """What decides which instances are to be there, as starts and failures tell it what has happened."""

    ledger: Ledger

    @property
    def watches(self) -> bool:
        """Whether somebody decides what becomes of what failed."""

    @property
    def ends_unhealthy(self) -> bool:
        """Whether what fails its checks is ended, and has failed."""

    @property
    def waits_for_others(self) -> bool:
        """Whether starts wait for the services that theirs depends on."""

    def reach(self, row: int, how: str) -> None:
        """Takes in that an instance is so far: started, or healthy."""

    def reached(self, service: str, how: str) -> simpy.Event:
        """The event at which as many instances of a service as are wanted are so far."""

    def publishing(self, row: int) -> Generator[simpy.Event, Any, None]:
        """What passes between an instance's being ready and the first request to it."""

    def became_ready(self, row: int) -> None:
        """Takes in that an instance takes requests."""

    def completed(self, row: int) -> None:
        """Takes in that the instance of a job has done its work."""

    def failed(self, row: int, why: str) -> None:
        """Takes in that an instance is down, and nobody wanted that."""

    def became_unhealthy(self, row: int, why: str) -> None:
        """Takes in that an instance is up and does not answer; requests go to others."""

    def lost(self, row: int, why: str) -> None:
        """Takes in that an instance is given up with its host."""

    def moved(self, row: int, host: int) -> None:
        """Takes in that an instance stands on another host, as its VM has moved there."""

    def rows_on(self, host: int) -> list[int]:
        """The rows of the instances that it has on a host."""

    def standing(self, service: str) -> Mapping[int, int]:
        """The rows of a service's instances that are there, by the replicas that they are."""

    def slot_of(self, row: int) -> int | None:
        """Which of the replicas that are wanted an instance is; None where it is none of them."""

    def placed(self) -> Mapping[str, Sequence[int]]:
        """The host of each instance of a service that there is."""

    def counted(self) -> tuple[int, Mapping[str, int]]:
        """How many instances were started, and how many of them have ended, by cause."""

    def scale(self, service: str, replicas: int, why: str) -> None:
        """Another number of replicas is wanted."""

    def evicted(self, row: int, why: str) -> bool:
        """Takes in that a host ends an instance for its own sake; whether another one takes its place."""

    def pressed(self, host: int, under: bool) -> None:
        """Takes in that a host is under pressure of memory, or is not any more."""

    def priority_of(self, row: int) -> int:
        """How important an instance is."""

    def host_changed(self, host: int, able: bool) -> None:
        """Takes in that a host is gone, closed or back, so that it takes new instances or takes none."""

"""What is written for all kinds of hosts together: one program, the bodies that calls find, what page caches are asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simvirt.lowering.guards import Guards
from simvirt.lowering.instructions import Program
from simvirt.memory.caching import Beneath, Key
from simvirt.workload.draws import Place


@dataclass(frozen=True)
class Written:
    """A body: its first row, and how far variables had been asked at its end."""

    first: int
    end: Place


@dataclass
class Text:
    """What is written for all kinds of hosts: one program, by a writer for each kind.

    `calls` are the bodies of calls by what they asked of variables before; `asks` is what page caches are asked, with its number;
    `guards` the ways in which calls are guarded.
    """

    program: Program = field(default_factory=Program)
    writers: list[Any] = field(default_factory=list)
    calls: dict[Any, list[Written]] = field(default_factory=dict)
    asks: dict[Key | Beneath, int] = field(default_factory=dict)
    guards: Guards = field(default_factory=Guards)

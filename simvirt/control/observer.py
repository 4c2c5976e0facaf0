"""An observer that samples the levels of the data plane at regular instants; watching changes nothing."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import simpy

from simvirt.clock import Clock
from simvirt.errors import SimulationError
from simvirt.gauges import in_line, levels
from simvirt.scenario.bounds import MOST_SAMPLES


@dataclass
class Series:
    """Samples over time; one entry per sample."""

    at_s: list[float] = field(default_factory=list)
    in_system: list[int] = field(default_factory=list)
    completed: list[int] = field(default_factory=list)
    busy_cpus: list[int] = field(default_factory=list)
    queued: list[int] = field(default_factory=list)
    messages: dict[str, list[int]] = field(default_factory=dict)
    """Messages in line, by subscription."""

    def document(self) -> dict[str, Any]:
        """The samples by name; no messages where there are no topics."""
        return {name: values for name, values in vars(self).items() if values or name != "messages"}

    def note_lines(self, names: Sequence[str], lengths: Sequence[int]) -> None:
        """Add a sample of each line of messages."""
        for name, length in zip(names, lengths, strict=True):
            self.messages.setdefault(name, []).append(length)


def observe(clock: Clock, every: int, series: Series) -> Generator[simpy.Event, Any, None]:
    """Sample every so many ns; SimulationError where a run whose length only the simulation tells takes too many."""
    while True:
        if len(series.at_s) > MOST_SAMPLES:
            raise SimulationError(f"more than {MOST_SAMPLES:,} samples by {clock.now / 1e9:.3g} s of the run; observe it less often")
        series.at_s.append(int(clock.now) / 1e9)
        for name, level in vars(levels(clock.plane)).items():
            getattr(series, name).append(level)
        series.note_lines([one.name for one in clock.plane.lowered.subscriptions], in_line(clock.plane))
        yield clock.timeout(every)

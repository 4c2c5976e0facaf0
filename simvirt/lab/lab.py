"""A lab: a scenario with sliders, and what a page needs of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final
from urllib.parse import urlencode

import yaml

from simvirt.charts.registry import CHARTS
from simvirt.errors import UsageError
from simvirt.lab.answers import Answer, answers
from simvirt.lab.sliders import Slider, chosen, sliders_of
from simvirt.result import figures
from simvirt.result.run_document import PlatformResult, RunDocument
from simvirt.scenario import Scenario, Source, source
from simvirt.sweep import load
from simvirt.sweep.axes import varied

SHOWN: Final = ("latency", "percentiles", "breakdown", "utilisation")
"""Charts of a lab's page."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A scenario as it is written, overrides that always hold, and the sliders that are in question."""

    name: str
    base: Source
    sets: tuple[str, ...]
    sliders: tuple[Slider, ...]

    def scenario(self, positions: Mapping[str, str]) -> Scenario:
        """The scenario with the sliders at these positions, which are called by their texts; ScenarioError where it cannot be."""
        return self.base.scenario(self._sets(positions))

    def answers(self, positions: Mapping[str, str], jobs: int, cancel: Event) -> Iterator[Answer]:
        """The answers for these positions, more and more precise, until `cancel` is set."""
        yield from answers(self.scenario(positions), jobs, cancel)

    def query(self, positions: Mapping[str, str]) -> str:
        """The part of a link that opens the lab at these positions."""
        return urlencode({slider.name: positions[slider.name] for slider in self.sliders if slider.name in positions})

    def yaml(self, positions: Mapping[str, str]) -> str:
        """The scenario at these positions as a file that `simvirt run` takes."""
        return yaml.safe_dump(self.base.data(self._sets(positions)), sort_keys=False, allow_unicode=True)

    def _sets(self, positions: Mapping[str, str]) -> list[str]:
        """The overrides that always hold, and those of the positions."""
        return [*self.sets, *(one for slider in self.sliders for one in slider.overrides(positions.get(slider.name, "")))]


def opened(path: str | os.PathLike[str], vary: Sequence[str] = (), sets: Sequence[str] = ()) -> Lab:
    """The lab of a scenario, of a sweep, whose axes are its sliders, or of a folder with a `sweep.yaml` or a `scenario.yaml`.

    A scenario without `vary` has sliders for its load, and for the replicas, limits and threads that it states.
    ScenarioError for a file that is wrong, UsageError where nothing can be moved.
    """
    file = _file(Path(path))
    try:
        asked = load(file, vary, sets)
        axes, base, common, name = asked.axes, asked.base, asked.sets, asked.name
    except UsageError:
        base = source(file)
        axes, common, name = tuple(map(varied, vary)) or tuple(chosen(base.root)), tuple(sets), file.stem
    sliders = sliders_of(axes, base.root)
    if not sliders:
        raise UsageError(f"{path}: nothing to move; say what, for example --vary services.web.deploy.replicas=1..16")
    found = Lab(name, base, common, tuple(sliders))
    found.scenario({})
    return found


def _file(path: Path) -> Path:
    """The file of a lab, which may be given by its folder."""
    if not path.is_dir():
        return path
    found = next((path / name for name in ("sweep.yaml", "scenario.yaml") if (path / name).is_file()), None)
    if found is None:
        raise UsageError(f"{path}: expected a scenario, a sweep, or a folder with a sweep.yaml or a scenario.yaml")
    return found


def rows(document: RunDocument) -> list[dict[str, str]]:
    """The table of a page: a row a platform."""
    return [
        {
            "platform": name,
            "mean": figures.time(found.latency_s.mean), "p50": figures.time(found.latency_s.p50), "p99": figures.time(found.latency_s.p99),
            "answered": figures.rate(found.throughput_per_s), "objective": _verdicts(found),
        }
        for name, found in document.platforms.items()
    ]


def _verdicts(found: PlatformResult) -> str:
    """What the objectives come to, each once."""
    return ", ".join(dict.fromkeys(verdict.verdict for verdict in found.objective.values())) or "none stated"


def charts(document: RunDocument) -> list[dict[str, object]]:
    """The charts of a page, those that have something to draw."""
    made = (CHARTS[RunDocument][name](document) for name in SHOWN)
    return [found for found in made if found is not None]


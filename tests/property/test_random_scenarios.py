"""Random valid scenarios of the whole language keep the laws that hold for every scenario.

Each is made from a seed (`helpers/random_scenarios.py`) and run in a worker process; to look at one:
`print(as_text(random_scenario(SEED, Size(events=EVENTS))))`. Some run always, more with `--random-scenarios`, ten thousand behind the `verification` marker.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from helpers.fields import fields_of, own
from pydantic import BaseModel
from helpers.random_batches import broken
from helpers.random_draws import Draws
from helpers.random_hosts import growing, moving, names, pools
from helpers.random_scenarios import as_text, random_scenario, write_files
from helpers.random_volumes import with_volumes
from helpers.random_worker import loaded

from simvirt import kernel
from simvirt.errors import ScenarioError

EVENTS: Final = 6_000.0 if kernel.MODE == "compiled" else 300.0
MANY: Final = 10_000
BATCH: Final = 250
DRAWN: Final = 600
"""Scenarios among which every field of the language occurs."""
CHECKS: Final = {"laws": 1, "names": 4, "idle": 4, "more": 8, "better": 8, "waits": 4, "questions": 30}
"""Check -> of so many seeds it looks at one."""


@functools.cache
def drawn() -> list[dict[str, Any]]:
    """The first scenarios."""
    return [random_scenario(seed) for seed in range(DRAWN)]


def used(part: Any) -> Iterator[str]:
    """The fields that are written in a scenario, as `Model.field`."""
    if isinstance(part, BaseModel):
        for name in part.model_fields_set:
            yield f"{type(part).__name__}.{type(part).model_fields[name].alias or name}"
        part = [getattr(part, name) for name in part.model_fields_set]
    for inner in part.values() if isinstance(part, Mapping) else part if isinstance(part, (list, tuple)) else ():
        yield from used(inner)


@pytest.mark.slow
def test_every_field_of_the_language_is_drawn_and_nearly_all_scenarios_are_valid(tmp_path: Path) -> None:
    found, refused, missing = set(), 0, fields_of()
    write_files(tmp_path)
    several = [pools(Draws(seed, "pools"), tree) for seed, tree in enumerate(drawn()[:60])]
    moved = [moving(Draws(seed, "moving"), tree) for seed, tree in enumerate(several[:20])]
    stored = [with_volumes(Draws(seed, "volumes"), tree) for seed, tree in enumerate(several[:20])]
    grown = [growing(Draws(seed, "machines"), tree) for seed, tree in enumerate(several[:20])]
    for tree in [*drawn(), *several, *moved, *stored, *grown]:
        try:
            found |= {own(field) for field in used(loaded(tree, tmp_path))}
        except ScenarioError:
            refused += 1
    assert refused <= 0.05 * DRAWN
    assert missing - found == set()


def test_every_platform_and_policy_is_drawn() -> None:
    platforms = {spec if isinstance(spec, str) else spec["name"] for tree in drawn() for spec in tree["platforms"]}
    assert platforms >= set(names("platforms"))
    schedulers = [tree["host"].get("scheduler", "eevdf") for tree in drawn() if isinstance(tree["host"], dict)]
    assert {spec if isinstance(spec, str) else spec["policy"] for spec in schedulers} == {"eevdf", "cfs", "credit", "credit2", "esxi", "hyperv", "round-robin", "gps"}


def test_a_seed_is_always_the_same_scenario() -> None:
    assert [as_text(random_scenario(seed)) for seed in range(5)] == [as_text(random_scenario(seed)) for seed in range(5)]
    assert as_text(random_scenario(1)) != as_text(random_scenario(2))


def held(check: str, seeds: range) -> list[str]:
    """The laws that are broken, with their seeds."""
    return [f"{check}: seed {seed}: {law}: {how}" for seed, law, how in broken(check, seeds, EVENTS) if law != "accepted"]


@pytest.mark.skipif(sys.platform == "win32", reason="workers are ended by a signal")
@pytest.mark.parametrize("check", CHECKS)
def test_the_laws_hold(check: str, few: int) -> None:
    assert held(check, range(0, few, CHECKS[check])) == []


@pytest.mark.slow
@pytest.mark.verification
@pytest.mark.skipif(sys.platform == "win32", reason="workers are ended by a signal")
@pytest.mark.parametrize("first", range(0, MANY, BATCH))
@pytest.mark.parametrize("check", CHECKS)
def test_the_laws_hold_for_many(check: str, first: int) -> None:
    assert held(check, range(first, first + BATCH, CHECKS[check])) == []

"""The same seed gives the same bytes: again, compiled and plain, on one worker and on two, whatever the services are called."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.processes import environment
from helpers.worlds import crowd, document, eventful, fingerprint, limited, shop, worlds

from simvirt import run
from simvirt.scenario import loads

ROOT = Path(__file__).resolve().parents[2]
WORLDS = worlds()
PARTS = 4
"""In which the worlds are compared, so that workers share them."""

every_part = pytest.mark.parametrize("names", [pytest.param(list(WORLDS)[part::PARTS], id=str(part)) for part in range(PARTS)])

half_of_the_parts = pytest.mark.parametrize("names", [
    pytest.param(list(WORLDS)[part::PARTS], id=str(part), marks=[pytest.mark.verification] if part % 2 else []) for part in range(PARTS)
])
"""The plain kernel elsewhere runs all of them; what hangs on hashes or addresses shows in half."""


@cache
def here(name: str) -> dict[str, str]:
    """Digests of a world in this process."""
    return fingerprint(WORLDS[name])


def elsewhere(plain: str, *arguments: str) -> dict[str, dict[str, str]]:
    """Digests of worlds in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "helpers.worlds", *arguments],
        env=environment(SIMVIRT_PLAIN=plain), cwd=ROOT, capture_output=True, text=True, check=False, timeout=1000,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def unequal(a: dict[str, str], b: dict[str, str]) -> list[str]:
    """What differs; the plain kernel elsewhere has no results."""
    assert a.keys() - {"result"} <= b.keys() <= a.keys()
    return [name for name in b if a[name] != b[name]]


def same(names: list[str], others: dict[str, dict[str, str]]) -> None:
    """Worlds have the same digests here and there; AssertionError with all that differs."""
    different = {name: found for name in names if (found := unequal(here(name), others[name]))}
    assert not different


@pytest.mark.slow
def test_twice_gives_the_same_bytes() -> None:
    """Where something is left of a run before; what hangs on hashes or addresses shows in another process."""
    names = list(WORLDS)[::PARTS]
    same(names, {name: fingerprint(WORLDS[name]) for name in names})


@pytest.mark.slow
@half_of_the_parts
def test_another_process_gives_the_same_bytes(names: list[str]) -> None:
    same(names, elsewhere(os.environ.get("SIMVIRT_PLAIN", ""), *names))


@pytest.mark.slow
@every_part
def test_the_plain_kernel_gives_the_same_bytes(names: list[str]) -> None:
    """All columns of all tables in the middle of a run."""
    same(names, elsewhere("1", *names))


def test_another_seed_gives_other_numbers() -> None:
    text = WORLDS["crowd-eevdf-bare"]
    assert unequal(fingerprint(text), fingerprint(text.replace("seed: 1", "seed: 2"))) != []


@pytest.mark.parametrize("jobs", [2, 3])
@pytest.mark.parametrize("name", ["shop-docker", "limited-eevdf", "eventful-kvm", "crowd-gps-docker"])
def test_the_number_of_workers_changes_nothing(name: str, jobs: int) -> None:
    spec = loads(WORLDS[name], sets=["run.replications=4"])
    assert document(spec) == document(spec, jobs=jobs)


def test_platforms_side_by_side_change_nothing_for_each_other() -> None:
    """A platform's numbers do not depend on what it is compared with."""
    names = ["bare-metal", "docker", "kvm"]
    together = document(loads(shop(platforms=names)))["platforms"]
    for name in names:
        assert together[name] == document(loads(shop(platforms=[name])))["platforms"][name]


def test_more_replications_leave_the_first_ones_alone() -> None:
    """Replication n is the same however many there are, and none is like another."""
    few, many = (run(loads(shop(), sets=[f"run.replications={n}"]), maximum=False).outcomes("bare-metal") for n in (2, 5))
    latencies = [outcome.latency_mean_s for outcome in many]
    assert [outcome.latency_mean_s for outcome in few] == latencies[:2]
    assert [outcome.histogram.tolist() for outcome in few] == [outcome.histogram.tolist() for outcome in many[:2]]
    assert len(set(latencies)) == 5


# --- names and order -------------------------------------------------------------------------------------------------------


def renamed(value: Any, names: dict[str, str]) -> Any:
    """A scenario or a result with services under other names, as keys and as the first part of operations and resources."""
    if isinstance(value, dict):
        return {renamed(key, names): renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [renamed(inner, names) for inner in value]
    if isinstance(value, str) and names:
        words = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])")
        return words.sub(lambda found: names[found[0]], value)
    return value


def comparable(text: str, names: dict[str, str] | None = None) -> dict[str, Any]:
    """A scenario's result without its digest, which may know names.

    Messages follow the order of the file or of names: their words in any order, and any of the reasons against a closed form.
    """
    found = renamed(document(loads(text)), names or {})
    del found["scenario"]
    found["warnings"] = sorted(sorted(re.findall(r"[\w.-]+", message)) for message in found["warnings"])
    found["theory"] = {key: value for key, value in found.get("theory", {}).items() if key != "reason"}
    return found


BY_NAME = {
    "shop": shop(platforms=["bare-metal", "docker", "kvm"]),
    "crowd": crowd(platforms=["bare-metal", "docker", "kvm"]),
    "limited": limited(),
    "eventful": eventful(platforms=["docker"]),
    "credit": crowd(platforms=["docker"], host={"scheduler": "credit"}),
}


@pytest.mark.parametrize("world", list(BY_NAME))
def test_names_of_services_change_nothing(world: str) -> None:
    """New names that sort the other way round."""
    tree = yaml.safe_load(BY_NAME[world])
    names = {name: f"{letter}-{name[::-1]}" for name, letter in zip(tree["services"], "zyxwv", strict=False)}
    other = yaml.safe_dump(renamed(tree, names), sort_keys=False)
    assert comparable(other) == comparable(BY_NAME[world], names)


@pytest.mark.parametrize("world", list(BY_NAME))
def test_order_of_services_changes_nothing(world: str) -> None:
    tree = yaml.safe_load(BY_NAME[world])
    tree["services"] = dict(reversed(tree["services"].items()))
    assert comparable(yaml.safe_dump(tree, sort_keys=False)) == comparable(BY_NAME[world])

"""Holds random scenarios against the laws: `random_worker.py FOLDER CHECK EVENTS CPU_S SEED...` writes a line of JSON for each seed.

A process of its own, so that a kernel that breaks does not take the tests with it. `random_batches` starts it.
"""

from __future__ import annotations

import json
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from helpers import random_changes as changes
from helpers.random_laws import LAWS
from helpers.random_quotas import quotas_are_kept
from helpers.random_waits import beyond_bounds
from helpers.random_scenarios import Size, as_text, random_scenario, write_files

import simvirt
from simvirt.catalog import Catalog
from simvirt.density import density
from simvirt.errors import ScenarioError, SimulationError, UsageError
from simvirt.plan import plan
from simvirt.scenario.spec.models import Scenario

Finding = tuple[str, str]
"""The law that is broken, and how."""
SLOWER: Final = 1.05
"""Means that differ by less than this factor do not differ."""
HEAVIER: Final = {"clock": ("2GHz", "3GHz")}


def loaded(tree: dict[str, Any], folder: Path) -> Scenario:
    """The scenario of a tree, checked against the catalogue."""
    scenario = simvirt.loads(as_text(tree), name=str(folder / "scenario.yaml"))
    Catalog.of(scenario)
    return scenario


def document(tree: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What a run of a tree gives."""
    return _document(loaded(tree, folder))


def _document(scenario: Scenario) -> dict[str, Any]:
    """What a run of a scenario gives."""
    return simvirt.run(scenario, maximum=False).document()


def laws(tree: dict[str, Any], folder: Path) -> Iterator[Finding]:
    """The laws of a single document, and that a second run gives the same."""
    scenario = loaded(tree, folder)
    first = _document(scenario)
    for name, law in LAWS.items():
        yield from ((name, line) for line in law(first))
    yield from ((quotas_are_kept.__name__, line) for line in quotas_are_kept(first, scenario))
    again = changes.differences(changes.comparable(first), changes.comparable(_document(scenario)))
    yield from (("same_bytes_twice", line) for line in again)


def names(tree: dict[str, Any], folder: Path) -> Iterator[Finding]:
    """Other names of services change nothing."""
    other = changes.renamed(tree)
    if other is not None:
        found = changes.names_restored(document(other, folder))
        first = json.loads(json.dumps(changes.comparable(document(tree, folder)), sort_keys=True))
        yield from (("names_change_nothing", line) for line in changes.differences(first, found))


def idle(tree: dict[str, Any], folder: Path) -> Iterator[Finding]:
    """A service that nobody calls changes no latency, where it has no VM of its own and memory is plenty."""
    other = changes.with_idle_service(tree)
    if other is None:
        return
    scenario = loaded(tree, folder)
    catalog = Catalog.of(scenario)
    containers = {spec.name for spec in scenario.platforms if not catalog.platform(spec).hypervisors}
    if not containers or catalog.resolve_host(scenario.host).memory < 7 << 30:
        return
    before, after = document(tree, folder)["platforms"], document(other, folder)["platforms"]
    for name in sorted(containers):
        yield from (("idle_changes_nothing", f"{name}{line}") for line in changes.differences(before[name]["latency_s"], after[name]["latency_s"]))


def waits(tree: dict[str, Any], folder: Path) -> Iterator[Finding]:
    """Nothing runnable waits longer than its scheduler lets it, on the host as it is and where all share one core in containers."""
    for crowd in (tree, changes.crowded(tree)):
        try:
            scenario = loaded(crowd, folder)
        except ScenarioError:  # what is bound to CPUs, or asks for more of them
            continue
        yield from _waits(scenario)


def _waits(scenario: Scenario) -> Iterator[Finding]:
    yield from (("no_wait_beyond_the_bound", f"{name}: {how}") for name, how in beyond_bounds(scenario, Catalog.of(scenario)))


def slower(before: Mapping[str, Any], after: Mapping[str, Any], law: str) -> Iterator[Finding]:
    """Where `after` answers surely sooner than `before`."""
    for name in before:
        one, two = before[name]["latency_s"]["mean"], after[name]["latency_s"]["mean"]
        if None not in (one["low"], two["high"]) and two["high"] < one["low"] and two["value"] * SLOWER < one["value"]:
            yield law, f"{name}: {one['value']:.6g} s [{one['low']:.6g}, {one['high']:.6g}], then {two['value']:.6g} s [{two['low']:.6g}, {two['high']:.6g}]"


def more(tree: dict[str, Any], folder: Path) -> Iterator[Finding]:
    """More requests are never answered sooner, where CPUs have no idle states to come out of."""
    tree = changes.faster(tree, "2.5GHz")
    tree["host"]["max_cstate"] = "none"
    tree = changes.measured_alike(tree, 200)
    other = changes.busier(tree)
    if other is not None:
        before, after = document(tree, folder)["platforms"], document(other, folder)["platforms"]
        yield from slower(before, after, "more_load_is_not_faster")


def better(tree: dict[str, Any], folder: Path) -> Iterator[Finding]:
    """A faster host never answers later."""
    if changes.busier(tree) is None:
        return
    tree = changes.measured_alike(tree, 200)
    slow, fast = (document(changes.faster(tree, clock), folder)["platforms"] for clock in HEAVIER["clock"])
    yield from slower(fast, slow, "faster_host_is_not_slower")


def questions(tree: dict[str, Any], folder: Path) -> Iterator[Finding]:
    """Density and plan answer, or refuse in a sentence."""
    limited = tree | {
        "objective": tree.get("objective", {"latency_p95": "50ms"}), "density": tree.get("density", {}) | {"max": 4}, "platforms": tree["platforms"][:1],
        "run": {"duration": "200ms", "replications": 2, "warmup": "20ms"}, "timeline": [],
    }
    for ask in (density, plan):
        try:
            found = ask(loaded(limited, folder)).document()
            json.dumps(found, allow_nan=False)
            if failed := found.get("failed") or [a["reason"] for a in found.get("alternatives", ()) if a["failed"]]:
                yield f"{ask.__name__}_answers", str(failed)
        except (ScenarioError, UsageError):
            continue
        except Exception as error:
            yield f"{ask.__name__}_answers", _told(error)


CHECKS: Final[Mapping[str, Callable[[dict[str, Any], Path], Iterator[Finding]]]] = {
    "laws": laws, "names": names, "idle": idle, "more": more, "better": better, "questions": questions, "waits": waits,
}


def findings(check: str, seed: int, events: float, folder: Path) -> list[Finding]:
    """The laws that the scenario of a seed breaks."""
    tree = random_scenario(seed, Size(events=events))
    try:
        loaded(tree, folder)
    except (ScenarioError, UsageError) as refused:
        return [("accepted", str(refused)[:300])]
    except Exception as error:
        return [("loads_or_refuses", _told(error))]
    try:
        return list(CHECKS[check](tree, folder))
    except SimulationError as refused:  # what only the simulation can tell: that no time passes any more
        return [("accepted", str(refused)[:300])]
    except Exception as error:
        return [("runs_to_its_end", _told(error))]


def _told(error: Exception) -> str:
    """An exception with the place where it was raised."""
    inside = [frame for frame in traceback.extract_tb(error.__traceback__) if "simvirt" in frame.filename] or traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {Path(inside[-1].filename).name}:{inside[-1].name}: {str(error)[:200]}"


def main() -> None:
    """The lines: one when a seed begins, one when it is done."""
    folder, check, events, longest_s, *seeds = sys.argv[1:]
    write_files(Path(folder))
    for seed in map(int, seeds):
        signal.setitimer(signal.ITIMER_PROF, float(longest_s))  # SIGPROF ends the process, also in the kernel
        print(json.dumps({"seed": seed}), flush=True)
        print(json.dumps({"seed": seed, "findings": findings(check, seed, float(events), Path(folder))}), flush=True)


if __name__ == "__main__":
    main()

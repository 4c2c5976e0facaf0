"""One scenario, deployed on each of its platforms as often as it has replications, side by side on common workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from threading import Event
from typing import Final

from simvirt.deploy.answer import Answer, DeployResult
from simvirt.deploy.deployment import Deployed, deployed
from simvirt.runs.admission import assumptions, catalog_of
from simvirt.runs.pool import in_order
from simvirt.runs.run import ProgressEvent
from simvirt.runs.side_by_side import side_by_side
from simvirt.runs.until_ready import to_be_deployed
from simvirt.scenario.spec.models import PlatformSpec, Scenario
from simvirt.scenario.spec.state import StateSpec
from simvirt.workload.processors import on_host

STATES: Final = {"cold": StateSpec(images="none", instances="none"), "warm": StateSpec(images="present", instances="none")}
"""What there is before a deployment, by its name in results."""
Progress = Callable[[ProgressEvent], None]


def deploy(scenario: Scenario, jobs: int = 1, progress: Progress | None = None) -> DeployResult:
    """How long until all instances of all services are ready on each platform when they are asked for at once, and what took it.

    `jobs` deployments are simulated at a time, 0 for one per CPU; it changes no number. ScenarioError where the scenario does not fit
    the catalogue. A platform that fails leaves the others their answers and its reason in `failed`. Ctrl-C keeps the platforms that are
    complete; KeyboardInterrupt when there are none.
    """
    started = time.perf_counter()
    catalog = catalog_of(scenario)
    there = on_host(scenario, catalog, scenario.first_host)
    result = DeployResult(scenario, {}, assumptions=assumptions(to_be_deployed(scenario, STATES["cold"]), catalog))

    def answer(spec: PlatformSpec, pool: Executor, halt: Event) -> Answer:
        platform = catalog.platform(spec)
        tasks = [(state, number) for number in range(scenario.run.replications) for state in STATES]

        def task(what: tuple[str, int]) -> tuple[str, Deployed]:
            found = deployed(to_be_deployed(there, STATES[what[0]]), catalog, platform, what[1], halt)
            _tell(progress, spec.name, tasks.index(what), len(tasks), found)
            return what[0], found

        found: dict[str, list[Deployed]] = {}
        for state, one in in_order(pool, task, tasks):
            found.setdefault(state, []).append(one)
        return Answer(found)

    found = side_by_side(scenario.platforms, jobs, answer)
    result.answers, result.failed, result.interrupted = found.answers, found.failed, found.interrupted
    result.wall_s = time.perf_counter() - started
    return result


def _tell(progress: Progress | None, platform: str, number: int, total: int, found: Deployed) -> None:
    """That a deployment is done."""
    if progress is not None:
        progress(ProgressEvent(platform, number + 1, total, 1.0, found.events, found.wall_s))

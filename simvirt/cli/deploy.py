"""`simvirt deploy`: how long until everything is ready, on each platform, and what took it."""

from typing import TYPE_CHECKING

from simvirt.cli import loading
from simvirt.cli.command import INTERRUPTED, Question, Settings, carried_out
from simvirt.cli.options import OnlyPlatform, ScenarioFile, Seed, Sets

if TYPE_CHECKING:
    from simvirt.result.deploy_document import DeployDocument
    from simvirt.scenario import Scenario


def deploy(settings: Settings, scenario: ScenarioFile, sets: Sets = None, seed: Seed = None, platform: OnlyPlatform = None) -> int:
    """Find how long until everything is ready on each platform, cold and warm, and what takes it."""
    from simvirt.report import store
    from simvirt.report.deploy_report import report

    spec = loading.only(loading.load(scenario, sets, seed), platform)
    folder = store.folder_of(settings.out, f"{spec.name}-deploy", spec.digest)
    question = Question(folder, lambda: _found(spec, settings), report, ("deploy.json", "deploy.txt"), cut=_kept)
    return INTERRUPTED if carried_out(question, settings).interrupted else 0


def _found(spec: "Scenario", settings: Settings) -> "DeployDocument":
    """The result, with progress on a terminal."""
    from simvirt.deploy import deploy as simulate
    from simvirt.report.progress import shown

    with shown(settings.console, wanted=not settings.quiet) as progress:
        return simulate(spec, jobs=settings.jobs, progress=progress).typed()


def _kept(document: "DeployDocument") -> str | None:
    """What an interrupted result holds."""
    return ", ".join(document.deployments) if document.interrupted else None

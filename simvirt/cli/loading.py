"""A scenario from its file, with the names in it checked against the catalogue."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simvirt.scenario import Scenario


def load(path: Path, sets: Sequence[str] | None, seed: int | None) -> "Scenario":
    """The scenario; ScenarioError with all mistakes at once."""
    from simvirt.errors import ScenarioError
    from simvirt.scenario import load as load_scenario

    scenario = load_scenario(path, sets=tuple(sets or ()), seed=seed)
    issues = [issue for question in _questions(scenario) for issue in _mistakes(question, ScenarioError)]
    if issues:
        raise ScenarioError(dict.fromkeys(issues))
    return scenario


def _mistakes(question: Callable[[], object], kind: type[Exception]) -> list[Any]:
    """The mistakes that asking the catalogue brings up."""
    try:
        question()
    except kind as error:
        return list(getattr(error, "issues", ()))
    return []


def _questions(scenario: Any) -> Iterator[Callable[[], object]]:
    """What to ask the catalogue: whether it knows the host and each platform."""
    from simvirt.catalog import Catalog

    locate = getattr(scenario, "locate", None)
    catalog = Catalog.load(scenario.catalog, locate) if locate else Catalog.load(scenario.catalog)
    yield lambda: catalog.resolve_host(scenario.host)
    for i, platform in enumerate(scenario.platforms):
        yield lambda platform=platform, i=i: catalog.platform(platform, ("platforms", i))  # type: ignore[misc]

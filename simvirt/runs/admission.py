"""Whether a scenario can be run: it fits the catalogue, and its tables fit into memory."""

from simvirt.catalog import Catalog
from simvirt.catalog.problems import Problems
from simvirt.lowering.size import size_mistakes
from simvirt.scenario.spec.models import Scenario


def catalog_of(scenario: Scenario) -> Catalog:
    """The catalogue for a scenario that can be run; ScenarioError with every mistake of one that cannot."""
    catalog, problems = Catalog.of(scenario), Problems(scenario.locate)
    platforms = [catalog.platform(platform) for platform in scenario.platforms]
    for path, message in size_mistakes(scenario, catalog.resolve_host(scenario.host), platforms):
        problems.add(path, message)
    problems.settle()
    return catalog

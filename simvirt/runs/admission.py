"""Whether a scenario can be run: it fits the catalogue, and its tables fit into memory; what is assumed where it is silent."""

from collections.abc import Iterator

from simvirt.catalog import Catalog
from simvirt.catalog.problems import Problems
from simvirt.lowering.size import size_mistakes
from simvirt.scenario.spec.models import Scenario
from simvirt.workload.processors import taken_as_stated


def catalog_of(scenario: Scenario) -> Catalog:
    """The catalogue for a scenario that can be run; ScenarioError with every mistake of one that cannot."""
    catalog, problems = Catalog.of(scenario), Problems(scenario.locate)
    platforms = [catalog.platform(platform) for platform in scenario.platforms]
    for path, message in size_mistakes(scenario, catalog.resolve_host(scenario.host), platforms):
        problems.add(path, message)
    problems.settle()
    return catalog


def assumptions(scenario: Scenario, catalog: Catalog) -> tuple[str, ...]:
    """What is assumed where a scenario does not say it."""
    return tuple(_assumptions(scenario, catalog))


def _assumptions(scenario: Scenario, catalog: Catalog) -> Iterator[str]:
    if taken_as_stated(scenario):
        yield "CPU demands are taken as they stand, whatever the host; measured_on says where they were measured"

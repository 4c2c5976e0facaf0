"""What stands in the files that a scenario names: loading looks at their heads only, a check reads them to their ends."""

from __future__ import annotations

from typing import Iterator, Mapping

from pydantic import BaseModel

from simvirt.errors import ScenarioError
from simvirt.scenario.spec.distributions import Empirical
from simvirt.scenario.spec.failures import FailureTraceSpec
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.workload import RatesSpec, TraceSpec

Table = TraceSpec | RatesSpec | FailureTraceSpec | Empirical


def check_contents(scenario: Scenario) -> None:
    """Reads every file that a scenario names; ScenarioError with the first mistake of each."""
    issues = [issue for table in tables_of(scenario) for issue in _mistakes(scenario, table).issues]
    if issues:
        raise ScenarioError(list(dict.fromkeys(issues)))


def tables_of(scenario: Scenario) -> Iterator[Table]:
    """The traces, rates, failures and empirical distributions of a scenario, each once."""
    seen: list[Table] = []
    parts: list[object] = [scenario.services, scenario.workload, scenario.workloads, scenario.failures]
    while parts:
        part = parts.pop()
        if isinstance(part, Table):
            if part not in seen:
                seen.append(part)
                yield part
        elif isinstance(part, Mapping):
            parts += part.values()
        elif isinstance(part, tuple):
            parts += part
        elif isinstance(part, BaseModel):
            parts += [getattr(part, name) for name in type(part).model_fields]


def _mistakes(scenario: Scenario, table: Table) -> ScenarioError:
    """What is wrong in one file; an error without issues where nothing is. Reading takes numpy, which other scenarios do without."""
    from simvirt.scenario.reading import failurefile, tracefile

    try:
        if isinstance(table, TraceSpec):
            tracefile.read_trace(table, tuple(name for name, weight in scenario.mix.items() if weight > 0))
        elif isinstance(table, RatesSpec):
            tracefile.read_rates(table)
        elif isinstance(table, FailureTraceSpec):
            failurefile.read_failures(table, [host.name for host in scenario.each_host])
        else:
            table.values()
    except ScenarioError as error:
        return error
    return ScenarioError([])

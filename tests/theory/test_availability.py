"""Failures against closed forms: availability by mean times between failures and to repair, capacity of what is left, blast radius."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from helpers.support import S, service, write

from simvirt import run
from simvirt.catalog import Catalog
from simvirt.catalog.resolve.startups import boot_of_host
from simvirt.runs.run import Result
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario


def hosts(count: int, duration: str, rate: str = "1/s", replications: int = 1, **fields: Any) -> Scenario:
    """Hosts with a replica each of a service that takes a millisecond."""
    services = {"web": service({"cpu": "1ms"}, threads="unlimited", scale=count, restart="always")}
    workload = fields.pop("workload", {"open": {"rate": rate}})
    document = yaml.safe_load(write(services, workload | {"mix": {"web.job": 1}}, {"duration": duration, "warmup": "0s", "replications": replications}, platforms=["docker"], **fields))
    document["hosts"] = {"node": document.pop("host") | {"count": count, "max_cstate": "none"}}
    return loads(yaml.safe_dump(document, sort_keys=False))


def answered(found: Result) -> float:
    """The ratio of requests that were answered."""
    availability = found.typed().platforms["docker"].availability
    assert availability is not None and availability.answered.value is not None
    return availability.answered.value


@pytest.mark.parametrize(("shape", "repair"), [(1.0, {"exponential": "20min"}), (0.7, {"lognormal": {"mean": "20min", "cv": 1}})])
def test_availability_is_mtbf_over_mtbf_and_mttr(shape: float, repair: dict[str, Any]) -> None:
    """By the renewal theorem, whatever the distributions are; the time to repair ends with the boot of the host."""
    spec = hosts(1, "15d", "0.05/s", failures={"unanswered": "1ms", "random": [{"fail": "node", "mtbf": "1h", "mttr": repair, "shape": shape}]})
    catalog = Catalog.of(spec)
    down_s = 1200 + sum(phase.wait_ns + phase.cpu_ns for phase in boot_of_host(catalog, catalog.resolve_host(spec.host))) / S
    expected, cycles = 3600 / (3600 + down_s), 15 * 86_400 / (3600 + down_s)
    spread = expected * (1 - expected) * math.sqrt(2 / cycles)
    assert answered(run(spec, maximum=False)) == pytest.approx(expected, abs=4 * spread)


def test_the_capacity_without_one_of_n_hosts_is_that_of_the_others() -> None:
    spec = hosts(4, "20s", workload={"closed": {"clients": 40, "think": "1us"}}, failures={"unanswered": "1ms"}, timeline=[{"at": "10s", "fail": "node[2]"}])
    series = run(spec, maximum=False).typed().platforms["docker"].series
    assert series is not None
    at, completed = list(series.at_s), list(series.completed)
    before, after = (completed[at.index(end)] - completed[at.index(begin)] for begin, end in ((2.5, 7.5), (12.5, 17.5)))
    assert before / 5 == pytest.approx(4 / 1e-3, rel=0.05)
    assert after / before == pytest.approx(3 / 4, rel=0.06), "what is sent to the lost host until that is noticed fails at once"


def test_every_request_is_answered_or_failed_by_a_cause() -> None:
    chances = [{"fail": "node", "mtbf": "10min", "mttr": "1min"}, {"fail": "web", "how": "process", "mtbf": "5min"}]
    document = run(hosts(3, "2h", "2/s", failures={"unanswered": "1s", "random": chances}), maximum=False).typed().platforms["docker"]
    assert document.availability is not None
    causes = [estimate.value or 0.0 for estimate in document.availability.causes.values()]
    assert (document.availability.answered.value or 0.0) + sum(causes) == pytest.approx(1.0)
    assert document.availability.failures == len(document.availability.outages) > 10


def test_the_same_seed_gives_the_same_failures_with_any_number_of_workers() -> None:
    spec = hosts(2, "30min", replications=2, failures={"random": [{"fail": "node", "mtbf": "5min", "mttr": {"exponential": "1min"}}]})
    one, two = (run(spec, jobs=jobs, maximum=False).typed().platforms["docker"].availability for jobs in (1, 2))
    assert one == two and one is not None and one.failures > 2

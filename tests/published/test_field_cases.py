"""What practitioners reported, as scenarios: the direction is right, and the size within a factor of 1.5 where a comment says nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import COMPILED, replications, scenario, service

from simvirt.metrics.outcome import Outcome

pytestmark = pytest.mark.skipif(not COMPILED, reason="long runs take the compiled kernel; the plain one gives the same bytes")


def alone(services: dict[str, Any], entry: str, duration: str, **fields: Any) -> Outcome:
    """One client that asks again and again."""
    workload = {"closed": {"clients": 1, "think": "0s"}, "mix": {entry: 1}, "local": True}
    found, = replications(scenario(services, workload, {"duration": duration, "warmup": "1s"}, **fields), 1)
    return found


@pytest.mark.parametrize(("cpus", "seen"), [(1, 4.0), (4, 1.0)])
def test_tensorflow_by_quota_and_by_cpuset(cpus: int, seen: float) -> None:
    """A training step on one CPU is four times slower by quota than by cpuset; on four there is no loss.

    Source: moby/moby, issue 38839 (2019). What is known of TensorFlow of that time: a pool as wide as the CPUs that it sees, threads that
    spin for 200 ms (KMP_BLOCKTIME), operators that one thread computes alone. The node is taken to have eight CPUs, and 15 %
    of the work to be serial; the report names neither.
    """
    step = {"cpu": "400ms", "team": {"regions": 100, "serial": 0.15, "spin": "200ms"}}
    quota, cpuset = (
        alone({"train": service(step, **limit)}, "train.job", "40s", host={"cores": 8}, platforms=["docker"]).latency_mean_s or 0.0
        for limit in ({"cpus": cpus}, {"cpuset": f"0-{cpus - 1}"})
    )
    if cpus == 1:
        assert seen / 1.5 < quota / cpuset < seen * 1.5
    else:
        assert quota / cpuset < 1.5 * seen


def test_a_jvm_that_sees_all_cpus_starts_slower_than_one_that_sees_its_quota() -> None:
    """A Spring Boot application under a quota of 2 CPUs on a host of 20 starts in 23 s when it sees 20 processors and in 5 s when it sees 2.

    Source: paketo-buildpacks/bellsoft-liberica, issue 205 (2022). Threads as HotSpot sizes them: 15 or 2 for a collection, 12 or 2 compilers.
    The direction is right, the size is not: what 12 compilers compile that two do not get to is not modelled.
    """
    slow, quick = (_started(collectors, compilers) for collectors, compilers in ((15, 12), (2, 2)))
    assert quick == pytest.approx(5.0, rel=0.5)
    assert slow > 1.1 * quick


def _started(collectors: int, compilers: int) -> float:
    """Time that a start takes in which 4 s of work alternate with collections, beside 4 s of compiling [s]."""
    work = {"repeat": [{"cpu": "40ms"}, {"cpu": "8ms", "team": {"threads": collectors, "regions": 4, "spin": "5ms"}}], "times": 100}
    start = {"parallel": [[work], [{"cpu": "4s", "team": {"threads": compilers}}]]}
    found = alone({"app": service(start, cpus=2)}, "app.job", "200s", host={"cores": 20}, platforms=["docker"])
    return found.latency_mean_s or 0.0

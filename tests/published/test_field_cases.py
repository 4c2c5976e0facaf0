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


def spinning(threads: int) -> dict[str, Any]:
    """A token of a language model of 28 layers with some 21 operators each, all computed by all threads, which spin at the end of each.

    Seven of these, products of matrices, have a second barrier inside: 784 barriers. Norms and sums of one row are one thread's work, taken as 2 %.
    Source: llama.cpp, ggml_graph_compute_thread and ggml_compute_forward_mul_mat (ggml_barrier); the number of operators is counted by hand.
    """
    return {"cpu": "330ms", "team": {"threads": threads, "regions": 392, "serial": 0.02, "spin": "10s"}}


def test_more_threads_that_spin_than_cpus_of_a_cpuset() -> None:
    """Ollama with 8 threads on a cpuset of 4 CPUs: 0.27 tokens/s, with 4 threads 12.07/s. Source: ollama/ollama, issue 17916 (2026)."""
    many, few = (
        alone({"llm": service(spinning(n), cpuset="0-3")}, "llm.job", "60s", host={"cores": 8}, platforms=["docker"]).latency_mean_s or 0.0
        for n in (8, 4)
    )
    assert 45 / 1.5 < many / few < 45 * 1.5


def test_more_threads_that_spin_than_a_quota_has_cpus() -> None:
    """llama-server under a quota of 2 CPUs on 8 cores of two threads: 4.1 times slower with its own number of threads than with 2.

    Source: llmmanorg/llmman, issue 322 (2026). It is taken to start as many threads as there are hardware threads.
    """
    many, few = (
        alone({"llm": service(spinning(n), cpus=2)}, "llm.job", "60s", host={"cores": 8, "smt": 2}, platforms=["docker"]).latency_mean_s or 0.0
        for n in (16, 2)
    )
    assert 4.1 / 1.5 < many / few < 4.1 * 1.5

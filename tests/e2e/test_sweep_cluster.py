"""`simvirt sweep --cluster`: workers of a Dask scheduler, and the loss of one."""

from __future__ import annotations

import json
from concurrent.futures import CancelledError, Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.dask_processes import dask_processes

import simvirt
from simvirt.errors import SimulationError, UsageError
from simvirt.sweep import cluster as of_clusters
from simvirt.sweep import load
from simvirt.sweep.cluster import cluster

BASE: dict[str, Any] = {
    "simvirt": 1, "name": "base", "host": {"cores": 2, "memory": "8GiB"}, "platforms": ["docker"],
    "services": {"a": {"cpus": 1, "mem_limit": "512MiB", "operations": {"get": [{"cpu": {"exponential": "1ms"}}]}}},
    "workload": {"open": {"rate": "200/s"}, "mix": {"a.get": 1}}, "run": {"requests": 200, "replications": 1},
}


def asked(folder: Path, cells: int) -> simvirt.sweep.Sweep:
    """A sweep over seeds."""
    (folder / "base.yaml").write_text(yaml.safe_dump(BASE))
    return load(folder / "base.yaml", [f"run.seed=1..{cells}"])


class Instant(Executor):
    """An executor that carries out what it is given at once; of each cell in `loses` it loses as many tries as that says."""

    def __init__(self, loses: dict[int, int], error: type[BaseException]) -> None:
        self.loses, self.error, self.given = dict(loses), error, list[int]()

    def submit(self, what: Any, /, *arguments: Any, **more: Any) -> Future[Any]:
        number, future = arguments[1].number, Future[Any]()
        self.given.append(number)
        if self.loses.get(number, 0):
            self.loses[number] -= 1
            future.set_exception(self.error("lost"))
        else:
            future.set_result(what(*arguments))
        return future


@pytest.mark.parametrize("error", [RuntimeError, CancelledError])
def test_a_cell_that_an_executor_loses_is_given_to_it_again_and_no_other(tmp_path: Path, error: type[BaseException]) -> None:
    executor = Instant({1: 2, 3: 3}, error)
    found = simvirt.sweep(asked(tmp_path, 5), tmp_path / "out", jobs=2, executor=executor).document()
    assert (found["done"], found["failed"]) == (4, {"3": f"was lost 3 times: {error.__name__}: lost"})
    assert sorted(executor.given) == [0, 1, 1, 1, 2, 3, 3, 3, 4]
    whole = simvirt.sweep(asked(tmp_path, 5), tmp_path / "out", executor=Instant({}, error), resume=True).document()
    assert whole == simvirt.sweep(asked(tmp_path, 5), tmp_path / "whole", executor=Instant({}, error)).document()


def test_an_executor_that_breaks_ends_a_sweep_that_goes_on_with_another(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="resume=True"):
        simvirt.sweep(asked(tmp_path, 3), tmp_path / "out", executor=Instant({1: 1}, BrokenProcessPool))
    assert simvirt.sweep(asked(tmp_path, 3), tmp_path / "out", executor=Instant({}, OSError), resume=True).document()["done"] == 3


def test_a_worker_with_another_program_makes_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simvirt.sweep.cell_run.program_digest", lambda: "another")
    found = simvirt.sweep(asked(tmp_path, 2), tmp_path / "out", executor=Instant({}, OSError)).document()
    assert found["done"] == 0
    assert "has another simvirt than the coordinator" in found["failed"]["0"]


def test_without_the_extra_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_clusters, "find_spec", lambda wanted: None)
    with pytest.raises(UsageError, match=r"pip install 'simvirt\[cluster\]'"), cluster("tcp://127.0.0.1:1"):
        pass


@pytest.mark.parametrize("where", ["127.0.0.1:9", "tcp://127.0.0.1:9", "tcp://127.0.0.1", "none.json", "text.json", "list.json", "other.json"])
def test_where_no_scheduler_is_one_line_says_what_was_expected(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="simvirt[cluster] is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(of_clusters, "PATIENCE_S", 0.1)
    for name, text in (("text", "no JSON"), ("list", "[]"), ("other", "{}")):
        (tmp_path / f"{name}.json").write_text(text)
    with pytest.raises(UsageError, match=r"no scheduler answers there: expected its address .* for example tcp://"), cluster(where):
        pass


@pytest.mark.slow
def test_a_lost_worker_of_a_cluster_changes_nothing(tmp_path: Path) -> None:
    """One of two Dask workers is killed in the middle: the results are those of a sweep without a cluster."""
    pytest.importorskip("distributed", reason="simvirt[cluster] is not installed")
    sweep = asked(tmp_path, 24)
    with dask_processes(tmp_path, 2) as dask, cluster(str(dask.file)) as executor:
        calls = list[int]()

        def heard(event: Any) -> None:
            calls.append(event.number)
            if len(calls) == 6:
                dask.processes[1].kill()

        found = simvirt.sweep(sweep, tmp_path / "out", jobs=executor.workers, executor=executor, progress=heard)
        assert dask.processes[1].wait(1) != 0
        assert len(calls) == 24
    alone = simvirt.sweep(sweep, tmp_path / "alone", executor=Instant({}, OSError))
    assert json.dumps(found.document()) == json.dumps(alone.document())

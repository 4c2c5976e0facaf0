"""Tasks side by side: in order, as many at a time as asked, and none under way when the block has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import nullcontext
from threading import Event

import pytest

from simvirt.errors import UsageError
from simvirt.runs import pool as pools
from simvirt.runs.pool import Inline, at_a_time, in_order, workers


def test_results_have_the_order_of_the_tasks() -> None:
    """The first task ends last: it waits until all others are done."""
    done = [Event() for _ in range(3)]

    def task(number: int) -> int:
        assert number or all(event.wait(10) for event in done[1:])
        done[number].set()
        return number * number

    with workers(3) as pool:
        assert list(in_order(pool, task, range(3))) == [0, 1, 4]


@pytest.mark.parametrize(("jobs", "most"), [(1, 1), (2, 2), (3, 3), (0, 4)])
def test_as_many_run_at_a_time_as_asked_of_0_one_per_cpu(jobs: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "cpus", lambda: 4)
    assert at_a_time(jobs) == most
    with workers(jobs) as pool:
        barrier = threading.Barrier(most)
        list(in_order(pool, lambda _: barrier.wait(10), range(most)))


@pytest.mark.parametrize("jobs", [-1, 1.5, None])
def test_what_is_no_number_of_tasks_is_refused(jobs: int) -> None:
    with pytest.raises(UsageError, match=r"^jobs: expected a whole number, for example 4, or 0 for one per CPU; got (-1|1\.5|nothing)$"):
        at_a_time(jobs)


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_no_more_run_at_a_time_than_asked(jobs: int) -> None:
    running, most, lock = [0], [0], threading.Lock()
    barrier = threading.Barrier(jobs)

    def task(number: int) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        barrier.wait(10)
        with lock:
            running[0] -= 1

    with workers(jobs) as pool:
        list(in_order(pool, task, range(6 * jobs)))
    assert most[0] == jobs


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_is_under_way_is_halted_and_what_waits_is_dropped(error: type[BaseException]) -> None:
    halt, begun, ended = Event(), [], []

    def task(number: int) -> None:
        begun.append(number)
        assert halt.wait(10)
        ended.append(number)

    def interrupted() -> None:
        with workers(2, halt) as pool:
            for number in range(5):
                pool.submit(task, number)
            while len(begun) < 2:
                Event().wait(0.001)
            raise error

    with pytest.raises(error):
        interrupted()
    assert sorted(begun) == sorted(ended) == [0, 1]


@pytest.mark.parametrize("make", [lambda: nullcontext(Inline()), lambda: workers(1)], ids=["inline", "a thread"])
def test_results_before_a_failure_are_kept(make: Callable[[], nullcontext[Executor]]) -> None:
    kept: list[int] = []
    with pytest.raises(ZeroDivisionError), make() as pool:
        for number in in_order(pool, lambda n: 6 // n, [3, 2, 0, 1]):
            kept.append(number)  # noqa: PERF402  (what is kept when the third fails is the claim)
    assert kept == [2, 3]


def test_inline_nothing_is_begun_before_its_result_is_asked_for() -> None:
    begun: list[int] = []
    found = in_order(Inline(), lambda n: begun.append(n), range(3))
    next(found)
    assert begun == [0]
    assert {threading.get_ident()} == set(in_order(Inline(), lambda n: threading.get_ident(), range(2)))

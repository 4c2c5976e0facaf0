"""System calls, switches, faults, memory, timers: what needs no file and no network."""

from __future__ import annotations

import _thread
import mmap
import os
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import repeat, starmap
from typing import Final

import numpy as np

from simvirt.calibrate.sample import drained, timed, worked

CALLS: Final = 100_000
TRIPS: Final = 10_000
PAGES: Final = 8_192
LARGE: Final = 64 << 20
REPEATS: Final = 7


@contextmanager
def pinned() -> Iterator[None]:
    """One CPU for this process and its children, then as before."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def syscalls() -> Iterator[float]:
    """getppid, which is never cached, less a function of the same form without a system call [s]."""
    for _ in range(REPEATS):
        own = worked(lambda: drained(starmap(_thread.get_ident, repeat((), CALLS))))
        yield (worked(lambda: drained(starmap(os.getppid, repeat((), CALLS)))) - own) / CALLS


def in_turn(ends: list[tuple[Callable[[], object], Callable[[], object]]]) -> float:
    """Processes on one CPU that pass a byte around; the CPU time of a round [s]. Each has what takes the byte and what passes it on."""
    with pinned():
        children = []
        for take, give in ends[1:]:
            child = forked()
            if child == 0:
                _echo(take, give)
            children.append(child)
        take, give = ends[0]
        for _ in range(TRIPS // 10):
            give()
            take()
        took = worked(lambda: drained((give(), take()) for _ in range(TRIPS)))
        for child in children:
            _, _, usage = os.wait4(child, 0)
            took += (usage.ru_utime + usage.ru_stime) * TRIPS / (TRIPS + TRIPS // 10)
    return took / TRIPS


def forked() -> int:
    """A child that shares this process's pipes, which touches nothing that threads of its parent may hold."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _echo(take: Callable[[], object], give: Callable[[], object]) -> None:
    """A child that passes on as many bytes as will come, and ends."""
    try:
        for _ in range(TRIPS // 10 + TRIPS):
            take()
            give()
    finally:
        os._exit(0)


def alone(take: Callable[[], object], give: Callable[[], object]) -> float:
    """The same by one process, which gives and takes its own byte: no switch [s]."""
    with pinned():
        return worked(lambda: drained((give(), take()) for _ in range(TRIPS))) / TRIPS


@contextmanager
def pipes(count: int) -> Iterator[list[tuple[int, int]]]:
    """Pipes, which are closed afterwards."""
    made = [os.pipe() for _ in range(count)]
    try:
        yield made
    finally:
        for pipe in made:
            for end in pipe:
                os.close(end)


def ring(count: int) -> float:
    """A round of a byte through processes in a ring of pipes [s]."""
    with pipes(count) as made:
        return in_turn([_ends(made[number - 1][0], made[number][1]) for number in range(count)])


def _ends(read: int, write: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """What takes a byte from a pipe, and what gives one to a pipe."""
    return lambda: os.read(read, 1), lambda: os.write(write, b"x")


def own_pipe() -> float:
    """A byte through a pipe of one's own [s]."""
    with pipes(1) as made:
        return alone(*_ends(*made[0]))


def own_pipes() -> Iterator[float]:
    """The same, some times."""
    yield from (own_pipe() for _ in range(REPEATS))


def switches() -> Iterator[float]:
    """The wake-up of a process and the switch to it: half a round between two on one CPU, less their own work [s]."""
    for _ in range(REPEATS):
        yield ring(2) / 2 - own_pipe()


def faulted(pages: int, step: int = 1) -> float:
    """The first touch of pages of new memory, less the second [s a page]."""
    with mmap.mmap(-1, pages * step * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        if hasattr(mmap, "MADV_NOHUGEPAGE"):
            memory.madvise(mmap.MADV_NOHUGEPAGE)
        first, second = _touched(memory, step), _touched(memory, step)
    return (first - second) / pages


def _touched(memory: mmap.mmap, step: int) -> float:
    """A write to the first byte of each page, or of each so many pages [s]."""
    view = np.frombuffer(memory, dtype=np.uint8)[:: step * mmap.PAGESIZE]

    def touch() -> None:
        view[:] = 1

    return worked(touch)


def faults() -> Iterator[float]:
    """Minor faults of anonymous memory, pages of 4 KiB [s]."""
    for _ in range(REPEATS):
        yield faulted(PAGES)


def copied(threads: int) -> float:
    """Bytes that threads read and write in a second, copying arrays that no cache holds."""
    pairs = [(np.ones(LARGE, dtype=np.uint8), np.zeros(LARGE, dtype=np.uint8)) for _ in range(threads)]
    rounds = 3

    def copy(pair: tuple[np.ndarray, np.ndarray]) -> None:
        for _ in range(rounds):
            np.copyto(pair[1], pair[0])

    with ThreadPoolExecutor(threads) as pool:
        took = timed(lambda: list(pool.map(copy, pairs)))
    return 2.0 * LARGE * rounds * threads / took


def bandwidth(threads: int) -> Iterator[float]:
    """Memory bandwidth, bytes read and bytes written [bytes/s]."""
    yield from (copied(threads) for _ in range(3))


def oversleep() -> Iterator[float]:
    """By how much a sleep of a millisecond is too long [s]."""
    for _ in range(50):
        yield timed(lambda: time.sleep(1e-3)) - 1e-3


def spun(seconds: float) -> int:
    """Rounds of a loop on this CPU in so much time."""
    end, rounds = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        rounds += 1
    return rounds

"""Workers on this machine: processes that begin clean, leave Ctrl-C to their coordinator, and end with it however it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from threading import Thread
from typing import Final

LOOKS_S: Final = 1.0
"""How often a worker looks whether its coordinator is still there [s]."""


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """So many worker processes for the length of a block; when it ends they are gone, what they were at included."""
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload(["simvirt.sweep.cell_run"])
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(os.getpid(),))
    try:
        yield pool
    finally:
        _end(pool)


def _begin(coordinator: int) -> None:
    """A worker begins: Ctrl-C is not meant for it, and it does not outlive its coordinator."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(coordinator,), daemon=True).start()


def _end_with(coordinator: int) -> None:
    """Ends this process once another is gone."""
    while _lives(coordinator):
        time.sleep(LOOKS_S)
    os._exit(1)


def _lives(process: int) -> bool:
    """Whether a process is there."""
    if os.name == "nt":
        return True  # there the pipe of a worker breaks with its coordinator
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end(pool: ProcessPoolExecutor) -> None:
    """Ends the workers of a pool, idle or not."""
    workers = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(5)

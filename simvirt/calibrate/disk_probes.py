"""The disk under a folder: direct requests of 4 KiB at some depths, streams, flushes; a temporary file, which is removed."""

from __future__ import annotations

import mmap
import os
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BLOCK: Final = 4096
STREAM: Final = 1 << 20
SIZE: Final = 128 << 20
LASTING: Final = 0.6
"""Time of a probe [s]."""


@dataclass(frozen=True)
class Drive:
    """An open file on the disk; `direct` where it bypasses the page cache."""

    descriptor: int
    direct: bool

    def requests(self, depth: int, write: bool, size: int = BLOCK) -> list[float]:
        """Times of requests, so many at a time, for some time [s]."""
        with ThreadPoolExecutor(depth) as pool:
            found = pool.map(lambda seed: self._one_after_another(seed, write, size, time.perf_counter() + LASTING), range(depth))
            return [took for each in found for took in each]

    def _one_after_another(self, seed: int, write: bool, size: int, end: float) -> list[float]:
        """Requests at random places, or in order where they are large, until an instant."""
        chosen, took, place = random.Random(seed), [], 0
        with mmap.mmap(-1, size) as buffer:
            view = [memoryview(buffer)]
            try:
                while (start := time.perf_counter()) < end:
                    place = (place + size) % (SIZE - size) if size >= STREAM else chosen.randrange(SIZE // size - 1) * size
                    (os.pwritev if write else os.preadv)(self.descriptor, view, place)
                    took.append(time.perf_counter() - start)
            finally:
                view[0].release()
        return took


@contextmanager
def drive(folder: Path) -> Iterator[Drive]:
    """A file that is filled; direct where the file system has that."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix="calibrate-")
    try:
        block = os.urandom(STREAM)
        for _ in range(SIZE // STREAM):
            os.write(descriptor, block)
        os.fsync(descriptor)
        os.close(descriptor)
        descriptor, direct = _opened(name)
        yield Drive(descriptor, direct)
    finally:
        os.close(descriptor)
        os.unlink(name)


def _opened(name: str) -> tuple[int, bool]:
    """The file without the page cache, with it where that is refused."""
    try:
        return os.open(name, os.O_RDWR | os.O_DIRECT), True
    except (OSError, AttributeError):
        return os.open(name, os.O_RDWR), False


def flushes(folder: Path) -> Iterator[float]:
    """fsync after a write of 4 KiB into the page cache, the write left out [s]."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(60):
            file.write(b"x" * BLOCK)
            start = time.perf_counter()
            os.fsync(file.fileno())
            yield time.perf_counter() - start

"""Workers of a Dask cluster: `pip install 'simvirt[cluster]'`.

*Model*: a scheduler that is there already, at an address or in a scheduler file; it gives the cells of workers that are lost to others, and
    workers may come and go. Where it gives a cell up, because that ended its worker again and again, the coordinator tries it once more.
*Ignores*: what workers have installed, beyond the sources of simvirt, which must be the same: versions of NumPy and of Python are not
    compared.
*Source*: distributed, `Client.get_executor`.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar
from urllib.parse import urlsplit

from simvirt.errors import SimulationError, UsageError
from simvirt.result.provenance import program_digest

PATIENCE_S: Final = 10.0
"""How long a scheduler may take to answer [s]."""
LOOKS_S: Final = 2.0
"""How often the number of workers is asked for [s]."""
P = ParamSpec("P")
T = TypeVar("T")
INSTALL: Final = "--cluster needs a library that is not installed: pip install 'simvirt[cluster]'"


class Cluster(Executor):
    """The workers of a scheduler as an executor; SimulationError once the scheduler is gone."""

    def __init__(self, address: str, client: Any) -> None:
        self._address, self._client, self._executor = address, client, client.get_executor(pure=False)
        self._asked, self._workers = -LOOKS_S, 1

    def submit(self, what: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Gives a task to the scheduler."""
        with self._said():
            future: Future[T] = self._executor.submit(what, *args, **kwargs)
            return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends what is under way, unless it is waited for."""
        with suppress(Exception):  # of a scheduler that is gone nothing is under way
            self._executor.shutdown(wait=wait and not cancel_futures)

    def workers(self) -> int:
        """How many tasks can be carried out at a time, as of a moment ago."""
        if time.monotonic() - self._asked >= LOOKS_S:
            with self._said():
                self._workers = max(sum(self._client.nthreads().values()), 1)
            self._asked = time.monotonic()
        return self._workers

    @contextmanager
    def _said(self) -> Iterator[None]:
        """In words why the scheduler does not answer."""
        try:
            yield
        except Exception as error:
            why = f"the scheduler is gone ({type(error).__name__})"
            raise SimulationError(f"--cluster {self._address}: {why}; cells kept so far are safe: go on with --resume") from None


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """The cluster at an address (`tcp://10.0.0.1:8786`) or in a scheduler file for the length of a block; what is under way then ends.

    UsageError where it does not answer, or its workers have another simvirt.
    """
    if find_spec("distributed") is None:
        raise UsageError(INSTALL)
    client = _client(address)
    try:
        _check_workers(address, client)
        executor = Cluster(address, client)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)
    finally:
        client.close(timeout=PATIENCE_S)


def _client(where: str) -> Any:
    """A connection to the scheduler."""
    try:
        address = _address(where)
        _wait_for(address)
        return import_module("distributed").Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"--cluster {where}: no scheduler answers there: expected its address or its scheduler file, "
            f"for example tcp://10.0.0.1:8786 or scheduler.json ({type(error).__name__}: {error})"
        ) from None


def _address(where: str) -> str:
    """The address of a scheduler, with its protocol, from its file if that is given."""
    address = str(json.loads(Path(where).read_text(encoding="utf-8"))["address"]) if os.path.exists(where) else where
    return address if "://" in address else f"tcp://{address}"


def _wait_for(address: str) -> None:
    """Waits until something listens at an address; OSError if it does not in time, ValueError if there is no port in it.

    Sooner said, and in fewer words, than by a client of Dask. Protocols that are not TCP's are left to it.
    """
    parts = urlsplit(address)
    if parts.hostname is None or parts.port is None:
        raise ValueError(f"no host and port in {address}")
    deadline = time.monotonic() + PATIENCE_S
    while parts.scheme in ("tcp", "tls"):
        try:
            return socket.create_connection((parts.hostname, parts.port), PATIENCE_S).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _check_workers(address: str, client: Any) -> None:
    """UsageError where workers that are there have other sources than this process; those that come later are asked by each cell."""
    own = program_digest()
    try:
        others = [name for name, digest in client.run(program_digest).items() if digest != own]
    except ImportError as error:
        raise UsageError(f"--cluster {address}: workers cannot import simvirt ({error}): install the same version there") from None
    if others:
        raise UsageError(f"--cluster {address}: {', '.join(others)}: another simvirt than here: install the same version there")

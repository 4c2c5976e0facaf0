"""The data plane: functions over tables that move requests through CPU, storage and network.

The same source files run compiled (one extension, made by `build_kernel/`) or as they are (`plain.py`). The functions
named here are the compiled ones where there is an extension; the plain ones where there is none, or with
SIMVIRT_PLAIN=1.
"""

import hashlib
import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

FUNCTIONS = ("advance", "advance_traced", "launch", "launch_client", "set_ready", "set_quota", "crash", "load_link", "freeze", "thaw")


class StaleKernel(RuntimeError):
    """The compiled kernel was built from other source files than those present."""

    exit_status = 3


def is_current(sources: Mapping[str, str], folder: Path = Path(__file__).parent) -> bool:
    """Whether files still have the SHA-256 digests that they had when an extension was built from them."""
    present = {name: folder / name for name in sources if (folder / name).exists()}
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in present.items()}
    return bool(sources) and sources == digests


def chosen(extension: str, plain: str, folder: Path) -> tuple[str, Any]:
    """How a module runs whose files lie in a folder, and what does it: the extension, or the files where there is none."""
    if os.environ.get("SIMVIRT_PLAIN", "") in ("", "0"):
        try:
            compiled = import_module(extension)
        except ImportError:
            pass
        else:
            if is_current(getattr(compiled, "SOURCES", {}), folder):
                return "compiled", compiled
            raise StaleKernel(
                "the compiled kernel is older than its source files: rebuild it with `pip install -e .`"
                " (or `python setup.py build_ext --inplace`), or set SIMVIRT_PLAIN=1 to run without it"
            )
    return "plain", import_module(plain)


MODE, _kernel = chosen("simvirt._kernel", "simvirt.kernel.plain", Path(__file__).parent)

SCHEDULERS: tuple[str, ...] = _kernel.SCHEDULERS
"""Names of the schedulers of run queues; the place of one is its number in `queues.policy`."""

RECORDS: dict[str, tuple[str, ...]] = _kernel.RECORDS
"""Columns of each table that lie together, row by row, as the kernel in use wants it; none in plain mode."""

WORDS: dict[str, int] = _kernel.WORDS
"""64-bit words of a record of each table."""

advance = _kernel.advance
advance_traced = _kernel.advance_traced
launch = _kernel.launch
launch_client = _kernel.launch_client
set_ready = _kernel.set_ready
set_quota = _kernel.set_quota
crash = _kernel.crash
load_link = _kernel.load_link
freeze = _kernel.freeze
thaw = _kernel.thaw


def make_plane() -> Any:
    """A plane of the kernel in use, still without tables."""
    return _kernel.Plane()


def bind(plane: Any, table: str, columns: Mapping[str, Any], records: Any) -> None:
    """Let a plane use the columns of a table, and the records that hold those of RECORDS, as 64-bit words."""
    plane.bind(table, columns, records)

"""The data plane: functions over tables that move requests through CPU, storage and network.

The same files run compiled (one extension, made by `build_kernel.py`) or as plain Python. `Plane`, the tables and the
functions named here are the compiled ones where there is an extension, else, or with SIMVIRT_PLAIN=1, the plain ones.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

from simvirt.kernel import advance as _plain_functions
from simvirt.kernel import tables

FUNCTIONS = ("advance", "launch", "launch_client", "set_ready", "crash")
TABLES = {name: kind for name, kind in vars(tables).items() if isinstance(kind, type) and issubclass(kind, tables.Table) and kind is not tables.Table}


class StaleKernel(RuntimeError):
    """The compiled kernel was built from other source files than those present."""

    exit_status = 3


def source_digest(folder: Path | None = None) -> str:
    """SHA-256 of the kernel's source files, by which a stale extension is recognised."""
    folder = folder or Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _choose() -> tuple[str, Any]:
    """The compiled functions, or the plain ones."""
    if os.environ.get("SIMVIRT_PLAIN", "") not in ("", "0"):
        return "plain", None
    try:
        from simvirt import _kernel  # type: ignore[attr-defined]
    except ImportError:
        return "plain", None
    if source_digest() != _kernel.DIGEST:
        raise StaleKernel(
            "the compiled kernel is older than its source files: rebuild it with `pip install -e .`"
            " (or `python setup.py build_ext --inplace`), or set SIMVIRT_PLAIN=1 to run without it"
        )
    return "compiled", _kernel


MODE, _compiled = _choose()
_functions: Any = _compiled or _plain_functions
_classes: Any = _compiled or tables

advance = _functions.advance
launch = _functions.launch
launch_client = _functions.launch_client
set_ready = _functions.set_ready
crash = _functions.crash


def make_table(name: str, columns: dict[str, Any]) -> Any:
    """A table of the kernel in use from its columns."""
    return getattr(_classes, name)(columns)


def make_plane(tables_by_attribute: dict[str, Any]) -> Any:
    """A plane of the kernel in use from its tables."""
    return _classes.Plane(tables_by_attribute)

"""The data plane: functions over tables that move requests through CPU, storage and network.

The same source files run compiled (one extension, made by `build_kernel.py`), as plain Python made from them (`plain.py`), or as they
are (`twin.py`). The functions named here are the compiled ones where there is an extension; the plain ones where there is none or with
SIMVIRT_PLAIN=1; the source files themselves with SIMVIRT_PLAIN=source.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FUNCTIONS = ("advance", "launch", "launch_client", "set_ready", "crash")


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
    """How the kernel runs, and the module that does it."""
    wanted = os.environ.get("SIMVIRT_PLAIN", "")
    if wanted in ("", "0"):
        try:
            from simvirt import _kernel  # type: ignore[attr-defined]
        except ImportError:
            pass
        else:
            if source_digest() == _kernel.DIGEST:
                return "compiled", _kernel
            raise StaleKernel(
                "the compiled kernel is older than its source files: rebuild it with `pip install -e .`"
                " (or `python setup.py build_ext --inplace`), or set SIMVIRT_PLAIN=1 to run without it"
            )
    if wanted == "source":
        from simvirt.kernel import twin

        return "plain", twin
    from simvirt.kernel import plain

    return "plain", plain



MODE, _kernel = _choose()

advance = _kernel.advance
launch = _kernel.launch
launch_client = _kernel.launch_client
set_ready = _kernel.set_ready
crash = _kernel.crash


def make_plane() -> Any:
    """A plane of the kernel in use, still without tables."""
    return _kernel.Plane()


def bind(plane: Any, table: str, columns: Mapping[str, Any]) -> None:
    """Let a plane use the columns of a table."""
    plane.bind(table, columns)

"""Results that were kept: a folder's documents, or one file's, read back into what they were."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from simvirt.errors import UsageError
from simvirt.result.document import Document
from simvirt.result.provenance import SCHEMA
from simvirt.result.schema import DOCUMENTS

FILES: Final = ("result.json", "deploy.json", "density.json", "knee.json", "sweep.json", "compare.json", "fit.json")
"""What commands call their documents."""
KEYS: Final = {
    "sweep": "sweep", "comparison": "run", "deployments": "deploy", "density": "density", "knees": "knee", "alternatives": "plan",
    "fitted": "fit",
    "before": "compare", "tables": "validate", "kinds": "rules",
}
"""A key by which each kind of document is known; the first that is there: sweeps over a load have knees, too."""
EXAMPLE: Final = "results/web-shop-1a2b3c4d"


def read(paths: Sequence[Path]) -> list[Document]:
    """The documents of some folders or files, in order; UsageError where there is none, or it cannot be read."""
    return [document(file) for path in paths for file in files_of(path)]


def files_of(path: Path) -> list[Path]:
    """The documents in a folder, or the file itself."""
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder; expected what a command has kept, for example {EXAMPLE}")
    if not path.is_dir():
        return [path]
    found = [path / name for name in FILES if (path / name).is_file()]
    if not found:
        below = ", ".join(sorted(str(file.parent) for file in _below(path))[:4])
        raise UsageError(f"{path}: no result in this folder; expected {', '.join(FILES[:-1])} or {FILES[-1]}"
                         f"{f', which are in {below}' if below else f', for example that of {EXAMPLE}'}")
    return found


def _below(folder: Path) -> Iterator[Path]:
    return (file for name in FILES for file in folder.glob(f"*/{name}"))


def document(path: Path) -> Document:
    """The document in a file; UsageError with the place of what is wrong in it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}:{error.colno}: expected JSON, as in result.json; {error.msg.lower()}") from None
    kind = next((kind for key, kind in KEYS.items() if isinstance(content, dict) and "simvirt" in content and key in content), None)
    if kind is None:
        raise UsageError(f"{path}: no result of simvirt; expected what run, density, plan, sweep or another command has kept, for example "
                         f"{EXAMPLE}/result.json")
    return _validated(path, kind, content)


def _validated(path: Path, kind: str, content: dict[str, Any]) -> Document:
    """The content as the document of its kind."""
    try:
        found: Document = TypeAdapter[Document](DOCUMENTS[kind]).validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        made = content["simvirt"] if isinstance(content["simvirt"], dict) else {}
        raise UsageError(f"{path}: {place}: {first['msg'].lower()}; expected a result of simvirt with form {SCHEMA}, got one of version "
                         f"{made.get('version', 'unknown')}; run it again") from None
    return found

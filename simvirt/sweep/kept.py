"""The results that a ledger keeps, read without taking it over: a sweep that is at work there is not disturbed."""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any


def documents(path: Path, digest: str) -> dict[int, Any]:
    """The result of each cell that is done, by its number; nothing where there is no such ledger, or not of the sweep with this digest."""
    if not path.is_file():
        return {}
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=0.5)) as db:
            if dict(db.execute("SELECT name, value FROM sweep")).get("sweep") != digest:
                return {}
            kept = db.execute("SELECT number, content FROM cells WHERE status = 'done'")
            return {number: json.loads(zlib.decompress(content)) for number, content in kept}
    except (sqlite3.Error, zlib.error, ValueError):
        return {}

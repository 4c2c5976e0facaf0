"""What kind of file it is that somebody has, seen from its first level; cheap, as every command asks."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

FIRST: Final = 1 << 20
"""How much of a file is looked at [bytes]."""
SCENARIO: Final = re.compile(r"^[\"']?(?:simvirt|workload|platforms)[\"']?\s*:", re.MULTILINE)
"""Keys of a scenario that no other file has; one without `simvirt:` is a scenario with a mistake."""
SIGNS: Final = {
    "kubernetes": re.compile(r"^(?:- |\{?\s*)?[\"']?(?:apiVersion|kind)[\"']?\s*:", re.MULTILINE),
    "compose": re.compile(r"^[\"']?services[\"']?\s*:", re.MULTILINE),
}
"""Kind -> a key on the first level of its files, which stands in no scenario without one of those."""


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """The kind of a file that is no scenario; None of a scenario, and of what cannot be read, which others say."""
    if Path(path).is_dir():
        return "kubernetes"
    if not Path(path).is_file() or Path(path).stat().st_size == 0:  # files of the kernel have no size, and some never end
        return None
    try:
        with open(path, "rb") as file:
            written = file.read(FIRST).decode("utf-8", "ignore")
    except OSError:
        return None
    if SCENARIO.search(written):
        return None
    return next((kind for kind, sign in SIGNS.items() if sign.search(written)), None)

"""Reads entries: the files shipped with the package, each once and only when asked for, and what a user's scenario adds.

An entry may start from another of its kind: `like: kvm` takes over everything the entry does not give itself,
row by row in `costs` and `rates`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from simvirt.units import shown

Raw = Mapping[str, Any]
FILES: Final[Mapping[str, str]] = {"families": "cpus"}
"""Kinds whose section stands in the file of another kind."""
MERGED: Final[frozenset[str]] = frozenset({"costs", "rates"})
"""Fields that `like` fills row by row."""


@cache
def _document(stem: str) -> Raw:
    """One shipped file, parsed once per process."""
    text = files("simvirt.catalog").joinpath("data", f"{stem}.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: Raw = yaml.load(text, Loader=loader)
    return document


def shipped(kind: str) -> Raw:
    """The raw entries of one kind that come with the package, by name."""
    section: Raw = _document(FILES.get(kind, kind))[kind]
    return section


def expand(name: str, entries: Raw, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """The raw entry `name` with everything it takes over by `like`.

    ValueError where the base does not exist or the chain closes on itself.
    """
    if name in seen:
        raise ValueError(f"like: {' -> '.join((*seen, name))} is a circle")
    raw = entries[name]
    if not hasattr(raw, "items"):
        raise ValueError(f"expected a mapping; got {shown(raw)}")
    own = {key: value for key, value in raw.items() if key != "like"}
    if "like" not in raw:
        return own
    if raw["like"] not in entries:
        raise ValueError(f"like: no such entry {raw['like']!r}; there are {', '.join(sorted(entries))}")
    return _over(own, expand(raw["like"], entries, (*seen, name)))


def _over(own: Raw, base: Raw) -> dict[str, Any]:
    """`own` laid over `base`."""
    merged = {key: {**base[key], **own[key]} for key in MERGED if isinstance(own.get(key), Mapping) and key in base}
    return {**base, **own, **merged}

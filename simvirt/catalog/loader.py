"""Reads entries: the files shipped with the package, each once and only when asked for, and what a user's scenario adds.

An entry may start from another of its kind: `like: kvm` takes over everything the entry does not give itself,
row by row in `costs` and `rates`. A scenario's entry that is like a shipped one of its own name is that one, changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, reduce
from importlib.resources import files
from typing import Any, Final

import yaml

from simvirt.units import shown

Raw = Mapping[str, Any]
FILES: Final[Mapping[str, str]] = {"families": "cpus"}
"""Kinds whose section stands in the file of another kind."""
MERGED: Final[frozenset[str]] = frozenset({"costs", "rates"})
"""Fields that `like` fills row by row."""
MOST_LIKES: Final = 50
"""Entries in a chain of which each is like the next."""


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


def expand(name: str, entries: Raw, below: Raw) -> dict[str, Any]:
    """The raw entry `name` of `entries` with everything it takes over by `like`; like its own name, it starts from that of `below`.

    ValueError where a base does not exist, the chain closes on itself or is longer than `MOST_LIKES`.
    """
    return reduce(lambda base, own: _over(own, base), reversed(list(_chain(name, entries, below))))


def _chain(name: str, entries: Raw, below: Raw) -> Iterator[dict[str, Any]]:
    """What an entry gives itself, then what each gives that the one before is like."""
    seen, raw = [name], entries[name]
    while True:
        if not isinstance(raw, Mapping):
            raise ValueError(f"expected a mapping; got {shown(raw)}")
        yield {key: value for key, value in raw.items() if key != "like"}
        if "like" not in raw:
            return
        base = raw["like"]
        changes = base == seen[-1] and base in below and raw is not below[base]
        if not changes:
            _check_base(base, seen, entries)
        raw = below[base] if changes else entries[base]
        seen.append(base)


def _check_base(base: object, seen: Sequence[str], entries: Raw) -> None:
    """ValueError where a chain of entries cannot go on with `base`."""
    if not isinstance(base, str) or base not in entries:
        raise ValueError(f"like: no such entry {shown(base)}; there are {', '.join(sorted(entries))}")
    if base in seen:
        raise ValueError(f"like: {' -> '.join((*seen, base))} is a circle")
    if len(seen) >= MOST_LIKES:
        raise ValueError(f"like: expected a chain of at most {MOST_LIKES} entries, for example like: {seen[-1]}")


def _over(own: Raw, base: Raw) -> dict[str, Any]:
    """`own` laid over `base`."""
    merged = {key: {**base[key], **own[key]} for key in MERGED if isinstance(own.get(key), Mapping) and key in base}
    return {**base, **own, **merged}

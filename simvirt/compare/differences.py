"""What differs between two results apart from their numbers: scenario, version, kernel, seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simvirt.result.compare_document import Difference, Side

UNSAID: Final = "scenario"
"""What differs where digests do, and results do not say what their scenarios state."""


def differences(before: Side, after: Side, stated: tuple[Mapping[str, Any], Mapping[str, Any]]) -> tuple[Difference, ...]:
    """All of it; `stated` is what the scenarios state."""
    found = [
        Difference(what=what, before=one, after=other)
        for what, one, other in (
            ("version", before.simvirt.version, after.simvirt.version), ("kernel", before.simvirt.kernel, after.simvirt.kernel),
            ("seed", before.seed, after.seed),
        ) if one != other
    ]
    own = [one for one in _of_values("", *stated) if one.what != "run.seed"]
    if not own and before.scenario.digest != after.scenario.digest and before.seed == after.seed:
        own = [Difference(what=UNSAID, before=before.scenario.digest[:8], after=after.scenario.digest[:8])]
    return *found, *own


def _of_values(path: str, before: Any, after: Any) -> Iterator[Difference]:
    """The leaves in which two values differ; lists of another length as a whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _of_values(f"{path}.{key}" if path else str(key), before.get(key), after.get(key))
    elif _is_list(before) and _is_list(after) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _of_values(f"{path}[{place}]", one, other)
    elif before != after:
        yield Difference(what=path, before=before, after=after)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)

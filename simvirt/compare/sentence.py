"""What changed, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from simvirt.compare.changes import SAME, UNDECIDED
from simvirt.result import figures
from simvirt.result.compare_document import Change, CompareDocument
from simvirt.result.compared_measures import MEASURES

LEADING: Final = ("latency_p99_s", "throughput_per_s")
"""The measures that the sentence is about."""


def sentence(document: CompareDocument) -> str:
    """`p99 is 8.1 ± 0.4 % slower on kvm, no different on docker; throughput is ...`"""
    parts = [*_changed(document), *_asserted(document)]
    return f"{'; '.join(parts)}."


def _changed(document: CompareDocument) -> Iterator[str]:
    """What became of the leading measures on each platform, the verdicts that agree together."""
    every = [key for key in LEADING if any(key in measures for measures in document.platforms.values())]
    if every and all(one.verdict == SAME for measures in document.platforms.values() for key, one in measures.items() if key in every):
        yield f"no difference seen in {' and '.join(MEASURES[key].name for key in every)}"
        return
    for key in every:
        name = MEASURES[key].name
        found = {platform: measures[key] for platform, measures in document.platforms.items() if key in measures}
        if all(one.verdict == SAME for one in found.values()):
            yield f"no difference seen in {name}"
        elif all(one.verdict == UNDECIDED for one in found.values()):
            yield f"{name} is undecided{_by(found)}"
        else:
            yield f"{name} is {', '.join(f'{_said(one)} on {platform}' for platform, one in found.items())}"


def _by(found: Mapping[str, Change]) -> str:
    """How far off, of one platform alone."""
    only = next(iter(found.values()))
    return f" ({changed(only)})" if len(found) == 1 and only.ratio.value is not None else ""


def _said(one: Change) -> str:
    """What became of a measure."""
    if one.verdict == SAME:
        return "no different"
    if one.verdict == UNDECIDED:
        return f"undecided ({changed(one)})"
    return f"{changed(one).lstrip('+-')} {one.verdict}"


def changed(one: Change) -> str:
    """`+8.1 ± 0.4 %`: the relative change."""
    return figures.change(one.ratio)


def _asserted(document: CompareDocument) -> Iterator[str]:
    """What came of assertions."""
    failed = [found for found in document.asserted if not found.holds]
    if document.asserted:
        yield f"{len(failed)} of {len(document.asserted)} assertions fail" if failed else "what was asserted holds"

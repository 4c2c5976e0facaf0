"""The answer in a sentence: where the objective breaks on each platform, surely between what, and on what."""

from __future__ import annotations

from simvirt.result.knee_document import KneeDocument, PlatformKnee
from simvirt.result.limit_words import stated
from simvirt.result.loads import between, load
from simvirt.result.resources import name_of


def sentence(document: KneeDocument) -> str:
    """`p99 ≤ 100 ms breaks at 2,385/s on docker (2,354 to 2,389/s, db CPU), at 2,405/s on kvm (2,352 to 2,421/s, db CPU).`"""
    held = " and ".join(stated(key, limit) for key, limit in document.objective.items())
    parts, before = list[str](), ""
    for name, found in document.knees.items():
        verb, at = _said(document, found)
        parts.append(f"{'' if verb == before else verb} {at} on {name}{_why(document, found)}".strip())
        before = verb
    return f"{held} {'; '.join([*parts, *(f'{name} has no answer' for name in document.failed)])}."


def _said(document: KneeDocument, found: PlatformKnee) -> tuple[str, str]:
    """What is said of a platform: the verb, and at which load."""
    if found.knee.low is None:
        return "is not surely met", f"even at {load(document.counts, found.lightest)}"
    if found.knee.high is None:
        return "holds", f"at {load(document.counts, found.knee.low)}, the highest that was tried,"
    return "breaks", f"at {load(document.counts, found.knee.value)}"


def _why(document: KneeDocument, found: PlatformKnee) -> str:
    """The range, and what breaks it."""
    low, high = found.knee.low, found.knee.high
    said = [between(document.counts, low, high)] if low is not None and high is not None else []
    said += [name_of(found.broken_by.resource)] if found.broken_by is not None else []
    return f" ({', '.join(said)})" if said else ""

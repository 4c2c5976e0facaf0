"""The answer in a sentence: after how long everything is ready on each platform, from each state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from simvirt.result import figures
from simvirt.result.deploy_document import DeployDocument, Deployment

SAID: Final = {"warm": "With images on the hosts", "cold": "Without images there"}
"""How a state is called, in the order in which they are spoken of."""
MOST_NAMED: Final = 4
"""Platforms that are named one by one; of more, the fastest and the slowest are."""


def sentence(document: DeployDocument) -> str:
    """`With images on the hosts all 3 instances are ready after 343 ms on docker and 5.31 s on kvm.`"""
    return " ".join([*_states(document), *(f"{name} has no answer." for name in document.failed)])


def _states(document: DeployDocument) -> Iterator[str]:
    """A sentence for each state."""
    for state, said in SAID.items():
        found = of_state(document, state)
        if found:
            n = round(next(iter(found.values())).started)
            them = "it is" if n == 1 else "all of them are"
            many = them if state == "cold" and of_state(document, "warm") else _all(n)
            ready = {name: one for name, one in found.items() if one.ready_s.value is not None}
            if ready:
                yield f"{said} {many} ready {_when(ready)}."
            if len(ready) < len(found):
                yield f"{said} not all are ever ready on {_listed([name for name in found if name not in ready])}."


def _all(n: int) -> str:
    return "the one instance is" if n == 1 else f"all {figures.count(n)} instances are"


def of_state(document: DeployDocument, state: str) -> dict[str, Deployment]:
    """The deployments from a state, by platform."""
    found = {name: getattr(platform, state) for name, platform in document.deployments.items()}
    return {name: one for name, one in found.items() if one is not None}


def _when(found: Mapping[str, Deployment]) -> str:
    """After how long, on each platform or between the fastest and the slowest."""
    if len(found) > MOST_NAMED:
        fastest, *_, slowest = sorted(found, key=lambda name: found[name].ready_s.value or 0.0)
        return f"between {_time(found[fastest])} on {fastest} and {_time(found[slowest])} on {slowest}"
    later = [f"{_time(one)} on {name}" for name, one in found.items() if one.ready_s.value]
    at_once = [name for name, one in found.items() if not one.ready_s.value]
    said = [f"at once on {_listed(at_once)}"] if at_once else []
    return ", ".join([*said, *([f"after {_listed(later)}"] if later else [])])


def _listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _time(found: Deployment) -> str:
    return figures.time(found.ready_s, interval=False)

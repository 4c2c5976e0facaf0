"""On which assumed demands the answer depends most: each is doubled in a short run, with the same draws.

*Model*: the change of the mean latency on the first platform when one service's CPU demand is twice as long, at the assumed rate.
*Ignores*: demands that matter only near saturation, or together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simvirt.importers import values
from simvirt.importers.assumed import Guesses
from simvirt.runs.run import run
from simvirt.scenario import loads

SHORT: Final = ("run.duration=5s", "run.replications=1", "run.warmup=0s")
MOST: Final = 60
"""Services beyond which no runs are made: the order is that of the demands."""
SMALL: Final = 0.005
"""Growth below which a demand is not spoken of [ratio]."""
SAID: Final = 8
"""How many demands are spoken of."""


def first(text: str, found: Guesses) -> tuple[str, ...]:
    """The demands that are worth measuring first, as sentences; none where there are too many services."""
    grown = sensitivities(text, found)
    names = sorted((name for name, share in grown.items() if share > SMALL), key=lambda name: (-grown[name], name))
    return tuple(
        f"{name}: twice {_demand(found, name)} makes requests take {100 * grown[name]:.0f} % longer in the mean" for name in names[:SAID])


def sensitivities(text: str, found: Guesses) -> dict[str, float]:
    """Service -> by how much the mean latency grows [ratio] when its demand doubles; empty where there are too many services."""
    usual = _mean(text) if len(found.demand) <= MOST else None
    if usual is None or usual <= 0:
        return {}
    doubled = {name: f"services.{name}.operations.request.0.cpu.exponential={_demand(found, name, 2)}" for name in found.demand}
    return {name: (_mean(text, changed) or usual) / usual - 1 for name, changed in doubled.items()}


def _demand(found: Guesses, name: str, times: int = 1) -> str:
    """The CPU demand of a service, or a multiple of it."""
    return values.said_time(times * float(found.demand[name].cpu) * 1e-9)


def _mean(text: str, *changed: str) -> float | None:
    """The mean latency on the first platform [s], perhaps with values changed."""
    scenario = loads(text, sets=(*SHORT, *changed))
    only = scenario.model_copy(update={"platforms": scenario.platforms[:1]})
    platforms: Mapping[str, Any] = run(only, jobs=1, maximum=False).typed().platforms
    value = next(iter(platforms.values())).latency_s.mean.value
    return None if value is None else float(value)

"""On which assumed demands the answer depends most: each is doubled in a short run, with the same draws.

*Model*: the change of the mean latency on the first platform when one service's CPU demand is twice as long, at the assumed rate.
*Ignores*: demands that matter only near saturation, or together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from simvirt.importers.application import Application
from simvirt.importers.guesses import Guesses
from simvirt.runs.run import run
from simvirt.scenario import loads

SHORT: Final = ("run.duration=5s", "run.replications=1", "run.warmup=0s")
MOST: Final = 60
"""Services beyond which no runs are made: the order is that of the demands."""


def sensitivities(text: str, application: Application, found: Guesses) -> dict[str, float]:
    """Service -> by how much the mean latency grows [ratio] when its demand doubles; empty where there are too many services."""
    services = [service.name for service in application.lasting()]
    if len(services) > MOST:
        return {}
    usual = _mean(text)
    return {} if usual is None or usual <= 0 else {name: (_mean(_doubled(text, name)) or usual) / usual - 1 for name in services}


def first(text: str, application: Application, found: Guesses) -> tuple[str, ...]:
    """The demands that are worth measuring first, as sentences."""
    grown = sensitivities(text, application, found)
    said = {one.path.split(".")[1]: one.value for one in found.assumed if one.demand and one.path.count(".") == 3}
    names = sorted((name for name, share in grown.items() if share > 0.005), key=lambda name: (-grown[name], name))
    return tuple(
        f"{name}: twice {said.get(name, 'its demand')} makes requests take {100 * grown[name]:.0f} % longer in the mean"
        for name in names[:8]
    )


def _mean(text: str) -> float | None:
    """The mean latency on the first platform [s]."""
    scenario = loads(text, sets=SHORT)
    only = scenario.model_copy(update={"platforms": scenario.platforms[:1]})
    platforms: Mapping[str, Any] = run(only, jobs=1, maximum=False).typed().platforms
    value = next(iter(platforms.values())).latency_s.mean.value
    return None if value is None else float(value)


def _doubled(text: str, name: str) -> str:
    """The scenario with one service's demand twice as long."""
    lines, inside = text.splitlines(), False
    for number, line in enumerate(lines):
        if re.match(r"  \S.*:", line):
            inside = line.split("  #")[0].strip() in (f"{name}:", f'"{name}":')
        elif inside and "- cpu:" in line:
            lines[number] = re.sub(
                r"exponential: (\d+)([a-z]+)", lambda found: f"exponential: {2 * int(found.group(1))}{found.group(2)}", line
            )
    return "\n".join(lines) + "\n"

"""simvirt predicts what bare metal, containers and virtual machines do to the same load, and says why.

import simvirt
scenario = simvirt.load("configs/web.yaml")
result = simvirt.run(scenario)
print(result.frame())
"""

from typing import TYPE_CHECKING, Any

from simvirt.version import __version__ as __version__

__all__ = ["Result", "Scenario", "load", "loads", "run"]

if TYPE_CHECKING:
    from simvirt.runs.run import Result, run
    from simvirt.scenario.reading.load import load, loads
    from simvirt.scenario.spec.models import Scenario

_HOMES = {
    "Result": "simvirt.runs.run",
    "run": "simvirt.runs.run",
    "Scenario": "simvirt.scenario",
    "load": "simvirt.scenario",
    "loads": "simvirt.scenario",
}


def __getattr__(name: str) -> Any:
    """The public names, imported when first asked for, so that the command line starts quickly."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'simvirt' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

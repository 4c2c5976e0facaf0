"""simvirt predicts what bare metal, containers and virtual machines do to the same load, and says why.

import simvirt
scenario = simvirt.load("configs/web.yaml")
result = simvirt.run(scenario)
print(result.frame())

`compare(a, b)`, `density(scenario)`, `deploy(scenario)`, `fit(scenario, files)`, `knee(scenario)`, `plan(scenario)`, `sweep(asked)` and
`validate()` answer what the commands of these names do.
What is refused raises `ScenarioError`, what fails `SimulationError`; both are `SimvirtError`s.
"""

from typing import TYPE_CHECKING, Any

from simvirt.version import __version__ as __version__

__all__ = [
    "Result", "Scenario", "ScenarioError", "SimulationError", "SimvirtError", "Trace", "compare", "density", "deploy", "fit", "knee",
    "load", "loads", "plan", "run", "sweep", "validate",
]

if TYPE_CHECKING:
    from simvirt.compare import compare
    from simvirt.density import density
    from simvirt.deploy import deploy
    from simvirt.errors import ScenarioError, SimulationError, SimvirtError
    from simvirt.fit import fit
    from simvirt.knee import knee
    from simvirt.plan import plan
    from simvirt.runs.run import Result, run
    from simvirt.scenario.reading.load import load, loads
    from simvirt.scenario.spec.models import Scenario
    from simvirt.sweep import sweep
    from simvirt.trace.window import Trace
    from simvirt.validation.asked import validate

_HOMES = {
    "Result": "simvirt.runs.run",
    "run": "simvirt.runs.run",
    "Scenario": "simvirt.scenario",
    "ScenarioError": "simvirt.errors",
    "SimulationError": "simvirt.errors",
    "SimvirtError": "simvirt.errors",
    "compare": "simvirt.compare",
    "Trace": "simvirt.trace.window",
    "density": "simvirt.density",
    "deploy": "simvirt.deploy",
    "fit": "simvirt.fit",
    "knee": "simvirt.knee",
    "load": "simvirt.scenario",
    "loads": "simvirt.scenario",
    "plan": "simvirt.plan",
    "sweep": "simvirt.sweep",
    "validate": "simvirt.validation.asked",
}


def __getattr__(name: str) -> Any:
    """The public names, imported when first asked for, so that the command line starts quickly."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'simvirt' has no attribute {name!r}")
    module = import_module(_HOMES[name])
    return module if module.__name__ == f"simvirt.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    """The public names, those that are not imported yet among them."""
    return sorted({*globals(), *__all__} - {"Any", "TYPE_CHECKING"})

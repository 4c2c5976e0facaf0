"""Closed forms beside the simulation: the plainest systems, on bare metal, where a formula knows the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import yaml

from simvirt.analysis import formulas
from simvirt.result.document import Estimate
from simvirt.result.run_document import PlatformResult, RunDocument
from simvirt.result.theory import TheoryResult
from simvirt.result.validation_document import TheoryRow
from simvirt.runs.run import run
from simvirt.scenario import loads
from simvirt.validation.predict import Conditions

REPLICATIONS = 4
"""At least so many: an interval needs a few."""


def rows(conditions: Conditions) -> tuple[TheoryRow, ...]:
    """Each case's predicted and simulated numbers [s, per s], with the interval of the simulated one."""
    text = files("simvirt.validation").joinpath("data", "theory.yaml").read_text(encoding="utf-8")
    cases = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["cases"]
    return tuple(row for case in cases for row in _rows(case, conditions))


def _rows(case: Mapping[str, Any], conditions: Conditions) -> list[TheoryRow]:
    """The numbers of one case."""
    run_spec = {"requests": 60_000, **case["scenario"].get("run", {})}
    run_spec |= {"seed": conditions.seed, "replications": max(conditions.replications, REPLICATIONS)}
    text = {"simvirt": 1, "name": case["name"], "platforms": ["bare-metal"], **case["scenario"], "run": run_spec}
    document = run(loads(json.dumps(text), case["name"]), maximum=False).typed()
    simulated = document.platforms["bare-metal"]
    model, expected = _expected(case, document)
    return [_row(model, case["source"], name, value, _read(simulated, name)) for name, value in expected.items() if value is not None]


def _expected(case: Mapping[str, Any], document: RunDocument) -> tuple[str, dict[str, float | None]]:
    """The closed form's name and numbers: that of the case, or the one that applies to its scenario."""
    if "formula" in case:
        name, arguments = case["formula"]["of"], case["formula"]["with"]
        return case["name"], {case["formula"]["measure"]: float(getattr(formulas, name)(*arguments))}
    theory = document.theory
    assert isinstance(theory, TheoryResult)  # of these systems there is one: the file names a formula for the others
    return theory.model, {name: getattr(theory, name) for name in ("latency_mean_s", "latency_p95_s", "throughput_per_s")}


def _read(simulated: PlatformResult, name: str) -> Estimate:
    """The simulated estimate of a measure."""
    if name == "throughput_per_s":
        return simulated.throughput_per_s
    found: Estimate = getattr(simulated.latency_s, name.removeprefix("latency_").removesuffix("_s"))
    return found


def _row(model: str, source: str, measure: str, theory: float, simulated: Estimate) -> TheoryRow:
    """One number of theory beside the simulated one."""
    assert simulated.value is not None  # all of these systems answer requests
    return TheoryRow(
        model=model, measure=measure, source=source, theory=theory, simulated=simulated.value, low=simulated.low, high=simulated.high,
        error=simulated.value / theory - 1.0,
    )

"""The two results that are compared: read from files and folders, or given as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from simvirt.compare.changes import Measured
from simvirt.errors import UsageError
from simvirt.result.compare_document import Side
from simvirt.result.compared_measures import MAXIMUM, MEASURES
from simvirt.result.document import Estimate
from simvirt.result.run_document import PlatformResult, RunDocument, WorkloadResult
from simvirt.result.sweep_document import SweepDocument
from simvirt.runs.run import Result, run
from simvirt.scenario import Scenario, load
from simvirt.sweep.kept import documents
from simvirt.sweep.sweeping import LEDGER
from simvirt.sweep.swept import Swept

FILES: Final = ("result.json", "sweep.json")
EXAMPLE: Final = "results/web-shop-1a2b3c4d, its result.json, a sweep.json, or a scenario in YAML"
Labels = tuple[tuple[str, str | int | float], ...]
Measures = Mapping[str, Measured]
Given = str | Path | Scenario | Result | Swept | RunDocument | SweepDocument
"""What can be compared."""
Simulate = Callable[[Path], RunDocument]
"""What runs the scenario in a file."""


@dataclass(frozen=True)
class Read:
    """A result: what it is, what its scenario states, and its measures by cell (a run has one, without labels) and platform."""

    side: Side
    stated: Mapping[str, Any]
    is_sweep: bool
    cells: Mapping[Labels, Mapping[str, Measures]]


def simulated(path: Path) -> RunDocument:
    """The result of the scenario in a file."""
    return run(load(path)).typed()


def is_scenario(given: Given) -> bool:
    """Whether something is the name of a scenario's file."""
    return isinstance(given, str | Path) and Path(given).suffix in (".yaml", ".yml")


def read(given: Given, simulate: Simulate = simulated) -> Read:
    """A result from whatever stands for it; UsageError where that is none that can be compared, ScenarioError for a wrong scenario."""
    if isinstance(given, str | Path):
        return _from_file(Path(given), simulate)
    if isinstance(given, Scenario):
        return _of_run(given.name, run(given).typed())
    document = given.typed() if isinstance(given, Result | Swept) else given
    return _of_sweep(document.sweep.name, document) if isinstance(document, SweepDocument) else _of_run(document.scenario.name, document)


def _from_file(path: Path, simulate: Simulate) -> Read:
    """A result from a file, from the folder that it lies in, or from a scenario that is simulated."""
    if is_scenario(path):
        return _of_run(str(path), simulate(path))
    file = next((path / name for name in FILES if (path / name).is_file()), None) if path.is_dir() else path
    if file is None:
        raise UsageError(f"{path}: no {' and no '.join(FILES)} in this folder; expected a result, for example {EXAMPLE}")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{file}: cannot be read: {why}; expected a result, for example {EXAMPLE}") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{file}:{error.lineno}:{error.colno}: no JSON ({error.msg}); expected a result, for example {EXAMPLE}") from None
    return _of_content(str(path), file, content)


def _of_content(name: str, file: Path, content: Any) -> Read:
    """A result from what a file holds."""
    keys = content if isinstance(content, Mapping) else {}
    try:
        if "rows" in keys and "sweep" in keys:
            return _of_sweep(name, SweepDocument.model_validate(content), file.parent / LEDGER)
        if "platforms" in keys and "comparison" in keys:
            return _of_run(name, RunDocument.model_validate(content))
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise UsageError(f"{file}: no whole result: {where}: {error.errors()[0]['msg']}; made by another version?") from None
    raise UsageError(f"{file}: expected a result of `simvirt run` or `simvirt sweep`, for example {EXAMPLE}")


# -- measures -------------------------------------------------------------------------------------------------------------------


def _of_run(name: str, document: RunDocument) -> Read:
    """A run's measures."""
    side = Side(name=name, simvirt=document.simvirt, scenario=document.scenario.alone, seed=document.seed)
    return Read(side, document.scenario.content or {}, False, {(): measures_of(document)})


def measures_of(document: RunDocument) -> dict[str, Measures]:
    """The measures of each platform, and of each of several workloads under `platform, workload`."""
    found: dict[str, Measures] = {}
    for name, platform in document.platforms.items():
        most = platform.bottleneck
        ends = Estimate(most.max_throughput_per_s, most.max_throughput_low_per_s, most.max_throughput_high_per_s)
        more = {
            MAXIMUM: Measured(ends, is_range=True),
            "cpu_utilisation": Measured(platform.cpu.utilisation, _values(platform, "cpu_utilisation"), replications=platform.replications),
        }
        found[name] = _answers(platform, platform.replications) | more
        found |= {f"{name}, {load}": _answers(mine, platform.replications) for load, mine in platform.workloads.items()}
    return found


def _answers(found: PlatformResult | WorkloadResult, replications: int) -> dict[str, Measured]:
    """Latencies, throughput and losses."""
    estimates = {f"latency_{name}_s": getattr(found.latency_s, name) for name in type(found.latency_s).model_fields}
    estimates |= {name: getattr(found, name) for name in ("throughput_per_s", "rejected", "failed")}
    return {name: Measured(estimates[name], _values(found, name), replications=replications) for name in MEASURES if name in estimates}


def _values(found: PlatformResult | WorkloadResult, name: str) -> tuple[float | None, ...]:
    return tuple(found.by_replication.get(name, ()))


def _of_sweep(name: str, document: SweepDocument, ledger: Path | None = None) -> Read:
    """A sweep's measures, cell by cell; with single replications where its ledger is there."""
    kept = documents(ledger, document.sweep.digest) if ledger is not None else {}
    runs = {number: RunDocument.model_validate(found) for number, found in kept.items()}
    of_cells, first = {number: measures_of(found) for number, found in runs.items()}, next(iter(runs.values()), None)
    columns = [column for axis in document.axes for column in axis.columns]
    cells: dict[Labels, dict[str, Measures]] = {}
    for row in document.rows:
        labels = tuple((column, _label(row[column])) for column in columns)
        of_row = {key: _of_row(row, key) for key in MEASURES if row.get(key) is not None}
        platform = str(row["platform"])
        cells.setdefault(labels, {})[platform] = of_cells.get(int(row["cell"] or 0), {}).get(platform, of_row)
    side = Side(name=name, simvirt=document.simvirt, scenario=document.sweep, seed=document.seed if first is None else first.seed)
    return Read(side, {} if first is None else first.scenario.content or {}, True, cells)


def _label(value: Any) -> str | int | float:
    return value if isinstance(value, str | int | float) else str(value)


def _of_row(row: Mapping[str, Any], key: str) -> Measured:
    """A measure of a row, with its ends where it has some."""
    return Measured(Estimate(row[key], row.get(f"{key}_low"), row.get(f"{key}_high")), replications=int(row.get("replications") or 0))

"""Which charts there are of which document, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from simvirt.charts import acting, comparisons, course, densities, deployments, knees, latencies, plans, resources, sweeps, validations
from simvirt.charts.chart import Chart
from simvirt.errors import UsageError
from simvirt.result.compare_document import CompareDocument
from simvirt.result.density_document import DensityDocument
from simvirt.result.deploy_document import DeployDocument
from simvirt.result.document import Document
from simvirt.result.knee_document import KneeDocument
from simvirt.result.plan_document import PlanDocument
from simvirt.result.run_document import RunDocument
from simvirt.result.sweep_document import SweepDocument
from simvirt.result.validation_document import ValidationDocument

Made = Callable[[Any], Chart | None]
CHARTS: Final[Mapping[type[Document], Mapping[str, Made]]] = {
    RunDocument: {
        "latency": latencies.latency, "percentiles": latencies.percentiles, "compared": latencies.compared,
        "breakdown": latencies.breakdown, "added": latencies.added, "throughput": resources.throughput,
        "utilisation": resources.utilisation, "memory": resources.memory,
        "replicas": acting.replicas, "answered": acting.answered, "events": acting.events, "placed": acting.placed,
        **{of: partial(course.series, of=of) for of in course.SERIES},
    },
    DensityDocument: {"answers": densities.answers, "curve": densities.curve, "memory": densities.memory},
    DeployDocument: {
        "stages": deployments.stages,
        **{f"{name}-{state}": partial(draw, state=state) for state in ("cold", "warm")
           for name, draw in (("ready", deployments.ready), ("starts", deployments.starts))},
    },
    KneeDocument: {"breaks": knees.breaks, "loads": knees.loads},
    CompareDocument: {"changes": comparisons.changes},
    PlanDocument: {"alternatives": plans.alternatives, "placement": plans.placement, "regret": plans.regret},
    SweepDocument: {
        "effects": sweeps.effects, "surface": sweeps.surface,
        **{f"lines-{said.split()[0]}": partial(sweeps.lines, measure=measure) for measure, said in sweeps.MEASURES.items()},
    },
    ValidationDocument: {"accuracy": validations.accuracy},
}


def names_of(document: Document) -> tuple[str, ...]:
    """The names of the charts that there may be of a document."""
    return tuple(CHARTS.get(type(document), ()))


def chart_of(document: Document, name: str) -> Chart:
    """A chart of a document by its name; UsageError where there is none, or nothing to draw."""
    known = CHARTS.get(type(document), {})
    if name not in known:
        example = f"chart({next(iter(known), '')!r})"
        raise UsageError(f"no chart {name!r} of this result; expected one of {', '.join(known)}, for example {example}")
    found = known[name](document)
    if found is None:
        raise UsageError(f"chart {name!r}: there is nothing to draw in this result")
    return found


def charts_of(document: Document) -> list[Chart]:
    """All charts of a document that have something to draw, each once."""
    made = (draw(document) for draw in CHARTS.get(type(document), {}).values())
    return [found for found in made if found is not None]

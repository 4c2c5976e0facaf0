"""The JSON Schema of each document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from simvirt.errors import UsageError
from simvirt.result.calibration_document import CalibrationDocument
from simvirt.result.catalogue_document import ConstantRow, DifferenceRow, EntryRow, KindRow, SpentRow
from simvirt.result.compare_document import CompareDocument
from simvirt.result.density_document import DensityDocument
from simvirt.result.deploy_document import DeployDocument
from simvirt.result.fit_document import FitDocument
from simvirt.result.knee_document import KneeDocument
from simvirt.result.mistakes import Mistakes
from simvirt.result.plan_document import PlanDocument
from simvirt.result.rules_document import RulesDocument
from simvirt.result.run_document import RunDocument
from simvirt.result.sweep_document import SweepDocument
from simvirt.result.validation_document import ValidationDocument

DOCUMENTS: Final[Mapping[str, Any]] = {
    "run": RunDocument,
    "deploy": DeployDocument,
    "density": DensityDocument,
    "knee": KneeDocument,
    "plan": PlanDocument,
    "fit": FitDocument,
    "calibrate": CalibrationDocument,
    "sweep": SweepDocument,
    "compare": CompareDocument,
    "validate": ValidationDocument,
    "rules": RulesDocument,
    "check": Mistakes,
    "error": Mistakes,
    "list": list[KindRow] | list[EntryRow],
    "explain": list[ConstantRow] | list[DifferenceRow] | list[SpentRow],
}
"""What `--format json` prints, by command; `rules` is that of `validate FILE`, `error` that of all where the input is wrong."""


class _Schema(GenerateJsonSchema):
    """A schema without defaults: a key that is absent says nothing."""

    def default_schema(self, schema: Any) -> dict[str, Any]:
        """The schema of the value alone."""
        return self.generate_inner(schema["schema"])


def result_schema(kind: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a document; UsageError where there is none of that name."""
    if kind not in DOCUMENTS:
        raise UsageError(f"no result {kind!r}; expected one of {', '.join(DOCUMENTS)}, for example: simvirt schema --result density")
    found = TypeAdapter(DOCUMENTS[kind]).json_schema(schema_generator=_Schema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **found, "title": f"simvirt {kind} result"}

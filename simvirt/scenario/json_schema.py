"""The JSON Schema of scenarios, with which editors complete and check them."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from simvirt.scenario.spec.models import Scenario


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a scenario file; one that includes others may leave to them what is required."""
    schema = Scenario.model_json_schema(by_alias=True, mode="validation")
    names = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    schema["properties"]["include"] = {**names, "description": "files that this one overrides", "examples": ["base.yaml"]}
    schema["anyOf"] = [{"required": schema.pop("required")}, {"required": ["include"]}]
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": "simvirt scenario", **schema}

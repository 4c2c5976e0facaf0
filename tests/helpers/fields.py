"""Every field of a scenario, and what it means that one of them acts."""

from __future__ import annotations

import copy
import functools
import json
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel

from simvirt import run
from simvirt.density import density
from simvirt.plan import plan
from simvirt.scenario import loads
from simvirt.scenario.spec.models import HostSpec, Scenario

RISES, FALLS, CHANGES = "rises", "falls", "changes"
ABSENT: Final = object()
"""As the value of a patch: the key is not there."""
UNWRITTEN: Final = {"kind"}
"""Fields that YAML does not have: a distribution's kind is its key."""
Patch = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """Changing a field moves an output: `field` is set by the patches, `output` is a path into the document, from the first platform on.

    Parts of paths are separated by `/`; an output that begins with `/` starts at the document itself.
    """

    field: str
    base: Mapping[str, Any]
    before: Patch
    after: Patch
    output: str
    moves: str
    least: float = 0.01
    """By how much of its value at least, where it rises or falls."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files beside the scenario."""
    ask: str = "run"
    """What is asked of the scenario: a run, a plan, or the density."""

    @property
    def id(self) -> str:
        """What a test report calls it."""
        return f"{self.field}-{self.output.replace('/', '.')}-{self.moves}"


def fields_of(model: type[BaseModel] = Scenario) -> set[str]:
    """All fields of a model and of the parts below it, as `Model.field`."""
    found: set[str] = set()
    for part in _models(model, []):
        found |= {own(f"{part.__name__}.{info.alias or name}") for name, info in part.model_fields.items() if name not in UNWRITTEN}
    return found


def own(field: str) -> str:
    """A field by the model that brings it: what a host of a pool is, a host is."""
    part, _, name = field.partition(".")
    return f"HostSpec.{name}" if part == "HostPoolSpec" and name in HostSpec.model_fields else field


def _models(kind: Any, seen: list[type[BaseModel]]) -> list[type[BaseModel]]:
    """The models that occur in a type, in those of its fields too."""
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
        seen.append(kind)
        for info in kind.model_fields.values():
            _models(info.annotation, seen)
    for inner in typing.get_args(kind):
        _models(inner, seen)
    return seen


def patched(base: Mapping[str, Any], patch: Patch) -> dict[str, Any]:
    """A scenario with other values at some paths."""
    document: dict[str, Any] = copy.deepcopy(dict(base))
    for path, value in patch.items():
        *above, last = path.split("/")
        at: Any = document
        for part in above:
            at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
        if value is ABSENT:
            at.pop(last, None)
        elif isinstance(at, list):
            at[int(last)] = value
        else:
            at[last] = value
    return document


def result(case: Case, patch: Patch, folder: Path) -> dict[str, Any]:
    """The document of a case's scenario with a patch; the same scenario is simulated once."""
    for name, content in case.files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return _result(yaml.safe_dump(patched(case.base, patch), sort_keys=False), str(folder), case.ask)


@functools.cache
def _result(text: str, folder: str, ask: str) -> dict[str, Any]:
    scenario = loads(text, name=f"{folder}/scenario.yaml")
    asked: dict[str, Any] = {"run": functools.partial(run, maximum=False), "plan": plan, "density": density}
    document = asked[ask](scenario).document()
    return typing.cast("dict[str, Any]", json.loads(json.dumps(document)))


def output(document: Mapping[str, Any], path: str) -> Any:
    """The value at an output's path; None where there is none; of an estimate its value."""
    at: Any = document if path.startswith("/") else next(iter(document["density" if "density" in document else "platforms"].values()))
    for part in path.strip("/").split("/"):
        at = at.get(part) if isinstance(at, Mapping) else at[int(part)] if isinstance(at, list) and int(part) < len(at) else None
    return at["value"] if isinstance(at, Mapping) and "value" in at else at


def moved(before: Any, after: Any, moves: str, least: float) -> bool:
    """Whether a value moved as said."""
    if moves == CHANGES:
        return bool(before != after)
    step = least * max(abs(before), abs(after))
    return bool(after > before + step if moves == RISES else after < before - step)

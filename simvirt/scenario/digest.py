"""The digest of a scenario: the same for the same content, however it was written and wherever it lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from simvirt.errors import Issue, ScenarioError


def digest(content: Any) -> str:
    """SHA-256 [hex] of the plain content of a scenario in canonical form, with the content of its files in place of their names."""
    canonical = json.dumps(with_content(content), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def unstated(part: BaseModel) -> dict[Any, Any]:
    """The fields of a part, and of the parts in it, that came later than others and are as if they were not there; as pydantic excludes."""
    found = {}
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if name in getattr(part, "later", ()) and value == field.get_default(call_default_factory=True):
            found[name] = True
        elif inner := _unstated_in(value):
            found[name] = inner
    return found


def _unstated_in(value: Any) -> Any:
    """The same of what a field has: a part, or several by their keys or places."""
    if isinstance(value, BaseModel):
        return unstated(value)
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, tuple) else ()
    return {key: inner for key, item in items if (inner := _unstated_in(item))}


def with_content(value: Any) -> Any:
    """`value` with the digest of each file in place of its name."""
    if isinstance(value, dict):
        return {key: _file_digest(item) if _is_file(key, value) else with_content(item) for key, item in value.items()}
    return [with_content(item) for item in value] if isinstance(value, list) else value


def _is_file(key: str, holder: dict[str, Any]) -> bool:
    """Whether `key` names a file: in traces, rates (they have `at`) and empirical distributions."""
    return key == "file" and isinstance(holder[key], str) and ("at" in holder or holder.get("kind") == "empirical")


def _file_digest(name: str) -> str:
    """SHA-256 of a file's content [hex]; ScenarioError where it cannot be read."""
    try:
        with open(name, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ScenarioError([Issue(name, None, None, "", f"cannot be read: {error.strerror}")]) from None

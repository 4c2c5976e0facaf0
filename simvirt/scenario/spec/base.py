"""What all parts of a scenario share: frozen, unknown keys refused, and mistakes reported in messages of our own."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, ClassVar, Iterable, Mapping, NoReturn, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from simvirt.scenario.bounds import MOST_ISSUES
from simvirt.scenario.reading.messages import sentence
from simvirt.units import shown

TOLD = "told"
"""Type of an error that already is a message."""
MOST_TOLD = 10 * MOST_ISSUES
"""Mistakes of one part that are reported."""
TOLD_OF_KEY = "told_of_key"
"""The same, about a key and not about its value."""


class Spec(BaseModel):
    """A part of a scenario.

    `example` is how one is written; `shorthand` the key that a bare scalar stands for; `hints` what is meant by keys that people
    try; `also` are keys that are understood before this part is reached; `later` are fields that came after others, without which,
    as long as they are not stated, a scenario keeps its digest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    example: ClassVar[str] = "{...}"
    shorthand: ClassVar[str | None] = None
    hints: ClassVar[Mapping[str, str]] = {}
    also: ClassVar[tuple[str, ...]] = ()
    later: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Validates, with a message for each mistake that knows the fields of this part."""
        if isinstance(data, cls):
            return data
        try:
            return handler(cls._prepared(data))
        except ValidationError as error:
            raise retold(cls.__name__, (_line(cls, detail) for detail in details(error)[:MOST_TOLD])) from None

    @classmethod
    def _prepared(cls, data: Any) -> Any:
        """`data` with its shorthand spelled out, and without keys that are given as nothing."""
        if cls.shorthand is not None and isinstance(data, str):
            return {cls.shorthand: data}
        if not isinstance(data, Mapping):
            raise PydanticCustomError(TOLD, "{text}", {"text": f"expected a mapping, for example {cls.example}; got {shown(data)}"})
        known = keys_of(cls)
        return {key: value for key, value in data.items() if value is not None or key not in known}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> Any:
        """The schema of the mapping, and of the shorthand where there is one."""
        schema = handler(core_schema)
        if cls.shorthand is None:
            return schema
        resolved = handler.resolve_ref_schema(schema)
        mapping = dict(resolved)
        resolved.clear()
        resolved.update({"title": cls.__name__, "anyOf": [{"type": "string"}, mapping]})
        return schema


def keys_of(spec: type[BaseModel]) -> dict[str, FieldInfo]:
    """The keys of a part as written in YAML, with their fields."""
    return {field.alias or name: field for name, field in spec.model_fields.items()}


def retold(title: str, lines: Iterable[InitErrorDetails]) -> ValidationError:
    """A ValidationError made of the given lines."""
    return ValidationError.from_exception_data(title, list(lines))


def told(text: str, *path: str | int, value: object = None, of_key: bool = False) -> InitErrorDetails:
    """One mistake at `path` below the part at hand."""
    kind = TOLD_OF_KEY if of_key else TOLD
    return InitErrorDetails(type=PydanticCustomError(kind, "{text}", {"text": text}), loc=path, input=value)


def refuse(text: str, *path: str | int) -> NoReturn:
    """Raises the ValidationError of one mistake at `path` below the part at hand."""
    raise retold("part", [told(text, *path)])


def below(error: ValidationError, *prefix: str | int) -> ValidationError:
    """The same mistakes, `prefix` further down."""
    return retold(error.title, (told(text_of(d), *prefix, *d["loc"], of_key=d["type"] == TOLD_OF_KEY) for d in details(error)))


def details(error: ValidationError) -> list[Any]:
    """The lines of a ValidationError; without a list's complaint that it is too short when only its entries are wrong."""
    return [line for line in error.errors(include_url=False) if not _echo(line)]


def _echo(line: Mapping[str, Any]) -> bool:
    """Whether a line only repeats that the entries of a list are wrong."""
    return bool(line["type"] == "too_short" and len(line["input"]) >= line["ctx"]["min_length"])


def text_of(detail: Mapping[str, Any]) -> str:
    """The message of one line."""
    return str(detail["msg"]) if detail["type"] in (TOLD, TOLD_OF_KEY) else sentence(detail)


def _line(spec: type[Spec], detail: Mapping[str, Any]) -> InitErrorDetails:
    """One line retold with what the part knows about the field."""
    loc = _as_written(spec, detail["loc"])
    if detail["type"] == "extra_forbidden" and len(loc) == 1:
        return told(unknown_key(str(loc[0]), [*keys_of(spec), *spec.also], spec.hints), *loc, of_key=True)
    if detail["type"] == "missing" and len(loc) == 1:
        return told(_missing(spec, str(loc[0])), *loc)
    example = _example(keys_of(spec).get(str(loc[0]))) if len(loc) == 1 else None
    text = str(detail["msg"]) if detail["type"] in (TOLD, TOLD_OF_KEY) else sentence(detail, example)
    return told(text, *loc, of_key=detail["type"] == TOLD_OF_KEY)


def unknown_key(key: str, known: Iterable[str], hints: Mapping[str, str] | None = None) -> str:
    """The message for a key that does not exist, with a guess."""
    names = list(known)
    if hints and key in hints:
        return f"unknown key; {hints[key]}"
    name, colon, rest = key.partition(":")
    if colon and rest and name in names:
        return f'unknown key; did you mean "{name}: {rest[:40]}", with a space after the colon?'
    close = get_close_matches(key.lower()[:100], names, n=1)
    if close:
        return f'unknown key; did you mean "{close[0]}"?'
    return f"unknown key; known here: {', '.join(names)}"


def _as_written(spec: type[Spec], loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """A path that begins with the key of a field, where a default that was not written is known by the field's name."""
    field = spec.model_fields.get(str(loc[0])) if loc else None
    return (field.alias, *loc[1:]) if field is not None and field.alias is not None else loc


def _missing(spec: type[Spec], key: str) -> str:
    """The message for a key that is missing."""
    field = keys_of(spec)[key]
    what = f" ({field.description})" if field.description else ""
    example = _example(field)
    return f"missing{what}" + (f', for example "{key}: {example}"' if example else "")


def _example(field: FieldInfo | None) -> str | None:
    """How the value of a field is written."""
    return str(field.examples[0]) if field is not None and field.examples else None

"""What all entries of the catalogue share."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr

from simvirt.units import shown


def _printable(text: str) -> str:
    """ValueError where a text would do something to a terminal."""
    if not text.isprintable():
        raise ValueError(f"expected printable text on one line; got {shown(text)}")
    return text


Text = Annotated[str, AfterValidator(_printable)]
Source = Annotated[str, Field(min_length=8), AfterValidator(_printable)]


class Part(BaseModel):
    """A part of an entry: frozen, unknown keys refused. Its sourced numbers compute as floats and ints in canonical units."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(Part):
    """What all entries share: what it is, where its plain facts come from, and the name under which it was asked for."""

    title: Text
    source: Source
    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """Its name among the entries of its kind."""
        return self._name

    def named(self, name: str) -> Self:
        """The same entry under a name."""
        entry = self.model_copy()
        entry._name = name
        return entry

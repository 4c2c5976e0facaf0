"""What all entries of the catalogue share."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

Source = Annotated[str, Field(min_length=8)]


class Part(BaseModel):
    """A part of an entry: frozen, unknown keys refused. Its sourced numbers compute as floats and ints in canonical units."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(Part):
    """What all entries share: what it is, where its plain facts come from, and the name under which it was asked for."""

    title: str
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

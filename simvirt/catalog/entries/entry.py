"""What all entries of the catalogue share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Source = Annotated[str, Field(min_length=8)]


class Entry(BaseModel):
    """What all entries share: what it is, and where its plain facts come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    source: Source

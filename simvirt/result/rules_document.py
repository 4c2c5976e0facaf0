"""The document of `simvirt validate FILE`: rule cases beside what simvirt's own rules answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from simvirt.result.document import Document, Number, Program


class Difference(Document):
    """One key of what a case expects that simvirt answers otherwise."""

    key: str = Field(description="the key")
    expected: Any = Field(description="what the case expects")
    got: Any = Field(description="what simvirt answers")


class CaseResult(Document):
    """One case."""

    id: str = Field(description="its name in the file")
    kind: str = Field(description="its kind")
    function: str = Field(description="the function of the kind that it is about, empty where it names none")
    source: str = Field(description="where the case is from, as the file says")
    verdict: Literal["same", "part", "different", "unknown"] = Field(
        description="`same` where simvirt answers all that is expected, `part` where it answers a part and leaves the rest open,"
        " `different` where a key is another, `unknown` where it does not answer"
    )
    reason: str = Field(default="", description="why something is not known")
    differences: tuple[Difference, ...] = Field(default=(), description="where different: the keys")
    overlooked: tuple[str, ...] = Field(default=(), description="keys of what is given that no rule looked at")
    error: Number | None = Field(
        default=None, description="of magnitudes: by how much the larger of two numbers exceeds the smaller, the worst of the case"
    )
    errors: tuple[Number, ...] = Field(default=(), description="of magnitudes: the same of each of them")


class KindResult(Document):
    """The cases of one kind."""

    kind: str = Field(description="the kind")
    cases: int = Field(description="cases of it in the file")
    same: int = Field(description="those that simvirt answers as expected")
    part: int = Field(default=0, description="those that it answers in part, and there as expected")
    different: int = Field(description="those that it answers otherwise")
    unknown: int = Field(description="those that it has no answer to")
    factor: Number = Field(description="up to which factor magnitudes count as the same: 1 where all has to be exact")
    median_error: Number | None = Field(default=None, description="of magnitudes: median of their errors")


class RulesDocument(Document):
    """What `simvirt validate FILE` prints with `--format json`."""

    simvirt: Program = Field(description="what made the document")
    file: str = Field(description="the file of cases")
    kinds: tuple[KindResult, ...] = Field(description="the kinds in it, each with its score")
    cases: tuple[CaseResult, ...] = Field(description="its cases")
    wall_s: Number = Field(description="wall-clock time of the command")

"""The document of `simvirt check`, and of every command whose input or usage is wrong: all mistakes, each with its place."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import Field

from simvirt.errors import Issue, ScenarioError
from simvirt.result.document import Document


class Mistake(Document):
    """One mistake."""

    file: str | None = Field(description="where it was written: a file or an option; `null` where it has no place")
    line: int | None = Field(description="line, from 1")
    column: int | None = Field(description="column, from 1")
    path: str = Field(description="the value's path in the scenario, such as `services.web.threads`")
    message: str = Field(description="what was expected, an example, what came")


class Mistakes(Document):
    """What `simvirt check` prints with `--format json`, and any command that refuses or fails to do something."""

    ok: bool = Field(description="whether there is no mistake")
    issues: tuple[Mistake, ...] = Field(description="all mistakes")
    assumptions: tuple[str, ...] = Field(default=(), description="of a scenario without mistakes: what is assumed where it is silent")


def without_mistakes(assumptions: tuple[str, ...]) -> Mistakes:
    """A scenario without mistakes."""
    return Mistakes(ok=True, issues=(), assumptions=assumptions) if assumptions else Mistakes(ok=True, issues=())


def mistakes_of(error: Exception, message: str = "") -> Mistakes:
    """The mistakes of a scenario, or any other error as a message without a place."""
    issues = error.issues if isinstance(error, ScenarioError) else (Issue(None, None, None, "", message or str(error)),)
    return Mistakes(ok=False, issues=tuple(Mistake(**asdict(issue)) for issue in issues))

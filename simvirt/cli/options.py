"""The options that are the same everywhere."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How a result is printed: `report/as_NAME.py` renders form NAME."""

    text = "text"
    json = "json"
    csv = "csv"
    markdown = "markdown"


class ResultFormat(StrEnum):
    """How the result of a command that simulates is printed: as any other, or as the page of `simvirt report`."""

    text = "text"
    json = "json"
    csv = "csv"
    markdown = "markdown"
    html = "html"


ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario in YAML.", show_default=False)]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help="Override one value: services.web.deploy.replicas=8. May be repeated.", show_default=False
    ),
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of the random streams, instead of the scenario's.", show_default=False)
]
OnlyPlatform = Annotated[
    list[str] | None,
    typer.Option("--platform", metavar="NAME", help="Only this platform of the scenario. May be repeated.", show_default=False),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=0, help="Replications run in parallel; 0: one per CPU. Results are the same.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for result files.")]
As = Annotated[Format, typer.Option("--format", help="How to print the result.")]
AsResult = Annotated[ResultFormat, typer.Option("--format", help="How to print the result; html is a page with charts.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes, only the result.")]

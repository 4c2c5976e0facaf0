"""`simvirt schema`: the JSON Schema of scenarios, for editors, and of results, for programs."""

from typing import Annotated

import typer

from simvirt.cli import output

Result = Annotated[bool, typer.Option("--result", help="The schema of a result instead: what --format json prints.")]
Kind = Annotated[
    str | None,
    typer.Argument(help="With --result: run, density, plan, sweep, validate, check, error, list or explain.", show_default="run"),
]


def schema(kind: Kind = None, result: Result = False) -> int:
    """Print the JSON Schema of scenarios, so that editors complete and check them; with --result that of results."""
    from simvirt.errors import UsageError

    if kind is not None and not result:
        raise UsageError(f"schema {kind}: expected --result before the name of a result: simvirt schema --result {kind}")
    if result:
        from simvirt.result.schema import result_schema as found

        output.json(found(kind or "run"))
        return 0
    from simvirt.scenario import json_schema

    output.json(json_schema())
    return 0

"""`simvirt schema`: the JSON Schema of scenarios, for editors."""

from simvirt.cli import output
from simvirt.cli.options import Format


def schema() -> int:
    """Print the JSON Schema of scenarios, so that editors complete and check them."""
    from simvirt.scenario import json_schema

    output.result(json_schema(), Format.json)
    return 0

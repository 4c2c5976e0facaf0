"""`simvirt schema`: the JSON Schema of scenarios, for editors."""

from simvirt.cli import output


def schema() -> int:
    """Print the JSON Schema of scenarios, so that editors complete and check them."""
    from simvirt.scenario import json_schema

    output.json(json_schema())
    return 0

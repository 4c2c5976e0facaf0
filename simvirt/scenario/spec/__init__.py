"""The parts of a scenario as frozen data: one pydantic model a table of YAML."""

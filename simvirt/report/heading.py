"""How a result was made, in words."""

from simvirt.result.document import Program, ScenarioName


def counted(number: int, noun: str) -> str:
    """`1 replication`, `5 replications`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def scenario(said: ScenarioName) -> str:
    """Which scenario, by the first digits of its digest."""
    return f"scenario {said.digest[:8]}" if said.digest else ""


def made_by(program: Program) -> str:
    """Version and kernel."""
    return f"simvirt {program.version} ({program.kernel})" if program.version else "simvirt"

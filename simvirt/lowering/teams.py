"""What the members of a team do, as instructions."""

from simvirt.kernel import constants as k
from simvirt.lowering.instructions import Instruction
from simvirt.scenario.spec.teams import TeamSpec


def member(share: Instruction, serial: Instruction | None, team: TeamSpec, first: bool, wake: float) -> list[Instruction]:
    """A member's share of each region and the barrier; where one computes alone, the first does that, and all wait for it."""
    rows = [share, *_barrier(team.spin, wake)]
    if serial is not None:
        rows += [*([serial] if first else []), *_barrier(team.spin, wake)]
    if team.regions > 1:
        rows.append(Instruction(k.OP_ROUND, target=0, entry=team.regions, local=True))
    return [*rows, Instruction(k.OP_RETURN)]


def _barrier(spin: float, wake: float) -> list[Instruction]:
    """Wait for all others: who slept meanwhile computes what waking up takes."""
    return [Instruction(k.OP_BARRIER, amount=spin), Instruction(k.OP_REST), Instruction(k.OP_CPU, amount=wake)]

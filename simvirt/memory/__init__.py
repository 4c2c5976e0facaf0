"""Memory: what instances need, who holds the host's bytes, how many of everything there is. Pure functions, nothing is simulated."""

from simvirt.memory.footprint import footprint
from simvirt.memory.ledger import Ledger
from simvirt.memory.limits import Limit, limits
from simvirt.memory.working_set import Load

__all__ = ["Ledger", "Limit", "Load", "footprint", "limits"]

"""Memory: what instances need, and which of them holds the host's bytes. Pure functions, nothing is simulated."""

from simvirt.memory.footprint import footprint
from simvirt.memory.ledger import Ledger
from simvirt.memory.working_set import Load

__all__ = ["Ledger", "Load", "footprint"]

"""Memory: what instances need, and which of them holds the host's bytes. Pure functions, nothing is simulated."""

from simvirt.memory.at_rest import footprint
from simvirt.memory.ledger import Ledger
from simvirt.memory.occupancy import Occupancy, occupancy
from simvirt.memory.working_set import Load

__all__ = ["Ledger", "Load", "Occupancy", "footprint", "occupancy"]

"""Sweeps: one scenario over many values of its leaves, in a ledger that loses nothing, and what the results depend on."""

from simvirt.runs.callable_module import callable_as_its_function
from simvirt.sweep.files import Sweep, load
from simvirt.sweep.sweeping import sweep
from simvirt.sweep.swept import Swept

__all__ = ["Sweep", "Swept", "load", "sweep"]

callable_as_its_function(__name__)

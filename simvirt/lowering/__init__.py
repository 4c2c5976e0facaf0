"""The seam, downward: a scenario on a platform becomes the tables of the data plane."""

from simvirt.lowering.lower import Lowered, lower

__all__ = ["Lowered", "lower"]

"""How many instances a host holds: the largest n that meets the objective with confidence, what binds it, and the curve up to there."""

from simvirt.density.answer import Answer, DensityResult
from simvirt.density.platforms import density
from simvirt.runs.callable_module import callable_as_its_function

__all__ = ["Answer", "DensityResult", "density"]

callable_as_its_function(__name__)

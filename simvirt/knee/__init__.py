"""At which rate an objective breaks, on each platform: an interval of rates with its confidence, beside the saturation rate."""

from simvirt.knee.answer import KneeResult
from simvirt.knee.platforms import knee
from simvirt.runs.callable_module import callable_as_its_function

__all__ = ["KneeResult", "knee"]

callable_as_its_function(__name__)

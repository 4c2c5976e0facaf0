"""Two results side by side: what changed, how surely, and what differs between the two."""

from simvirt.compare.asserted import Allowed
from simvirt.compare.comparing import CompareResult, compare
from simvirt.runs.callable_module import callable_as_its_function

__all__ = ["Allowed", "CompareResult", "compare"]

callable_as_its_function(__name__)

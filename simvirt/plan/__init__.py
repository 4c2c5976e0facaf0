"""Planning: which hosts, how many of them, what runs where, what it costs, and what an uncertain load makes of the choice."""

from simvirt.plan.document import Plan
from simvirt.plan.study import plan
from simvirt.runs.callable_module import callable_as_its_function

__all__ = ["Plan", "plan"]

callable_as_its_function(__name__)

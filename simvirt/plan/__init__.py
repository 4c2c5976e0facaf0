"""Planning: which hosts, how many of them, what runs where, what it costs, and what an uncertain load makes of the choice."""

from simvirt.plan.document import Plan
from simvirt.plan.study import plan

__all__ = ["Plan", "plan"]

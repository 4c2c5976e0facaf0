"""Which host a replica goes to: hosts as they are, what is asked, a choice with its reason."""

from simvirt.placement.choice import POLICIES, Choice, Policy, choose, place_all
from simvirt.placement.hosts import Asked, Hosts, Reserves, asked_by, hosts_of, reserved_by

__all__ = [
    "POLICIES", "Asked", "Choice", "Hosts", "Policy", "Reserves", "asked_by", "choose", "hosts_of", "place_all", "reserved_by",
]

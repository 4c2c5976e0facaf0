"""The network between hosts: its graph, routes through it, and how transfers share its links."""

from simvirt.network.sharing import max_min
from simvirt.network.topology import Endpoint, Link, Route, Topology

__all__ = ["Endpoint", "Link", "Route", "Topology", "max_min"]

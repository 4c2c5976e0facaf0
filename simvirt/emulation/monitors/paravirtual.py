"""Paravirtual."""
from simvirt.emulation.monitors.trap import Trap


class Paravirtual(Trap):
    """x"""

"""The version of simvirt."""

__version__ = "0.1.0"

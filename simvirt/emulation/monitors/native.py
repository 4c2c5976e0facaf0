"""No technique: the guest has the machine for itself."""

from simvirt.emulation.making import Made


class Native(Made):
    """The machine that a guest sees is the machine."""

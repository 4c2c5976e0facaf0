"""What lies at which physical address outside the memory: the map of QEMU's board `virt`."""

from simvirt.machine.devices.clint import read_clint, write_clint
from simvirt.machine.devices.finisher import write_finisher
from simvirt.machine.devices.plic import read_plic, write_plic
from simvirt.machine.devices.uart import read_uart, write_uart
from simvirt.machine.devices.virtio import read_virtio, write_virtio
from simvirt.machine.tables import Machine

FINISHER_AT = 0x100000
FINISHER_SIZE = 0x1000
CLINT_AT = 0x2000000
CLINT_SIZE = 0xC000
PLIC_AT = 0xC000000
PLIC_SIZE = 0x600000
UART_AT = 0x10000000
UART_SIZE = 0x100
VIRTIO_AT = 0x10001000
VIRTIO_SIZE = 0x8000  # of all slots

NOWHERE = -1
FINISHER = 0
CLINT = 1
PLIC = 2
UART = 3
VIRTIO = 4
DEVICES = 5


def device_at(at: int, size: int) -> int:
    """The device that an access reaches, which begins and ends in its registers."""
    if UART_AT <= at <= UART_AT + UART_SIZE - size:
        return UART
    if VIRTIO_AT <= at <= VIRTIO_AT + VIRTIO_SIZE - size:
        return VIRTIO
    if CLINT_AT <= at <= CLINT_AT + CLINT_SIZE - size:
        return CLINT
    if PLIC_AT <= at <= PLIC_AT + PLIC_SIZE - size:
        return PLIC
    if FINISHER_AT <= at <= FINISHER_AT + FINISHER_SIZE - size:
        return FINISHER
    return NOWHERE


def read_device(m: Machine, device: int, at: int) -> int:
    """What a load from a device gives."""
    m.counts.accesses[device] += 1
    if device == UART:
        return read_uart(m, at - UART_AT)
    if device == VIRTIO:
        return read_virtio(m, at - VIRTIO_AT)
    if device == CLINT:
        return read_clint(m, at - CLINT_AT)
    if device == PLIC:
        return read_plic(m, at - PLIC_AT)
    return 0


def write_device(m: Machine, device: int, at: int, size: int, value: int) -> None:
    """What a store to a device does."""
    m.counts.accesses[DEVICES + device] += 1
    if device == UART:
        write_uart(m, at - UART_AT, value)
    elif device == VIRTIO:
        write_virtio(m, at - VIRTIO_AT, value)
    elif device == CLINT:
        write_clint(m, at - CLINT_AT, size, value)
    elif device == PLIC:
        write_plic(m, at - PLIC_AT, value)
    else:
        write_finisher(m, at - FINISHER_AT, value)

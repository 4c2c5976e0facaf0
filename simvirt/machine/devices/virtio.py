"""Registers of virtio devices in memory (virtio-mmio, version 2), eight slots of which some hold a device.

*Source.* VIRTIO 1.2, chapter 4.2.2; the places are those of QEMU's board `virt`.
"""

from simvirt.machine.devices.rings import LARGEST, NEEDS_RESET, QUEUES, VERSION_1, break_device, line_of, ready_queue
from simvirt.machine.devices.virtio_queues import kick, serve_queue
from simvirt.machine.devices.virtio_block import BLOCK
from simvirt.machine.devices.virtio_entropy import ENTROPY
from simvirt.machine.tables import Machine
from simvirt.machine.words import load64, right_shift

SLOT_STEP = 0x1000
CONFIG = 0x100
CONFIG_BYTES = 64
MAGIC_WORD = 0x74726976
VENDOR_WORD = 0x564D4953
REGISTER_VERSION = 2
FEATURES_OK = 8
HIGH_HALF = -0x100000000
LOW_HALF = 0xFFFFFFFF


def read_virtio(m: Machine, at: int) -> int:
    """A register of a slot."""
    slot: int = at // SLOT_STEP
    register: int = at % SLOT_STEP
    if register >= CONFIG:
        inside: bool = register < CONFIG + CONFIG_BYTES
        return load64(m.disk.config, slot * CONFIG_BYTES + register - CONFIG) if inside else 0
    row: int = slot * QUEUES + m.virtio.queue[slot]
    if register < 0x10:
        return about_slot(m, slot, register)
    if register == 0x10:
        return half(m.virtio.offered[slot], m.virtio.asked[slot])
    if register == 0x34:
        return LARGEST if m.virtio.queue[slot] < queues_of(m, slot) else 0
    if register == 0x44:
        return m.queues.ready[row] if m.virtio.queue[slot] < QUEUES else 0
    if register == 0x60:
        return m.virtio.reasons[slot]
    return m.virtio.status[slot] if register == 0x70 else 0


def about_slot(m: Machine, slot: int, register: int) -> int:
    """What a slot holds."""
    if register == 0x0:
        return MAGIC_WORD
    if register == 0x4:
        return REGISTER_VERSION
    return m.virtio.kind[slot] if register == 0x8 else VENDOR_WORD


def queues_of(m: Machine, slot: int) -> int:
    """How many queues the device of a slot has."""
    if m.virtio.kind[slot] == 0:
        return 0
    return 1 if m.virtio.kind[slot] == BLOCK or m.virtio.kind[slot] == ENTROPY else QUEUES


def half(bits: int, which: int) -> int:
    """The lower or the upper 32 of 64 bits."""
    if which == 0:
        return bits & LOW_HALF
    return right_shift(bits, 32) if which == 1 else 0


def with_half(bits: int, upper: bool, value: int) -> int:
    """A word with another half."""
    if upper:
        return bits & LOW_HALF | (value << 32)
    return bits & HIGH_HALF | value


def write_virtio(m: Machine, at: int, value: int) -> None:
    """Set a register of a slot."""
    slot: int = at // SLOT_STEP
    register: int = at % SLOT_STEP
    value = value & LOW_HALF
    if m.virtio.kind[slot] == 0:
        return
    if register == 0x14:
        m.virtio.asked[slot] = value
    elif register == 0x24:
        m.virtio.chosen[slot] = value
    elif register == 0x20 and m.virtio.chosen[slot] <= 1 and m.virtio.status[slot] & FEATURES_OK == 0:
        m.virtio.accepted[slot] = with_half(m.virtio.accepted[slot], m.virtio.chosen[slot] == 1, value)
    elif register == 0x30:
        m.virtio.queue[slot] = value
    elif register == 0x50:
        kick(m, slot, value)
    elif register == 0x64:
        m.virtio.reasons[slot] = m.virtio.reasons[slot] & ~value
        line_of(m, slot)
    elif register == 0x70:
        set_status(m, slot, value & 0xFF)
    elif m.virtio.queue[slot] < queues_of(m, slot):
        set_queue(m, slot, slot * QUEUES + m.virtio.queue[slot], register, value)


def set_status(m: Machine, slot: int, value: int) -> None:
    """The driver says how far it is; zero resets the device, features that are not offered are not accepted."""
    if value == 0:
        reset_slot(m, slot)
        return
    accepted: int = m.virtio.accepted[slot]
    if accepted & VERSION_1 == 0 or accepted & ~m.virtio.offered[slot]:
        value = value & ~FEATURES_OK
    m.virtio.status[slot] = value | m.virtio.status[slot] & NEEDS_RESET
    for queue in range(queues_of(m, slot)):
        serve_queue(m, slot, queue)


def reset_slot(m: Machine, slot: int) -> None:
    """As it was at first."""
    m.virtio.status[slot], m.virtio.reasons[slot], m.virtio.accepted[slot], m.virtio.queue[slot] = 0, 0, 0, 0
    for row in range(slot * QUEUES, slot * QUEUES + QUEUES):
        m.queues.ready[row], m.queues.size[row], m.queues.seen[row], m.queues.used[row] = 0, 0, 0, 0
        m.queues.descriptors[row], m.queues.driver[row], m.queues.device[row] = 0, 0, 0
    line_of(m, slot)


def set_queue(m: Machine, slot: int, row: int, register: int, value: int) -> None:
    """Where the rings of the chosen queue lie; they stay where they are while it is in use."""
    upper: bool = register & 4 != 0
    if register == 0x44:
        if value & 1 == 0:
            m.queues.ready[row] = 0
        elif m.queues.ready[row] == 0:
            ready_queue(m, slot, row)
    elif m.queues.ready[row]:
        break_device(m, slot)
    elif register == 0x38:
        m.queues.size[row] = value
    elif register == 0x80 or register == 0x84:
        m.queues.descriptors[row] = with_half(m.queues.descriptors[row], upper, value)
    elif register == 0x90 or register == 0x94:
        m.queues.driver[row] = with_half(m.queues.driver[row], upper, value)
    elif register == 0xA0 or register == 0xA4:
        m.queues.device[row] = with_half(m.queues.device[row], upper, value)

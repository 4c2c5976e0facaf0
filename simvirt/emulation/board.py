"""The board: what lies where, as the tree that is handed to the guest says it. It is QEMU's board `virt`, so that its systems run here.

*Source.* QEMU's documentation of the board, its memory map and device tree; the bindings of Linux for the devices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simvirt.emulation.devicetree import Node, cells, flattened, text, wide
from simvirt.errors import UsageError
from simvirt.machine.devices import bus
from simvirt.machine.devices.rings import SLOTS
from simvirt.machine.devices.uart import UART_SOURCE
from simvirt.machine.devices.virtio import SLOT_STEP

CLOCK: Final = 10_000_000  # ticks a second of the guest
UART_CLOCK: Final = 3_686_400
INTC, PLIC, FINISHER = 1, 2, 3  # handles
ISA: Final = "rv64imach_zicsr_zifencei"
M_SOFTWARE, M_TIMER, M_EXTERNAL, S_EXTERNAL = 3, 7, 11, 9
SEED: Final = bytes((k * 167 + 13) % 256 for k in range(64))
"""Bytes that a guest begins its random numbers with: the same in every run, so that every run is the same."""


@dataclass(frozen=True)
class Given:
    """What a guest's tree says beside the board."""

    memory: int
    base: int
    append: str = ""
    initrd: tuple[int, int] | None = None  # begin and end


def tree(given: Given) -> bytes:
    """The device tree."""
    root = Node("", {
        "#address-cells": cells(2), "#size-cells": cells(2), "compatible": text("riscv-virtio"), "model": text("riscv-virtio,qemu"),
    })
    root.children.append(chosen(given))
    root.child(f"memory@{given.base:x}", device_type=text("memory"), reg=wide(given.base, given.memory))
    add_cpu(root)
    soc = root.child("soc", n_address_cells=cells(2), n_size_cells=cells(2), compatible=text("simple-bus"), ranges=b"")
    add_devices(soc)
    add_slots(soc)
    add_power(root)
    return flattened(root)


def chosen(given: Given) -> Node:
    """What the guest is told: its command line, console and initial file system."""
    node = Node("chosen")
    if "\0" in given.append or any(0xD800 <= ord(letter) < 0xE000 for letter in given.append):
        raise UsageError("--append: expected text without zeros and half characters, for example 'console=ttyS0'")
    node.properties = {"bootargs": text(given.append), "stdout-path": text(f"/soc/serial@{bus.UART_AT:x}"), "rng-seed": SEED}
    if given.initrd is not None:
        node.properties |= {"linux,initrd-start": wide(given.initrd[0]), "linux,initrd-end": wide(given.initrd[1])}
    return node


def add_cpu(root: Node) -> None:
    """The hart."""
    cpus = root.child("cpus", n_address_cells=cells(1), n_size_cells=cells(0), timebase_frequency=cells(CLOCK))
    cpu = cpus.child(
        "cpu@0", device_type=text("cpu"), reg=cells(0), status=text("okay"), compatible=text("riscv"), riscv__isa=text(ISA),
        mmu_type=text("riscv,sv39"),
    )
    cpu.child(
        "interrupt-controller", n_interrupt_cells=cells(1), interrupt_controller=b"", compatible=text("riscv,cpu-intc"),
        phandle=cells(INTC),
    )


def add_devices(soc: Node) -> None:
    """Timer, interrupt controller, serial line and finisher."""
    soc.child(
        f"clint@{bus.CLINT_AT:x}", compatible=text("sifive,clint0", "riscv,clint0"), reg=wide(bus.CLINT_AT, 0x10000),
        interrupts_extended=cells(INTC, M_SOFTWARE, INTC, M_TIMER),
    )
    soc.child(
        f"plic@{bus.PLIC_AT:x}", compatible=text("sifive,plic-1.0.0", "riscv,plic0"), reg=wide(bus.PLIC_AT, bus.PLIC_SIZE),
        interrupts_extended=cells(INTC, M_EXTERNAL, INTC, S_EXTERNAL), interrupt_controller=b"", n_interrupt_cells=cells(1),
        n_address_cells=cells(0), riscv__ndev=cells(31), phandle=cells(PLIC),
    )
    soc.child(
        f"serial@{bus.UART_AT:x}", compatible=text("ns16550a"), reg=wide(bus.UART_AT, bus.UART_SIZE), interrupts=cells(UART_SOURCE),
        interrupt_parent=cells(PLIC), clock_frequency=cells(UART_CLOCK),
    )
    soc.child(
        f"test@{bus.FINISHER_AT:x}", compatible=text("sifive,test1", "sifive,test0", "syscon"),
        reg=wide(bus.FINISHER_AT, bus.FINISHER_SIZE), phandle=cells(FINISHER),
    )


def add_slots(soc: Node) -> None:
    """The slots of virtio devices, those without a device too: what is in one is found there."""
    for slot in range(SLOTS):
        at = bus.VIRTIO_AT + slot * SLOT_STEP
        soc.child(
            f"virtio_mmio@{at:x}", compatible=text("virtio,mmio"), reg=wide(at, SLOT_STEP), interrupts=cells(slot + 1),
            interrupt_parent=cells(PLIC),
        )


def add_power(root: Node) -> None:
    """How to power off and to reboot."""
    for name, word in (("poweroff", 0x5555), ("reboot", 0x7777)):
        root.child(name, compatible=text(f"syscon-{name}"), regmap=cells(FINISHER), offset=cells(0), value=cells(word))

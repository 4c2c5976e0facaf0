"""Which device serves which queue, and for how long: until there is no chain, nothing to give, or no room for what is said."""

from simvirt.machine.devices.rings import (
    KICKS,
    NEEDS_RESET,
    QUEUES,
    SLOTS,
    break_device,
    gather_chain,
    give_back,
    tally,
    tell_driver,
    waiting_chains,
)
from simvirt.machine.devices.uart import has_input
from simvirt.machine.devices.virtio_block import BLOCK, serve_block
from simvirt.machine.devices.virtio_console import CONSOLE, MOST_LETTERS, fill_console, has_room, serve_console
from simvirt.machine.devices.virtio_entropy import ENTROPY, fill_entropy
from simvirt.machine.devices.virtio_net import NET, TO_GUEST, frames_waiting, receive_frame, send_frame
from simvirt.machine.tables import Machine

DRIVER_OK = 4
RECEIVES = 0  # first queue of consoles and networks
SENDS = 1


def kick(m: Machine, slot: int, queue: int) -> None:
    """The driver says that there are chains in a queue."""
    if 0 <= queue < QUEUES and m.virtio.kind[slot] != 0:
        tally(m, slot, KICKS, 1)
        serve_queue(m, slot, queue)


def serve_all(m: Machine) -> None:
    """Go on where something came from outside, or there was no room: consoles and networks."""
    for slot in range(SLOTS):
        if m.virtio.kind[slot] == CONSOLE or m.virtio.kind[slot] == NET:
            serve_queue(m, slot, RECEIVES)
            serve_queue(m, slot, SENDS)


def serve_queue(m: Machine, slot: int, queue: int) -> None:
    """Serve chains of a queue; what comes back through an echo is given at once."""
    row: int = slot * QUEUES + queue
    before: int = m.queues.used[row]
    if m.virtio.status[slot] & DRIVER_OK == 0 or m.queues.ready[row] == 0:
        return
    while can_serve(m, slot, queue) and waiting_chains(m, slot, row) > 0 and gather_chain(m, slot, row):
        written: int = serve_chain(m, slot, queue)
        if written >= 0:
            give_back(m, row, written)
    if m.virtio.status[slot] & NEEDS_RESET == 0:
        tell_driver(m, slot, row, before)
    if m.virtio.kind[slot] == NET and queue == SENDS and frames_waiting(m, TO_GUEST) > 0:
        serve_queue(m, slot, RECEIVES)


def can_serve(m: Machine, slot: int, queue: int) -> bool:
    """Whether there is something to give, or room for what is said."""
    if m.virtio.kind[slot] == CONSOLE:
        return has_input(m) if queue == RECEIVES else has_room(m)
    if m.virtio.kind[slot] == NET and queue == RECEIVES:
        return frames_waiting(m, TO_GUEST) > 0
    return queue == 0 or m.virtio.kind[slot] == NET


def serve_chain(m: Machine, slot: int, queue: int) -> int:
    """Do what the table of segments is for; bytes that were written to the guest, -1 where the device has been broken by it."""
    kind: int = m.virtio.kind[slot]
    if kind == BLOCK:
        return serve_block(m, slot)
    if kind == ENTROPY:
        return fill_entropy(m, slot)
    if kind == NET:
        return receive_frame(m, slot) if queue == RECEIVES else send_frame(m, slot)
    if queue == RECEIVES:
        return fill_console(m, slot)
    if m.chain.readable[0] > MOST_LETTERS:
        break_device(m, slot)
        return -1
    return serve_console(m, slot)

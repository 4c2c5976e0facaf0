"""A network card (virtio-net): frames go to a sink, come back (echo), or go over a wire that the caller moves them along.

*Model.* One pair of queues, no offloads. A frame that finds no buffer waits, 64 of them at most; what comes beyond, and a frame of more
than 2048 bytes, is dropped and counted.

*Source.* VIRTIO 1.2, chapter 5.1.
"""

from simvirt.machine.constants import OUTPUT
from simvirt.machine.devices.rings import DROPPED, break_device, give_bytes, put_header, take_bytes, tally
from simvirt.machine.tables import Machine

NET = 1
NET_HEADER = 12
FRAMES = 64  # that wait in one direction
FRAME_BYTES = 2048
TO_GUEST = 0  # directions
FROM_GUEST = 1
SINK = 0  # where frames go
ECHO = 1
WIRE = 2


def frames_waiting(m: Machine, direction: int) -> int:
    """Frames that wait in a direction."""
    return (m.frames.tail[direction] + 2 * FRAMES - m.frames.head[direction]) % (2 * FRAMES)


def frame_place(direction: int, number: int) -> int:
    """Number of a frame in the table of both directions."""
    return direction * FRAMES + number % FRAMES


def send_frame(m: Machine, slot: int) -> int:
    """Send what is in the table of segments."""
    count: int = m.chain.readable[0] - NET_HEADER
    direction: int = TO_GUEST if m.frames.goes[0] == ECHO else FROM_GUEST
    if count < 0:
        break_device(m, slot)
        return -1
    if m.frames.goes[0] == SINK:
        m.counts.frames[FROM_GUEST] += 1
        return 0
    if count > FRAME_BYTES or frames_waiting(m, direction) == FRAMES:
        tally(m, slot, DROPPED, 1)
        return 0
    place: int = frame_place(direction, m.frames.tail[direction])
    m.frames.count[place] = count
    take_bytes(m, slot, m.frames.data, place * FRAME_BYTES, NET_HEADER, count)
    m.frames.tail[direction] = (m.frames.tail[direction] + 1) % (2 * FRAMES)
    m.counts.frames[FROM_GUEST] += 1
    if direction == FROM_GUEST:
        m.hart.stop[0] = OUTPUT
        m.hart.limit[0] = 0
    return 0


def receive_frame(m: Machine, slot: int) -> int:
    """Give the guest the next frame that waits; one that finds too little room is dropped."""
    place: int = frame_place(TO_GUEST, m.frames.head[TO_GUEST])
    count: int = m.frames.count[place]
    m.frames.head[TO_GUEST] = (m.frames.head[TO_GUEST] + 1) % (2 * FRAMES)
    if m.chain.writable[0] < NET_HEADER + count:
        tally(m, slot, DROPPED, 1)
        return 0
    put_header(m, 0, 0)
    put_header(m, 8, 1 << 16)  # buffers of the frame
    give_bytes(m, slot, m.chain.header, 0, 0, NET_HEADER)
    give_bytes(m, slot, m.frames.data, place * FRAME_BYTES, NET_HEADER, count)
    m.counts.frames[TO_GUEST] += 1
    return NET_HEADER + count

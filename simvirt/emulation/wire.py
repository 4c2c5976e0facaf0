"""A wire between two machines: what one sends waits for the other, which has the next turn.

*Model.* The machines run in turns of a fixed length, so that a pair of guests does the same each time. A frame arrives at the begin of
the other's next turn; one that finds 64 others waiting stays with the sender, whose further ones are dropped. A machine that waits ends
its turn.

*Ignores.* Delay and bandwidth of a link: the two clocks go on their own.
"""

from __future__ import annotations

import math
import time
from typing import Any, Final

from simvirt.emulation.emulator import Emulator, End
from simvirt.machine.devices.virtio_net import FRAME_BYTES, FRAMES, FROM_GUEST, TO_GUEST

TURN: Final = 20_000  # instructions and traps
GOING_ON: Final = (End.budget, End.idle)


def waiting(frames: dict[str, Any], direction: int) -> int:
    """Frames that wait in a direction."""
    return (int(frames["tail"][direction]) - int(frames["head"][direction])) % (2 * FRAMES)


def advanced(frames: dict[str, Any], column: str, direction: int) -> int:
    """Place of a frame, behind which the next one follows."""
    number = int(frames[column][direction])
    frames[column][direction] = (number + 1) % (2 * FRAMES)
    return direction * FRAMES + number % FRAMES


def carry(source: Emulator, to: Emulator) -> int:
    """Bring what one has sent to the other; how many frames that was."""
    given, taken, count = source.made.frames, to.made.frames, 0
    while waiting(given, FROM_GUEST) and waiting(taken, TO_GUEST) < FRAMES:
        first, second = advanced(given, "head", FROM_GUEST), advanced(taken, "tail", TO_GUEST)
        taken["count"][second] = length = int(given["count"][first])
        at = second * FRAME_BYTES
        taken["data"][at : at + length] = given["data"][first * FRAME_BYTES : first * FRAME_BYTES + length]
        count += 1
    return count


def run_pair(first: Emulator, second: Emulator, budget: int, most_s: float = math.inf) -> End:
    """Run the first to its end, the second beside it; how the first ends, which is idle when both wait and nothing is under way."""
    last, late = first.work + budget, time.monotonic() + most_s
    other = End.budget
    while True:
        end = first.run(min(TURN, last - first.work))
        moved = carry(first, second)
        if other in GOING_ON:
            other = second.run(TURN)
            moved += carry(second, first)
        if end not in GOING_ON:
            return end
        if end is End.idle and other is not End.budget and not moved:
            return End.idle
        if first.work >= last:
            return End.budget
        if time.monotonic() >= late:
            return End.late

"""A source of random numbers (virtio-rng): the same numbers in every run, by a seed.

*Model.* The generator SplitMix64, eight bytes a step.

*Source.* VIRTIO 1.2, chapter 5.4. Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
"""

from simvirt.machine.devices.rings import UNIT_OF_WORK, BYTES_WRITTEN, forget_written, tally
from simvirt.machine.tables import Machine
from simvirt.machine.words import right_shift, store8, wrap

ENTROPY = 4
GOLDEN = -0x61C8864680B583EB
FIRST_FACTOR = -0x40A7B892E31B1A47
SECOND_FACTOR = -0x6B2FB644ECCEEE15


def next_random(m: Machine) -> int:
    """A random word."""
    m.chain.random[0] = wrap(m.chain.random[0] + GOLDEN)
    mixed: int = m.chain.random[0]
    mixed = wrap((mixed ^ right_shift(mixed, 30)) * FIRST_FACTOR)
    mixed = wrap((mixed ^ right_shift(mixed, 27)) * SECOND_FACTOR)
    return mixed ^ right_shift(mixed, 31)


def fill_entropy(m: Machine, slot: int) -> int:
    """Fill the table of segments."""
    tally(m, slot, BYTES_WRITTEN, m.chain.writable[0])
    m.hart.taken[0] += m.chain.writable[0] // UNIT_OF_WORK
    for k in range(m.chain.segments[0]):
        if m.segments.writes[k]:
            forget_written(m, m.segments.place[k], m.segments.count[k])
            fill_segment(m, m.segments.place[k], m.segments.count[k])
    return m.chain.writable[0]


def fill_segment(m: Machine, place: int, count: int) -> None:
    """Fill bytes of ram, eight of each word."""
    bits: int = 0
    for j in range(count):
        bits = right_shift(bits, 8) if j & 7 else next_random(m)
        store8(m.memory.ram, place + j, bits)

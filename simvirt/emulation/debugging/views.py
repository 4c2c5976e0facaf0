"""What a debugger shows of a machine, as lines of at most 80 columns without colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from simvirt.emulation.causes import MODES
from simvirt.emulation.debugging.stepper import Happened, Stepper
from simvirt.emulation.debugging.walks import Walk, grid, walked
from simvirt.emulation.disassembler import ABI, disassembled
from simvirt.emulation.making import Made
from simvirt.emulation.registers import NUMBERS

MASK: Final = (1 << 64) - 1
AROUND: Final = 5  # instructions that are shown from the next one on
NEAR: Final = 1 << 16  # bytes behind a label within which an address is named by it
WIDTH: Final = 80


def bytes_at(made: Made, physical: int, count: int) -> bytes:
    """Bytes of the memory, fewer at its end."""
    place = physical - made.size.base
    if not 0 <= place < made.size.memory:
        return b""
    return bytes(made.memory["ram"][place : min(place + count, made.size.memory)])


def read_virtual(made: Made, a: int, count: int) -> bytes:
    """Bytes at an address as the mode sees it; up to the first page that is not there."""
    found = b""
    while len(found) < count:
        at = a + len(found)
        place = walked(made, at).physical
        part = b"" if place is None else bytes_at(made, place, min(count - len(found), 4096 - (at & 4095)))
        if not part:
            break
        found += part
    return found


def named(labels: Mapping[str, int], made: Made, a: int) -> str:
    """An address by the label before it, by its own or its physical address; nothing where there is none near."""
    for at in (a & MASK, walked(made, a).physical):
        best = max(((value, name) for name, value in labels.items() if at is not None and value <= at < value + NEAR), default=None)
        if best is not None and at is not None:
            return f"<{best[1]}+{at - best[0]:#x}>" if at > best[0] else f"<{best[1]}>"
    return ""


def place(stepper: Stepper, last: Happened | None = None) -> Iterator[str]:
    """Where the guest stands: position, mode, the next instructions, what the last step did."""
    made, labels = stepper.made, stepper.emulator.labels
    yield f"position {stepper.at:,}   {MODES[stepper.mode]}   {named(labels, made, stepper.pc)}".rstrip()
    if last is not None:
        yield from happened(last)
    if stepper.end is not None:
        yield f"  the guest has ended: {stepper.end.value}"
        return
    yield from instructions(made, stepper.pc, AROUND)


def happened(what: Happened) -> Iterator[str]:
    """What a step did, a line each."""
    yield from (f"  walk for {unit}: {entries} entries for {a & MASK:#x}" for unit, a, entries in what.walks)
    yield from (f"  exit to the monitor: {name}" for name in what.exits)
    yield from (f"  trap: {name}" for name in what.traps)
    yield from (f"  mode: {name}" for name in what.modes)


def instructions(made: Made, a: int, count: int) -> Iterator[str]:
    """Instructions from an address on; the first is marked."""
    at, mark = a, ">"
    for _ in range(count):
        data = read_virtual(made, at, 4)
        size = 4 if data[:1] and data[0] & 3 == 3 else 2
        if len(data) < size:
            yield f"{mark} {at & MASK:>18x}  (not mapped)"
            return
        bits = int.from_bytes(data[:size], "little")
        yield f"{mark} {at & MASK:>18x}  {bits:0{2 * size}x}{'' if size == 4 else '    '}  {disassembled(bits, at & MASK)}"
        at, mark = at + size, " "


def registers(made: Made) -> Iterator[str]:
    """All registers, three a line."""
    values = [f"{name:>4} {int(made.registers['x'][k]) & MASK:>16x}" for k, name in enumerate(ABI)]
    yield from rows_of([*values, f"  pc {int(made.hart['pc'][0]) & MASK:>16x}"], 3)


def controls(made: Made, names: Sequence[str] = ()) -> Iterator[str]:
    """Registers of control: those that are named, or those that are not zero."""
    found = [(name, int(made.registers["csr"][number]) & MASK) for number, name in NUMBERS.items()]
    shown = [f"{name:>14} {value:x}" for name, value in found if name in names or (not names and value)]
    yield from rows_of([f"{text:39}" for text in shown], 2)


def rows_of(cells: Sequence[str], columns: int) -> Iterator[str]:
    """Cells in columns."""
    for first in range(0, len(cells), columns):
        yield " ".join(cells[first : first + columns]).rstrip()


def memory(made: Made, a: int, count: int) -> Iterator[str]:
    """Bytes as words of 64 bits and as letters, 16 a line."""
    data = read_virtual(made, a, count)
    for first in range(0, len(data), 16):
        line = data[first : first + 16]
        words = " ".join(line[k : k + 8][::-1].hex() for k in range(0, len(line), 8))
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line)
        yield f"{a + first & MASK:>18x}  {words:33}  {letters}"
    if len(data) < count:
        yield f"{a + len(data) & MASK:>18x}  (not mapped)"


def walk(made: Made, a: int) -> Iterator[str]:
    """A walk, entry by entry; of two stages also as a grid."""
    found = walked(made, a)
    if not found.references:
        yield f"{a & MASK:#x}: no page tables in use; the address is {'as it is' if found.physical == a else found.why}"
        return
    yield from (f"{k:>3}. {line}" for k, line in enumerate(lines_of(found), 1))
    yield ending(found)
    if found.two_stages:
        yield from ("", *grid(found))


def lines_of(found: Walk) -> Iterator[str]:
    """The entries that are read, a line each."""
    for one in found.references:
        yield f"{one.stage:5} level {one.level} [{one.index:>4}] at {one.at:#x}: {one.says}"


def ending(found: Walk) -> str:
    """What came of a walk."""
    count = f"{len(found.references)} entries read"
    return f"     {count}: {found.why}" if found.physical is None else f"     {count}: {found.physical:#x}"


def tables(guest: Made, real: Made, a: int) -> Iterator[str]:
    """The guest's walk and the real hart's over the shadow of it, side by side."""
    left, right = walked(guest, a), walked(real, a)
    yield f"{'guest':39} shadow"
    for k in range(max(len(left.references), len(right.references))):
        yield f"{short(left, k):39} {short(right, k)}".rstrip()
    yield f"{result(left):39} {result(right)}"


def short(found: Walk, k: int) -> str:
    """An entry in half a line."""
    if k >= len(found.references):
        return ""
    one = found.references[k]
    stage = one.stage[0] if found.two_stages else ""
    return f"{stage}{one.level} [{one.index:>3}] {one.says}"[:39]


def result(found: Walk) -> str:
    """What came of a walk, in half a line."""
    return (f"fault: {found.why}" if found.physical is None else f"{found.physical:#x}")[:39]


def counted(made: Made) -> Iterator[str]:
    """Traps and exits so far, the most frequent first."""
    table: dict[str, int] = {f"{name}": count for name, count in made.exits.items()}
    names = sorted(table.items(), key=lambda found: (-found[1], found[0]))
    yield from (f"{count:>12,}  exit: {name}" for name, count in names)
    total = sum(int(value) for value in made.counts["traps"])
    yield f"{total:>12,}  traps"
    yield f"{sum(int(value) for value in made.counts['walks']):>12,}  walks"
    yield f"{int(made.hart['count'][0]):>12,}  instructions"


def control(name: str) -> bool:
    """Whether there is a register of control of this name."""
    return name in NUMBERS.values()



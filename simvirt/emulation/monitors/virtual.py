"""A virtual hart with its devices: state in plain tables, of which a monitor carries out single instructions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simvirt.emulation.causes import cause_of
from simvirt.emulation.making import Exits, Made, Size, initial, values_of
from simvirt.emulation.registers import NUMBERS
from simvirt.machine import constants as c
from simvirt.machine import plain, tables
from simvirt.machine.decode import decode
from simvirt.machine.fetching import ACROSS, LAST_HALF, fetch_place, put_go_on
from simvirt.machine.loop import note_written, put, renew
from simvirt.machine.steps import step
from simvirt.machine.tlb import forget_all
from simvirt.machine.words import unsigned16, wrap

NONE: Final = "none"
UNWRITTEN: Final = [c.UNFOUND] * (c.FAST * c.CONTEXTS)  # so that each store looks whether there are blocks of its page


def as_list(column: Any) -> Any:
    """A column as plain Python wants it."""
    return column if isinstance(column, bytearray) else values_of(column).tolist()


class Virtual(Made):
    """What a guest sees as its machine; the sources of the machine say what an instruction does to it."""

    def __init__(self, size: Size, ram: bytearray) -> None:
        self.size = size
        self.ram = ram
        self.tables: dict[str, dict[str, Any]] = {}
        self.exits = Exits()
        self.machine = plain.Machine()
        given = initial(size, "plain")
        for name, kind in tables.Machine.__annotations__.items():
            self.add(name, kind, given[name])
        self.reset()

    def add(self, name: str, kind: type, given: Mapping[str, Any]) -> None:
        """Make a table of lists; the memory is that of the real machine."""
        columns = {column: self.ram if column == "ram" else as_list(given[column]) for column in kind.__annotations__}
        self.tables[name] = columns
        self.machine.bind(name, columns, None)

    def reset(self) -> None:
        """Bring up to date what follows from registers."""
        renew(self.machine)

    def type_in(self, letter: int) -> bool:
        """Let a character come in, if there is room."""
        return bool(put(self.machine, letter))

    def take_columns(self, name: str) -> None:
        """Use the columns of a table that have been replaced."""
        self.machine.bind(name, self.tables[name], None)

    def fence(self) -> None:
        """Forget all translations."""
        forget_all(self.machine)

    def written(self, page: int) -> None:
        """Forget what was decoded of a page of ram that has been written to."""
        note_written(self.machine, page)

    def fetch(self) -> bool:
        """Decode the instruction at the program counter; false where fetching it has trapped."""
        m = self.machine
        pc = m.hart.pc[0]
        place = fetch_place(m, pc, pc)
        if place < 0:
            return False
        bits = unsigned16(m.memory.ram, place)
        if bits & 3 == 3:
            second = place + 2 if pc & 4095 != LAST_HALF else fetch_place(m, pc, wrap(pc + 2))
            if second < 0:
                return False
            bits |= unsigned16(m.memory.ram, second) << 16
        if decode(m, ACROSS, bits, pc & 4095) == 0:
            put_go_on(m, ACROSS + 1, m.code.behind[ACROSS])
        m.code.left[ACROSS], m.code.link[ACROSS + 1] = 0, 0
        return True

    def single(self) -> str:
        """Carry out one instruction, or take the trap that it causes; the name of its operation."""
        m = self.machine
        if not self.fetch():
            return NONE
        name = self.operation()
        m.hart.page[0] = m.hart.pc[0] & -4096
        m.hart.limit[0] = 0
        m.fast.writes[:] = UNWRITTEN
        m.hart.count[0] += 1
        if step(m, m.registers.x, ACROSS) >= 0:
            m.hart.pc[0] = wrap(m.hart.page[0] + m.code.behind[ACROSS])
        return name

    def operation(self) -> str:
        """The name of the instruction that has been decoded, and of its register of control."""
        code = self.machine.code
        name = plain.INSTRUCTIONS[code.op[ACROSS]].split()[0]
        return f"{name} {NUMBERS.get(code.imm[ACROSS], '?')}" if name.startswith("csr") else name

    def note_exit(self, cause: int, what: str) -> None:
        """Count an exit by its cause and the operation that it is for."""
        self.exits[f"{cause_of(cause)}: {what}"] += 1

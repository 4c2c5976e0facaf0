"""Assembles guests: labels, data, the instructions of `encoding.py`, and the usual short forms of them (`short_forms.py`)."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from simvirt.emulation import guests
from simvirt.emulation.disassembler import ABI
from simvirt.emulation.encoding import Encoding, encodings
from simvirt.emulation.images import Image
from simvirt.emulation.registers import NAMES
from simvirt.emulation.short_forms import SHORT_FORMS
from simvirt.errors import UsageError

REGISTERS: Final = {name: k for k, name in enumerate(ABI)} | {f"x{k}": k for k in range(32)} | {"fp": 8}
Line = int | str  # its number, behind the name of what is included
INCLUDE: Final = re.compile(r"\s*\.include\s+(\w+)\s*")
LABEL: Final = re.compile(r"\s*([A-Za-z_.][\w.]*):")
COMMENT: Final = re.compile(r"""#(?=(?:[^"]*"[^"]*")*[^"]*$).*""")
WIDTHS: Final = {".byte": 1, ".half": 2, ".word": 4, ".dword": 8}
ADDRESSED: Final = re.compile(r"(.*)\((\w+)\)")
OPERATORS: Final[dict[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: int.__add__, ast.Sub: int.__sub__, ast.Mult: int.__mul__, ast.BitOr: int.__or__, ast.BitAnd: int.__and__,
    ast.LShift: lambda a, b: a << min(b, 64), ast.RShift: lambda a, b: a >> min(b, 64),
}
MOST: Final = 1 << 24  # bytes of a guest
BEGIN: Final = "start"  # label that a guest begins at
STARTS: Final = ("machine", "supervisor")  # modes that a guest may begin in


@dataclass
class Statement:
    """A line: what it is, its operands, and where it was written."""

    line: Line
    name: str
    operands: list[str]
    at: int = 0
    size: int = 0


@dataclass(frozen=True)
class Parameter:
    """A number that who runs a guest may set."""

    default: int
    meaning: str


@dataclass
class Assembly:
    """A source that is being assembled."""

    file: str
    base: int
    symbols: dict[str, int] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    settings: Mapping[str, int] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    supervisor: bool = False  # it begins in supervisor mode

    def fail(self, line: Line, message: str) -> UsageError:
        """A mistake in a line."""
        return UsageError(f"{self.file}:{line}: {message}")

    def read(self, text: str) -> None:
        """First pass: places of statements and labels."""
        at = self.base
        for line, raw in self.lines(text):
            rest = COMMENT.sub("", raw)
            while label := LABEL.match(rest):
                self.define(line, label[1], at)
                rest = rest[label.end() :]
            for statement in self.statements_of(line, rest.strip()):
                statement.at, statement.size = at, self.size_of(statement, at)
                at += statement.size
                if at - self.base > MOST:
                    raise self.fail(line, f"a guest has at most {MOST} bytes")
                self.statements.append(statement)

    def lines(self, text: str, within: str = "") -> Iterator[tuple[Line, str]]:
        """Lines with their numbers; parts that guests of simvirt share stand where they are included."""
        for number, raw in enumerate(text.splitlines(), 1):
            line: Line = f"{within}:{number}" if within else number
            if included := INCLUDE.fullmatch(COMMENT.sub("", raw)):
                if within or included[1] not in guests.parts():
                    raise self.fail(line, f"{included[1]}: expected one of {', '.join(guests.parts())}, for example .include supervisor")
                yield from self.lines(guests.part(included[1]), included[1] + guests.PART)
            else:
                yield line, raw

    def define(self, line: Line, name: str, value: int) -> None:
        """A label or a number with a name."""
        if name in self.symbols:
            raise self.fail(line, f"{name}: defined twice")
        self.symbols[name] = value

    def statements_of(self, line: Line, text: str) -> Iterator[Statement]:
        """What a line says, short forms written out."""
        name, _, rest = text.partition(" ")
        operands = split(rest)
        if name == ".equ":
            if len(operands) != 2:
                raise self.fail(line, "expected a name and a value, for example .equ UART, 0x10000000")
            self.define(line, operands[0], self.value(line, operands[1]))
        elif name == ".parameter":
            self.add_parameter(line, operands)
        elif name == ".mode":
            if rest.strip() not in STARTS:
                raise self.fail(line, f"{rest.strip()}: expected .mode {' or .mode '.join(STARTS)}")
            self.supervisor = rest.strip() == STARTS[1]
        elif form := SHORT_FORMS.get((name, len(operands))):
            yield from self.expanded(line, form(*operands))
        elif name == "li" and len(operands) == 2:
            yield from self.expanded(line, loaded(operands[0], self.value(line, operands[1])))
        elif name:
            yield Statement(line, name, operands)

    def add_parameter(self, line: Line, operands: list[str]) -> None:
        """A number with a name and a default, which a setting replaces."""
        if len(operands) < 3:
            raise self.fail(line, 'expected a name, a default and its meaning, for example .parameter n, 100, "how often"')
        name, default = operands[0], self.value(line, operands[1])
        self.parameters[name] = Parameter(default, self.string(Statement(line, ".parameter", operands[2:])).decode())
        self.define(line, name, self.settings.get(name, default))

    def expanded(self, line: Line, lines: list[str]) -> Iterator[Statement]:
        """Instructions that a short form stands for."""
        for one in lines:
            name, _, rest = one.partition(" ")
            yield Statement(line, name, split(rest))

    def size_of(self, statement: Statement, at: int) -> int:
        """Bytes of a statement that lies at an address."""
        match statement.name:
            case ".asciz":
                return len(self.string(statement)) + 1
            case ".align":
                return -at % (1 << min(self.only(statement), 24))
            case ".space":
                return min(max(self.only(statement), 0), MOST + 1)
            case name if name in WIDTHS:
                return WIDTHS[name] * len(statement.operands)
        return 2 if statement.name.startswith("c.") else 4

    def only(self, statement: Statement) -> int:
        """The one number that a directive takes."""
        if len(statement.operands) != 1:
            raise self.fail(statement.line, f"{statement.name}: expected one number, {len(statement.operands)} came")
        return max(self.value(statement.line, statement.operands[0]), 0)

    def string(self, statement: Statement) -> bytes:
        """The text of a directive."""
        try:
            value = ast.literal_eval(", ".join(statement.operands))
        except (ValueError, SyntaxError):
            value = None
        if not isinstance(value, str):
            raise self.fail(statement.line, 'expected a text, for example .asciz "hello\\n"')
        return value.encode()

    def value(self, line: Line, text: str) -> int:
        """A number, or an expression of numbers and symbols."""
        try:
            return self.evaluated(ast.parse(text.strip(), mode="eval").body)
        except (SyntaxError, ValueError, KeyError, TypeError, OverflowError, RecursionError, MemoryError):
            raise self.fail(line, f"{text.strip() or 'nothing'}: expected a number or a label, for example 0x40 or loop") from None

    def evaluated(self, node: ast.expr) -> int:
        """The value of an expression."""
        match node:
            case ast.Constant(int(value)):
                return value
            case ast.Constant(str(letters)):
                return int.from_bytes(letters.encode(), "little")
            case ast.Name(name):
                return self.symbols[name]
            case ast.UnaryOp(ast.USub(), inner):
                return -self.evaluated(inner)
            case ast.UnaryOp(ast.Invert(), inner):
                return ~self.evaluated(inner)
            case ast.BinOp(left, sign, right):
                return OPERATORS[type(sign)](self.evaluated(left), self.evaluated(right))
        raise ValueError

    def assembled(self) -> bytes:
        """Second pass: the bytes of all statements."""
        parts = []
        for statement in self.statements:
            self.symbols["__here__"] = statement.at
            parts.append(self.bytes_of(statement))
        return b"".join(parts)

    def bytes_of(self, statement: Statement) -> bytes:
        """The bytes of a statement."""
        if statement.name == ".asciz":
            return self.string(statement) + b"\0"
        if statement.name in (".align", ".space"):
            return bytes(statement.size)
        if width := WIDTHS.get(statement.name):
            values = (self.value(statement.line, operand) for operand in statement.operands)
            return b"".join((value & (1 << 8 * width) - 1).to_bytes(width, "little") for value in values)
        return self.instruction(statement)

    def instruction(self, statement: Statement) -> bytes:
        """An instruction in the form that takes its operands."""
        one = by_name().get(statement.name)
        if one is None:
            raise self.fail(statement.line, f"{statement.name}: unknown instruction")
        wanted = split(one.syntax.partition(" ")[2])
        if len(wanted) != len(statement.operands):
            raise self.fail(statement.line, f"expected `{one.syntax}`, {len(statement.operands)} operands came")
        values = {"rd": 0, "rs1": 0, "rs2": 0, "imm": 0} | one.fixed
        for form, text in zip(wanted, statement.operands, strict=True):
            values |= self.operand(statement, form, text)
        return self.encoded(statement, one, values)

    def encoded(self, statement: Statement, one: Encoding, values: dict[str, int]) -> bytes:
        """The bits with these operands."""
        shared = {p.low for p in one.pieces if p.what == "rd"} & {p.low for p in one.pieces if p.what == "rs1"}
        if shared:
            values["rs1"] = values["rd"]
        try:
            return one.encoded(values).to_bytes(one.bits // 8, "little")
        except ValueError:
            raise self.fail(statement.line, f"{', '.join(statement.operands)}: out of the range of `{one.syntax}`") from None

    def operand(self, statement: Statement, form: str, text: str) -> dict[str, int]:
        """What an operand says."""
        if addressed := ADDRESSED.fullmatch(form):
            given = ADDRESSED.fullmatch(text)
            if given is None:
                raise self.fail(statement.line, f"{text}: expected an address, for example 8(sp)")
            base = {} if addressed[2] == "sp" else {addressed[2]: self.register(statement, given[2])}
            return base | ({"imm": self.value(statement.line, given[1] or "0")} if addressed[1] else {})
        if form in ("rd", "rs1", "rs2"):
            return {form: self.register(statement, text)}
        if form == "csr":
            return {"imm": NAMES[text] if text in NAMES else self.value(statement.line, text)}
        value = self.value(statement.line, text)
        return {"rs1": value} if form == "zimm" else {"imm": placed(form, value, statement.at)}

    def register(self, statement: Statement, text: str) -> int:
        """The number of a register."""
        if text not in REGISTERS:
            raise self.fail(statement.line, f"{text}: expected a register, for example a0")
        return REGISTERS[text]


def placed(form: str, value: int, at: int) -> int:
    """The immediate that a number means: as it is, from the instruction on, or of the upper bits."""
    if form == "target":
        return value - at
    return (value << 12 & 0xFFFFFFFF ^ 1 << 31) - (1 << 31) if form == "upper" and 0 <= value < 1 << 20 else value


@cache
def by_name() -> dict[str, Encoding]:
    """Encodings by their names."""
    return {one.mnemonic: one for one in encodings()}


def split(text: str) -> list[str]:
    """Operands; commas in texts are none."""
    parts = re.split(r""",(?=(?:[^"]*"[^"]*")*[^"]*$)""", text) if text.strip() else []
    return [part.strip() for part in parts]


def loaded(register: str, value: int) -> list[str]:
    """Instructions that load a number of up to 64 bits."""
    value = (value + (1 << 63) & (1 << 64) - 1) - (1 << 63)
    if -2048 <= value < 2048:
        return [f"addi {register}, zero, {value}"]
    lower = (value + 2048 & 4095) - 2048
    if -(1 << 31) <= value < 1 << 31:
        first = f"lui {register}, {value - lower >> 12 & 0xFFFFF}"
        return [first, *([f"addiw {register}, {register}, {lower}"] if lower else [])]
    last = [f"addi {register}, {register}, {lower}"] if lower else []
    return [*loaded(register, value - lower >> 12), f"slli {register}, {register}, 12", *last]


def assemble(text: str, file: str, base: int, settings: Mapping[str, int] | None = None) -> Image:
    """A source as an image that lies at an address and begins at `start`, or its first instruction; UsageError that names file and line."""
    assembly = Assembly(file, base, settings=settings or {})
    assembly.read(text)
    check_settings(file, assembly.settings, assembly.parameters)
    data = assembly.assembled()
    if not data:
        raise UsageError(f"{file}: no instruction; expected assembler, for example li a0, 1")
    labels = {name: at for name, at in assembly.symbols.items() if base <= at < base + len(data) and name != "__here__"}
    return Image(file, ((base, data),), assembly.symbols.get(BEGIN, base), supervisor=assembly.supervisor, labels=labels)


def check_settings(file: str, settings: Mapping[str, int], parameters: Mapping[str, Parameter]) -> None:
    """UsageError that says what may be set where something else is."""
    for name in settings:
        if name not in parameters:
            known = f"expected one of {', '.join(parameters)}" if parameters else "it has no parameters"
            raise UsageError(f"--set {name}: {file} has no parameter {name}; {known}")

"""The list of all instructions, which their marks fill."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Instruction(NamedTuple):
    """One encoding of an instruction."""

    shape: int
    syntax: str
    pattern: str
    size: int  # bytes of memory that it reaches
    execute: Callable[..., Any]

    @property
    def mnemonic(self) -> str:
        """Its name in assembler."""
        return self.syntax.split()[0]


INSTRUCTIONS: list[Instruction] = []
SHAPES: list[int] = []
SIZES: list[int] = []
EXECUTE: list[Callable[..., Any]] = []
"""By the number of an operation, which is its place."""


def instruction(shape: int, syntax: str, pattern: str, size: int = 0) -> Callable[[F], F]:
    """Mark a function as what an instruction does; it may have several marks, one an encoding."""

    def listed(function: F) -> F:
        INSTRUCTIONS.append(Instruction(shape, syntax, pattern, size, function))
        SHAPES.append(shape)
        SIZES.append(size)
        EXECUTE.append(function)
        return function

    return listed

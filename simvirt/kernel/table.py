"""What all tables are made of."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Ints: TypeAlias = list[int]
"""A column with one value a row: in the compiled kernel a field of the row's record."""
Floats: TypeAlias = list[float]
IntArray: TypeAlias = list[int]
"""A column of a length of its own, or that a function is given as a whole: in the compiled kernel an array."""
FloatArray: TypeAlias = list[float]


class Table:
    """Columns by name; the compiled twin gets its constructor from the build."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        for name in type(self).__annotations__:
            setattr(self, name, columns[name])

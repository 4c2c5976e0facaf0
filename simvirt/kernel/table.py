"""What all tables are made of."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Ints: TypeAlias = list[int]
Floats: TypeAlias = list[float]


class Table:
    """Columns by name; the compiled twin gets its constructor from the build."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        for name in type(self).__annotations__:
            setattr(self, name, columns[name])

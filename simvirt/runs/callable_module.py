"""A package that has the name of its one function, and can be called as it."""

import sys
from types import ModuleType
from typing import Any


class CallableModule(ModuleType):
    """A package `x` with a function `x`: `simvirt.x(...)` calls it, whether or not the package was imported before."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **kwargs)


def callable_as_its_function(name: str) -> None:
    """Makes an imported package callable."""
    sys.modules[name].__class__ = CallableModule

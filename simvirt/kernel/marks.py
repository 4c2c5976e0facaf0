"""Marks that the build reads: functions that it keeps apart from those that call them, which stay small by that; values soon needed."""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def apart(function: F) -> F:
    """Called often, but not each time that its callers are: the build does not join it with them."""
    return function


def rare(function: F) -> F:
    """Called by few events: neither joined with its callers, nor in the way of what they do otherwise."""
    return function


def ahead(value: float) -> None:
    """A value that is needed soon: the compiled kernel asks memory for its cache line, and does not wait for it."""

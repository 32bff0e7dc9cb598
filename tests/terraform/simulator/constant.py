"""An attribute that moto may set as it likes, and that always reads the same."""

from collections.abc import Callable
from typing import Any


def constant(read: Callable[[Any], object]) -> property:
    """A property with this value, whatever is assigned to it."""

    def ignore(_: Any, __: object) -> None:
        """moto's own idea of the value."""

    return property(read, ignore)

"""What the simulator hides or forgives, said beside the patch or the gap, with the promises that cover it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

_Patch = TypeVar("_Patch", bound=Callable[..., object])


@dataclass(frozen=True)
class Hidden:
    """`place` behaves otherwise than AWS does; `promises` (promises_*.py) look at the plan instead."""

    place: str
    what: str
    promises: tuple[str, ...]


HIDDEN: list[Hidden] = []
"""Filled by the modules of the simulator as they are imported."""


def hides(what: str, *promises: str) -> Callable[[_Patch], _Patch]:
    """Mark a patch that makes the simulator more lenient than AWS."""

    def mark(patch: _Patch) -> _Patch:
        HIDDEN.append(Hidden(f"{patch.__module__.rpartition('.')[2]}.{patch.__qualname__}", what, promises))
        return patch

    return mark


def gap(place: str, what: str, *promises: str) -> None:
    """Say what moto itself, unpatched, does not do."""
    HIDDEN.append(Hidden(place, what, promises))

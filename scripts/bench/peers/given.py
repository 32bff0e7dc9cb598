"""What a contestant is told, in its environment. Standard library only: each has packages of its own."""

import os
from dataclasses import dataclass

PREFIX = "CONTEST_"


@dataclass(frozen=True)
class Given:
    """Where to read, where to write, and a name and a folder of one's own."""

    broker: str
    topic: str
    alerts: str
    group: str
    state: str
    """An empty folder; after a crash with what it left there."""
    jars: str
    """A folder of Java archives, for those who need some."""

    def as_environment(self) -> dict[str, str]:
        """The variables that `given` reads."""
        return {f"{PREFIX}{name.upper()}": value for name, value in vars(self).items()}


def given() -> Given:
    """What this process was told. Raises KeyError outside the bench."""
    return Given(**{name: os.environ[f"{PREFIX}{name.upper()}"] for name in Given.__dataclass_fields__})

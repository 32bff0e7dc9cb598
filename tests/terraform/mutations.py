"""Reads mutations.toml: changes of `terraform/` that break a promise, each with the one that must notice."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutation:
    """In `file` below `terraform/modules/`, `old` becomes `new`; `promise` must say something `about` it."""

    variant: str
    file: str
    old: str
    new: str
    promise: str
    about: str

    def make(self, configuration: Path) -> None:
        """Change the copy. Raises ValueError when there is nothing, or more than one thing, to change."""
        path = configuration / "modules" / self.file
        text = path.read_text("utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} holds {self.old!r} {text.count(self.old)} times, not once")
        path.write_text(text.replace(self.old, self.new), "utf-8")


MUTATIONS = [
    Mutation(**each)
    for each in tomllib.loads(Path(__file__).with_name("mutations.toml").read_text("utf-8"))["mutation"]
]

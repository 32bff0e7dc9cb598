"""The images of our own: what their Dockerfiles put into them, and which container starts which."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.terraform.mocked import ROOT

IMAGES = {"dashboard": "dashboard", "maintenance": "jobs", "producer": "producer", "init": "jobs"}
"""Container to image."""


@dataclass(frozen=True)
class Image:
    """What the last stage of a Dockerfile says."""

    variables: Mapping[str, str]
    folders: Sequence[str]
    entry_point: Sequence[str]
    command: Sequence[str]

    @classmethod
    def of(cls, name: str) -> "Image":
        """The image of that component."""
        text = (ROOT / name / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
        lines = text[text.rindex("\nFROM ") :].splitlines()
        said = [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]
        (variables,) = [rest for word, rest in said if word == "ENV"]
        copied = [shlex.split(rest) for word, rest in said if word == "COPY" and "--from=" not in rest]
        return cls(
            dict(each.split("=", 1) for each in shlex.split(variables)),
            [source for *_, source, _ in copied],
            [each for word, rest in said if word == "ENTRYPOINT" for each in json.loads(rest)],
            [each for word, rest in said if word == "CMD" for each in json.loads(rest)],
        )

"""CodeBuild on this machine: the sources as it lays them, and the buildspec's commands one after another."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.terraform.mocked import REGION, ROOT, Stack

FILES = ROOT / "terraform" / "modules" / "build" / "files"


@dataclass(frozen=True)
class Build:
    """How a build ended, and what it said."""

    succeeded: bool
    said: str


def rendered_environment(stack: Stack) -> dict[str, str]:
    """What CodeBuild has in its environment: the project's variables, and its region."""
    (machine,) = stack.one("aws_codebuild_project").values["environment"]
    given = {each["name"]: str(each["value"]) for each in machine["environment_variable"]}
    return given | {"AWS_REGION": REGION}


def lay_sources(stack: Stack, folder: Path) -> None:
    """Put into `folder` what lies below sources/ in the bucket. Nothing is executable: S3 knows no modes."""
    for each in (each for each in stack.of("aws_s3_object") if each.name == "source"):
        target = folder / each.values["key"].removeprefix("sources/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(stack.folder / "modules" / "stack" / each.values["source"], target)
        target.chmod(0o644)


def run_buildspec(sources: Path, environment: Mapping[str, str], *, seconds: float = 60) -> Build:
    """Run the phases in `sources`, of which one that fails is the last; its `finally` runs even so.

    Each command has a shell of its own: none may depend on what another left there. The log goes beside
    `sources`. `seconds`: how long one command may take.
    """
    spec = yaml.safe_load((FILES / "buildspec.yml").read_text("utf-8"))
    shell = spec["env"]["shell"]
    given = {**os.environ, **environment, "TMPDIR": str(sources.parent)}
    said: list[str] = []

    def succeeds(command: str) -> bool:
        done = subprocess.run(
            [shell, "-c", command],
            cwd=sources,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        said.append(done.stdout)
        return done.returncode == 0

    for phase in spec["phases"].values():
        worked = all(succeeds(command) for command in phase["commands"])
        closed = [succeeds(command) for command in phase.get("finally", [])]
        if not worked or not all(closed):
            return Build(False, "".join(said))
    return Build(True, "".join(said))

"""The environment of each contestant: its locked packages, below .cache/, made at first use."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version as installed_version
from pathlib import Path

from local.native.jars import FOLDER as JARS
from local.native.jars import fetch, read_pinned
from local.native.java import ROOT
from scripts.bench.contest.contestants import Contestant

PEERS = ROOT / "scripts" / "bench" / "peers"
FOLDER = ROOT / ".cache" / "peers"

_PYTHONS = ">=3.11,<3.13"
"""What all of them have packages for."""


class NoEnvironmentError(Exception):
    """A contestant's packages could not be had; the message says why."""


def python_of(contestant: Contestant, say: Callable[[str], None]) -> Path:
    """The Python that runs a contestant, its packages installed as locked. Raises NoEnvironmentError."""
    if not contestant.own_packages:
        return Path(sys.executable)
    lock = PEERS / contestant.folder / "requirements.lock"
    folder = FOLDER / contestant.folder
    python, mark = folder / "bin" / "python", folder / "requirements.lock"
    if python.exists() and mark.exists() and mark.read_bytes() == lock.read_bytes():
        return python
    say(f"installing {contestant.name} into {folder.relative_to(ROOT)} ...")
    shutil.rmtree(folder, ignore_errors=True)
    _uv("venv", "--quiet", "--no-python-downloads", "--python", _PYTHONS, str(folder))
    _uv("pip", "install", "--quiet", "--require-hashes", "--python", str(python), "-r", str(lock))
    shutil.copyfile(lock, mark)  # last: it says that all is there
    return python


def jars_of(contestant: Contestant) -> Path:
    """The folder of Java archives that a contestant finds in `Given.jars`. Raises JarsError, NoJavaError."""
    pinned = PEERS / contestant.folder / "jars.toml"
    if not contestant.folder or not pinned.exists():
        return JARS / "connector"
    jars = read_pinned(pinned.read_text())
    fetch(jars, FOLDER / "jars")
    return FOLDER / "jars" / jars[0].group


def version_of(contestant: Contestant) -> str:
    """Name and version of the package that a contestant stands for; empty for this pipeline."""
    if not contestant.package:
        return ""
    if not contestant.own_packages:
        return f"{contestant.package} {installed_version(contestant.package)}"
    lines = (PEERS / contestant.folder / "requirements.lock").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{contestant.package}=="))
    return line.split()[0].replace("==", " ")


def _uv(*arguments: str) -> None:
    uv = os.environ.get("UV") or shutil.which("uv")
    if not uv:
        raise NoEnvironmentError("there is no uv; start the bench by scripts/bench.sh, which brings one")
    done = subprocess.run([uv, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoEnvironmentError(f"this failed: uv {' '.join(arguments)}\n{done.stderr.strip()}")

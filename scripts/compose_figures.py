"""Measures the stack of docker compose: how long it takes to build and to start, and what its services take.

    .venv/bin/python -m scripts.compose_figures [--without SERVICE]... [--json docs/figures.json]

It runs the stack as a project of its own (`fraud-figures`) on the ports that local/.env or the environment
says, and removes it in the end; images stay. Packages are downloaded anew, base images are not.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scripts.bench.document import write
from scripts.bench.run import machine
from scripts.compose_table import compose_table

LOCAL = Path(__file__).resolve().parents[1] / "local"
COMPOSE = ("compose", "--project-name", "fraud-figures")
OBSERVED = 60.0
"""Seconds in which the stack is watched, once all is healthy."""

ROUNDS = "10"
"""Seconds between two rounds of the maintenance, so that some are among what is watched."""

_UNITS = {"B": 1 / 2**20, "KiB": 1 / 2**10, "MiB": 1.0, "GiB": 2.0**10}


class FailedError(Exception):
    """A command of Docker's failed; the message is what it said."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the JSON. The exit code: 0, or 1 with a message when Docker failed."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.compose_figures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--without", action="append", default=[], metavar="SERVICE")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    try:
        found = measure(given.without)
    except FailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(compose_table(found, machine())))
    if given.json:
        write(given.json, machine(), {"compose": found})
    return 0


def measure(without: Iterable[str]) -> dict[str, Any]:
    """The figures of the stack less some services. Raises FailedError."""
    every = docker(*COMPOSE, "config", "--services").split()
    services = sorted(set(every) - set(without))
    up = (*COMPOSE, "up", "--detach", "--wait", *services)
    try:
        build = seconds_of(*COMPOSE, "build", "--no-cache")
        first, again = seconds_of(*up), seconds_of(*up)
        most = watched(OBSERVED)
        ids = docker(*COMPOSE, "ps", "--all", "--quiet").split()
        containers = json.loads(docker("inspect", *ids))
    finally:
        docker(*COMPOSE, "down", "--volumes", "--timeout", "20")
    images = {each["Config"]["Image"] for each in containers}
    known = {image: json.loads(docker("image", "inspect", image))[0] for image in images}
    return {
        "build_seconds": build,
        "first_up_seconds": first,
        "next_up_seconds": again,
        "observed_seconds": OBSERVED,
        "without": sorted(without),
        "stand_ins": sorted(
            name for name, each in known.items() if not each["RepoDigests"] and not name.endswith(":local")
        ),
        "services": [
            {
                "service": name,
                "memory_mib": most.get(container["Name"].lstrip("/")),
                "limit_mib": container["HostConfig"]["Memory"] / 2**20,
                "image": container["Config"]["Image"],
                "image_mb": known[container["Config"]["Image"]]["Size"] / 1e6,
            }
            for name, container in sorted(
                (each["Config"]["Labels"]["com.docker.compose.service"], each) for each in containers
            )
        ],
    }


def watched(seconds: float) -> dict[str, float]:
    """Container -> the most memory it was seen with, in MiB."""
    most: dict[str, float] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for line in docker("stats", "--no-stream", "--format", "{{json .}}").splitlines():
            seen = json.loads(line)
            most[seen["Name"]] = max(mebibytes(seen["MemUsage"]), most.get(seen["Name"], 0.0))
    return most


def mebibytes(usage: str) -> float:
    """What `docker stats` says, such as `1.5GiB / 4GiB`, as a number: what is used."""
    match = re.match(r"([\d.]+)([KMG]?i?B)", usage)
    if not match or match[2] not in _UNITS:
        raise FailedError(f"docker stats says {usage!r}, which is no size")
    return float(match[1]) * _UNITS[match[2]]


def seconds_of(*command: str) -> float:
    """How long a command takes."""
    since = time.monotonic()
    docker(*command)
    return time.monotonic() - since


def docker(*command: str) -> str:
    """What a command of Docker's says. Raises FailedError."""
    done = subprocess.run(
        [shutil.which("docker") or "docker", *command],
        cwd=LOCAL,
        env=os.environ | {"MAINTENANCE_SECONDS": ROUNDS},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise FailedError(f"docker {' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

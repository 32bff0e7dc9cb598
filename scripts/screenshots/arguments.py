"""The command line of scripts/screenshots.sh. Standard library only: --help comes before any installation."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.native.java import ROOT
from local.native.ports import Ports

FOLDER = ROOT / "docs" / "images"

_DESCRIPTION = """\
Runs the demo with a state of its own (.state/screenshots, new each time), waits until there is something to
see, opens each page of the dashboard in Chromium, and saves what it shows, and what the console said, as
PNGs in docs/images/. Nothing runs any more at the end, also after Ctrl-C."""


@dataclass(frozen=True)
class Arguments:
    """What was asked for: seconds of traffic, payments a second, the ports of the demo, and where to."""

    seconds: int
    rate: int
    ports: Ports
    folder: Path


def parsed(arguments: Sequence[str] | None = None) -> Arguments:
    """Read the command line; a mistake ends the program with a message and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="scripts/screenshots.sh",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds",
        type=_whole(1, 86_400),
        default=240,
        metavar="S",
        help="of traffic before the pictures (default 240)",
    )
    parser.add_argument(
        "--rate", type=_whole(1, 10_000), default=100, metavar="R", help="payments a second (default 100)"
    )
    parser.add_argument(
        "--port", type=_whole(1024, 65_500), metavar="PORT",
        help="this port and the next 10 are the demo's (default: its usual ones, 9092 and so on)",
    )  # fmt: skip
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR", help="default docs/images")
    given = parser.parse_args(arguments)
    port: int | None = given.port
    usual = Ports(dashboard=8501)
    ports = usual if port is None else Ports(port, port + 1, port + 2, port + 10)
    return Arguments(given.seconds, given.rate, ports, given.folder.resolve())


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isdecimal() and text.isascii() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


if __name__ == "__main__":
    parsed()

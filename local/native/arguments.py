"""The command line of the native stack: what a person may ask.

Standard library only: scripts/demo.sh --help asks it before anything is installed.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.native.java import ROOT
from local.native.ports import Ports

DEFAULT_STATE = ROOT / ".state" / "native"

_DEMO = """\
The whole pipeline on this machine, without Docker and without an account: a Kafka broker, an S3 server,
the Spark job, simulated card payments and the dashboard. Alerts appear on the console, in Kafka, as Parquet
on S3, and in the browser."""

_DEMO_EXAMPLES = """\
examples:
  scripts/demo.sh                              until Ctrl-C
  scripts/demo.sh --rate 1000 --duration 60    a minute at 1,000 payments a second, then a summary
  scripts/demo.sh --from payments.jsonl --export found/
                                               your own payments; alerts and rejected records go to found/

What a run leaves in the state folder (topics, alerts, logs) stays, and the next one goes on from there:
--fresh starts anew, scripts/reset.sh --native deletes it.

needs: 64-bit Linux (x86-64 or ARM, glibc 2.28 or newer), macOS 13 or newer on Apple silicon, or Windows in
WSL 2; Python 3.11, 3.12 or 3.13; 2.5 GB of free memory, better 4; 4 GB of disk for the first run, which
downloads about 750 MB (later ones need no network). Java 17 or newer is used when it is there, else
installed.

exit codes:
  0  all went well, and the summary found everything right      2    it could not start
  1  a process failed, or the summary found something wrong     130  interrupted before the end"""


@dataclass(frozen=True)
class Wishes:
    """What a person asked of the demo."""

    rate: str | None = None  # as the producer takes it
    duration: float | None = None  # seconds of traffic; None: until Ctrl-C
    replay: Path | None = None  # --from FILE
    export: Path | None = None
    json: Path | None = None
    headless: bool = False
    producer: bool = True


@dataclass(frozen=True)
class Arguments:
    """One command: `demo`, `up` (servers and topics, perhaps the dashboard) or `reset`."""

    command: str
    state: Path
    ports: Ports
    fresh: bool
    wishes: Wishes
    ignore_memory: bool = False

    @property
    def is_open_ended(self) -> bool:
        """Whether Ctrl-C is the way it ends."""
        wishes = self.wishes
        return self.command != "reset" and wishes.duration is None and wishes.replay is None


def parsed(arguments: Sequence[str] | None) -> Arguments:
    """Read the command line; a mistake ends the program with a message and exit code 2."""
    given = _parser().parse_args(arguments)
    ports = Ports()
    if given.command != "reset":
        controller = given.controller_port or given.kafka_port + 1
        dashboard = given.dashboard_port if given.dashboard else None
        ports = Ports(given.kafka_port, controller, given.s3_port, dashboard)
    wishes = Wishes()
    if given.command == "demo":
        wishes = Wishes(
            rate=given.rate,
            duration=given.duration,
            replay=given.replay,
            export=given.export,
            json=given.json,
            headless=given.headless,
            producer=not given.no_producer,
        )
    fresh, ignore_memory = getattr(given, "fresh", False), getattr(given, "ignore_memory", False)
    return Arguments(given.command, given.state, ports, fresh, wishes, ignore_memory)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.native", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        prog="scripts/demo.sh",
        help="the whole pipeline, with traffic",
        description=_DEMO,
        epilog=_DEMO_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_traffic(demo)
    up = commands.add_parser("up", help="broker, S3 server, topics and bucket only, until Ctrl-C")
    up.add_argument(
        "--dashboard", action="store_true",
        help="the dashboard, too, over what earlier runs left; a change of its source shows at once",
    )  # fmt: skip
    for command in (demo, up):
        _add_servers(command)
    reset = commands.add_parser(
        "reset",
        prog="scripts/reset.sh --native",
        help="stop what a killed run left behind and delete the state",
        description="Stops what a killed run left behind and deletes the state of the native stack.",
    )
    for command in (demo, up, reset):
        command.add_argument(
            "--state", type=Path, default=DEFAULT_STATE, metavar="DIR",
            help="where everything that survives a restart is kept (default .state/native of the repository)",
        )  # fmt: skip
    return parser


def _add_traffic(parser: argparse.ArgumentParser) -> None:
    traffic = parser.add_argument_group("traffic")
    traffic.add_argument("--rate", metavar="R", help="payments a second, or max (default: varies, 10 to 100)")
    traffic.add_argument(
        "--duration",
        type=_seconds,
        metavar="SECONDS",
        help="stop after that, with a summary (default: until Ctrl-C, which stops at once, without one)",
    )
    traffic.add_argument(
        "--from", dest="replay", type=Path, metavar="FILE",
        help="send the payments of FILE (.jsonl, .csv, .parquet) instead, on topics, prefix and checkpoint "
        "of their own, until each is accounted for; then a summary",
    )  # fmt: skip
    traffic.add_argument("--no-producer", action="store_true", help="no traffic: you send your own")
    results = parser.add_argument_group("results")
    results.add_argument(
        "--export", type=Path, metavar="DIR", help="copy alerts/ and the rejected records to DIR at the end"
    )
    results.add_argument("--json", type=Path, metavar="FILE", help="write the summary as JSON, too")
    results.add_argument("--headless", action="store_true", help="do not show the job's output, only log it")
    results.add_argument(
        "--no-dashboard", dest="dashboard", action="store_false", help="do not start the dashboard"
    )


def _add_servers(parser: argparse.ArgumentParser) -> None:
    servers = parser.add_argument_group("servers (all on 127.0.0.1)")
    servers.add_argument("--kafka-port", type=_port, default=9092, metavar="PORT", help="default 9092")
    servers.add_argument(
        "--controller-port", type=_port, metavar="PORT", help="Kafka's controller (default: Kafka's port + 1)"
    )
    servers.add_argument(
        "--s3-port", type=_port, default=9010, metavar="PORT", help="this port and the next 7 (default 9010)"
    )
    servers.add_argument("--dashboard-port", type=_port, default=8501, metavar="PORT", help="default 8501")
    servers.add_argument(
        "--ignore-memory", action="store_true", help="start, however little memory seems to be free"
    )
    servers.add_argument("--fresh", action="store_true", help="delete the state of earlier runs first")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0, such as 60")
    return seconds


def _port(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and 1024 <= int(text) <= 65_527):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a whole number from 1024 to 65527")
    return int(text)


if __name__ == "__main__":
    parsed(None)

"""The command line of the producer: what a person can ask for, checked and explained."""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producer import words
from producer.injections import Shares
from producer.schedule import MAX_RATE

USAGE = """python -m producer [--rate R] [--duration SECONDS] [--count N] [--seed N] ...
       python -m producer --from FILE.jsonl|.csv|.parquet|- [--speed X]"""

DESCRIPTION = """\
Send card payments to the Kafka topic `transactions`: simulated ones, or somebody's own with --from.
Kafka's address and the topic's name come from FRAUD_KAFKA_* variables (docs/settings.md)."""

EPILOG = """\
examples:
  python -m producer                                     ordinary traffic until Ctrl-C
  python -m producer --rate 1000 --duration 60           1,000 a second for a minute
  python -m producer --seed 7 --count 500 --start 2026-03-01T12:00:00Z
                                                         the same 500 records each time
  python -m producer --rate 100 --speed max --count 100000 --start 2026-03-01T12:00:00Z
                                                         an hour's traffic, as fast as possible
  python -m producer --from payments.csv                 your own payments
  tail -f payments.jsonl | python -m producer --from -   your own payments, live

exit codes:
  0   every record was acknowledged      2   a wrong option, setting or input file
  1   a record was not acknowledged      75  Kafka or the topic cannot be reached; try again later"""

_SHARES = ("fraud", "malformed", "duplicate", "late")
_MOST_REPLACED = 0.8


@dataclass(frozen=True)
class Arguments:
    """What was asked for. None where nothing was said; `stream` holds only what was said."""

    stream: dict[str, Any]  # of seed, start, rate, users, iso, and shares such as fraud_rate
    origin: str | None
    count: int | None
    duration: float | None
    speed: float | None  # stream time per real time; None as fast as possible
    state: Path | None
    log: Path | None
    summary: Path | None
    timeout: float


def parse_arguments(arguments: list[str] | None = None) -> Arguments:
    """Arguments from the command line. A mistake ends the process with exit code 2 and one sentence."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    names = ("seed", "start", "rate", "users", "iso", *(f"{share}_rate" for share in _SHARES))
    stream = {name: given[name] for name in names if given[name] is not None}
    origin = given["origin"]
    if origin is not None and stream:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in stream)
        parser.error(f"{options} shapes the simulation and has no meaning with --from")
    if origin == "-" and given["state"]:
        parser.error("--state cannot go on in the middle of standard input: give --from a file")
    speed = given["speed"] or (1.0 if origin is None else math.inf)
    share = shares(stream).replaced()
    if share > _MOST_REPLACED:
        parser.error(
            f"the rates leave {1 - share:.0%} of ordinary payments; {1 - _MOST_REPLACED:.0%} must be left: "
            "each fraudulent pattern comes with a near miss, each late record with one in time"
        )
    return Arguments(
        stream=stream,
        origin=origin,
        count=given["count"],
        duration=given["duration"],
        speed=None if speed == math.inf else speed,
        state=given["state"],
        log=None if given["no_log"] else given["log"],
        summary=given["summary"],
        timeout=given["delivery_timeout"],
    )


def shares(stream: dict[str, Any]) -> Shares:
    """The shares of injected records that were asked for, or the usual ones."""
    return Shares(**{share: stream[f"{share}_rate"] for share in _SHARES if f"{share}_rate" in stream})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m producer",
        usage=USAGE,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    usual = Shares()
    traffic = parser.add_argument_group("how much, how fast")
    traffic.add_argument(
        "--rate",
        type=words.rate,
        metavar="R",
        help=f"payments a second, or max: what the machine gives, {MAX_RATE:,} at most "
        "(default: varies between 10 and 100, like real traffic)",
    )
    traffic.add_argument("--duration", type=words.seconds, metavar="SECONDS", help="stop after this long")
    traffic.add_argument("--count", type=words.count, metavar="N", help="stop after record N of the stream")
    traffic.add_argument(
        "--speed",
        type=words.speed,
        metavar="X",
        help="X times real time, or max: do not wait at all "
        "(default: 1 for simulated payments, max with --from)",
    )

    content = parser.add_argument_group("what is simulated")
    content.add_argument(
        "--seed",
        type=words.seed,
        metavar="N",
        help="the same seed, start and options give the same bytes (default: drawn and shown)",
    )
    content.add_argument(
        "--start",
        type=words.moment,
        metavar="TIME",
        help="event time of the stream's begin, ISO 8601 with an offset (default: now)",
    )
    content.add_argument(
        "--users",
        type=words.count,
        metavar="N",
        help="people who pay in turn; fewer than 20 times the rate break the velocity rule "
        "(default: 60 times the rate, at least 10000)",
    )
    content.add_argument(
        "--fraud-rate",
        type=words.share,
        metavar="S",
        help="share of payments in patterns that a rule must catch; as many patterns "
        f"just below a limit come with them (default: {usual.fraud})",
    )
    content.add_argument(
        "--malformed-rate",
        type=words.share,
        metavar="S",
        help=f"share of records that break the contract (default: {usual.malformed})",
    )
    content.add_argument(
        "--duplicate-rate",
        type=words.share,
        metavar="S",
        help=f"share of repeated records, one in 8 with other content (default: {usual.duplicate})",
    )
    content.add_argument(
        "--late-rate",
        type=words.share,
        metavar="S",
        help=f"share of records too late to be judged (default: {usual.late})",
    )
    content.add_argument(
        "--iso",
        action="store_const",
        const=True,
        help="write event times as ISO 8601 instead of epoch milliseconds",
    )

    replay = parser.add_argument_group("somebody's own payments")
    replay.add_argument(
        "--from",
        dest="origin",
        metavar="FILE",
        help=".jsonl lines are sent byte for byte; .csv and .parquet need the columns transaction_id, "
        "user_id, amount, currency, location, timestamp; - reads JSON lines from standard input",
    )

    files = parser.add_argument_group("files")
    files.add_argument(
        "--state", type=Path, metavar="FILE", help="where the run stands; go on from there if it exists"
    )
    files.add_argument(
        "--log",
        type=Path,
        metavar="DIR",
        default=Path(".state/producer"),
        help="one file a run: each acknowledged record and why it was sent (default: %(default)s)",
    )
    files.add_argument("--no-log", action="store_true", help="write no such log")
    files.add_argument(
        "--summary",
        type=Path,
        metavar="FILE",
        help="write counts, and what the rules must and must not flag, as JSON at the end",
    )
    files.add_argument(
        "--delivery-timeout",
        type=words.seconds,
        metavar="SECONDS",
        default=60.0,
        help="give up on a record that Kafka does not acknowledge (default: %(default)g)",
    )
    return parser

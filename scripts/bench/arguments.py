"""The command line of scripts/bench.sh.

Standard library only: --help asks it before anything is installed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.native.java import ROOT
from local.native.ports import Ports
from scripts.bench.contest.contestants import Contestant, chosen
from scripts.bench.scenarios import Scenario, scenarios

DEFAULT_STATE = ROOT / ".state" / "bench"
KAFKA_PORT, S3_PORT = 19092, 19010
RATES = (100, 1000)
FACTORS = ("partitions", "users", "batch", "executors")

_DESCRIPTION = """\
Measures the pipeline on this machine: real broker, S3 server, Spark and producer, all sinks on, the
producer's usual share of malformed, repeated and late records. A backlog is read as fast as it goes; the
first micro-batch, which finds a cold JVM, does not count, nor do the first 20 seconds of steady traffic.
With --peers, --scaling or --hours it measures these instead: the same load through what others would use,
one thing changed at a time, a whole day. It says first how long that takes. Close other programs.
Every run starts anew in its state folder, and deletes it at its end."""

_EXAMPLES = """\
examples:
  scripts/bench.sh --json figures.json             everything, about 12 minutes
  scripts/bench.sh --only catch-up --check         one scenario, and its alerts against the oracle
  scripts/bench.sh --only catch-up --profile out/  where its time goes: out/catch-up/summary.txt

  scripts/bench.sh --peers --json docs/figures.json       beside its peers, exactness and kill -9 with it
  scripts/bench.sh --peers Quix,Bytewax --events 200000   a quick look at some
  scripts/bench.sh --scaling users --json docs/figures.json
  scripts/bench.sh --hours 24 --json docs/figures.json    a day at 100 a second: does it stay flat?

What was asked for replaces the same part of FILE; the other parts stay.

exit codes:
  0  well                 2    it could not start
  1  a run went wrong     130  interrupted before the end"""


@dataclass(frozen=True)
class Arguments:
    """What was asked for."""

    scenarios: list[Scenario]
    peers: list[Contestant]
    scaling: list[str]  # factors
    hours: float | None  # of a day; None: no such run
    records: int  # of a backlog
    events: int  # of the contest's backlog
    users: int
    runs: int
    rates: list[int]
    crash: bool
    seconds: float  # of steady traffic
    check: bool
    profile: Path | None
    json: Path | None
    state: Path
    ports: Ports


def parse_arguments(arguments: Sequence[str] | None = None) -> Arguments:
    """Arguments from the command line. A mistake ends the process with exit code 2 and one sentence."""
    parser = _parser()
    given = parser.parse_args(arguments)
    every = scenarios(given.rates)
    names = [each.name for each in every]
    unknown = sorted(set(given.only or []) - set(names))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there is {', '.join(names)}")
    if given.events < 1 or given.users < 1 or given.runs < 1 or (given.hours or 1) <= 0:
        parser.error("--events, --users, --runs and --hours are greater than 0")
    others = given.peers or given.scaling or given.hours
    return Arguments(
        scenarios=[each for each in every if each.name in (given.only or ([] if others else names))],
        peers=given.peers,
        scaling=given.scaling,
        hours=given.hours,
        records=given.records,
        events=given.events,
        users=given.users,
        runs=given.runs,
        rates=list(given.rates),
        crash=not given.no_crash,
        seconds=given.seconds,
        check=given.check,
        profile=given.profile,
        json=given.json,
        state=given.state,
        ports=Ports(given.kafka_port, given.kafka_port + 1, given.s3_port),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench.sh",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    names = ", ".join(each.name for each in scenarios(RATES))
    add = parser.add_argument
    add("--only", action="append", metavar="NAME", help=f"may be repeated: {names}")
    add(
        "--peers",
        type=_peers,
        nargs="?",
        const=chosen("all"),
        default=[],
        metavar="NAME,...",
        help="the contest; without names all: " + ", ".join(each.name for each in chosen("all")),
    )
    add(
        "--scaling",
        type=_factors,
        nargs="?",
        const=list(FACTORS),
        default=[],
        metavar="FACTOR,...",
        help=f"one thing changed at a time; without names all: {', '.join(FACTORS)}",
    )
    add(
        "--hours",
        type=float,
        metavar="H",
        help="so much event time at 100 payments a second, through the pipeline",
    )
    add(
        "--events",
        type=int,
        default=1_000_000,
        metavar="N",
        help="of the contest's load (default 1,000,000; below 600,000 the pipeline is never warm)",
    )
    add("--users", type=int, default=100_000, metavar="N", help="of the contest's load (default 100,000)")
    add(
        "--runs",
        type=int,
        default=3,
        metavar="N",
        help="of each contestant; the middle one counts (default 3)",
    )
    add("--no-crash", action="store_true", help="leave out the run of each contestant that kills it half-way")
    add("--records", type=int, default=2_000_000, metavar="N", help="of a backlog (default 2,000,000)")
    add("--seconds", type=float, default=90, metavar="S", help="of steady traffic (default 90)")
    add("--rates", type=_rates, default=RATES, metavar="R,...", help="of steady traffic (default 100,1000)")
    add("--check", action="store_true", help="compare with the oracle, too: 100 s and 6 GiB for 2,000,000")
    add("--profile", type=Path, metavar="DIR", help="record JVM and Python meanwhile; needs a JDK")
    add("--json", type=Path, metavar="FILE", help="write all figures as JSON, too")
    add("--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="default .state/bench")
    add("--kafka-port", type=int, default=KAFKA_PORT, metavar="PORT", help=f"default {KAFKA_PORT}")
    add("--s3-port", type=int, default=S3_PORT, metavar="PORT", help=f"default {S3_PORT}")
    return parser


def _peers(text: str) -> list[Contestant]:
    try:
        return chosen(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _factors(text: str) -> list[str]:
    factors = list(FACTORS) if text == "all" else text.split(",")
    unknown = sorted(set(factors) - set(FACTORS))
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there is {', '.join(FACTORS)}")
    return factors


def _rates(text: str) -> list[int]:
    rates = [int(rate) for rate in text.split(",") if rate.isdecimal()]
    if not rates or len(rates) != len(text.split(",")):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers, such as 100,1000")
    return rates


if __name__ == "__main__":
    parse_arguments(sys.argv[1:])

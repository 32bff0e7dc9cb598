"""The command line of scripts/faults.sh.

Standard library only: --help asks it before anything is installed.
"""

import argparse
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.native.java import ROOT

NAMES = ("driver", "executor", "outages", "cluster", "damage", "poison", "rules", "neighbours", "silence")
DEFAULT_STATE = ROOT / ".state" / "faults"

_DESCRIPTION = """\
Breaks the pipeline on purpose, and says whether everything is exact afterwards: real broker, S3 server and
Spark job under about 1,000 payments a second; kills, outages and errors at moments that follow from a seed.
The same drills as those of scripts/test.sh faults, with more kills and longer outages.

  driver    kill -9 of the Spark driver, at each border of a micro-batch and 20 times at any moment
  executor  kill -9 of one of several executors
  outages   kill -9 of Python workers, JVM and broker; Kafka and S3 away, slow, answering errors, cut off
  cluster   three brokers, one of them down at a time; kill -9 of the producer
  damage    files of the checkpoint that are cut, or have a bit or a digit changed; all of it as it was before
  poison    malformed records, a user with 200,000 payments in a minute, clocks that are wrong
  rules     kill -9 in the middle of a micro-batch, then other rules
  neighbours
            a second job, more partitions, records that vanish, a new checkpoint
  silence   nobody pays, and nothing is called stale

One round of all takes about 20 minutes, 4 GB of memory, and ports between 31000 and 32000."""

_EPILOG = """\
examples:
  scripts/faults.sh                                 one round of all drills
  scripts/faults.sh --rounds 3 --drills driver      three rounds of 25 kills of the driver
  scripts/faults.sh --rounds 3 --seed 7             the same moments as the last time with seed 7

exit codes:
  0  everything was exact                           2    it could not start
  1  something was not, or a drill failed           130  interrupted before the end"""


@dataclass(frozen=True)
class Arguments:
    """What was asked for."""

    rounds: int
    seed: int
    drills: tuple[str, ...]
    state: Path


def parse_arguments(arguments: Sequence[str] | None = None) -> Arguments:
    """Arguments from the command line. A mistake ends the process with exit code 2 and one sentence."""
    given = _parser().parse_args(arguments)
    seed = secrets.randbelow(2**31) if given.seed is None else given.seed
    return Arguments(given.rounds, seed, given.drills, given.state.resolve())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/faults.sh",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--rounds", type=_count, default=1, metavar="N", help="how often each drill runs (default 1)")
    add("--seed", type=int, metavar="S", help="what the moments follow from (default: drawn and shown)")
    add("--drills", type=_names, default=NAMES, metavar="NAME,...", help=f"default {','.join(NAMES)}")
    add("--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="default .state/faults")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there is {', '.join(NAMES)}")
    return names


if __name__ == "__main__":
    parse_arguments(sys.argv[1:])

"""The command line of scripts/bench.sh."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from local.native.__main__ import CANNOT_START
from local.native.java import ROOT
from local.native.ports import Ports
from local.native.stack import opened_stack
from local.native.supervisor import GaveUpError, StoppedError
from scripts.bench.report import as_json, as_text
from scripts.bench.results import figures
from scripts.bench.run import machine, run
from scripts.bench.scenarios import scenarios

DEFAULT_STATE = ROOT / ".state" / "bench"

_DESCRIPTION = """\
Measures the pipeline on this machine: real broker, S3 server, Spark and producer, all sinks on, the
producer's usual share of malformed, repeated and late records. A backlog is read as fast as it goes; the
first micro-batch, which finds a cold JVM, does not count, nor do the first 20 seconds of steady traffic.
Close other programs first. Every run starts anew in its state folder, and deletes it at its end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report. The exit code: 0 well, 1 failed, 2 could not start, 130 interrupted."""
    given = _parser().parse_args(arguments)
    os.environ["NO_PROXY"] = "*"
    every = scenarios(given.rates)
    wanted = [each for each in every if each.name in (given.only or [s.name for s in every])]
    unknown = sorted(set(given.only or []) - {each.name for each in every})
    if unknown:
        print(f"error: there is no {', '.join(unknown)}; there is {', '.join(e.name for e in every)}")
        return 2
    found = []
    try:
        with opened_stack(
            given.state, Ports(given.kafka_port, given.kafka_port + 1, given.s3_port), fresh=True
        ) as stack:
            stack.start_servers()
            for scenario in wanted:
                observed = run(scenario, stack, given.records, given.seconds, _say)
                found.append(figures(observed))
    except StoppedError:
        _say("stopped; nothing is left running")
        return 130
    except CANNOT_START as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (GaveUpError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    about = machine()
    print(as_text(found, about))
    if given.json:
        given.json.write_text(as_json(found, about), encoding="utf-8")
    return 1 if any(each.problems for each in found) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench.sh",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--records", type=int, default=2_000_000, metavar="N", help="of a backlog (default 2,000,000)"
    )
    parser.add_argument(
        "--seconds", type=float, default=90, metavar="S", help="of steady traffic (default 90)"
    )
    parser.add_argument(
        "--rates",
        type=_rates,
        default=[100, 1000],
        metavar="R,...",
        help="of steady traffic (default 100,1000)",
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="this scenario only; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON, too")
    parser.add_argument(
        "--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="default .state/bench"
    )
    parser.add_argument("--kafka-port", type=int, default=19092, metavar="PORT", help="default 19092")
    parser.add_argument("--s3-port", type=int, default=19010, metavar="PORT", help="default 19010")
    return parser


def _rates(text: str) -> list[int]:
    rates = [int(rate) for rate in text.split(",") if rate.isdecimal()]
    if not rates or len(rates) != len(text.split(",")):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers, such as 100,1000")
    return rates


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Sends card payments to Kafka from the command line: settings and options in, an exit code out."""

import contextlib
import signal
import sys
import time
from datetime import UTC, datetime

from fraud.durations import format_duration
from fraud.environment import load
from fraud.settings import Settings, SettingsError
from producer.arguments import Arguments, parse_arguments
from producer.delivery import Delivery
from producer.ledger import Ledger
from producer.lines import InputError
from producer.log import Log
from producer.patterns import MAX_AGE
from producer.progress import Progress
from producer.runs import Run, UsageError, plan
from producer.sender import Denied, Sender, Unavailable
from producer.state import StateError
from producer.summary import closing_line, write_summary

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_TRY_AGAIN = 75  # EX_TEMPFAIL: a supervisor starts the producer again

_CONNECT_SECONDS = 8.0


def main() -> int:
    """Run the producer. Returns the exit code; every failure is explained on stderr."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = parse_arguments()
    progress = Progress(sys.stderr)
    try:
        settings = load()
        run = plan(arguments, int(time.time() * 1000), settings.detection.allowed_lateness)
        sender = Sender(settings.kafka, run.bulk, arguments.timeout)
        partitions = sender.find_topic(_CONNECT_SECONDS)
        progress.say(_announcement(run, settings, partitions))
        return _deliver(arguments, run, sender, progress)
    except KeyboardInterrupt:
        progress.say("stopped before anything was sent")
        return 0
    except Unavailable as problem:
        progress.say(f"error: {problem}")
        return EXIT_TRY_AGAIN
    except (SettingsError, StateError, UsageError, InputError, Denied) as problem:
        progress.say("\n".join(f"error: {line}" for line in str(problem).splitlines()))
        return EXIT_USAGE
    except OSError as problem:
        progress.say(f"error: {problem.filename or 'a file'}: {problem.strerror}")
        return EXIT_FAILED


def _deliver(arguments: Arguments, run: Run, sender: Sender, progress: Progress) -> int:
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        ledger = Ledger(run.state.next, keep=arguments.summary is not None)
        if arguments.log:
            name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{run.source.run_id}.jsonl"
            ledger.log = stack.enter_context(Log(arguments.log / name))
            progress.say(f"log: {ledger.log.path}")
        stops = _count_stop_signals()
        Delivery(run, sender, ledger, progress, arguments.state, lambda: len(stops)).deliver(arguments.count)
    seconds = time.monotonic() - began
    progress.say(closing_line(ledger, seconds))
    if run.source.unkeyed:
        progress.say(f"{run.source.unkeyed:,} records name no user: sent without a key, to be rejected")
    if arguments.summary:
        write_summary(arguments.summary, run, ledger, seconds)
    return EXIT_FAILED if ledger.failed else 0


def _announcement(run: Run, settings: Settings, partitions: int) -> str:
    kafka, lateness = settings.kafka, settings.detection.allowed_lateness
    to = f"{kafka.transactions_topic} ({partitions} partitions) at {kafka.bootstrap_servers}"
    lines = [f"run {run.source.run_id}: {run.title} -> {to}"]
    if lateness <= MAX_AGE:
        lines.append(
            f"warning: FRAUD_ALLOWED_LATENESS is {format_duration(lateness)}; patterns reach back "
            f"{format_duration(MAX_AGE)}, so some of them will be late and flag nothing"
        )
    return "\n".join(lines)


def _count_stop_signals() -> list[int]:
    """SIGINT and SIGTERM only add to the list from now on: the run ends in good order."""
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, _: received.append(signum))
    return received


if __name__ == "__main__":
    sys.exit(main())

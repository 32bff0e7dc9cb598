"""The command line of the streaming job: `python -m jobs.detect`."""

import argparse
import os
import shutil
import sys
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path

from fraud.environment import load
from fraud.generations import check
from fraud.rules_file import load_rules
from fraud.settings import DetectionSettings, SettingsError

DESCRIPTION = """\
Judges the payments of the topic `transactions` by the rules, and writes alerts to the console, to the topic
`fraud-alerts` and as Parquet to the object store. Runs until Ctrl-C or SIGTERM, and goes on from its
checkpoint when started again. Settings are FRAUD_* variables."""

EPILOG = """\
exit codes: 0 stopped when asked; 1 failed; 2 wrong settings or state of another version; 75 Kafka or the
object store was away longer than FRAUD_OUTAGE, or Spark's JVM ended: start again."""

TAKE_OVER = """\
how a new checkpoint goes on where alerts of another one lie (without it the job refuses to start). keep:
leave them, and go on from the offsets that the consumer group fraud-detect has committed. Payments before
them are not remembered: a rule is complete again one window later. The job commits these offsets when it
starts, within a second of each micro-batch and when it stops; what an old job judged after that (it was
killed, and not started again) is judged twice. The old checkpoint cannot go on afterwards. replace: delete
alerts/ and alerts_hourly/ and judge all that the topic still holds; alerts of payments it no longer holds
are gone."""

SINCE = """\
begin a new checkpoint with the first records that came to Kafka at TIME or later (ISO 8601 with an offset,
such as 2026-11-25T06:00:00Z), in place of the topic's start or, with --take-over keep, of the committed
offsets. A checkpoint that is there goes on where it is."""


def main(arguments: list[str] | None = None) -> int:
    """Run the job; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m jobs.detect",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--take-over", choices=["keep", "replace"], help=" ".join(TAKE_OVER.split()))
    parser.add_argument(
        "--accept-loss",
        action="store_true",
        help="go on where records went from the topic before they were read; metrics count them as `lost`",
    )
    parser.add_argument("--since", type=_moment, metavar="TIME", help=" ".join(SINCE.split()))
    given = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a user's name must not fail on a console without UTF-8
            stream.reconfigure(errors="backslashreplace")
    try:
        settings = load()
        rules = load_rules(settings.detection.rules_file)
        check(rules, settings.detection)
        _check_machine(settings.detection)
    except SettingsError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 2
    from jobs.detect.job import run  # takes a second: settings come first
    from jobs.detect.opening import Options

    return run(settings, rules, Options(given.take_over, given.accept_loss, given.since))


def _moment(text: str) -> int:
    """Epoch milliseconds. Raises ArgumentTypeError."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time: ISO 8601 with an offset, such as 2026-11-25T06:00:00Z"
        )
    return int(time.timestamp() * 1000)


def _check_machine(settings: DetectionSettings) -> None:
    """Raises SettingsError for what Spark would only say in a long trace."""
    problems = []
    if settings.jars and not list(settings.jars.rglob("spark-sql-kafka-0-10_*.jar")):
        problems.append(
            f"FRAUD_JARS is {str(settings.jars)!r}: there is no spark-sql-kafka-0-10 in that folder; it must "
            "hold the jars of Spark's Kafka connector"
        )
    elif (
        settings.jars
        and settings.checkpoint.startswith("s3a:")
        and not list(settings.jars.rglob("hadoop-aws-*.jar"))
    ):
        problems.append(
            f"FRAUD_CHECKPOINT is {settings.checkpoint!r}, but FRAUD_JARS ({str(settings.jars)!r}) has no "
            "hadoop-aws: s3a:// needs its jars"
        )
    home = os.environ.get("JAVA_HOME")
    if home and not Path(home, "bin", "java").is_file():
        problems.append(f"JAVA_HOME is {home!r}: there is no bin/java in it; set it to a JRE 17 or newer")
    elif not home and shutil.which("java") is None:
        problems.append("there is no Java: install a JRE 17 or newer, or set JAVA_HOME to one")
    try:
        settings.log_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problems.append(f"FRAUD_LOG_DIR is {str(settings.log_dir)!r}: {error.strerror}")
    if problems:
        raise SettingsError(problems)


if __name__ == "__main__":
    sys.exit(main())

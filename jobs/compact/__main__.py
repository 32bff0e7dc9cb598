"""The command line of the compaction: `python -m jobs.compact`, once an hour or as often as you like."""

import argparse
import sys
from collections.abc import Sequence

from fraud.environment import load
from fraud.settings import SettingsError
from jobs.compact.hours import Hours, show_hour
from jobs.compact.run import Unreadable, compact
from jobs.detect.errors import OUTAGE, SETTINGS
from jobs.objects import Objects
from jobs.outages import STORE_ERRORS, about_store, passes
from jobs.store_client import store_client

DESCRIPTION = """\
Writes each closed hour of alerts/ as one object to alerts_hourly/, and deletes nothing. An hour is closed
when the metrics of the detection job prove that no alert can come to it any more. Run it by a schedule, such
as once an hour: what is done is not done again, and it may be killed at any moment. Settings are FRAUD_*
variables."""

EPILOG = """\
exit codes: 0 all closed hours are compacted; 1 an object of alerts/ is broken; 2 wrong settings or no
permission; 75 the object store does not answer: run it again; 130 interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compact once; the exit code."""
    argparse.ArgumentParser(
        prog="python -m jobs.compact",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(arguments)
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return SETTINGS
    store = settings.object_store
    try:
        done = compact(Hours(Objects(store_client(store), store.bucket, store.prefix)), say)
    except STORE_ERRORS as error:
        print(f"error: {about_store(error, store)}", file=sys.stderr)
        return OUTAGE if passes(error) else SETTINGS
    except Unreadable as error:
        print(f"error: {error}; hours before it are compacted, it and later ones are not", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: run it again for the rest", file=sys.stderr)
        return 130
    if done.open_since is None:
        say("no hour is closed: the metrics do not prove yet that detection has written all of any hour")
        return 0
    say(
        f"hours before {show_hour(done.open_since)} UTC are closed: {len(done.written)} compacted, "
        f"{done.unchanged} were before" + (f", {len(done.postponed)} postponed" if done.postponed else "")
    )
    return 0


def say(line: str) -> None:
    """A line of progress, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())

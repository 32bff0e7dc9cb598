"""The command line of the reconciliation: `python -m jobs.reconcile`, once a day or as often as you like."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event

from fraud.environment import load
from fraud.settings import CONSUMER_GROUP, Settings, SettingsError
from jobs.archive.progress import ProgressStore
from jobs.detect.errors import SETTINGS
from jobs.detect.failures import explain
from jobs.detect.kafka_sink import KafkaSink
from jobs.detect.retry import Retries
from jobs.detect.topic import Topic
from jobs.objects import Objects
from jobs.reconcile.checkpoint import open_checkpoint
from jobs.reconcile.findings import Findings, find
from jobs.reconcile.lock import Lock
from jobs.reconcile.run import Reconciliation
from jobs.store_client import store_client

DESCRIPTION = """\
Judges afterwards what came too late for the detection job: adds the alerts that there would be, had every
payment come in time, to alerts/ and to the topic `fraud-alerts`, each with the time in `reconciled_at`. It
needs the archive (FRAUD_ARCHIVE), the metrics and the job's checkpoint, and looks only at event times that
detection has left behind for good. Run it by a schedule, such as once a day: what is added is not added
again, and it may be killed at any moment. Settings are FRAUD_* variables."""

EPILOG = """\
exit codes: 0 nothing is missing any more; 1 failed; 2 wrong settings, no archive, or no permission; 75 Kafka
or the object store does not answer, or another reconciliation runs: run it again; 130 interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Reconcile once; the exit code."""
    argparse.ArgumentParser(
        prog="python -m jobs.reconcile",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(arguments)
    settings = None
    try:
        settings = load()
        findings = _reconcile(settings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return SETTINGS
    except KeyboardInterrupt:
        print("interrupted: run it again for the rest", file=sys.stderr)
        return 130
    except Exception as error:
        if settings is None:
            raise
        end = explain(error, settings)
        print(f"error: {end}", file=sys.stderr)
        return end.exit_code
    say(summary(findings))
    return 0


def _reconcile(settings: Settings) -> Findings | None:
    retries = Retries(settings.detection.outage, Event(), say)
    store = settings.object_store
    client = store_client(store)
    ids = retries.call("reaching Kafka", Topic(settings.kafka, CONSUMER_GROUP).identity)
    identity, generations = open_checkpoint(settings.detection.checkpoint, ids, client)
    objects = Objects(client, store.bucket, store.prefix)
    progress = ProgressStore(objects, ids[1]).get()
    if progress is None:
        raise SettingsError(
            [
                f"there is no archive of topic {settings.kafka.transactions_topic!r}: the detection job "
                "writes it when FRAUD_ARCHIVE is true, and only what is in it can be judged afterwards"
            ]
        )
    lock = Lock(objects)
    return Reconciliation(
        objects=objects,
        lock=lock,
        kafka=KafkaSink(settings.kafka, retries),
        alerts_topic=settings.kafka.alerts_topic,
        find=lambda: find(objects, identity, generations, progress.offsets, lock.check),
        newest_generation=generations[-1].number,
        say=say,
    ).run()


def summary(findings: Findings | None) -> str:
    """What was found, in one line."""
    if findings is None:
        return "no payment has come late"
    until = datetime.fromtimestamp(findings.until / 1000, UTC)
    waiting = f"; {findings.waiting:,} later ones wait" if findings.waiting else ""
    return (
        f"{findings.late:,} late payments before {until:%Y-%m-%d %H:%M:%S} UTC: "
        f"{len(findings.alerts):,} alerts were missing{waiting}"
    )


def say(line: str) -> None:
    """A line of progress, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())

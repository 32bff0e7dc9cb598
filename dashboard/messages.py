"""What the page says when there is nothing to show or something is wrong: what happened, what to do. Pure."""

from dataclasses import dataclass
from datetime import datetime

from dashboard.feed import Snapshot
from dashboard.spans import WORDS
from dashboard.store import DeniedError, NoBucketError, StoreError
from dashboard.words import count, minute
from fraud.settings import ObjectStoreSettings


@dataclass(frozen=True)
class Message:
    """`level`: `error`, `warning` or `info`; `title` and `advice` are ours, `detail` is shown as it is."""

    level: str
    key: str
    title: str
    advice: str
    detail: str = ""


def trouble(error: StoreError, store: ObjectStoreSettings, *, has_data: bool) -> Message:
    """Why nothing new could be read."""
    where = f"{store.endpoint_url or 'AWS S3, ' + store.region}, bucket {store.bucket}"
    kept = "What you see was read before. " if has_data else ""
    if isinstance(error, NoBucketError):
        return Message(
            "error", "no-bucket", "The bucket does not exist",
            f"{kept}Is the job set up? `scripts/demo.sh` creates the bucket; else check FRAUD_S3_BUCKET. "
            "This page goes on by itself as soon as the bucket is there.",
            f"{where}\n{error}",
        )  # fmt: skip
    if isinstance(error, DeniedError):
        return Message(
            "error", "denied", "The object store refuses the dashboard's keys",
            f"{kept}Check FRAUD_S3_ACCESS_KEY_ID and FRAUD_S3_SECRET_ACCESS_KEY, and that they may list and "
            "read the bucket; then start the dashboard again.",
            f"{where}\n{error}",
        )  # fmt: skip
    return Message(
        "error", "unreachable", "The object store cannot be reached",
        f"{kept}Is it running, and is FRAUD_S3_ENDPOINT_URL right? This page tries again by itself.",
        f"{where}\n{error}",
    )  # fmt: skip


def notes(snapshot: Snapshot) -> list[Message]:
    """What to know about the figures shown."""
    found = []
    if snapshot.unreadable:
        one = snapshot.unreadable == 1
        found.append(
            Message(
                "warning",
                "unreadable",
                f"{count(snapshot.unreadable)} {'file' if one else 'files'} could not be read",
                f"{'It is' if one else 'They are'} half-written or damaged, and left out; "
                f"{'it is' if one else 'they are'} tried again at each refresh.",
            )
        )
    if snapshot.is_cut and snapshot.full_since:
        found.append(
            Message(
                "warning",
                "cut",
                f"Shown from {minute(snapshot.full_since)} on",
                "This range holds more than the dashboard keeps in memory; a shorter one is complete.",
            )
        )
    if snapshot.is_loading:
        found.append(
            Message(
                "info",
                "loading",
                f"Read so far: from {minute(snapshot.complete_since)} on",
                "Older files follow with the next refreshes; until then the figures are of this part.",
            )
        )
    return found


def nothing_yet() -> Message:
    """There is a bucket, and nothing in it."""
    return Message(
        "info", "empty", "No alerts yet: is the job running?",
        "`scripts/demo.sh` starts the whole pipeline. Alerts appear here within seconds of the first one.",
    )  # fmt: skip


def none_in_range(name: str, newest: datetime | None) -> Message:
    """There are no alerts in the range; `newest`: of those before it, if there are any."""
    hint = f"The newest one is of {minute(newest)}. " if newest else ""
    return Message(
        "info", "none-in-range", f"No alerts in the last {WORDS[name]}",
        f"{hint}Choose a longer range above, or wait: this page follows by itself.",
    )  # fmt: skip


def no_such_alert() -> Message:
    """The address names an alert that is not among those read."""
    return Message(
        "warning", "no-such-alert", "The alert in this address is not here",
        "It may be older than the time range: choose a longer one above.",
    )  # fmt: skip


def silent_in_range(name: str) -> Message:
    """There are metrics, but none in the range."""
    return Message(
        "info", "silent", f"The job wrote nothing in the last {WORDS[name]}",
        "Choose a longer range above, or start the job: this page follows by itself.",
    )  # fmt: skip

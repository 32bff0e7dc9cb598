"""The start of a checkpoint: go on with the stored one, or make a new one beside another's alerts."""

import json
from collections.abc import Callable
from typing import Literal

from fraud.settings import SettingsError
from jobs.detect.alerts_sink import AlertsSink
from jobs.detect.identity import Identity, check_identity, store_identity, stored_identity
from jobs.detect.offsets import Files, Offsets

TakeOver = Literal["keep", "replace"]

_EARLIEST_OFFSET = -2  # as Spark's Kafka source writes it


def open_checkpoint(
    files: Files,
    where: str,
    wanted: Identity,
    take_over: TakeOver | None,
    alerts: AlertsSink,
    progress: Callable[[], tuple[list[int], Offsets]],
    say: Callable[[str], None],
) -> Identity:
    """The checkpoint's identity, stored. `progress` gives the topic's partitions and where the consumer
    group is in them. Raises SettingsError when `wanted` may not go on, or alerts are in the way."""
    stored = stored_identity(files, where)
    if stored:
        check_identity(stored, wanted, where)
        return stored
    if take_over == "replace":
        deleted = alerts.delete_all()  # before the identity: a crash in between repeats it
        say(f"--take-over replace: deleted {deleted} objects of alerts; the topic is judged from its start")
    elif take_over == "keep":
        partitions, committed = progress()
        offsets = {str(number): committed.get(number, _EARLIEST_OFFSET) for number in partitions}
        wanted = wanted.model_copy(update={"starting_offsets": json.dumps({wanted.topic: offsets})})
        say(f"--take-over keep: goes on from the consumer group's offsets {offsets}")
    else:
        found = alerts.any()
        if found:
            raise SettingsError(
                [
                    f"{where} is a new checkpoint, but there are alerts of another one ({found}): set "
                    "FRAUD_CHECKPOINT back to that, or say how to go on with --take-over keep or "
                    "--take-over replace (--help explains)"
                ]
            )
    store_identity(files, wanted)
    return wanted


def unread_from(identity: Identity, committed_end: Offsets | None) -> Offsets:
    """Partition -> the first offset not judged yet, where that is known."""
    if committed_end is not None:
        return committed_end
    if identity.starting_offsets.startswith("{"):
        offsets = json.loads(identity.starting_offsets)[identity.topic]
        return {int(number): offset for number, offset in offsets.items() if offset >= 0}
    return {}

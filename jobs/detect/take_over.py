"""The start of a checkpoint: go on with the stored one, or make a new one, beside the alerts of others."""

import json
from collections.abc import Callable
from typing import Literal

from fraud.settings import SettingsError
from jobs.detect.alerts_sink import FOLDER, AlertsSink, hour_folder
from jobs.detect.identity import Identity, check_identity, store_identity, stored_identity
from jobs.detect.metrics import MetricsSink
from jobs.detect.offsets import (
    NO_BATCH,
    Files,
    Offsets,
    PlannedBatch,
    known_offsets,
    last_committed,
    last_planned,
    planned_batch,
    starting_offsets,
)
from jobs.detect.seal import REMEDY

TakeOver = Literal["keep", "replace"]


def open_checkpoint(
    files: Files,
    where: str,
    wanted: Identity,
    take_over: TakeOver | None,
    alerts: AlertsSink,
    metrics: MetricsSink,
    since: bool,
    progress: Callable[[], tuple[list[int], Offsets]],
    say: Callable[[str], None],
) -> Identity:
    """The checkpoint's identity, stored. `progress` gives the topic's partitions and where the consumer
    group is in them or, with `since`, where a new checkpoint is to begin. Can be repeated. Raises
    SettingsError when `wanted` may not go on, or alerts are in the way."""
    stored = stored_identity(files, where)
    if stored:
        check_identity(stored, wanted, where)
        _check_bucket(stored, files, alerts, metrics, where)
        return stored
    if take_over == "replace":
        deleted = alerts.delete_all()  # before the identity: a crash in between repeats it
        say(f"--take-over replace: deleted {deleted} objects of alerts; what the topic holds is judged anew")
    elif take_over == "keep":
        wanted = wanted.model_copy(update={"accepted": sorted(alerts.checkpoints())})
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
    if since or take_over == "keep":
        starting = starting_offsets(wanted.topic, *progress())
        wanted = wanted.model_copy(update={"starting_offsets": starting})
        where_from = "--since: begins at" if since else "--take-over keep: goes on from the consumer group's"
        say(f"{where_from} offsets {json.loads(starting)[wanted.topic]}")
    store_identity(files, wanted)
    return wanted


def _check_bucket(
    stored: Identity, files: Files, alerts: AlertsSink, metrics: MetricsSink, where: str
) -> None:
    """Raises SettingsError when what this checkpoint goes on with has been judged already.

    By another checkpoint, when that has alerts; those of before this one's last micro-batch were there when
    it was started then. By this one, when the bucket has a micro-batch that is not planned in it: it is a
    copy of before. Alerts are witnesses, for they are written before their metrics, and metrics are, for many
    micro-batches have no alerts. (A checkpoint without any plan has no time from which on to read metrics.)
    """
    own, committed, planned = stored.checkpoint_id, last_committed(files), last_planned(files)
    seen = alerts.checkpoints(hour_folder(committed.time) if committed else FOLDER, {own: planned})
    newer = seen.keys() - {own, *stored.accepted}
    if newer:
        raise SettingsError(
            [
                f"{where} (checkpoint {own}) is older than alerts of checkpoint {', '.join(sorted(newer))}, "
                "and would judge payments a second time: set FRAUD_CHECKPOINT back to the newer one, or to a "
                "new folder with --take-over keep or --take-over replace (--help explains)"
            ]
        )
    newest = seen.get(own, NO_BATCH)
    if planned != NO_BATCH:
        newest = max(newest, metrics.newest_batch(own, planned_batch(files, planned).time))
    if newest > last_planned(files):  # asked again: another job may go on with this checkpoint meanwhile
        raise SettingsError(
            [
                f"{where} is an older copy of checkpoint {own}: the bucket has its micro-batch {newest}, and "
                f"payments would be judged a second time: {REMEDY}"
            ]
        )


def unread_from(identity: Identity, committed: PlannedBatch | None) -> Offsets:
    """Partition -> the first offset not judged yet, where that is known."""
    if committed is not None:
        return committed.end
    return known_offsets(identity.starting_offsets)

"""Where the archive goes on: in its own checkpoint, or in a new one where an earlier archive came to."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from fraud.settings import SettingsError
from jobs.archive.progress import Progress, ProgressStore
from jobs.detect.identity import EARLIEST
from jobs.detect.offsets import (
    NO_BATCH,
    Files,
    known_offsets,
    last_committed,
    last_planned,
    starting_offsets,
)
from jobs.detect.resumption import check_for_loss
from jobs.detect.seal import check_seal
from jobs.detect.topic import Topic

NAME = "archive.json"


class ArchiveIdentity(BaseModel):
    """What an archive's checkpoint keeps for life."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    archive_id: str  # 8 hex digits, in the name of each object
    starting_offsets: str  # as Spark's Kafka source reads it


@dataclass(frozen=True)
class ArchiveOpening:
    """An archive that is ours to go on with."""

    identity: ArchiveIdentity
    last_planned: int  # the newest micro-batch planned before; NO_BATCH for none
    next_batch: int  # the first that is not complete


def open_archive(
    files: Files,
    where: str,
    ids: tuple[str, str],
    topic: Topic,
    stored: ProgressStore,
    accept_loss: bool,
    say: Callable[[str], None],
) -> ArchiveOpening:
    """Open or make the archive's checkpoint `where`, for the topic with these `ids` (cluster, topic).

    Can be repeated when something was away. Raises SettingsError when the checkpoint is damaged or older than
    the archive, JobError when records have gone before they were archived.
    """
    remedy = f"delete {where}, and the archive goes on where it has come to, which the bucket knows"
    check_seal(files, where, remedy)
    progress = stored.get()
    found = _stored_identity(files, where)
    identity = found or _begin(files, ids, topic, stored, progress)
    committed, last = last_committed(files), last_planned(files)
    if found and progress is not None:
        _check_age(identity, last, progress, where, remedy)
    unread = committed.end if committed else known_offsets(identity.starting_offsets)
    check_for_loss(unread, topic.earliest(), accept_loss, say)
    return ArchiveOpening(
        identity,
        last_planned=last,
        next_batch=0 if committed is None else committed.batch_id + 1,
    )


def _check_age(
    identity: ArchiveIdentity, last_planned: int, progress: Progress, where: str, remedy: str
) -> None:
    """Raises SettingsError when the topic's archive has gone on without this checkpoint."""
    if progress.archive_id != identity.archive_id:
        raise SettingsError(
            [
                f"{where} (archive {identity.archive_id}) is older than archive {progress.archive_id}, which "
                f"has gone on with topic {progress.topic!r}: set FRAUD_CHECKPOINT back to the newer one, or "
                "to a new folder"
            ]
        )
    if progress.batch_id > last_planned:
        raise SettingsError(
            [
                f"{where} is an older copy of archive {identity.archive_id}: the bucket has its micro-batch "
                f"{progress.batch_id}, and records would be archived a second time: {remedy}"
            ]
        )


def _begin(
    files: Files, ids: tuple[str, str], topic: Topic, stored: ProgressStore, before: Progress | None
) -> ArchiveIdentity:
    """A new archive, which goes on where the one `before` came to. What that had begun is begun anew."""
    if before is not None:
        stored.delete_incomplete(before)
    identity = ArchiveIdentity(
        archive_id=secrets.token_hex(4),
        starting_offsets=starting_offsets(topic.name, topic.partitions(), before.offsets)
        if before
        else EARLIEST,
    )
    # first the bucket: a checkpoint whose archive is not known there would look like an older one
    stored.put(
        Progress(
            cluster_id=ids[0],
            topic=topic.name,
            topic_id=ids[1],
            archive_id=identity.archive_id,
            batch_id=NO_BATCH,
            batch_time=time.time_ns() // 1_000_000,
            offsets=before.offsets if before else {},
        )
    )
    files.write(NAME, identity.model_dump_json(indent=2))
    return identity


def _stored_identity(files: Files, where: str) -> ArchiveIdentity | None:
    text = files.read(NAME)
    if text is None:
        return None
    try:
        return ArchiveIdentity.model_validate_json(text)
    except ValidationError as error:
        raise SettingsError([f"{where}/{NAME} is not readable by this release: {error}"]) from error

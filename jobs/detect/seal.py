"""The seal of a checkpoint: checksums of the files that decide, so that none of them changes unseen.

Spark keeps checksums of its state and none of its offset log, nor does the file system where it is told to
be quick: one flipped digit there, and records would be skipped, or read again under another name. A flipped
digit in a generation would judge by rules that nobody wrote.
"""

import hashlib
import json
from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from fraud.generations import Generation
from fraud.settings import SettingsError
from jobs.detect.offsets import NO_BATCH, Files, last_committed_id, last_planned, origin_of, planned_batch

REMEDY = (
    "restore the checkpoint from a copy, if there is one of after the last micro-batch; or go on with "
    "another FRAUD_CHECKPOINT and --take-over (--help explains)"
)

_NAME = "seal.json"


class Sealed(BaseModel):
    """What lies in the checkpoint."""

    batch_id: int  # the newest micro-batch of which something may have been written
    sha256: dict[str, str]  # name of a file -> hex


class Seal:
    """Put on the checkpoint by each micro-batch before it writes anything."""

    def __init__(self, files: Files, identity: str, generations: Sequence[Generation] = ()) -> None:
        """`identity`: the file that says whose checkpoint it is. `generations`: all that are stored, the one
        for the next micro-batch among them."""
        self._files = files
        self._identity = identity
        self._generations = generations
        self._known: dict[str, str] = {}

    def put(self, batch_id: int) -> None:
        """Seal what decided up to this micro-batch.

        None of the files changes while a job runs: only the micro-batch's own entry is read each time.
        """
        spark = ("metadata", origin_of(batch_id), f"offsets/{batch_id}")
        begun = [each for each in self._generations if each.first_batch_id <= batch_id]  # others may change
        names = (self._identity, *(generation_file(each) for each in begun), *spark)
        self._known = {name: self._known.get(name) or _digest(self._files.read(name)) for name in names}
        self._files.write(_NAME, Sealed(batch_id=batch_id, sha256=self._known).model_dump_json(indent=2))


def generation_file(generation: Generation) -> str:
    """Where a generation lies in the checkpoint."""
    return f"generations/{generation.number}.json"


def check_seal(files: Files, where: str, remedy: str = REMEDY) -> None:
    """Raises SettingsError, one problem a file, unless all that decides is as it was written. `remedy`: what
    to do about it.

    A checkpoint without a seal (of an older release, or before its first micro-batch) needs logs that can be
    read.
    """
    sealed = _sealed(files, where, remedy)
    problems = [
        f"{name} is {'gone' if now is None else 'damaged'}: {remedy}"
        for name, digest in (sealed.sha256 if sealed else {}).items()
        if _digest(now := files.read(name)) != digest
    ]
    problems = problems or _unreadable_logs(files, sealed.batch_id if sealed else None, remedy)
    if problems:
        raise SettingsError([f"{where}/{problem}" for problem in problems])


def _sealed(files: Files, where: str, remedy: str) -> Sealed | None:
    text = files.read(_NAME)
    if text is None:
        return None
    try:
        return Sealed.model_validate_json(text)
    except ValidationError as error:
        raise SettingsError([f"{where}/{_NAME} is damaged: {remedy}"]) from error


def _unreadable_logs(files: Files, sealed: int | None, remedy: str) -> list[str]:
    """What Spark would say in a long trace; only the newest entries matter to it. `sealed`: the micro-batch
    up to which the seal vouches for the offset log."""
    planned, committed = last_planned(files), last_committed_id(files)
    if planned != NO_BATCH:
        try:
            planned_batch(files, planned)
        except (ValueError, LookupError, TypeError, AttributeError):
            if sealed is not None and planned > sealed:
                return [f"offsets/{planned} is damaged: delete it, nothing was written of that micro-batch"]
            return [f"offsets/{planned} or the entry before it is damaged: {remedy}"]
    if committed is not None:
        try:
            json.loads((files.read(f"commits/{committed}") or "").partition("\n")[2])
        except ValueError:
            return [
                f"commits/{committed} is damaged: delete it, and that micro-batch is written once more, as "
                "it was"
            ]
    return []


def _digest(text: str | None) -> str:
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()

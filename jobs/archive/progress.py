"""How far the archive of a topic has come, kept in the bucket beside it for its readers and for its heirs.

Spark's checkpoint knows it too, but may lie on another machine, or give way to a new one.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from fraud.archive import FOLDER
from fraud.settings import SettingsError
from jobs.archive.keys import first_folder_since, is_later, progress_key
from jobs.objects import Objects


class Progress(BaseModel):
    """Of all records before `offsets` the valid ones are in the archive."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    cluster_id: str
    topic: str
    topic_id: str
    archive_id: str  # 8 hex digits, in the name of each object of this archive
    batch_id: int  # its last micro-batch that is complete; NO_BATCH before the first
    batch_time: int  # when that was, in epoch milliseconds
    offsets: dict[int, int]  # partition -> the first offset that is not archived yet


class ProgressStore:
    """The progress of one topic's archive, as an object of the bucket."""

    def __init__(self, objects: Objects, topic_id: str) -> None:
        self._objects = objects
        self._key = progress_key(topic_id)

    def get(self) -> Progress | None:
        """What is stored; None when nothing is. Raises SettingsError for what another release wrote."""
        content = self._objects.read(self._key)
        if content is None:
            return None
        try:
            return Progress.model_validate_json(content)
        except ValidationError as error:
            where = self._objects.address(self._key)
            raise SettingsError([f"{where} is not readable: {error}"]) from error

    def put(self, progress: Progress) -> None:
        """Store it."""
        self._objects.put(self._key, progress.model_dump_json(indent=2).encode())

    def delete_incomplete(self, progress: Progress) -> int:
        """Delete the objects of micro-batches of that archive which `progress` does not count; how many."""
        keys = self._objects.keys(FOLDER, first_folder_since(progress.batch_time))
        later = [key for key in keys if is_later(key, progress.archive_id, progress.batch_id)]
        for key in later:
            self._objects.delete(key)
        return len(later)

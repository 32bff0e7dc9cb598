"""The lease on a checkpoint: of two jobs on it, only the one that started last may write."""

import json
import secrets
from typing import Any

from jobs.detect.errors import SETTINGS, JobError
from jobs.detect.offsets import Files

_NAME = "lease.json"


class Lease:
    """One job's right to write, taken when it is made: the epoch before it ends here."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._holder = secrets.token_hex(8)
        before = self._read()
        self.epoch: int = 1 + (before["epoch"] if before else 0)
        files.write(_NAME, json.dumps({"epoch": self.epoch, "holder": self._holder}))

    def check(self) -> None:
        """Raises JobError when another job has taken the checkpoint over."""
        lease = self._read()
        if lease is None:
            raise JobError("the checkpoint's lease is gone: was the checkpoint deleted under the job?")
        if lease["holder"] != self._holder:
            raise JobError(
                f"another job took over this checkpoint (epoch {lease['epoch']}, this one had {self.epoch}): "
                "this job has stopped and written nothing more"
            )

    def _read(self) -> dict[str, Any] | None:
        text = self._files.read(_NAME)
        if text is None:
            return None
        try:
            lease = json.loads(text)
            return {"epoch": int(lease["epoch"]), "holder": str(lease["holder"])}
        except (ValueError, LookupError, TypeError) as error:
            raise JobError(
                f"the checkpoint's {_NAME} is damaged: when no other job runs on this checkpoint, delete it",
                SETTINGS,
            ) from error

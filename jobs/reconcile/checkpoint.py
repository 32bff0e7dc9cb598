"""What the reconciliation needs of the job's checkpoint, read without Spark: its identity and generations."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from fraud.generations import Generation
from fraud.settings import SettingsError
from jobs.detect.identity import Identity, stored_identity
from jobs.detect.offsets import ReadableFiles
from jobs.detect.resumption import read_generations
from jobs.objects import Objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class LocalFiles:
    """A checkpoint in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str) -> str | None:
        """See jobs.detect.offsets.ReadableFiles."""
        path = self._root / name
        return path.read_text("utf-8") if path.is_file() else None

    def names(self, folder: str) -> list[str]:
        """See jobs.detect.offsets.ReadableFiles."""
        return sorted(path.name for path in (self._root / folder).glob("*") if path.is_file())


class S3Files:
    """A checkpoint below `s3a://bucket/path`."""

    def __init__(self, client: "S3Client", where: str) -> None:
        address = urlparse(where)
        self._objects = Objects(client, address.netloc, f"{address.path.strip('/')}/")

    def read(self, name: str) -> str | None:
        """See jobs.detect.offsets.ReadableFiles."""
        content = self._objects.read(name)
        return None if content is None else content.decode()

    def names(self, folder: str) -> list[str]:
        """See jobs.detect.offsets.ReadableFiles."""
        names = [key.removeprefix(f"{folder}/") for key in self._objects.keys(f"{folder}/")]
        return [name for name in names if "/" not in name]


def open_checkpoint(
    checkpoint: str, ids: tuple[str, str], client: "S3Client"
) -> tuple[Identity, list[Generation]]:
    """Whose checkpoint FRAUD_CHECKPOINT is and under which generations it judges; `ids` are those of cluster
    and topic. Raises SettingsError when it is not one of this topic."""
    cluster_id, topic_id = ids
    where = f"{checkpoint.rstrip('/')}/{cluster_id}"
    files: ReadableFiles
    if where.startswith("s3a:"):
        files = S3Files(client, where)
    else:
        files = LocalFiles(Path(where.removeprefix("file://").removeprefix("file:")))
    identity = stored_identity(files, where)
    if identity is None:
        raise SettingsError([f"there is no checkpoint in {where}: set FRAUD_CHECKPOINT to the job's"])
    if identity.topic_id != topic_id:
        raise SettingsError(
            [f"{where} judges another topic (id {identity.topic_id}): set FRAUD_CHECKPOINT to this one's"]
        )
    return identity, sorted(read_generations(files), key=lambda each: each.number)

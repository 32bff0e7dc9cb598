"""The checkpoint's files, through Spark's own file manager: `file:` and `s3a:` alike, written at once."""

from typing import Any

from py4j.java_gateway import JavaGateway


class CheckpointFiles:
    """The files under one checkpoint path, on whatever file system it lies."""

    def __init__(self, gateway: JavaGateway, hadoop_configuration: Any, root: str) -> None:
        jvm = gateway.jvm
        manager = jvm.org.apache.spark.sql.execution.streaming.checkpointing.CheckpointFileManager
        self._path = jvm.org.apache.hadoop.fs.Path
        self._text = jvm.org.apache.commons.io.IOUtils
        self._root = root.rstrip("/")
        self._manager = manager.create(self._path(self._root), hadoop_configuration)
        self._made: set[str] = set()

    def read(self, name: str) -> str | None:
        """The text of a file; None when there is none."""
        path = self._path(f"{self._root}/{name}")
        if not self._manager.exists(path):
            return None
        stream = self._manager.open(path)
        try:
            return str(self._text.toString(stream, "UTF-8"))
        finally:
            stream.close()

    def write(self, name: str, text: str) -> None:
        """Write a file at once: a reader sees the old text or the new one."""
        folder = f"{self._root}/{name}".rsplit("/", 1)[0]
        if folder not in self._made:
            self._manager.mkdirs(self._path(folder))
            self._made.add(folder)
        stream = self._manager.createAtomic(self._path(f"{self._root}/{name}"), True)
        try:
            stream.write(text.encode())
        except BaseException:
            stream.cancel()
            raise
        stream.close()

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder; none when there is no such folder."""
        path = self._path(f"{self._root}/{folder}")
        if not self._manager.exists(path):
            return []
        return [status.getPath().getName() for status in self._manager.list(path)]

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return bool(self._manager.exists(self._path(f"{self._root}/{name}")))

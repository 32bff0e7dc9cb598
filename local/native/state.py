"""The folder in which the native stack keeps everything that survives a restart, and who may use it now."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_MARKER = "native-stack"
_ABOUT = "Made by local/native of the fraud pipeline. scripts/reset.sh --native clears this folder.\n"


class StateError(Exception):
    """The folder is somebody else's, or in use; the message says what to do."""


@dataclass(frozen=True)
class State:
    """Where things lie in the state folder."""

    folder: Path

    @property
    def kafka(self) -> Path:
        """The broker's configuration and data."""
        return self.folder / "kafka"

    @property
    def s3(self) -> Path:
        """The S3 server's configuration and data."""
        return self.folder / "s3"

    @property
    def checkpoint(self) -> Path:
        """The job's offsets and state."""
        return self.folder / "checkpoint"

    @property
    def producer(self) -> Path:
        """What the producer logged, a folder a run."""
        return self.folder / "producer"

    @property
    def replays(self) -> Path:
        """Checkpoints of `--from` runs, a folder a run."""
        return self.folder / "replays"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.folder / "logs"

    @property
    def record(self) -> Path:
        """What runs now."""
        return self.folder / "processes.json"


@contextmanager
def opened(folder: Path) -> Iterator[State]:
    """The state at `folder`, made if there is none, for us alone. Raises StateError."""
    folder = folder.resolve()
    if folder.exists() and not is_ours(folder):
        raise StateError(f"{folder} holds something else; choose another folder with --state DIR")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # payments and alerts of somebody: an earlier version's folder, too, is the owner's
    (folder / _MARKER).write_text(_ABOUT)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StateError(
                f"a stack is running on {folder} (process {lock.read().strip() or 'unknown'}); "
                "stop it with Ctrl-C in its terminal, or choose another folder with --state DIR "
                "(and other ports)"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield State(folder)


def clear(state: State) -> None:
    """Delete everything in an opened state folder but the marker and the lock that is held."""
    for path in state.folder.iterdir():
        if path.name in (_MARKER, "lock"):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def is_ours(folder: Path) -> bool:
    """Whether a stack made this folder, or could: it has the marker, or it is an empty folder."""
    return folder.is_dir() and ((folder / _MARKER).is_file() or not any(folder.iterdir()))


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    partial = file.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
    partial.replace(file)

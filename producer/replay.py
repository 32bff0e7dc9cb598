"""Somebody's own transactions, from a file or from standard input, instead of simulated ones."""

import hashlib
import itertools
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import orjson

from producer.block import Block
from producer.lines import InputError, file_lines, stream_lines
from producer.tables import csv_records, parquet_records

_BLOCK = 1_000
_READERS = {
    ".jsonl": file_lines,
    ".ndjson": file_lines,
    ".csv": csv_records,
    ".parquet": parquet_records,
}


class Replay:
    """A `Source` of the records of `origin`, a path or `-` for JSON lines on standard input.

    Each is keyed by its user_id. One that has none that could be read is sent all the same, without a
    key, and counted in `unkeyed`: the pipeline rejects it with its reason. Records are due at their event
    time; one without follows the one before.
    """

    def __init__(self, origin: str) -> None:
        """Raises InputError when the input cannot be read, lacks columns or holds nothing."""
        self._origin = origin
        self._records = _open(origin)
        self.unkeyed = 0

    @property
    def identity(self) -> dict[str, object]:
        """Path and size; a file that grows is another one."""
        if self._origin == "-":
            return {"from": "-"}
        path = Path(self._origin).resolve()
        return {"from": str(path), "size": path.stat().st_size}

    @property
    def run_id(self) -> str:
        """8 hex digits of the identity."""
        return hashlib.sha256(orjson.dumps(self.identity)).hexdigest()[:8]

    def blocks(self, first: int) -> Iterator[Block]:
        """Records from number `first` on, at most 1,000 at a time."""
        block, due = Block(first), 0
        for record in itertools.islice(self._records, first, None):
            if record is not None:
                key, time = key_and_time(record)
                due = max(due, time or 0)
                self.unkeyed += key is None
                block.keys.append(key)
                block.values.append(record)
                block.due.append(due)
            if record is None or len(block.values) == _BLOCK:
                yield block
                block = Block(block.first + len(block.values))
        yield block


def key_and_time(record: bytes) -> tuple[bytes | None, int | None]:
    """user_id as bytes and event time in milliseconds, each None where the record does not say."""
    try:
        content = orjson.loads(record)
    except orjson.JSONDecodeError:
        return None, None
    if not isinstance(content, dict):
        return None, None
    user, time = content.get("user_id"), content.get("timestamp")
    key = user.encode() if isinstance(user, str) and user else None
    return key, _milliseconds(time)


def _milliseconds(time: object) -> int | None:
    if isinstance(time, str):
        try:
            moment = datetime.fromisoformat(time)
        except ValueError:
            return None
        return int(moment.timestamp() * 1000) if moment.tzinfo else None
    return time if type(time) is int and 0 <= time < 2**53 else None


def _open(origin: str) -> Iterator[bytes | None]:
    if origin == "-":
        return stream_lines(sys.stdin.fileno())
    path = Path(origin)
    if path.suffix not in _READERS:
        raise InputError(f"{origin}: the name must end in {', '.join(_READERS)}, or be - for standard input")
    try:
        with path.open("rb"):
            pass
        records: Iterator[bytes] = _READERS[path.suffix](path)
        first = next(records, None)
    except OSError as error:
        raise InputError(f"{origin} cannot be read: {error.strerror or error}") from error
    if first is None:
        raise InputError(f"{origin} holds no transactions")
    return itertools.chain([first], records)

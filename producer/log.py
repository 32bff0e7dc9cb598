"""The log beside the stream: every acknowledged record, byte for byte, with where Kafka put it and why."""

import base64
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
from confluent_kafka import Message

from producer.block import Note


class Log:
    """One JSON line an acknowledged record, in the order of the acknowledgements.

    `number`, `partition`, `offset`, `timestamp` (Kafka's, in milliseconds), `key`, `value`, `pattern`,
    `injected`, `reason` (why the pipeline must reject it, or null). A value that is no UTF-8 is in
    `value_base64` instead. After a kill the last line may be cut off: the record is sent again.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError when the file cannot be made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("xb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, acknowledged: Sequence[tuple[int, Message]], notes: Sequence[Note]) -> None:
        """Add the lines of records, by number; `flush` makes them outlive the process."""
        self._file.writelines(
            _line(number, message, note) for (number, message), note in zip(acknowledged, notes, strict=True)
        )

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        self._file.flush()


def _line(number: int, message: Message, note: Note) -> bytes:
    key, value = message.key(), message.value()
    fields = {
        "number": number,
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": message.timestamp()[1],
        "key": None if key is None else key.decode(),  # a user_id or made from one
        "value": None,
        "pattern": note.pattern,
        "injected": note.injected,
        "reason": note.reason,
    }
    if value is not None:
        try:
            fields["value"] = value.decode()
        except UnicodeDecodeError:
            del fields["value"]
            fields["value_base64"] = base64.b64encode(value).decode()
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)

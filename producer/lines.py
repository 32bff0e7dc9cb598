"""Somebody's records as lines of JSON, from a file or from standard input, byte for byte."""

import os
import select
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 1 << 20
_IDLE = 0.1  # seconds


class InputError(Exception):
    """The input cannot be used; the message says why and what would do."""


def file_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file without their ends; blank ones are left out."""
    with path.open("rb") as file:
        for line in file:
            content = line.rstrip(b"\r\n")
            if content:
                yield content


def stream_lines(descriptor: int) -> Iterator[bytes | None]:
    """The lines that arrive on a pipe or terminal, and None whenever there is none for the moment."""
    rest = b""
    while True:
        if not select.select([descriptor], [], [], _IDLE)[0]:
            yield None
            continue
        chunk = os.read(descriptor, _CHUNK)
        *lines, rest = (rest + chunk).split(b"\n") if chunk else (rest, b"")
        yield from (line.rstrip(b"\r") for line in lines if line.rstrip(b"\r"))
        if not chunk:
            return
        yield None

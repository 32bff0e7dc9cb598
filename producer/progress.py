"""Tells the person at the terminal how the sending goes: one living line, or one line every ten seconds."""

import time
from collections import deque
from typing import TextIO

_REFRESH = 0.5  # seconds, on a terminal
_REPORT = 10.0  # seconds, into a file or pipe
_WINDOW = 5.0  # seconds over which the rate is taken


class Progress:
    """Writes to `stream`, usually stderr."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._every = _REFRESH if self._terminal else _REPORT
        now = time.monotonic()
        self._written = now
        self._history = deque([(now, 0)])
        self._shown = False

    def update(self, sent: int, acknowledged: int, trouble: str | None) -> None:
        """Show the counts if it is time to; cheap enough to be called all the time."""
        now = time.monotonic()
        if now - self._history[-1][0] >= _REFRESH:
            self._history.append((now, acknowledged))
            while len(self._history) > 2 and now - self._history[0][0] > _WINDOW:
                self._history.popleft()
        if now - self._written < self._every:
            return
        self._written = now
        line = progress_line(sent, acknowledged, self._rate(now, acknowledged), trouble)
        self._stream.write(f"\r{line}\x1b[K" if self._terminal else f"{line}\n")
        self._stream.flush()
        self._shown = self._terminal

    def say(self, text: str) -> None:
        """A line of its own, above the living one."""
        self._stream.write(f"\r{text}\x1b[K\n" if self._shown else f"{text}\n")
        self._stream.flush()
        self._shown = False

    def _rate(self, now: float, acknowledged: int) -> float:
        then, before = self._history[0]
        return (acknowledged - before) / max(now - then, 0.001)


def progress_line(sent: int, acknowledged: int, rate: float, trouble: str | None) -> str:
    """Such as `sent 3,300   acknowledged 3,298   55/s`, and what is wrong with Kafka, if anything."""
    line = f"sent {sent:,}   acknowledged {acknowledged:,}   {rate:,.0f}/s"
    return f"{line}   Kafka: {trouble}" if trouble else line

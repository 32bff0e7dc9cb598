"""Brings a run's records to Kafka in time and books what became of them, until somebody stops it."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from producer.block import Block
from producer.ledger import Ledger
from producer.progress import Progress
from producer.runs import Run
from producer.sender import FLUSH_SECONDS, Sender
from producer.state import write_state

_SLICE = 500  # records between two looks at the clock
_REST = 0.02  # seconds at least that it rests when nothing is due: one look for each record takes a processor
_WAIT = 0.1  # seconds between two looks at whether to stop
_SAVE = 1.0  # seconds between two savings of log and state


class Delivery:
    """One run. `stops` says how often somebody asked to stop: once ends it, twice cuts the flush short."""

    def __init__(
        self,
        run: Run,
        sender: Sender,
        ledger: Ledger,
        progress: Progress,
        state: Path | None,
        stops: Callable[[], int],
    ) -> None:
        self._run = run
        self._sender = sender
        self._ledger = ledger
        self._progress = progress
        self._state = state
        self._stops = stops
        self._saved = time.monotonic()
        self._undelivered = False

    def deliver(self, count: int | None) -> None:
        """Send the records with numbers below `count`, then wait for what is still under way."""
        self._save()
        for block in self._run.source.blocks(self._run.state.next):
            if not self._send(block, count):
                break
        self._flush()
        self._save()

    def _send(self, block: Block, count: int | None) -> bool:
        """Send a block when its records are due. False when it was the last one."""
        self._ledger.announce(block)
        pace = self._run.pace
        rows = len(block.values) if count is None else min(len(block.values), max(0, count - block.first))
        sent = 0
        while sent < rows:
            rows = min(rows, pace.end(block.due, sent))
            most = min(rows, sent + _SLICE)
            ready = min(most, pace.ready(block.due, sent))
            sent = self._hand_over(block, sent, ready)
            if sent < ready:  # too many are under way
                self._book(_WAIT)
            else:
                if ready < most:  # no more is due
                    time.sleep(min(max(pace.wait(block.due[sent]), _REST), _WAIT))
                self._book(0.0)
            if self._stopped:
                return False
        self._book(0.0)
        return sent == len(block.values) and not pace.over() and not self._stopped

    def _hand_over(self, block: Block, start: int, end: int) -> int:
        """Rows `start` to `end` go under way. Returns the first that did not, when there are too many."""
        for row in range(start, end):
            try:
                self._sender.send(block.first + row, block.keys[row], block.values[row])
            except BufferError:
                return row
            self._ledger.sent += 1
        return end

    def _book(self, wait: float) -> None:
        """Take what is known about records under way, waiting for it up to `wait` seconds."""
        reports = self._sender.reports(wait)
        self._undelivered |= not self._ledger.settle(reports)
        self._progress.update(self._ledger.sent, self._ledger.acknowledged, self._sender.trouble)
        if time.monotonic() - self._saved >= _SAVE:
            self._save()

    @property
    def _stopped(self) -> bool:
        return self._stops() > 0 or self._undelivered

    def _flush(self) -> None:
        deadline = time.monotonic() + FLUSH_SECONDS
        while len(self._sender) and time.monotonic() < deadline and self._stops() < 2:
            self._book(_WAIT)

    def _save(self) -> None:
        """The log first: what the state calls acknowledged must be in it."""
        if self._ledger.log:
            self._ledger.log.flush()
        if self._state:
            write_state(self._state, replace(self._run.state, next=self._ledger.next))
        self._saved = time.monotonic()

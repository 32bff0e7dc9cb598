"""One reconciliation at a time: a lock object with an owner and a time at which it expires."""

import secrets
import time
from collections.abc import Callable

from pydantic import BaseModel

from jobs.detect.alerts_sink import RECONCILIATIONS_FOLDER
from jobs.detect.errors import OUTAGE, JobError
from jobs.objects import Objects

KEY = f"{RECONCILIATIONS_FOLDER}lock.json"
LASTS = 600_000
"""Milliseconds until a lock that its owner does not renew may be taken over: it was killed."""

_RENEWED = LASTS // 4


class Held(BaseModel):
    """The lock object."""

    owner: str
    expires: int  # epoch milliseconds


class Lock:
    """This run's right to write. Two runs that ask at the same moment: the one written last has it, as a
    store without conditional writes allows no more; the other one finds out at its next `check`."""

    def __init__(self, objects: Objects, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000):
        self._objects = objects
        self._clock = clock
        self._owner = secrets.token_hex(8)
        self._expires = 0

    def take(self) -> None:
        """Take it. Raises JobError (exit code 75) while another run has it."""
        held = self._held()
        if held is not None and held.expires > self._clock():
            left = (held.expires - self._clock()) / 1000
            raise JobError(f"another reconciliation runs; its lock expires in {left:.0f} s", OUTAGE)
        self._renew()

    def check(self) -> None:
        """Keep it. Raises JobError (exit code 75) when another run has taken it over."""
        held = self._held()
        if held is None or held.owner != self._owner:
            raise JobError("another reconciliation has taken over: this one has stopped", OUTAGE)
        if self._clock() >= self._expires:
            raise JobError("the lock has expired meanwhile: run it again", OUTAGE)
        if self._expires - self._clock() < LASTS - _RENEWED:
            self._renew()

    def release(self) -> None:
        """Give it back, if it is still this run's."""
        held = self._held()
        if held is not None and held.owner == self._owner:
            self._objects.delete(KEY)

    def _held(self) -> Held | None:
        content = self._objects.read(KEY)
        return None if content is None else Held.model_validate_json(content)

    def _renew(self) -> None:
        self._expires = self._clock() + LASTS
        held = Held(owner=self._owner, expires=self._expires)
        self._objects.put(KEY, held.model_dump_json().encode())

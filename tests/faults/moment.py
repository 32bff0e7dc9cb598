"""A moment that a drill waits for: whatever arrives there first is held until the drill lets it go."""

from threading import Event

NEVER = 120
"""Seconds after which a moment counts as one that does not come."""


class NotExercised(AssertionError):
    """The fault was not injected where the drill meant it, so that the drill has shown nothing."""


class Moment:
    """Threads of a proxy arrive, the drill waits."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._reached, self._left = Event(), Event()

    def arrive(self) -> None:
        """The first one to arrive returns when the drill lets it go, all others at once."""
        if not self._reached.is_set():
            self._reached.set()
            self._left.wait()

    def wait(self, seconds: float) -> bool:
        """Whether somebody arrives within `seconds`."""
        return self._reached.wait(seconds)

    def let_go(self) -> None:
        """Let go who is held, and hold nobody any more."""
        self._reached.set()
        self._left.set()

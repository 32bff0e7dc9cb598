"""Decides whether a process that ended is started again, for the supervisor."""

import signal
from collections.abc import Sequence

TRY_AGAIN = 75
MOST = 5
WITHIN = 600.0
"""Seconds: at most MOST restarts of one process in this time."""


def why_not_restart(exit_code: int, restarts: Sequence[float], now: float) -> str | None:
    """None when the process is to be started again, else the reason in words why not.

    `exit_code` as subprocess has it: minus the signal's number for a process that a signal ended.
    `restarts` are the times of its restarts so far, `now` the time of this end, all in seconds of one clock.
    """
    if exit_code != TRY_AGAIN and signal_of(exit_code) is None:
        return f"it {described(exit_code)}, which a restart does not cure"
    if len(recent(restarts, now)) >= MOST:
        return (
            f"it {described(exit_code)} and was restarted {MOST} times in {WITHIN / 60:.0f} minutes already"
        )
    return None


def recent(restarts: Sequence[float], now: float) -> list[float]:
    """Those of the restarts that still count at `now`."""
    return [time for time in restarts if now - time < WITHIN]


def signal_of(exit_code: int) -> int | None:
    """The number of the signal that ended a process, None when none did.

    Java and shells take SIGTERM themselves and end with 128 and its number.
    """
    number = -exit_code if exit_code < 0 else exit_code - 128
    return number if 0 < number < signal.NSIG else None


def described(exit_code: int) -> str:
    """An exit code in words: 'ended with exit code 2', 'was ended by signal 9'."""
    number = signal_of(exit_code)
    return f"ended with exit code {exit_code}" if number is None else f"was ended by signal {number}"

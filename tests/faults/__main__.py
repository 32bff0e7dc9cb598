"""`scripts/faults.sh`: rounds of drills, and the sum of what they found in the last line."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from local.native.__main__ import CANNOT_START
from local.native.findings import UnreadableError
from local.native.supervisor import GaveUpError
from tests.faults.arguments import Arguments, parse_arguments
from tests.faults.drills import DRILLS, Outcome, Place
from tests.faults.servers import opened_servers

PORTS = range(31_000, 32_000)


@dataclass
class Total:
    """What all drills so far have come to."""

    rounds: int = 0
    faults: int = 0
    records: int = 0
    alerts: int = 0
    differences: int = 0
    failed: list[str] = field(default_factory=list)  # drills that did not come to a verdict

    def add(self, outcome: Outcome) -> None:
        """Count a drill."""
        self.faults += outcome.faults
        self.records += outcome.records
        self.alerts += outcome.alerts
        self.differences += len(outcome.differences)

    def __str__(self) -> str:
        failed = f", drills that failed: {', '.join(self.failed)}" if self.failed else ""
        return (
            f"{self.rounds} rounds, {self.faults} faults injected, {self.records} records, "
            f"{self.alerts} alerts, {self.differences} differences{failed}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all rounds. The exit code: 0 exact, 1 not, 2 could not start, 130 interrupted."""
    given = parse_arguments(arguments)
    os.environ["NO_PROXY"] = "*"  # everything is on this machine
    total = Total()
    say(f"seed {given.seed}")
    code = _run(given, total)
    print(total, flush=True)
    return code or int(bool(total.differences or total.failed))


def _run(given: Arguments, total: Total) -> int:
    try:
        for number in range(1, given.rounds + 1):
            _round(given, number, total)
            total.rounds += 1
    except KeyboardInterrupt:
        say("stopped; nothing is left running")
        return 130
    except CANNOT_START as error:
        say(f"error: {error}")
        return 2
    return 0


def _round(given: Arguments, number: int, total: Total) -> None:
    """On servers of its own, so that what a failed drill left away is there again in the next round."""
    folder = given.state / f"round-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    is_exact = True
    with opened_servers(folder / "servers", PORTS) as servers, _interrupts():
        for name in given.drills:
            say(f"--- round {number}: {name}")
            own = folder / name
            own.mkdir()
            # of its own, too: one drill of a round can be had again without those before it
            random = Random(f"{given.seed} {number} {name}")  # moments, no secrets
            try:
                outcome = DRILLS[name](Place(servers, name, own, random, say, long=True))
            except (AssertionError, GaveUpError, UnreadableError) as error:
                say(f"error: {error}")
                total.failed.append(f"{name} of round {number}")
                is_exact = False
                break
            total.add(outcome)
            for each in outcome.differences:
                say(f"difference: {each}")
            is_exact &= not outcome.differences
            say(f"so far: {total}")
    if is_exact:
        shutil.rmtree(folder)
    else:
        say(f"all that the round left, logs too, is in {folder}")


@contextmanager
def _interrupts() -> Iterator[None]:
    """Ctrl-C and SIGTERM end whatever a drill waits for; outside they are the stack's, which is stopping."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def say(line: str) -> None:
    """A line with the time, on standard error."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Drill 5: `kill -9` of the real producer, and a restart that goes on from its state."""

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.ground import Ground
from tests.faults.moment import NotExercised
from tests.integration.lane import DEADLINE, ROOT, Lane, opened_lane

RATE = 1_000


class RealProducer:
    """`python -m producer` with a state file; a load for a Ground."""

    def __init__(self, lane: Lane, seed: int) -> None:
        self._lane = lane
        self._state = lane.folder / "producer.json"
        self._output = lane.folder / "producer.log"
        start = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        stream = {"seed": seed, "start": start, "rate": RATE, "late-rate": 0.01, "duplicate-rate": 0.03}
        self._stream = [word for name, value in stream.items() for word in (f"--{name}", str(value))]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, for the first time or again."""
        command = ["producer", "--no-log", "--state", str(self._state), *self._stream]
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=self._lane.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def acknowledged(self) -> int:
        """The number of the stream's first record that is not known to be with Kafka."""
        return int(json.loads(self._state.read_text())["next"]) if self._state.exists() else 0

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise NotExercised(f"the producer had ended before it could be killed:\n{self._said()}")
        self._process.kill()
        self._process.wait(DEADLINE)

    def cancel(self) -> None:
        """End it, whatever becomes of what is under way."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def finish(self, seconds: float) -> None:
        """Ask it to stop; it must say that all was acknowledged."""
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(seconds) == 0, self._said()

    def sent_once(self, lane: Lane) -> None:
        """Send the same stream, up to where it was acknowledged, into another lane without a fault."""
        count = ["--count", str(self.acknowledged()), "--speed", "max"]
        done = lane.run("producer", "--no-log", *self._stream, *count)
        assert done.returncode == 0, done.stderr

    def _said(self) -> str:
        return self._output.read_text("utf-8", errors="replace")


def kill_producer(ground: Ground, producer: RealProducer) -> None:
    """At any moment; after the restart it goes on, and so does the job."""
    before = producer.acknowledged()
    _wait_until_beyond(producer, before)  # so that it is not killed before it sends
    time.sleep(ground.random.uniform(0, 2))
    producer.kill()
    ground.injected(f"producer killed: {producer.acknowledged()} records known to be with Kafka")
    producer.start()
    _wait_until_beyond(producer, producer.acknowledged())


def gaps_and_repeats(ground: Ground, producer: RealProducer, folder: Path) -> list[str]:
    """What is not as if the producer had never been killed; the job has caught up, the producer has ended.

    Raises NotExercised when no record was sent twice.
    """
    lane = ground.lane
    with opened_lane(ground.servers.stack, f"{folder.name}-once", folder) as undisturbed:
        producer.sent_once(undisturbed)
        once = undisturbed.sent()
        same = undisturbed.expected(sent=once)
    sent = lane.sent()
    wanted, found = (Counter((each.key, each.value) for each in records) for records in (once, sent))
    expected = lane.expected(sent=sent)
    if len(sent) <= len(once):
        raise NotExercised("no record was under way when the producer was killed")
    problems = []
    if wanted - found:
        problems.append(f"{(wanted - found).total()} records of {len(once)} were never sent")
    if found.keys() - wanted.keys():
        problems.append(f"{len(found.keys() - wanted.keys())} records are none of the stream's")
    if expected.evaluated != same.evaluated:
        problems.append(f"{expected.evaluated} payments instead of {same.evaluated} are evaluated")
    if expected.alerts != same.alerts:
        problems.append(f"{len(expected.alerts ^ same.alerts)} alerts differ from those without a kill")
    ground.say(f"{len(sent) - len(once)} of {len(sent)} records were sent again after a kill of the producer")
    return problems


def _wait_until_beyond(producer: RealProducer, number: int) -> None:
    deadline = time.monotonic() + DEADLINE
    while producer.acknowledged() <= number:
        assert time.monotonic() < deadline, f"the producer does not go on from record {number}"
        time.sleep(0.1)

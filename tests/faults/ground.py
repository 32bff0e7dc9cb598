"""Where drills run: a lane under load, its job behind the fault proxies, and what a supervisor would do."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Protocol

import psutil

from local.native.drain import Backlog
from local.native.process import kill_all_of
from local.native.restarts import TRY_AGAIN
from tests.faults.job_progress import Checkpoint
from tests.faults.moment import NEVER, Moment, NotExercised
from tests.faults.servers import Servers
from tests.integration.lane import DEADLINE, Job, Lane, opened_lane

_LOOK = 0.02
SELDOM = 0.2
"""Seconds between two looks for what costs a server something, or need not be seen at once."""


class Load(Protocol):
    """What sends the payments."""

    def start(self) -> None:
        """Begin."""

    def cancel(self) -> None:
        """End at once."""

    def finish(self, seconds: float) -> None:
        """End, with all that was sent acknowledged; fails when it is not after `seconds`."""


class Ground:
    """`random` decides the moments; `faults` counts what was injected."""

    def __init__(
        self, lane: Lane, servers: Servers, load: Load, random: Random, say: Callable[[str], None]
    ) -> None:
        self.lane, self.servers, self.load, self.random, self.say = lane, servers, load, random, say
        self.checkpoint = Checkpoint(Path(lane.settings.detection.checkpoint))
        self.faults = 0
        self.restarts = 0
        self._job: Job | None = None
        self._variables: Mapping[str, str] = {}

    def start_job(self, **variables: str) -> Job:
        """Start the job behind the proxies; `variables` are added to its environment."""
        self._variables = variables
        self._job = self.lane.start_job(**{**self.servers.through, **variables})
        return self._job

    @property
    def job(self) -> Job:
        """The job that runs, or ran last."""
        assert self._job is not None, "no job was started"
        return self._job

    @property
    def is_running(self) -> bool:
        """Whether the job is alive."""
        return self._job is not None and self._job.process.poll() is None

    def injected(self, what: str) -> None:
        """Count a fault, and tell."""
        self.faults += 1
        self.say(f"fault {self.faults}: {what}")

    # --- waiting -------------------------------------------------------------------------------------------

    def until(self, what: str, condition: Callable[[], bool], *, look: float = _LOOK) -> None:
        """Wait until `condition` holds, looking every `look` seconds. A job that ends with exit code 75 is
        started again, as a supervisor would; any other end fails."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            code = self.job.process.poll()
            if code is not None:
                assert code == TRY_AGAIN, (
                    f"before {what} the job ended with exit code {code}:\n{self.job.text()}"
                )
                self.restarts += 1
                self.say("the job ended with exit code 75; starting it again")
                self.start_job(**self._variables)
            assert time.monotonic() < deadline, f"no {what} in {DEADLINE} s:\n{self.job.text()}"
            time.sleep(look)

    def until_committed(self, batches: int) -> None:
        """Wait for so many micro-batches more."""
        wanted = self.checkpoint.committed() + batches
        self.until(
            f"commit of micro-batch {wanted}", lambda: self.checkpoint.committed() >= wanted, look=SELDOM
        )

    def until_reached(self, moment: Moment) -> None:
        """Wait for a moment. Raises NotExercised when it does not come, or the job ends before."""
        deadline = time.monotonic() + NEVER
        while not moment.wait(_LOOK):
            if not self.is_running or time.monotonic() > deadline:
                raise NotExercised(f"{moment.what}: it never came\n{self.job.text()}")

    # --- killing -------------------------------------------------------------------------------------------

    def kill_job(self, *, jvm_too: bool = True) -> None:
        """SIGKILL for the job, with all that it started or by itself: then its JVM has to notice."""
        if not self.is_running:
            raise NotExercised(f"the job had ended before it could be killed:\n{self.job.text()}")
        if jvm_too:
            kill_all_of(self.job.process.pid)
        else:
            self.job.process.kill()
        assert self.job.process.wait(DEADLINE) == -signal.SIGKILL

    def processes(self, word: str) -> list[psutil.Process]:
        """The job's processes with this word on their command line."""
        found = []
        for process in psutil.Process(self.job.process.pid).children(recursive=True):
            try:
                if word in process.cmdline():
                    found.append(process)
            except psutil.NoSuchProcess:  # it ended meanwhile
                continue
        return found

    # --- the end -------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """End the load, let the job catch up and stop in order."""
        self.load.finish(DEADLINE)
        if not self.is_running:
            self.start_job(**self._variables)
        with closing(Backlog(self.lane.settings.kafka)) as backlog:
            self.until("end of the topic", lambda: backlog.records() == 0, look=SELDOM)
        code = self.job.end(signal.SIGTERM)
        assert code == 0, f"the job ended with exit code {code}:\n{self.job.text()}"


@contextmanager
def opened_ground(
    servers: Servers,
    name: str,
    folder: Path,
    make_load: Callable[[Lane, int], Load],
    random: Random,
    say: Callable[[str], None],
) -> Iterator[Ground]:
    """A lane of its own, under load from now on; at the end its jobs and its load have ended.

    `make_load` gets the lane and a seed.
    """
    with opened_lane(servers.stack, name, folder) as lane:
        load = make_load(lane, random.randrange(2**31))
        ground = Ground(lane, servers, load, random, say)
        load.start()
        try:
            yield ground
        finally:
            load.cancel()
            if ground.is_running:
                kill_all_of(ground.job.process.pid)

"""Drill 2: `kill -9` of what the driver has judge for it: Python workers, the JVM, executors."""

from collections.abc import Callable, Sequence

import psutil

from tests.faults.ground import Ground
from tests.faults.moment import NotExercised

_DAEMON = "jobs.detect.daemon"
_JVM = "org.apache.spark.deploy.SparkSubmit"
_EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
LOCAL_CLUSTER = {
    "FRAUD_SPARK_MASTER": "local-cluster[2,1,1024]",
    "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1",  # executors that live for seconds
}
"""Environment of a job with several executors."""


def kill_workers(ground: Ground) -> None:
    """All Python workers die while they judge a micro-batch; their parent, the daemon, lives."""

    def workers() -> list[psutil.Process]:
        family = ground.processes(_DAEMON)
        pids = {process.pid for process in family}
        return [process for process in family if process.ppid() in pids]

    _kill_while_judging(ground, "Python workers", workers)


def kill_daemon(ground: Ground) -> None:
    """The parent of the Python workers dies with them."""
    _kill_while_judging(ground, "Python workers and their parent", lambda: ground.processes(_DAEMON))


def kill_jvm(ground: Ground) -> None:
    """Spark's JVM dies, and the driver's Python process lives: it must end with exit code 75."""
    restarts = ground.restarts
    _kill_while_judging(ground, "JVM", lambda: ground.processes(_JVM))
    if ground.restarts == restarts:
        raise NotExercised("the job went on without its JVM")


def kill_executor(ground: Ground) -> None:
    """One of several executors dies; the job runs in a LOCAL_CLUSTER."""
    ground.until_committed(1)  # before, there may be none
    _kill_while_judging(ground, "executor", lambda: ground.processes(_EXECUTOR)[:1])


def _kill_while_judging(ground: Ground, what: str, whom: Callable[[], Sequence[psutil.Process]]) -> None:
    """Kill them when a micro-batch is planned and its state not yet written; then two more must be
    committed."""
    checkpoint = ground.checkpoint
    ground.until("micro-batch that is judged", lambda: checkpoint.planned() > checkpoint.state_begun())
    victims = whom()
    for process in victims:
        process.kill()
    if not victims:
        raise NotExercised(f"there were no {what} to kill")
    ground.injected(f"{what} killed: {len(victims)} processes, micro-batch {checkpoint.planned()} is judged")
    ground.until_committed(2)

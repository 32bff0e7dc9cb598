"""The job's threads and its end: what ends it, what is only said, and with which exit code."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from py4j.protocol import Py4JError, Py4JNetworkError

from fraud.rules_file import load_rules
from fraud.settings import DEFAULT_RULES, DetectionSettings, Settings, SettingsError
from jobs.detect import __main__ as command
from jobs.detect import heartbeat as module
from jobs.detect import job
from jobs.detect.errors import JobError, Stopped
from jobs.detect.heartbeat import Heartbeat
from jobs.detect.offsets import PlannedBatch
from jobs.detect.opening import Options
from jobs.detect.spark import with_attempts
from jobs.detect.watch import watch

BATCH = PlannedBatch(7, 0, {0: 0}, {0: 5})


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class World:
    """What a heartbeat needs, in memory. `errors` are raised by the checkpoint's files, one a call."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.committed: list[dict[int, int]] = []
        self.said: list[str] = []
        self.lease: Callable[[], None] = lambda: None

    def exists(self, _: str) -> bool:
        if self.errors:
            raise self.errors.pop(0)
        return True

    def heartbeat(self, finished: PlannedBatch | None = BATCH) -> Heartbeat:
        around: Any = SimpleNamespace(
            files=SimpleNamespace(exists=self.exists),
            topic=SimpleNamespace(commit=self.committed.append),
            console=SimpleNamespace(show_waiting=lambda now=False: None, say=self.said.append),  # noqa: ARG005
            lease=SimpleNamespace(check=self.lease),
        )
        batches: Any = SimpleNamespace(finished=finished, finished_at=time.monotonic(), running=False)
        return Heartbeat(around, batches)


def test_the_group_gets_the_last_committed_batchs_offsets_right_after_a_start_without_traffic() -> None:
    world = World()
    heartbeat = world.heartbeat()
    heartbeat.start()
    until(lambda: world.committed)
    heartbeat.finish()
    assert world.committed == [{0: 5}]


def test_a_heartbeats_time_lies_before_what_it_says_of_the_topic() -> None:
    """Without a lag no micro-batch was planned before that time, however long Kafka took to answer."""
    asked: list[int] = []

    def latest() -> dict[int, int]:
        asked.append(time.time_ns())
        time.sleep(0.05)
        return {0: 5}

    around: Any = SimpleNamespace(topic=SimpleNamespace(latest=latest), checkpoint_id="0123abcd")
    row = Heartbeat(around, SimpleNamespace(finished=BATCH, finished_at=0.0, running=False))._row()  # type: ignore[arg-type]
    assert row["batch_time"] <= asked[0] // 1_000_000
    assert row["partitions"] == [{"partition": 0, "start_offset": None, "end_offset": 5, "lag": 0}]


@pytest.mark.parametrize(
    "error",
    [
        Py4JError("An error occurred while calling o1.exists: SdkClientException"),
        KafkaException(KafkaError(KafkaError._TIMED_OUT, "no answer")),
    ],
)
def test_what_is_only_for_display_may_fail_and_is_tried_again(error: Exception) -> None:
    world = World(error, error)
    heartbeat = world.heartbeat()
    heartbeat.start()
    until(lambda: world.committed)
    heartbeat.finish()
    assert heartbeat.failure is None
    assert len(world.said) == 1
    assert "failed" in world.said[0]


@pytest.mark.parametrize(
    "error", [JobError("another job took over"), RuntimeError("odd"), Py4JNetworkError("empty")], ids=str
)
def test_anything_else_in_the_heartbeats_thread_ends_the_job(error: Exception) -> None:
    world = World(error)
    heartbeat = world.heartbeat()
    heartbeat.start()
    until(lambda: heartbeat.failure)
    with pytest.raises(type(error)):
        heartbeat.finish()
    assert world.committed == []


def test_a_job_without_the_lease_leaves_the_groups_offsets_alone() -> None:
    def lost() -> None:
        raise JobError("another job took over")

    world = World()
    world.lease = lost
    heartbeat = world.heartbeat()
    heartbeat.start()
    with pytest.raises(JobError):
        heartbeat.finish()
    assert world.committed == []


class Silence:
    """A job without a micro-batch: its clock, and the times at which a heartbeat was written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lease: Callable[[], None] = lambda: None) -> None:
        self.now = 1_000.0  # seconds
        self.written: list[float] = []
        clock = SimpleNamespace(monotonic=lambda: self.now, time_ns=lambda: int(self.now * 1e9))
        monkeypatch.setattr(module, "time", clock)
        self.batches: Any = SimpleNamespace(finished=BATCH, finished_at=self.now, running=False)
        around: Any = SimpleNamespace(
            topic=SimpleNamespace(latest=lambda: {0: 5}),
            checkpoint_id="0123abcd",
            metrics=SimpleNamespace(put=self.put),
            lease=SimpleNamespace(check=lease),
        )
        self.heartbeat = Heartbeat(around, self.batches)

    def put(self, row: dict[str, Any], still_allowed: Callable[[], None]) -> None:
        still_allowed()
        assert row["kind"] == "heartbeat"
        self.written.append(self.now)

    def lasts(self, seconds: int) -> None:
        """Let so many seconds go by, with two looks a second."""
        for _ in range(2 * seconds):
            self.now += 0.5
            self.heartbeat._beat()


def test_a_heartbeat_is_written_after_each_30_s_without_a_micro_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silence = Silence(monkeypatch)
    silence.lasts(100)
    assert silence.written == [1_030, 1_060, 1_090]
    silence.batches.finished_at = silence.now  # at 1,100 s
    silence.lasts(31)
    assert silence.written[3:] == [1_130]


def test_a_heartbeat_is_not_written_beside_a_micro_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    silence = Silence(monkeypatch)
    silence.batches.running = True
    silence.lasts(100)
    assert silence.written == []


def test_a_job_without_the_lease_writes_no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost() -> None:
        raise JobError("another job took over")

    silence = Silence(monkeypatch, lost)
    with pytest.raises(JobError):
        silence.lasts(31)
    assert silence.written == []


def test_after_a_failure_the_heartbeat_just_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 3_600)
    world = World()
    heartbeat = world.heartbeat()
    heartbeat.start()
    heartbeat.stop()
    assert world.committed == []


class Query:
    """A streaming query that runs until it is stopped, or has failed."""

    def __init__(self, failure: BaseException | None = None, progress: object = None) -> None:
        self.isActive = failure is None
        self.failure = failure
        self.lastProgress = progress

    def exception(self) -> BaseException | None:
        return self.failure

    def stop(self) -> None:
        self.isActive = False
        self.failure = Exception("interrupted by the stop")


def watched(query: Query, batch_failure: BaseException | None = None, heartbeat: Any = None) -> bool:
    stopping = Event()
    stopping.set()
    batches: Any = SimpleNamespace(failure=batch_failure, finished=None, running=False)
    heartbeat = heartbeat or SimpleNamespace(failure=None)
    return watch(query, batches, stopping, SimpleNamespace(), [heartbeat])  # type: ignore[arg-type]


def test_a_query_that_is_stopped_has_not_failed() -> None:
    assert watched(Query())
    assert watched(Query(), Stopped("left for the next start"))


def test_a_query_that_failed_while_the_job_was_stopping_has_failed() -> None:
    with pytest.raises(ValueError, match="odd"):
        watched(Query(ValueError("odd")))
    with pytest.raises(ValueError, match="odd"):
        watched(Query(), ValueError("odd"))
    with pytest.raises(ValueError, match="odd"):
        watched(Query(), None, SimpleNamespace(failure=ValueError("odd")))


def test_a_query_that_failed_only_beside_its_micro_batch_is_started_again() -> None:
    unreported = RuntimeError('the return value of "scala.Option.get()" is null')  # SPARK-57438
    planned_twice = RuntimeError("[CONCURRENT_STREAM_LOG_UPDATE] Concurrent update to the log.")
    batches: Any = SimpleNamespace(failure=None)

    def again(query: Query) -> bool:
        return not watch(query, batches, Event(), SimpleNamespace())  # type: ignore[arg-type]

    assert again(Query(unreported))
    assert again(Query(planned_twice, progress="of an earlier micro-batch"))
    for query in (Query(unreported, progress="of an earlier micro-batch"), Query(RuntimeError("odd"))):
        with pytest.raises(RuntimeError):
            again(query)
    batches.failure = ValueError("in the micro-batch itself")
    with pytest.raises(ValueError, match="itself"):
        again(Query(unreported))


@pytest.fixture
def signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Spark:
    """A session whose JVM hears no one any more, and takes its time to end."""

    def __init__(self) -> None:
        ends = "import sys, time; sys.stdin.read(); time.sleep(0.3)"
        self.jvm = subprocess.Popen([sys.executable, "-c", ends], stdin=subprocess.PIPE)
        self.sparkContext = SimpleNamespace(_gateway=SimpleNamespace(proc=self.jvm))

    def stop(self) -> None:
        raise ConnectionRefusedError(111, "Connection refused")


def run_with(monkeypatch: pytest.MonkeyPatch, detect: Callable[..., None]) -> int:
    topic, spark = SimpleNamespace(identity=lambda: ("c", "t")), Spark()
    monkeypatch.setattr(job, "Topic", lambda *_: topic)
    monkeypatch.setattr(job, "start_spark", lambda *_: spark)
    monkeypatch.setattr(job, "warm_up", lambda *_: None)
    monkeypatch.setattr(job, "_detect", detect)
    code = job.run(Settings(), load_rules(DEFAULT_RULES), Options())
    assert spark.jvm.poll() == 0, "its JVM outlives the job"
    return code


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Py4JNetworkError("Answer from Java side is empty"), 75, "Spark's JVM ended"),
        (KafkaException(KafkaError(KafkaError._AUTHENTICATION)), 2, "FRAUD_KAFKA_SASL_PASSWORD"),
        (ValueError("odd"), 1, "odd"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("stopping", [False, True])
def test_a_failure_keeps_its_exit_code_and_one_line_whatever_else_fails_on_the_way_out(
    error: Exception,
    code: int,
    said: str,
    stopping: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def detect(*arguments: Any) -> None:
        if stopping:
            arguments[-1].set()
        raise error

    assert run_with(monkeypatch, detect) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert "Spark's log: " in line


@pytest.mark.usefixtures("signals")
def test_only_a_stop_that_was_asked_for_is_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    def detect(*_: Any) -> None:
        raise Stopped("asked to")

    assert run_with(monkeypatch, detect) == 0


@pytest.mark.usefixtures("signals")
def test_when_spark_does_not_start_nobody_waits_for_kafka(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away() -> None:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    def broken(*_: Any) -> None:
        raise RuntimeError("JAVA_GATEWAY_EXITED")

    monkeypatch.setattr(job, "Topic", lambda *_: SimpleNamespace(identity=away))
    monkeypatch.setattr(job, "start_spark", broken)
    began = time.monotonic()
    assert job.run(Settings(), load_rules(DEFAULT_RULES), Options()) == 1
    assert time.monotonic() - began < 60  # FRAUD_OUTAGE is 300 s
    assert "JAVA_GATEWAY_EXITED" in capsys.readouterr().err


def test_a_java_home_without_java_is_a_wrong_setting(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="there is no bin/java in it"):
        command._check_machine(DetectionSettings(log_dir=tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    command._check_machine(DetectionSettings(log_dir=tmp_path))


def test_a_console_without_utf_8_shows_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    console = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", console)
    monkeypatch.setitem(os.environ, "FRAUD_BUCKETS", "none")  # ends the command early
    assert command.main([]) == 2
    print("用户")
    console.flush()
    assert b"\\u7528\\u6237" in console.buffer.getvalue()


@pytest.mark.parametrize(
    ("wished", "used"),
    [
        ("local", "local[1,4]"),
        ("local[*]", "local[*,4]"),
        ("local[2]", "local[2,4]"),
        ("local[2,1]", "local[2,1]"),
        ("local-cluster[2,1,1024]", "local-cluster[2,1,1024]"),
        ("yarn", "yarn"),
    ],
)
def test_the_death_of_a_python_worker_is_not_the_end_of_a_local_job(wished: str, used: str) -> None:
    """A task has four attempts, as in a cluster, unless somebody says otherwise."""
    assert with_attempts(wished) == used

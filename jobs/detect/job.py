"""The life of the job: look at the world, start the query, watch it, stop it between micro-batches."""

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import KafkaException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from fraud.rules import RuleSet
from fraud.settings import CONSUMER_GROUP, Settings, SettingsError
from jobs.detect.alerts_sink import AlertsSink
from jobs.detect.batch import Batches, Surroundings
from jobs.detect.checkpoint import CheckpointFiles
from jobs.detect.console import Console
from jobs.detect.errors import SETTINGS, JobError, Stopped
from jobs.detect.failures import explain
from jobs.detect.heartbeat import Heartbeat
from jobs.detect.identity import Identity
from jobs.detect.kafka_sink import KafkaSink
from jobs.detect.lease import Lease
from jobs.detect.metrics import MetricsSink
from jobs.detect.offsets import end_offsets, last_committed, last_planned
from jobs.detect.resumption import check_for_loss, stored_generations
from jobs.detect.retry import Retries
from jobs.detect.spark import outcomes_stream, start_spark, warm_up
from jobs.detect.take_over import TakeOver, open_checkpoint, unread_from
from jobs.detect.topic import Topic, TopicMissing
from jobs.detect.watch import watch

Result = TypeVar("Result")


@dataclass(frozen=True)
class Options:
    """What the command line says beside the settings."""

    take_over: TakeOver | None = None
    accept_loss: bool = False


def run(settings: Settings, rules: RuleSet, options: Options) -> int:
    """Run until somebody stops the job or it fails; the exit code of the process."""
    console, stopping = Console(), Event()
    _stop_on_signals(stopping)
    spark = None
    try:
        retries = Retries(settings.detection.outage, stopping, console.say)
        topic = Topic(settings.kafka, CONSUMER_GROUP)
        with ThreadPoolExecutor(1) as pool:  # Kafka may come up while the JVM does
            identity = pool.submit(_retrying_kafka, retries, topic.identity)
            spark = start_spark(settings.detection, settings.object_store)
            _stop_on_signals(stopping)  # pyspark has set its own
            warm_up(spark, settings.detection.shuffle_partitions)
            ids = identity.result()
        _detect(spark, settings, rules, options, topic, ids, retries, console, stopping)
    except SettingsError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return SETTINGS
    except Stopped:
        pass
    except Exception as error:  # noqa: BLE001  (the last resort: said in one line, details in the log)
        if not stopping.is_set() or isinstance(error, JobError):
            end = explain(error)
            console.show_waiting(now=True)
            print(f"stopped: {end}. Spark's log: {settings.detection.log_dir}", file=sys.stderr)
            return end.exit_code
    finally:
        if spark is not None:
            spark.stop()
        for number in (signal.SIGTERM, signal.SIGINT):  # nothing is left to stop
            signal.signal(number, signal.SIG_IGN)
    console.say("stopped cleanly")
    return 0


def _detect(
    spark: SparkSession,
    settings: Settings,
    rules: RuleSet,
    options: Options,
    topic: Topic,
    ids: tuple[str, str],
    retries: Retries,
    console: Console,
    stopping: Event,
) -> None:
    detection, store = settings.detection, settings.object_store
    arguments: dict[str, Any] = dict(store.boto3())
    s3 = boto3.client(
        "s3",
        config=Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=20),
        **arguments,
    )
    alerts = AlertsSink(s3, store.bucket, store.prefix)
    cluster_id, topic_id = ids
    where = f"{detection.checkpoint.rstrip('/')}/{cluster_id}"
    gateway = spark.sparkContext._gateway
    files = CheckpointFiles(gateway, spark.sparkContext._jsc.hadoopConfiguration(), where)
    retries.call(
        "reaching the object store", lambda: s3.head_bucket(Bucket=store.bucket), (BotoCoreError, ClientError)
    )

    wanted = Identity.new(
        cluster_id=cluster_id,
        topic=topic.name,
        topic_id=topic_id,
        buckets=detection.buckets,
        shuffle_partitions=detection.shuffle_partitions,
    )
    identity = open_checkpoint(
        files,
        where,
        wanted,
        options.take_over,
        alerts,
        lambda: (topic.partitions(), topic.committed()),
        console.say,
    )
    lease = Lease(files)
    planned, committed = last_planned(files), last_committed(files)
    last = -1 if planned is None else planned
    generations = stored_generations(files, rules, settings, last + 1, console.say)
    unread = unread_from(identity, None if committed is None else end_offsets(files, committed))
    earliest = _retrying_kafka(retries, topic.earliest)
    check_for_loss(unread, earliest, options.accept_loss, console.say)
    limit = detection.max_offsets_per_trigger or _retrying_kafka(
        retries, lambda: topic.records_in_a_batch(unread)
    )

    around = Surroundings(
        settings=settings,
        checkpoint_id=identity.checkpoint_id,
        generations=generations,
        last_planned=last,
        accept_loss=options.accept_loss,
        files=files,
        topic=topic,
        alerts=alerts,
        kafka=KafkaSink(settings.kafka, retries),
        metrics=MetricsSink(s3, store.bucket, store.prefix),
        lease=lease,
        retries=retries,
        console=console,
        stopping=stopping,
    )
    batches = Batches(around)
    frame = outcomes_stream(
        spark,
        settings.kafka,
        detection,
        generations=[generation.model_dump_json() for generation in generations],
        starting_offsets=identity.starting_offsets,
        records_in_a_batch=limit,
        accept_loss=options.accept_loss,
    )
    if stopping.is_set():
        raise Stopped("stopped before the first micro-batch")

    def start() -> StreamingQuery:
        writer = frame.writeStream.foreachBatch(batches).option("checkpointLocation", where)
        return writer.trigger(processingTime=f"{detection.trigger} milliseconds").start()

    query = start()
    console.say(
        f"ready: {topic.name} -> {settings.kafka.alerts_topic}, s3://{store.bucket}/{store.prefix}alerts/; "
        f"checkpoint {identity.checkpoint_id} from micro-batch {0 if committed is None else committed + 1} on"
    )
    heartbeat = Heartbeat(around, batches)
    heartbeat.start()
    try:
        while not watch(query, batches, heartbeat, stopping, files):
            query = start()
    finally:
        heartbeat.stop()


def _retrying_kafka(retries: Retries, attempt: Callable[[], Result]) -> Result:
    return retries.call("reaching Kafka", attempt, (KafkaException, TopicMissing))


def _stop_on_signals(stopping: Event) -> None:
    """SIGTERM and Ctrl-C stop the job between micro-batches; a second Ctrl-C at once."""

    def stop(number: int, _: Any) -> None:
        if stopping.is_set() and number == signal.SIGINT:
            os._exit(130)  # the JVM follows when its standard input ends
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

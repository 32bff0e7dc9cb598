"""The life of the job: look at the world, start the query, watch it, stop it between micro-batches."""

import os
import signal
import sys
from threading import Event
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from fraud.rules import RuleSet
from fraud.settings import CONSUMER_GROUP, Settings, SettingsError
from jobs.archive.batch import ArchiveSurroundings
from jobs.archive.progress import ProgressStore
from jobs.archive.query import ArchiveCheckpoint, ArchiveQuery
from jobs.detect.alerts_sink import AlertsSink
from jobs.detect.batch import Batches, Surroundings
from jobs.detect.checkpoint import CheckpointFiles
from jobs.detect.console import Console
from jobs.detect.errors import SETTINGS, Stopped
from jobs.detect.failures import explain
from jobs.detect.heartbeat import Heartbeat
from jobs.detect.kafka_sink import KafkaSink
from jobs.detect.metrics import MetricsSink
from jobs.detect.opening import Options, open_up
from jobs.detect.retry import Retries
from jobs.detect.spark import outcomes_stream, start_spark, stop_spark, warm_up
from jobs.detect.topic import Topic
from jobs.detect.watch import watch
from jobs.objects import Objects
from jobs.store_client import store_client


def run(settings: Settings, rules: RuleSet, options: Options) -> int:
    """Run until somebody stops the job or it fails; the exit code of the process."""
    console, stopping = Console(), Event()
    _stop_on_signals(stopping)
    spark = None
    try:
        spark = start_spark(settings.detection, settings.object_store)
        _stop_on_signals(stopping)  # pyspark has set its own
        warm_up(spark, settings.detection.shuffle_partitions)
        console.say("Spark is up")
        retries = Retries(settings.detection.outage, stopping, console.say)
        # only now: Kafka may have come up while the JVM did
        topic = Topic(settings.kafka, CONSUMER_GROUP)
        ids = retries.call("reaching Kafka", topic.identity)
        _detect(spark, settings, rules, options, topic, ids, retries, console, stopping)
    except SettingsError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return SETTINGS
    except Stopped:
        pass
    except Exception as error:  # noqa: BLE001  (the last resort: said in one line, details in the log)
        end = explain(error, settings)
        console.show_waiting(now=True)
        print(f"stopped: {end}. Spark's log: {settings.detection.log_dir}", file=sys.stderr)
        return end.exit_code
    finally:
        if spark is not None:
            stop_spark(spark)
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
    s3 = store_client(store)
    objects = Objects(s3, store.bucket, store.prefix)
    alerts, metrics = AlertsSink(objects), MetricsSink(objects)
    where = f"{detection.checkpoint.rstrip('/')}/{ids[0]}"
    gateway, hadoop = spark.sparkContext._gateway, spark.sparkContext._jsc.hadoopConfiguration()
    files = retries.call("reaching the checkpoint", lambda: CheckpointFiles(gateway, hadoop, where))
    retries.call("reaching the object store", lambda: s3.head_bucket(Bucket=store.bucket))
    opening = retries.call(
        "opening the checkpoint",
        lambda: open_up(files, where, ids, settings, rules, options, topic, alerts, metrics, console.say),
    )

    around = Surroundings(
        settings=settings,
        checkpoint_id=opening.identity.checkpoint_id,
        generations=opening.generations,
        last_planned=opening.last_planned,
        accept_loss=options.accept_loss,
        files=files,
        topic=topic,
        alerts=alerts,
        kafka=KafkaSink(settings.kafka, retries),
        metrics=metrics,
        lease=opening.lease,
        seal=opening.seal,
        retries=retries,
        console=console,
        stopping=stopping,
    )
    batches = Batches(around, opening.committed)
    frame = outcomes_stream(
        spark,
        settings.kafka,
        detection,
        generations=[generation.model_dump_json() for generation in opening.generations],
        starting_offsets=opening.identity.starting_offsets,
        records_in_a_batch=opening.records_in_a_batch,
        accept_loss=options.accept_loss,
    )
    if stopping.is_set():
        raise Stopped("stopped before the first micro-batch")

    def start() -> StreamingQuery:
        writer = frame.writeStream.foreachBatch(batches).option("checkpointLocation", where)
        return writer.trigger(processingTime=f"{detection.trigger} milliseconds").start()

    query = start()
    first = opening.committed.batch_id + 1 if opening.committed else 0
    console.say(
        f"ready: {topic.name} -> {settings.kafka.alerts_topic}, s3://{store.bucket}/{store.prefix}alerts/; "
        f"checkpoint {opening.identity.checkpoint_id} from micro-batch {first} on"
    )
    heartbeat = Heartbeat(around, batches)
    heartbeat.start()
    archive = [_archive(spark, around, ids, objects, hadoop)] if detection.archive else []
    for each in archive:
        each.start()
    try:
        while not watch(query, batches, stopping, files, [heartbeat, *archive]):
            query = start()
        heartbeat.finish()
        for each in archive:
            each.finish()
    finally:
        heartbeat.stop()


def _archive(
    spark: SparkSession, around: Surroundings, ids: tuple[str, str], objects: Objects, hadoop: Any
) -> ArchiveQuery:
    """The archive's query, with a checkpoint of its own beside detection's."""
    where = f"{around.settings.detection.checkpoint.rstrip('/')}/archive/{'/'.join(ids)}"
    gateway = spark.sparkContext._gateway
    files = around.retries.call("reaching the checkpoint", lambda: CheckpointFiles(gateway, hadoop, where))
    surroundings = ArchiveSurroundings(
        settings=around.settings,
        ids=ids,
        accept_loss=around.accept_loss,
        files=files,
        topic=around.topic,
        objects=objects,
        progress=ProgressStore(objects, ids[1]),
        lease=around.lease,
        say=around.console.say,
    )
    return ArchiveQuery(spark, surroundings, ArchiveCheckpoint(files, where), around.stopping)


def _stop_on_signals(stopping: Event) -> None:
    """SIGTERM and Ctrl-C stop the job between micro-batches; a second Ctrl-C at once."""

    def stop(number: int, _: Any) -> None:
        if stopping.is_set() and number == signal.SIGINT:
            os._exit(130)  # the JVM follows when its standard input ends
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

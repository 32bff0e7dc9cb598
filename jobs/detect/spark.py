"""Spark for the job: the session with its options, and the streaming query from the topic to the operator."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  (the name everybody knows)

from fraud.settings import CONSUMER_GROUP, DetectionSettings, KafkaSettings, ObjectStoreSettings
from jobs.detect.bucket_operator import OUTPUT, SHA256, STATE, judge_with
from jobs.kafka_source import is_oversized, kafka_stream, record_columns

ROOT = Path(__file__).resolve().parents[2]
"""Where the packages `fraud` and `jobs` are."""

_OPTIONS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.streaming.noDataMicroBatches.enabled": "false",
    "spark.sql.streaming.minBatchesToRetain": "10",
    "spark.sql.streaming.maxBatchesToRetainInMemory": "1",
    "spark.sql.streaming.numRecentProgressUpdates": "2",
    # of wide records fewer go to Python at once
    "spark.sql.execution.arrow.maxRecordsPerBatch": "20000",
    "spark.sql.execution.arrow.maxBytesPerBatch": "32m",
    "spark.locality.wait": "0",
    "spark.scheduler.mode": "FAIR",
    "spark.python.worker.faulthandler.enabled": "true",
}

_LOCAL_OPTIONS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.executorEnv.PYTHONPATH": str(ROOT),
    "spark.python.daemon.module": "jobs.detect.daemon",
    "spark.shuffle.compress": "false",  # what is read again at once, on the same machine
    # Hadoop starts a program for each look at a file, five a file written to the checkpoint, and as many for
    # the file of its checksum. Spark's own checksums of the state stay.
    "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
}


# For few cores; docs/performance.md has the figures. The second compiler takes more time from short
# micro-batches than it gives back; and each bucket's state is a long string, which makes the usual collector
# mark all the time.
_LOCAL_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseParallelGC"


_END = 20
"""Seconds that a JVM may take to end."""

_ATTEMPTS = 4
"""At a task, as Spark gives it in a cluster. Locally it gives one: a Python worker that is killed (there was
not enough memory, say) is the end of the query."""


def with_attempts(master: str) -> str:
    """`master`; a local one that does not say how often a task is tried gets _ATTEMPTS."""
    local = re.fullmatch(r"local(?:\[([^],]+)])?", master)
    return f"local[{local[1] or 1},{_ATTEMPTS}]" if local else master


def start_spark(settings: DetectionSettings, object_store: ObjectStoreSettings) -> SparkSession:
    """The session. The JVM writes to `spark.log` and `spark.out` in the log folder, py4j's traces go to
    `python.log` there: the console is for one line."""
    local = settings.spark_master.startswith("local")
    logs = settings.log_dir.resolve()
    logging.basicConfig(filename=logs / "python.log", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    conf = SparkConf().setMaster(with_attempts(settings.spark_master)).setAppName("fraud-detect")
    conf.setAll(list(_OPTIONS.items()))
    conf.set("spark.sql.shuffle.partitions", str(settings.shuffle_partitions))
    conf.set("spark.driver.memory", settings.driver_memory)
    log4j = Path(__file__).with_name("log4j2.properties")
    conf.set("spark.scheduler.allocation.file", f"file:{Path(__file__).with_name('pools.xml')}")
    java = f'-Dlog4j2.configurationFile="{log4j}" -Dfraud.log.dir="{logs}"'  # paths may have spaces
    if local:
        java += f' {_LOCAL_JVM} -XX:ErrorFile="{logs}/java-error-%p.log"'
    conf.set("spark.driver.extraJavaOptions", java)
    if settings.jars:
        conf.set("spark.jars", ",".join(str(jar) for jar in sorted(settings.jars.resolve().rglob("*.jar"))))
    if settings.checkpoint.startswith("s3a:"):
        manager = "org.apache.spark.internal.io.cloud.AbortableStreamBasedCheckpointFileManager"
        conf.set("spark.sql.streaming.checkpointFileManagerClass", manager)
    if local:
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        os.environ["PYSPARK_PYTHON"] = sys.executable
        conf.setAll(list(_LOCAL_OPTIONS.items()))
    with (logs / "spark.out").open("a") as out:
        # a session of its own: Ctrl-C and SIGTERM of the group reach this process, which stops the JVM
        quiet = {"stdout": out, "stderr": out, "start_new_session": True}
        gateway = launch_gateway(conf, popen_kwargs=quiet)  # type: ignore[no-untyped-call]  # pyspark
    context = SparkContext(conf=conf, gateway=gateway)
    hadoop = context._jsc.hadoopConfiguration()  # not on the command line: it has secrets
    for name, value in object_store.s3a().items():
        hadoop.set(name, value)
    # when the JVM is killed, this thread would print its trace over the one line that says so
    context._accumulatorServer.handle_error = lambda *_: None  # type: ignore[method-assign]  # on purpose
    return SparkSession(context)


def stop_spark(spark: SparkSession) -> None:
    """End the session, and return when its JVM is gone, too: it may write an archive of its classes for the
    next one."""
    gateway: Any = spark.sparkContext._gateway
    jvm = gateway.proc
    with suppress(Exception):  # the JVM may be gone
        spark.stop()
    jvm.stdin.close()  # for which it waits
    with suppress(subprocess.TimeoutExpired):
        jvm.wait(_END)


def warm_up(spark: SparkSession, workers: int) -> None:
    """Run an empty job, so that the first micro-batch finds Python workers with their imports done."""
    spark.range(0, workers, 1, workers).mapInArrow(_unchanged, "id long").toArrow()


def _unchanged(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    yield from batches


def outcomes_stream(
    spark: SparkSession,
    kafka: KafkaSettings,
    settings: DetectionSettings,
    *,
    generations: list[str],
    starting_offsets: str,
    records_in_a_batch: int,
    accept_loss: bool,
) -> DataFrame:
    """The stream of the operator's rows: Kafka -> one group a bucket -> (bucket, kind, payload)."""
    records = kafka_stream(
        spark,
        kafka,
        group=f"{CONSUMER_GROUP}-spark",
        starting_offsets=starting_offsets,
        records_in_a_batch=records_in_a_batch,
        accept_loss=accept_loss,
    )
    projected = records.select(
        *record_columns(),
        F.when(is_oversized(), F.sha2("value", 256)).alias(SHA256),
        F.pmod(F.xxhash64("key"), F.lit(settings.buckets)).cast("int").alias("bucket"),
    )
    return projected.groupBy("bucket").applyInPandasWithState(
        judge_with(generations), OUTPUT, STATE, "append", "NoTimeout"
    )

"""Spark Structured Streaming as its Kafka guide shows it: source, from_json, a filter by amount, Kafka sink.

No window, no state: its alerts, the payments above 1,000, are there so that all is parsed and can be timed.
"""

import os
from collections.abc import Callable
from pathlib import Path

from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  (the name everybody knows)
from pyspark.sql.streaming.query import StreamingQuery

from jobs.detect.watch import REPLAYED
from scripts.bench.peers.given import given
from scripts.bench.peers.user_history import HIGH_AMOUNT

_PAYMENT = (
    "transaction_id STRING, user_id STRING, amount DECIMAL(12,2), currency STRING, location STRING, "
    "timestamp BIGINT"
)
_BATCH = 400_000  # as this pipeline's


def main() -> None:
    """Run until somebody stops it."""
    place = given()
    jars = ",".join(str(path) for path in sorted(Path(place.jars).glob("*.jar")))
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder.master("local[*]").appName("spark-parse")
    for name, value in {
        "spark.jars": jars,
        "spark.driver.memory": "2g",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.streaming.noDataMicroBatches.enabled": "false",
    }.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    source = spark.readStream.format("kafka").options(
        **{
            "kafka.bootstrap.servers": place.broker,
            "subscribe": place.topic,
            "startingOffsets": "earliest",
            "maxOffsetsPerTrigger": str(_BATCH),
        }
    )
    payments = source.load().select(F.from_json(F.col("value").cast("string"), _PAYMENT).alias("payment"))
    flagged = payments.select("payment.*").where(F.col("amount") > HIGH_AMOUNT)
    alerts = flagged.select(
        F.col("user_id").alias("key"),
        F.to_json(F.struct(F.lit("high_amount").alias("rule_id"), *flagged.columns)).alias("value"),
    )
    sink = alerts.writeStream.format("kafka").options(
        **{
            "kafka.bootstrap.servers": place.broker,
            "topic": place.alerts,
            "checkpointLocation": place.state,
        }
    )
    run(sink.start)


def run(start: Callable[[], StreamingQuery]) -> None:
    """Run a query until it ends; raises what made it fail.

    After a crash the query dies of SPARK-57438 once it has written the replayed micro-batch: its user has to
    start it a second time.
    """
    try:
        start().awaitTermination()
    except StreamingQueryException as error:
        if REPLAYED not in str(error):
            raise
        start().awaitTermination()


if __name__ == "__main__":
    main()

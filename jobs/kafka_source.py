"""The topic of payments as a stream of Spark, as every query of ours reads it."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  (the name everybody knows)

from fraud.settings import KafkaSettings
from fraud.transaction import MAX_RECORD_BYTES

LONGEST_USER_ID_BYTES = 4 * 64
"""UTF-8 of the longest user_id. One byte more of a key shows that it is another string."""

_PATIENCE_MS = 10_000
"""How long Spark's clients wait for one answer of a broker, or for a connection to it. It is 30 s unless one
says so, and when one of several brokers dies, all payments wait for that, once or twice."""

_POLLED_AT_ONCE = 5_000
"""Records that a poll hands over of those that have been fetched. It is 500 unless one says so, and when the
job catches up, it and the broker each spend half a microsecond of CPU a record on the difference."""


def kafka_stream(
    spark: SparkSession,
    kafka: KafkaSettings,
    *,
    group: str,
    starting_offsets: str,
    records_in_a_batch: int,
    accept_loss: bool,
    **more: str,
) -> DataFrame:
    """The topic's records with the columns of Spark's Kafka source; `more` are options of its own. The names
    of its consumer groups begin with `group`."""
    options = kafka.spark() | {
        "kafka.request.timeout.ms": str(_PATIENCE_MS),
        "kafka.max.poll.records": str(_POLLED_AT_ONCE),
        "subscribe": kafka.transactions_topic,
        "startingOffsets": starting_offsets,
        "maxOffsetsPerTrigger": str(records_in_a_batch),
        "failOnDataLoss": str(not accept_loss).lower(),
        "includeHeaders": "false",
        "groupIdPrefix": group,
        **more,
    }
    return spark.readStream.format("kafka").options(**options).load()


def is_oversized() -> Column:
    """Whether a record's value is too long to be read, and cut."""
    return _size() > MAX_RECORD_BYTES


def record_columns() -> list[Column]:
    """The columns of RECORDS, of a stream from `kafka_stream`."""
    cut = F.substring("value", 1, MAX_RECORD_BYTES)
    return [
        F.substring("key", 1, LONGEST_USER_ID_BYTES + 1).alias("key"),
        F.when(is_oversized(), cut).otherwise(F.col("value")).alias("value"),
        F.col("partition"),
        F.col("offset"),
        F.unix_millis("timestamp").alias("timestamp"),
        _size().cast("long").alias("original_size"),
    ]


def _size() -> Column:
    return F.coalesce(F.octet_length("value"), F.lit(0))

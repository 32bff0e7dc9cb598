"""Tells CloudWatch, once a minute, what the job's own metrics in the bucket say.

It reads them where people read them: a job whose metrics do not arrive counts as one that stands.
"""

import io
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pyarrow.parquet as pq
from botocore.exceptions import BotoCoreError, ClientError

from fraud.environment import load

EVERY = 60.0
SPAN = timedelta(minutes=5)


def figures(rows: Sequence[Mapping[str, Any]], now: datetime) -> dict[str, float]:
    """CloudWatch's figures by name, from the metrics' rows of the last SPAN; none where there is none.

    HeartbeatAge in seconds, Lag in records, LateShare and RejectedShare from 0 to 1, LatencyP95 in ms.
    """
    if not rows:
        return {}
    newest = max(rows, key=lambda row: row["batch_time"])
    result = {"HeartbeatAge": (now - newest["batch_time"]).total_seconds()}
    lags = [each["lag"] for each in newest["partitions"] or [] if each["lag"] is not None]
    if lags:
        result["Lag"] = float(sum(lags))
    batches = [row for row in rows if row["kind"] == "batch"]
    read = sum(row["read"] for row in batches)
    if read:
        result["LateShare"] = sum(row["rejected_late"] for row in batches) / read
        result["RejectedShare"] = sum(row["rejected"] - row["rejected_late"] for row in batches) / read
    latencies = [row["latency_p95_ms"] for row in batches if row["latency_p95_ms"] is not None]
    if latencies:
        result["LatencyP95"] = float(max(latencies))
    return result


def keys(now: datetime, prefix: str) -> list[str]:
    """The keys of the minutes of the last SPAN, oldest first."""
    minutes = (now - timedelta(minutes=ago) for ago in range(int(SPAN.total_seconds() // 60), -1, -1))
    return [f"{prefix}metrics/date={at:%Y-%m-%d}/minute={at:%H%M}.parquet" for at in minutes]


def rows_of(s3: Any, bucket: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """The metrics' rows in those of the objects that are there. Raises what boto3 raises."""
    rows: list[dict[str, Any]] = []
    for key in names:
        try:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:  # a minute without a micro-batch
            continue
        rows += pq.read_table(io.BytesIO(body)).to_pylist()
    return rows


def main(namespace: str) -> None:
    """Until it is ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    store = load().object_store
    s3 = boto3.client("s3", **store.boto3())
    cloudwatch = boto3.client("cloudwatch", region_name=store.region)
    while True:
        now = datetime.now(UTC)
        try:
            found = figures(rows_of(s3, store.bucket, keys(now, store.prefix)), now)
            data = [{"MetricName": name, "Value": value} for name, value in found.items()]
            if data:
                cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
        except (BotoCoreError, ClientError) as error:  # the alarm on silence speaks if it lasts
            print(f"health: {error}", flush=True)
        time.sleep(EVERY)


if __name__ == "__main__":
    main(sys.argv[1])

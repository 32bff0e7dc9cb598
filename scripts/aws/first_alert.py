"""Waits until the first alert lies in the bucket: then the whole way works, from a payment on."""

import time
from dataclasses import dataclass

import boto3

from scripts.aws.console import FailedError, say

_ENDED = ("FAILED", "CANCELLED", "INTERRUPTED", "TERMINATED", "TERMINATED_WITH_ERRORS")


@dataclass(frozen=True)
class Patience:
    """How long to wait for something, and how often to look, in seconds."""

    seconds: float
    every: float


FIRST_ALERT = Patience(1500, 15)


def wait_for_first_alert(bucket: str, cluster: str, log_group: str, region: str, patience: Patience) -> str:
    """The key of an alert's object. Raises FailedError when none comes, or none can."""
    began = time.monotonic()
    while (found := first_alert(bucket, region)) is None:
        state = job_state(cluster, region)
        where = f"its log: aws logs tail {log_group} --region {region}"
        if state in _ENDED:
            raise FailedError(
                f"no alert will come: the job on the Spark cluster {cluster} is {state}; {where}"
            )
        passed = time.monotonic() - began
        if passed > patience.seconds:
            raise FailedError(f"no alert in {bucket} after {passed:.0f} s; the job is {state}; {where}")
        say(f"  {passed:.0f} s of at most {patience.seconds:.0f} s: the job is {state}")
        time.sleep(patience.every)
    return found


def first_alert(bucket: str, region: str) -> str | None:
    """The key of one, when there is one."""
    store = boto3.client("s3", region_name=region)
    found = store.list_objects_v2(Bucket=bucket, Prefix="alerts/", MaxKeys=1).get("Contents", [])
    return str(found[0]["Key"]) if found else None


def job_state(cluster: str, region: str) -> str:
    """Of the job's step; of the cluster, where that has none yet or has ended."""
    spark = boto3.client("emr", region_name=region)
    state = str(spark.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"])
    steps = spark.list_steps(ClusterId=cluster)["Steps"]  # the newest first; the job is the oldest
    return state if state in _ENDED or not steps else str(steps[-1]["Status"]["State"])

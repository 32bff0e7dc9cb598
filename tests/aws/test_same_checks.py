"""What the native stack must do, Kafka and bucket on AWS must do: the same check, by settings alone."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from confluent_kafka.admin import AdminClient

from fraud.settings import Settings
from local.native.environment import child_environment
from local.native.jars import FOLDER as JARS
from local.native.java import find_java
from tests.integration.lane import Lane, opened_lane
from tests.integration.test_exactness import (
    test_alerts_are_exact_in_every_sink_through_a_kill_and_a_restart as test_the_same_on_aws,
)

__all__ = ["test_the_same_on_aws"]


@pytest.fixture
def lane(outputs: dict[str, Any], tmp_path: Path) -> Iterator[Lane]:
    """With topics and a prefix of its own, which are gone afterwards; the stack's own are left alone."""
    assert os.environ["FRAUD_S3_BUCKET"] == outputs["buckets"]["data"]
    credentials = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    ours = {"FRAUD_JARS": str(JARS / "connector")}
    environment = credentials | child_environment(os.environ, ours, find_java())[0]
    with opened_lane(SimpleNamespace(environment=environment), f"smoke-{time.time_ns()}", tmp_path) as lane:
        try:
            yield lane
        finally:
            lane.kill_jobs()
            clear(lane.settings)


def clear(settings: Settings) -> None:
    """Delete the lane's topics, and its objects with all their versions."""
    kafka, store = settings.kafka, settings.object_store
    admin = AdminClient(kafka.librdkafka())
    topics = [kafka.transactions_topic, kafka.alerts_topic, kafka.rejected_topic]
    for deleted in admin.delete_topics(topics).values():
        deleted.result(60)
    assert store.prefix
    client = boto3.client("s3", **store.boto3())
    versions = client.get_paginator("list_object_versions")
    for page in versions.paginate(Bucket=store.bucket, Prefix=store.prefix):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
        if objects:
            client.delete_objects(Bucket=store.bucket, Delete={"Objects": objects})

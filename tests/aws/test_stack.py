"""The parts of a stack on AWS work, as seen from outside."""

import urllib.request
from typing import Any

import boto3
import pytest

from scripts.aws.first_alert import first_alert, job_state
from scripts.aws.smoke import region_of


def test_the_job_runs(outputs: dict[str, Any]) -> None:
    assert job_state(outputs["emr_cluster_id"], region_of(outputs)) == "RUNNING"


def test_alerts_lie_in_the_bucket(outputs: dict[str, Any]) -> None:
    assert first_alert(outputs["buckets"]["data"], region_of(outputs))


def test_no_alarm_rings(outputs: dict[str, Any]) -> None:
    client = boto3.client("cloudwatch", region_name=region_of(outputs))
    topic = outputs["alarm_topic_arn"]
    pages = client.get_paginator("describe_alarms").paginate(StateValue="ALARM", ActionPrefix=topic)
    ringing = [alarm for page in pages for alarm in page["MetricAlarms"] if topic in alarm["AlarmActions"]]
    assert [alarm["AlarmName"] for alarm in ringing] == []


def test_the_dashboard_answers(outputs: dict[str, Any]) -> None:
    """Itself, or the log-in before it."""
    if "localPortNumber=8501" in outputs["tunnel_command"]:
        pytest.skip("the load balancer is internal: open tunnel_command, then http://127.0.0.1:8501/")
    address = outputs["dashboard_url"] + "_stcore/health"
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310  # our own load balancer
        assert answer.status == 200

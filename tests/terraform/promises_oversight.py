"""Promises about what is heard: alarms, events, tags."""

import json
from collections.abc import Iterator

from tests.terraform.mocked import Stack
from tests.terraform.policies import statements


def every_failure_has_its_alarm(stack: Stack) -> Iterator[str]:
    name = stack.options["name"]
    behind = {str(each.index) for each in stack.of("aws_lb_target_group")}
    expected = {
        *(
            f"{name}-{what}"
            for what in ("heartbeat", "lag", "late", "rejected", "latency", "release", "maintenance-missing")
        ),
        *(f"{name}-kafka-disk-{broker}" for broker in (1, 2, 3)),
        *(f"{name}-unhealthy-{component}" for component in behind),
    }
    alarms = {each.values["alarm_name"]: each for each in stack.of("aws_cloudwatch_metric_alarm")}
    for missing in sorted(expected - alarms.keys()):
        yield f"alarm {missing} is missing"
    for extra in sorted(alarms.keys() - expected):
        yield f"alarm {extra} is not expected"
    topic = stack.one("aws_sns_topic").values["arn"]
    for alarm in alarms.values():
        if alarm.values["alarm_actions"] != [topic] or alarm.values["actions_enabled"] is False:
            yield f"{alarm.address} tells nobody"
    silent = (
        "heartbeat",
        "maintenance-missing",
        *(f"kafka-disk-{n}" for n in (1, 2, 3)),
        *(f"unhealthy-{c}" for c in behind),
    )
    for what in silent:
        found = alarms.get(f"{name}-{what}")
        if found and found.values["treat_missing_data"] != "breaching":
            yield f"{found.address} is content with silence"
    missing_run = alarms.get(f"{name}-maintenance-missing")
    if missing_run and missing_run.values["threshold"] != len(stack.of("aws_scheduler_schedule")):
        yield f"{missing_run.address} does not notice one schedule's silence"
    counted = {
        query["metric"][0]["metric_name"]: query["metric"][0]["dimensions"]
        for query in (missing_run.values["metric_query"] if missing_run else ())
        if query["metric"]
    }
    group = {"ScheduleGroup": stack.one("aws_scheduler_schedule_group").values["name"]}
    if counted != {"InvocationAttemptCount": group, "TargetErrorCount": group}:
        yield "maintenance-missing: takes a run that ECS refused for one that was started"
    for what in ("heartbeat", "lag", "late", "rejected", "latency", "release"):
        found = alarms.get(f"{name}-{what}")
        if found and found.values["namespace"] != f"{name}/job":
            yield f"{found.address} looks into another namespace than the job writes"


def events_without_a_metric_reach_the_topic(stack: Stack) -> Iterator[str]:
    expected = {
        "step-failed": {"state": ["FAILED", "CANCELLED"]},
        "cluster-ended": {"state": ["TERMINATED", "TERMINATED_WITH_ERRORS"]},
        "maintenance-failed": {"group": ["maintenance"], "lastStatus": ["STOPPED"]},
    }
    rules = {
        str(each.index): json.loads(each.values["event_pattern"])
        for each in stack.of("aws_cloudwatch_event_rule")
    }
    for name, detail in expected.items():
        if name not in rules or not detail.items() <= rules[name]["detail"].items():
            yield f"event {name}: nobody listens"
    cluster = stack.one("aws_emr_cluster").values["id"]
    for name in ("step-failed", "cluster-ended"):
        if name in rules and rules[name]["detail"].get("clusterId") != [cluster]:
            yield f"event {name}: of another cluster"
    topic = stack.one("aws_sns_topic").values["arn"]
    targets = {
        str(each.index) for each in stack.of("aws_cloudwatch_event_target") if each.values["arn"] == topic
    }
    if targets != expected.keys():
        yield f"events: {sorted(targets)} go to the topic"
    publish = [
        each for each in statements(stack) if each.type == "aws_sns_topic_policy" and each.effect == "Allow"
    ]
    services = {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]}
    if [(each.principal, each.actions, each.condition) for each in publish] != [
        (services, ("sns:Publish",), {})
    ]:
        yield "topic: alarms or events may not publish, or others may"
    email = stack.options.get("alarm_email")
    if [each.values["endpoint"] for each in stack.of("aws_sns_topic_subscription")] != (
        [email] if email else []
    ):
        yield "topic: another address subscribes"


def everything_is_tagged_with_the_stacks_name(stack: Stack) -> Iterator[str]:
    """The provider's default tags: a mocked provider does not add them, so the text is read."""
    text = stack.source("providers.tf")
    for line in ('Project = "fraud-pipeline"', "Stack   = var.name"):
        if line not in text:
            yield f"tags: {line} is missing"
    for service in stack.of("aws_ecs_service"):
        if service.values["propagate_tags"] != "SERVICE":
            yield f"{service.address}: its tasks have no tags"

"""Starts the build that a CloudFormation custom resource asks for. The build itself reports how it ended."""

import json
import urllib.request
from typing import Any

import boto3


def handler(event: dict[str, Any], _context: object) -> None:
    """Create and Update start a build; Delete has nothing to undo."""
    print(json.dumps({key: event.get(key) for key in ("RequestType", "RequestId", "StackId")}))
    if event["RequestType"] == "Delete":
        respond(event, "SUCCESS", "nothing to delete")
        return
    properties = event["ResourceProperties"]
    variables = {
        "RESPONSE_URL": event["ResponseURL"],
        "STACK_ID": event["StackId"],
        "REQUEST_ID": event["RequestId"],
        "LOGICAL_RESOURCE_ID": event["LogicalResourceId"],
        "PHYSICAL_RESOURCE_ID": properties["Project"],
    }
    try:
        boto3.client("codebuild").start_build(
            projectName=properties["Project"],
            # CloudFormation may deliver one request twice.
            idempotencyToken=event["RequestId"],
            environmentVariablesOverride=[
                {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
            ],
        )
    except Exception as error:  # noqa: BLE001  # whatever it was, CloudFormation must hear of it, or it waits for half an hour
        respond(event, "FAILED", f"the build could not be started: {error}")


def respond(event: dict[str, Any], status: str, reason: str) -> None:
    """Tell CloudFormation how the request ended."""
    body = {
        "Status": status,
        "Reason": reason[:1000],
        "PhysicalResourceId": event.get("PhysicalResourceId") or event["ResourceProperties"]["Project"],
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    request = urllib.request.Request(  # noqa: S310  # CloudFormation's own address
        event["ResponseURL"], json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    urllib.request.urlopen(request, timeout=20)  # noqa: S310

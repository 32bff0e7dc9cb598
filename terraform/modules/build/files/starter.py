"""Starts the build that a CloudFormation custom resource asks for. The build itself reports how it ended."""

import json
import urllib.request

import boto3


def handler(event, context):
    """Create and Update start a build; Delete has nothing to undo."""
    print(json.dumps({key: event.get(key) for key in ("RequestType", "RequestId", "StackId")}))
    if event["RequestType"] == "Delete":
        return respond(event, "SUCCESS", "nothing to delete")
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
    except Exception as error:  # whatever it was, CloudFormation must hear of it, or it waits for half an hour
        respond(event, "FAILED", f"the build could not be started: {error}")


def respond(event, status, reason):
    """Tell CloudFormation how the request ended."""
    body = {
        "Status": status,
        "Reason": reason[:1000],
        "PhysicalResourceId": event.get("PhysicalResourceId") or event["ResourceProperties"]["Project"],
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    request = urllib.request.Request(
        event["ResponseURL"], json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    urllib.request.urlopen(request, timeout=20)

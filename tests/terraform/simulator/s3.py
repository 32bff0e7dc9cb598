"""S3: moto judges a bucket's policy without its conditions."""

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

from tests.terraform.simulator.hides import hides


# moto knows no conditions: the usual statement that denies plain HTTP would deny everything.
@hides(
    "statements with a condition are not judged: a TLS-only policy refuses nothing",
    "buckets_are_private_and_speak_tls_only",
)
def get_permission(bucket: FakeBucket, action: str, resource: str) -> Any:
    """Judge by the statements without conditions."""
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    policy = json.loads(bucket.policy)
    policy["Statement"] = [each for each in policy["Statement"] if "Condition" not in each]
    if not policy["Statement"]:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)


def install() -> None:
    """Mend moto."""
    FakeBucket.get_permission = get_permission

"""Every policy of a stack, statement by statement."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.terraform.mocked import Stack

_DOCUMENTS = {
    "aws_iam_role": "assume_role_policy",
    "aws_iam_role_policy": "policy",
    "aws_kms_key": "policy",
    "aws_s3_bucket_policy": "policy",
    "aws_secretsmanager_secret_policy": "policy",
    "aws_sns_topic_policy": "policy",
    "aws_vpc_endpoint": "policy",
}


@dataclass(frozen=True)
class Statement:
    """One statement; `actions` and `resources` are lists whatever the policy wrote."""

    address: str
    type: str
    sid: str
    effect: str
    principal: Any
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Any

    @property
    def place(self) -> str:
        """Where it stands: the resource's address and the statement's id."""
        return f"{self.address} {self.sid}"


def statements(stack: Stack) -> list[Statement]:
    """Every statement of every policy in the stack."""
    return list(_statements(stack))


def _statements(stack: Stack) -> Iterator[Statement]:
    for resource in stack.of(*_DOCUMENTS):
        text = resource.values.get(_DOCUMENTS[resource.type])
        if not text or not text.startswith("{"):  # an interface endpoint has none
            continue
        document = json.loads(text)
        assert document["Version"] == "2012-10-17", resource.address
        for each in document["Statement"]:
            yield Statement(
                resource.address,
                resource.type,
                each.get("Sid", ""),
                each["Effect"],
                each.get("Principal"),
                _listed(each["Action"]),
                _listed(each.get("Resource", [])),
                each.get("Condition", {}),
            )


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)

"""A plan of Terraform's, as JSON, and what a person has to know of it before saying yes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ACTIONS = {
    ("create",): "create",
    ("update",): "update",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("delete",): "destroy",
}
CLUSTERS = {
    "aws_emr_cluster": "the Spark cluster",
    "aws_msk_cluster": "the Kafka cluster",
    "aws_instance": "a Kafka broker",
}
"""What to lose hurts, by the type of the resource."""


@dataclass(frozen=True)
class Change:
    """One managed resource; `action` is create, update, replace, destroy, or nothing: it stays as it is."""

    address: str
    type: str
    action: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    because: str
    """The arguments that force a replacement."""


@dataclass(frozen=True)
class Plan:
    """What `terraform show -json` says of a plan. Values may be secret: none of them is for showing."""

    resources: Sequence[Change]
    variables: Mapping[str, Any]
    outputs: Mapping[str, Any]
    """Those that are known before the apply."""

    @property
    def changes(self) -> list[Change]:
        """The resources that do not stay as they are."""
        return [each for each in self.resources if each.action]

    @property
    def name(self) -> str:
        """The stack's name."""
        return str(self.variables["name"])

    @property
    def region(self) -> str:
        """The stack's region."""
        return str(self.variables["region"])

    def other_stacks(self) -> set[str]:
        """Names of stacks, by their tag, that the state holds and that are not the one planned."""
        tags = (each.before.get("tags_all") or {} for each in self.resources)
        return {each["Stack"] for each in tags if each.get("Stack")} - {self.name}


def read_plan(document: Mapping[str, Any]) -> Plan:
    """From the JSON document."""
    outputs = document.get("planned_values", {}).get("outputs", {})
    return Plan(
        list(_changes(document.get("resource_changes", []))),
        {name: each.get("value") for name, each in document.get("variables", {}).items()},
        {name: each["value"] for name, each in outputs.items() if "value" in each},
    )


def _changes(resources: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    for each in resources:
        if each["mode"] == "managed":
            change = each["change"]
            paths = change.get("replace_paths", [])
            yield Change(
                each["address"],
                each["type"],
                _ACTIONS.get(tuple(change["actions"]), ""),
                change.get("before") or {},
                change.get("after") or {},
                ", ".join(sorted({str(path[0]) for path in paths})),
            )


def summary(plan: Plan) -> list[str]:
    """How many, and each that is replaced or destroyed; clusters first, in capitals."""
    counted = Counter(each.action for each in plan.changes)
    actions = ("create", "update", "replace", "destroy")
    counts = ", ".join(f"{counted[action]} to {action}" for action in actions)
    lost = [each for each in plan.changes if each.action in ("replace", "destroy")]
    lost.sort(key=lambda each: (each.type not in CLUSTERS, each.address))
    return [f"plan for {plan.name} in {plan.region}: {counts}", *(f"  {_loss(each)}" for each in lost)]


def _loss(change: Change) -> str:
    verb = {"replace": "replaces", "destroy": "destroys"}[change.action]
    because = f", because of {change.because}" if change.because else ""
    if change.type in CLUSTERS:
        return f"{verb} {CLUSTERS[change.type]}".upper() + f": {change.address}{because}"
    return f"{verb} {change.address}{because}"


def cost(monthly: Mapping[str, str]) -> list[str]:
    """The output `monthly_cost_usd` as a table."""
    prices = monthly.get("prices_of", "")
    parts = [(part, usd) for part, usd in monthly.items() if part not in ("total", "prices_of")]
    rows = [*parts, ("total", monthly["total"])]
    return [
        f"US dollars a month, list prices of {prices}, without traffic:",
        *(f"  {part:<10}{usd:>6}" for part, usd in rows),
    ]

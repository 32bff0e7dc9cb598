"""The estimate of the monthly bill counts what the stack holds, at the prices of prices.json."""

import json
import re
from collections.abc import Callable

import pytest

from tests.terraform.mocked import ROOT, VARIANTS, Stack

pytestmark = pytest.mark.timeout(900)
MODULE = ROOT / "terraform" / "modules" / "stack"
README = ROOT / "terraform" / "README.md"
HOURS = 730
PARTS = ("kafka", "emr", "network", "load", "fargate", "s3", "oversight")


class Prices:
    """prices.json; `used` are the names of those that were asked for."""

    def __init__(self) -> None:
        self._table = json.loads((MODULE / "prices.json").read_text("utf-8"))
        self.used: set[str] = set()

    def names(self) -> set[str]:
        """Of all prices."""
        return self._table["hour"].keys() | self._table["month"].keys()

    def running(self, name: str, architecture: str = "") -> float:
        """For a month of 730 hours."""
        self.used.add(name)
        price = self._table["hour"][name]
        return HOURS * float(price[architecture] if architecture else price)

    def month(self, name: str) -> float:
        """For what has a price a month."""
        self.used.add(name)
        return float(self._table["month"][name])


def bill(stack: Stack, prices: Prices) -> dict[str, float]:
    """US dollars a month by part, counted from the stack's resources."""
    return {
        "kafka": _kafka(stack, prices),
        "emr": _emr(stack, prices),
        "network": _network(stack, prices),
        "load": len(stack.of("aws_lb")) * prices.running("load balancer"),
        "fargate": _fargate(stack, prices),
        "s3": prices.month("s3 requests at a trigger of 1 s") / 10,  # of no variant the trigger is changed
        "oversight": _oversight(stack, prices),
    }


def _kafka(stack: Stack, prices: Prices) -> float:
    if not stack.on_ec2:
        cluster = stack.one("aws_msk_cluster").values
        (broker,) = cluster["broker_node_group_info"]
        disk = broker["storage_info"][0]["ebs_storage_info"][0]["volume_size"]
        one = prices.running(broker["instance_type"]) + disk * prices.month("msk gib")
        return float(cluster["number_of_broker_nodes"] * one)
    machines = [each.values for each in stack.of("aws_instance")]
    disks = [each.values["size"] for each in stack.of("aws_ebs_volume")]
    disks += [each["root_block_device"][0]["volume_size"] for each in machines]
    return sum(prices.running(each["instance_type"]) for each in machines) + sum(disks) * prices.month(
        "gp3 gib"
    )


def _emr(stack: Stack, prices: Prices) -> float:
    cluster = stack.one("aws_emr_cluster").values
    total = 0.0
    for group in (cluster["master_instance_group"][0], cluster["core_instance_group"][0]):
        disks = cluster["ebs_root_volume_size"] + sum(each["size"] for each in group["ebs_config"])
        machine = prices.running(group["instance_type"]) + prices.running("emr surcharge")
        total += group["instance_count"] * (machine + disks * prices.month("gp3 gib"))
    return total


def _network(stack: Stack, prices: Prices) -> float:
    balancers = [each.values for each in stack.of("aws_lb") if not each.values["internal"]]
    addresses = len(stack.of("aws_eip")) + 3 * len(balancers)  # one in each zone
    endpoints = [
        each for each in stack.of("aws_vpc_endpoint") if each.values["vpc_endpoint_type"] == "Interface"
    ]
    assert all(len(each.values["subnet_ids"]) == 1 for each in endpoints)
    return (
        len(stack.of("aws_nat_gateway")) * prices.running("nat")
        + addresses * prices.running("public address")
        + len(endpoints) * prices.running("endpoint")
    )


def _fargate(stack: Stack, prices: Prices) -> float:
    architecture = stack.options.get("cpu_architecture", "arm64")
    tasks = {each.index: each.values for each in stack.of("aws_ecs_task_definition")}
    total = 0.0
    for service in stack.of("aws_ecs_service"):
        task = tasks[service.index]
        cores, gib = int(task["cpu"]) / 1024, int(task["memory"]) / 1024
        one = cores * prices.running("fargate vcpu", architecture)
        one += gib * prices.running("fargate gib", architecture)
        total += service.values["desired_count"] * one
    return total


def _oversight(stack: Stack, prices: Prices) -> float:
    alarms = [each.values for each in stack.of("aws_cloudwatch_metric_alarm")]
    own = [each for each in alarms if each["namespace"] and not each["namespace"].startswith("AWS/")]
    watched = [len([query for query in each["metric_query"] if query["metric"]]) or 1 for each in alarms]
    counts = {
        "key": len(stack.of("aws_kms_key")),
        "secret": len(stack.of("aws_secretsmanager_secret")),
        "zone": len(stack.of("aws_route53_zone", "aws_service_discovery_private_dns_namespace")),
        "alarm": sum(watched),  # an alarm on several metrics costs that often
        "custom metric": len(own),  # each has its alarm
        "dashboard": len(stack.of("aws_cloudwatch_dashboard")),
    }
    return sum(count * prices.month(name) for name, count in counts.items())


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_cost_counts_what_the_stack_holds(variant: str, stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of(variant)
    cost = dict(stack.outputs["monthly_cost_usd"])
    assert re.fullmatch(r"us-east-1, 20\d\d-\d\d", cost.pop("prices_of"))
    expected = bill(stack, Prices())
    assert tuple(expected) == PARTS
    assert cost == {
        **{part: f"{usd:.0f}" for part, usd in expected.items()},
        "total": f"{sum(expected.values()):.0f}",
    }


def test_every_price_is_used(stack_of: Callable[[str], Stack]) -> None:
    """But for machines that a person may choose in place of the ones that a stack has by itself."""
    prices = Prices()
    for variant in VARIANTS:
        bill(stack_of(variant), prices)
    machines = {name for name in prices.names() if re.fullmatch(r"(kafka\.)?[a-z]\w+\.\w+", name)}
    assert prices.names() - prices.used <= machines
    (table,) = re.findall(
        r"instance_types = \{(.*?)\n  \}", (MODULE / "main.tf").read_text("utf-8"), re.DOTALL
    )
    by_itself = set(re.findall(r'= "([^"]+)"', table))
    assert len(by_itself) == 6
    assert by_itself <= machines


@pytest.mark.parametrize("variant", [name for name, each in VARIANTS.items() if name == each.profile])
def test_the_readme_says_what_each_profile_costs(variant: str, stack_of: Callable[[str], Stack]) -> None:
    cost = stack_of(variant).outputs["monthly_cost_usd"]
    row = " | ".join([f"| `{variant}`", *(cost[part] for part in PARTS), f"**{cost['total']}** |"])
    assert row in README.read_text("utf-8")
    assert cost["prices_of"].split()[-1] in README.read_text("utf-8")

"""Promises about the network: who reaches what. Each yields one sentence for every place that breaks it."""

from collections.abc import Iterator, Set

from tests.terraform.mocked import Resource, Stack
from tests.terraform.policies import statements

_INGRESS, _EGRESS = "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"
_NODES = ("emr_primary", "emr_core")


def only_listed_addresses_come_in(stack: Stack) -> Iterator[str]:
    allowed = stack.options.get("allowed_cidrs", [])
    if stack.private:
        allowed = []
    elif stack.options.get("oidc") and not allowed:
        allowed = ["0.0.0.0/0"]
    port = 443 if stack.options.get("certificate_arn") else 80
    found = []
    for rule in stack.of(_INGRESS):
        values = rule.values
        if values.get("cidr_ipv6") or values.get("prefix_list_id"):
            yield f"{rule.address} lets in what nobody listed"
        if values.get("cidr_ipv4"):
            found.append(values["cidr_ipv4"])
            if _group(stack, rule) != "alb":
                yield f"{rule.address} lets addresses into {_group(stack, rule)}"
            if values["cidr_ipv4"] not in allowed:
                yield f"{rule.address} lets in {values['cidr_ipv4']}, which is not listed"
            if (values["ip_protocol"], values["from_port"], values["to_port"]) != ("tcp", port, port):
                yield f"{rule.address} opens more than port {port}"
    if sorted(found) != sorted(allowed):
        yield f"ingress: {allowed} are listed, {found} come in"


def groups_hold_no_rules_of_their_own(stack: Stack) -> Iterator[str]:
    """Inline rules would fight with the separate ones, and hide from the other promises."""
    for group in stack.of("aws_security_group", "aws_default_security_group"):
        if group.type == "aws_default_security_group" and (group.values["ingress"] or group.values["egress"]):
            yield f"{group.address} is not closed"
        if group.type == "aws_security_group" and not group.values["revoke_rules_on_delete"]:
            yield f"{group.address} could not be deleted: EMR's groups name each other"
    for kind in ("aws_security_group_rule", "aws_vpc_security_group_rules_exclusive"):
        for rule in stack.of(kind):
            yield f"{rule.address} is a rule of the old form"


def every_flow_is_expected_and_none_is_missing(stack: Stack) -> Iterator[str]:
    kafka = 9094 if stack.on_ec2 else 9096
    internal_port = 443 if stack.options.get("certificate_arn") else 80
    on_balancer = stack.private or stack.options.get("kafdrop_public", False)
    in_both = {
        *((client, "kafka", "tcp", kafka) for client in ("producer", "kafdrop", "maintenance", *_NODES)),
        ("alb", "dashboard", "tcp", 8501),
        ("emr_primary", "kafdrop", "tcp", 9000),
        ("emr_primary", "emr_service", "tcp", 9443),
    }
    if on_balancer:
        in_both.add(("alb", "kafdrop", "tcp", 9000))
    if stack.on_ec2:
        in_both.add(("kafka", "kafka", "tcp", 9093))
    callers = {"dashboard", "kafdrop", "producer", "maintenance", *_NODES} | (
        {"kafka"} if stack.on_ec2 else set()
    )
    if stack.private:
        in_both |= {(caller, "endpoints", "tcp", 443) for caller in callers}
        in_both.add(("emr_primary", "alb", "tcp", internal_port))
    emr_adds = {
        *(
            (a, b, protocol, low)
            for a in _NODES
            for b in _NODES
            for protocol, low in (("tcp", 0), ("udp", 0), ("icmp", -1))
        ),
        *(("emr_service", node, "tcp", 8443) for node in _NODES),
    }
    yield from _compared("egress", in_both | emr_adds, _flows(stack, _EGRESS))
    yield from _compared("ingress", in_both, {(b, a, p, port) for a, b, p, port in _flows(stack, _INGRESS)})
    to_s3 = {_group(stack, rule) for rule in stack.of(_EGRESS) if rule.values.get("prefix_list_id")}
    yield from _compared("egress to S3", callers, to_s3)
    out = {_group(stack, rule) for rule in stack.of(_EGRESS) if rule.values.get("cidr_ipv4")}
    https = (set() if stack.private else callers) | ({"alb"} if stack.options.get("oidc") else set())
    yield from _compared("egress to the internet", https, out)
    for rule in stack.of(_EGRESS):
        if (rule.values.get("cidr_ipv4") or rule.values.get("prefix_list_id")) and rule.values[
            "from_port"
        ] != 443:
            yield f"{rule.address} goes out by another port than 443"


def _compared(what: str, expected: Set[object], found: Set[object]) -> Iterator[str]:
    for each in sorted(map(str, expected - found)):
        yield f"{what}: {each} is missing"
    for each in sorted(map(str, found - expected)):
        yield f"{what}: {each} is not expected"


def _flows(stack: Stack, kind: str) -> set[tuple[str, str, str, int]]:
    """(group of the rule, the other group, protocol, lowest port)."""
    return {
        (
            _group(stack, rule),
            _name(stack, rule.values["referenced_security_group_id"]),
            rule.values["ip_protocol"],
            rule.values["from_port"],
        )
        for rule in stack.of(kind)
        if rule.values.get("referenced_security_group_id")
    }


def _group(stack: Stack, rule: Resource) -> str:
    return _name(stack, rule.values["security_group_id"])


def _name(stack: Stack, group_id: str) -> str:
    return next(str(each.index) for each in stack.of("aws_security_group") if each.values["id"] == group_id)


def nothing_has_a_public_address(stack: Stack) -> Iterator[str]:
    for subnet in stack.of("aws_subnet"):
        if subnet.values["map_public_ip_on_launch"]:
            yield f"{subnet.address} gives public addresses"
    private = {each.values["id"] for each in stack.of("aws_subnet") if each.name == "private"}
    for service in stack.of("aws_ecs_service"):
        (network,) = service.values["network_configuration"]
        if network["assign_public_ip"] or not set(network["subnets"]) <= private:
            yield f"{service.address} is not in the private subnets"
    for schedule in stack.of("aws_scheduler_schedule"):
        (network,) = schedule.values["target"][0]["ecs_parameters"][0]["network_configuration"]
        if network["assign_public_ip"] or not set(network["subnets"]) <= private:
            yield f"{schedule.address} is not in the private subnets"
    for cluster in stack.of("aws_emr_cluster"):
        if cluster.values["ec2_attributes"][0]["subnet_id"] not in private:
            yield f"{cluster.address} is not in a private subnet"
    for cluster in stack.of("aws_msk_cluster"):
        if not set(cluster.values["broker_node_group_info"][0]["client_subnets"]) <= private:
            yield f"{cluster.address} is not in the private subnets"
    for card in stack.of("aws_network_interface"):
        if card.values["subnet_id"] not in private:
            yield f"{card.address} is not in a private subnet"


def the_way_to_the_internet_is_the_chosen_one(stack: Stack) -> Iterator[str]:
    nats = {"none": 0, "single": 1, "per_az": 3}[stack.options["nat"]]
    if len(stack.of("aws_nat_gateway")) != nats:
        yield f"NAT: {len(stack.of('aws_nat_gateway'))} gateways, not {nats}"
    if stack.private and (stack.of("aws_internet_gateway") or stack.of("aws_route")):
        yield "NAT: none is asked for, and there is a way to the internet"
    balancer = stack.one("aws_lb")
    if balancer.values["internal"] != stack.private:
        yield f"{balancer.address} is {'internal' if balancer.values['internal'] else 'public'}"
    zones = {each.values["availability_zone"] for each in stack.of("aws_subnet") if each.name == "private"}
    if len(zones) != 3:
        yield f"subnets: in {len(zones)} zones, not three"


def without_nat_every_service_has_an_endpoint(stack: Stack) -> Iterator[str]:
    needed = {
        "ecr.api",
        "ecr.dkr",
        "logs",
        "monitoring",
        "secretsmanager",
        "kms",
        "sts",
        "ssm",
        "ssmmessages",
        "ec2messages",
        "elasticmapreduce",
    }
    found = {str(each.index) for each in stack.of("aws_vpc_endpoint") if each.name == "interface"}
    yield from _compared("endpoints", needed if stack.private else set(), found)
    for endpoint in stack.of("aws_vpc_endpoint"):
        if endpoint.name == "interface":
            if len(endpoint.values["subnet_ids"]) != 1:
                yield f"{endpoint.address} is in more than one zone: dearer than a NAT"
            if not endpoint.values["private_dns_enabled"]:
                yield f"{endpoint.address} is not found by the service's name"
    s3 = stack.one("aws_vpc_endpoint", "s3")
    if len(s3.values["route_table_ids"]) != 3:
        yield f"{s3.address} is not in all route tables"


def the_s3_endpoint_lets_only_named_buckets_through(stack: Stack) -> Iterator[str]:
    own = {"arn:aws:s3:::data", "arn:aws:s3:::data/*", "arn:aws:s3:::work", "arn:aws:s3:::work/*"}
    of_aws = (
        "al2023-repos-",
        "packages.",
        "repo.",
        "prod-us-east-1-starport-layer-bucket/",
        "us-east-1.elasticmapreduce/",
        "amazon-ssm-",
        "prod.us-east-1.appinfo.src/",
        "aws157-logs-",
    )
    found = {r for each in statements(stack) if each.type == "aws_vpc_endpoint" for r in each.resources}
    for resource in found - own:
        if not resource.removeprefix("arn:aws:s3:::").startswith(of_aws):
            yield f"the S3 endpoint lets {resource} through"
    for resource in own - found:
        yield f"the S3 endpoint does not let {resource} through"
    if not any("starport" in resource for resource in found) or not any(
        "al2023" in resource for resource in found
    ):
        yield "the S3 endpoint keeps out images' layers or packages"

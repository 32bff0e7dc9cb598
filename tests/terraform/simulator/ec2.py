"""EC2: what moto forgets of security group rules, and leaves behind of a NAT gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError, InvalidPermissionNotFoundError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.models.vpcs import VPC

from tests.terraform.simulator.hides import gap

gap("ec2", "no packet is filtered or routed", "every_flow_is_expected_and_none_is_missing")
gap("ec2", "machines do not start: user data never runs", "brokers_on_ec2_outlive_their_machines")
gap("ec2", "no machine asks for credentials", "machines_give_credentials_by_imdsv2_only")


class Ec2(EC2Backend):
    """moto's EC2 with the rules of AWS that a destroy must cope with."""

    __module__ = EC2Backend.__module__  # beside which moto looks for a service's paths

    def delete_vpc(self, vpc_id: str) -> VPC:
        """Delete the access list that came with it, too; moto keeps it."""
        vpc = super().delete_vpc(vpc_id)
        for access_list in [each for each in self.network_acls.values() if each.vpc_id == vpc_id]:
            del self.network_acls[access_list.id]
        return vpc

    def delete_nat_gateway(self, nat_gateway_id: str) -> Any:
        """Delete its network interface with it, as AWS does."""
        gateway = super().delete_nat_gateway(nat_gateway_id)
        self.enis.pop(gateway._eni.id, None)
        return gateway

    def _iterate_security_rules(
        self,
        ip_protocol: str,
        group_id: str,
        from_port: str,
        to_port: str,
        ip_ranges: list[Any],
        source_groups: list[dict[str, Any]],
        prefix_list_ids: list[dict[str, str]],
        **rest: Any,
    ) -> Iterator[SecurityGroupRule]:
        """Keep the description of a rule with a prefix list, which moto drops."""
        ports = (ip_protocol, group_id, from_port, to_port)
        yield from super()._iterate_security_rules(*ports, ip_ranges, source_groups, [], **rest)
        for prefix_list in prefix_list_ids:
            for rule in super()._iterate_security_rules(*ports, [], [], [prefix_list], **rest):
                rule.prefix_list = prefix_list
                yield rule

    def terminate_instances(self, instance_ids: list[str]) -> Any:
        """Let go of network interfaces, as AWS does."""
        ended = super().terminate_instances(instance_ids)
        for machine, _ in ended:
            for interface in machine.nics.values():
                interface.instance = interface.attachment_id = None
                interface.status = "available"
        return ended

    def create_network_interface(self, *arguments: Any, **named: Any) -> NetworkInterface:
        """Let a machine's own interface, which comes with it, go with it; moto keeps it."""
        interface = super().create_network_interface(*arguments, **named)
        if named.get("device_index") is not None:
            interface.delete_on_termination = True
        return interface

    def revoke_security_group_ingress(self, *arguments: Any, **named: Any) -> None:
        """Say as AWS does that a rule has gone: groups deleted side by side revoke each other's."""
        with _rule_has_gone():
            super().revoke_security_group_ingress(*arguments, **named)

    def revoke_security_group_egress(self, *arguments: Any, **named: Any) -> None:
        """The same for a rule of the other direction."""
        with _rule_has_gone():
            super().revoke_security_group_egress(*arguments, **named)

    def delete_security_group(self, name: str | None = None, group_id: str | None = None) -> None:
        """Refuse, as AWS does, while a rule of another group names this one; moto deletes it."""
        for groups in self.groups.values():
            for group in groups.values():
                if group.id != group_id and any(
                    rule.source_group.get("GroupId") == group_id
                    for rule in (*group.ingress_rules, *group.egress_rules)
                ):
                    raise DependencyViolationError(f"resource {group_id} has a dependent object")
        super().delete_security_group(name, group_id)


@contextmanager
def _rule_has_gone() -> Iterator[None]:
    try:
        yield
    except InvalidPermissionNotFoundError as error:
        raise EC2ClientError("InvalidSecurityGroupRuleId.NotFound", "The rule does not exist") from error


def _description(rule: SecurityGroupRule) -> str | None:
    """moto gives back only the descriptions of rules with addresses."""
    return (rule.ip_range or rule.source_group or rule.prefix_list).get("Description")


def install() -> None:
    """Mend moto."""
    SecurityGroupRule.prefix_list = {}
    ec2_backends.backend = Ec2
    SecurityGroupRule.description = property(_description)

"""EC2: what moto forgets of security group rules, and leaves behind of a NAT gateway."""

from typing import Any

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.security_groups import SecurityGroupRule

from tests.terraform.simulator.hides import gap

gap("ec2", "no packet is filtered or routed", "every_flow_is_expected_and_none_is_missing")
gap("ec2", "machines do not start: user data never runs", "brokers_on_ec2_outlive_their_machines")
gap("ec2", "no machine asks for credentials", "machines_give_credentials_by_imdsv2_only")


class Ec2(EC2Backend):
    """moto's EC2 with the rules of AWS that a destroy must cope with."""

    __module__ = EC2Backend.__module__  # beside which moto looks for a service's paths

    def delete_nat_gateway(self, nat_gateway_id: str) -> Any:
        """Delete its network interface with it, as AWS does."""
        gateway = super().delete_nat_gateway(nat_gateway_id)
        self.enis.pop(gateway._eni.id, None)
        return gateway

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


def _description(rule: SecurityGroupRule) -> str | None:
    """moto gives back only the descriptions of rules with addresses."""
    return (rule.ip_range or rule.source_group).get("Description")


def install() -> None:
    """Mend moto."""
    ec2_backends.backend = Ec2
    SecurityGroupRule.description = property(_description)

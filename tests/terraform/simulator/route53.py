"""Route 53: a zone with a network is private, whether or not somebody says so; changes are made at once."""

from collections.abc import Callable

from moto.core.responses import ActionResult
from moto.route53.responses import Route53

from tests.terraform.simulator.hides import gap, hides

gap("route53", "no name is looked up", "brokers_on_ec2_outlive_their_machines")

_CHANGES = ("create_hosted_zone", "change_resource_record_sets", "delete_hosted_zone")


@hides("a change is in sync when it is made: nobody waits for it", "brokers_on_ec2_outlive_their_machines")
def in_sync(change: Callable[[Route53], ActionResult]) -> Callable[[Route53], ActionResult]:
    """An operation whose answer names no change; at one, even in sync, the provider looks after 15 s."""

    def answer(self: Route53) -> ActionResult:
        result = change(self)
        del result.result["ChangeInfo"]
        return result

    return answer


def install() -> None:
    """Mend moto, which forgets the network of a zone unless somebody says that the zone is private."""
    create_hosted_zone = Route53.create_hosted_zone

    def create_with_network(self: Route53) -> ActionResult:
        if self._get_param("VPC"):
            self.params.setdefault("HostedZoneConfig", {})["PrivateZone"] = True
        return create_hosted_zone(self)

    Route53.create_hosted_zone = create_with_network
    for name in _CHANGES:
        setattr(Route53, name, in_sync(getattr(Route53, name)))

"""Route 53: a zone with a network is private, whether or not somebody says so."""

from moto.core.responses import ActionResult
from moto.route53.responses import Route53

from tests.terraform.simulator.hides import gap

gap("route53", "no name is looked up", "brokers_on_ec2_outlive_their_machines")


def install() -> None:
    """Mend moto, which forgets the network of a zone unless somebody says that the zone is private."""
    create_hosted_zone = Route53.create_hosted_zone

    def create_with_network(self: Route53) -> ActionResult:
        if self._get_param("VPC"):
            self.params.setdefault("HostedZoneConfig", {})["PrivateZone"] = True
        return create_hosted_zone(self)

    Route53.create_hosted_zone = create_with_network

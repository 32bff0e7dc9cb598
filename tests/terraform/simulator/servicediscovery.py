"""Cloud Map: a namespace goes with its zone; moto keeps the zone."""

from moto.route53.models import route53_backends
from moto.servicediscovery.models import ServiceDiscoveryBackend, servicediscovery_backends


class ServiceDiscovery(ServiceDiscoveryBackend):
    """moto's Cloud Map, which deletes what it made."""

    __module__ = ServiceDiscoveryBackend.__module__  # beside which moto looks for a service's paths

    def delete_namespace(self, namespace_id: str) -> str:
        """Delete the zone with it."""
        zone = self.get_namespace(namespace_id).dns_properties["HostedZoneId"]
        route53_backends[self.account_id][self.partition].delete_hosted_zone(zone)
        return super().delete_namespace(namespace_id)


def install() -> None:
    """Mend moto."""
    servicediscovery_backends.backend = ServiceDiscovery

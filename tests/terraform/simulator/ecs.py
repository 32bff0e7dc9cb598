"""ECS: services whose containers run at once, and what moto drops of a service."""

from botocore import xform_name
from moto.core.responses import ActionResult
from moto.ecs import urls
from moto.ecs.models import Service
from moto.ecs.responses import EC2ContainerServiceResponse

from tests.terraform.simulator.constant import constant
from tests.terraform.simulator.hides import gap, hides

gap("ecs", "no container starts", "containers_are_closed_and_hold_no_secret")

_DROPPED = ("availabilityZoneRebalancing", "enableECSManagedTags", "healthCheckGracePeriodSeconds")


@hides("every service is steady at once; none ever rolls back", "services_roll_back_and_are_waited_for")
def running_count(service: Service) -> int:
    """As many containers as asked for."""
    return int(service.desired_count)


class EcsResponse(EC2ContainerServiceResponse):
    """moto's answers, with all of a service."""

    def create_service(self) -> ActionResult:
        """Keep what moto drops."""
        result = super().create_service()
        for name in _DROPPED:
            setattr(result.result["service"], xform_name(name), self._get_param(name))
        return result

    def list_clusters(self) -> ActionResult:
        """Without those that were deleted."""
        clusters = self.ecs_backend.clusters.values()
        return ActionResult({"clusterArns": [each.arn for each in clusters if each.status == "ACTIVE"]})


def install() -> None:
    """Mend moto."""
    Service.running_count = constant(running_count)
    Service.pending_count = constant(lambda _: 0)
    urls.url_paths["{0}/$"] = EcsResponse.dispatch

"""ECS: services whose containers run at once."""

from moto.ecs.models import Service

from tests.terraform.simulator.constant import constant
from tests.terraform.simulator.hides import gap, hides

gap("ecs", "no container starts", "containers_are_closed_and_hold_no_secret")


@hides("every service is steady at once; none ever rolls back", "services_roll_back_and_are_waited_for")
def running_count(service: Service) -> int:
    """As many containers as asked for."""
    return int(service.desired_count)


def install() -> None:
    """Mend moto, which loses what the stack says of zones."""
    Service.running_count = constant(running_count)
    Service.pending_count = constant(lambda _: 0)
    Service.availability_zone_rebalancing = "DISABLED"

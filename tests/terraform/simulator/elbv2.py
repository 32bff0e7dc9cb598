"""Elastic Load Balancing: a load balancer that is there at once."""

from moto.elbv2.models import FakeLoadBalancer

from tests.terraform.simulator.constant import constant
from tests.terraform.simulator.hides import gap

gap("elbv2", "nobody connects or logs in; it is there at once", "the_load_balancer_asks_who_is_there")


def install() -> None:
    """Mend moto, whose load balancer is not active at first: the provider looks again after 30 s."""
    FakeLoadBalancer.state = constant(lambda _: "active")

"""CloudFormation: moto makes the Lambda function of a template, and passes over its custom resource."""

from tests.terraform.simulator.hides import gap

gap("cloudformation", "the custom resource starts no build, so none fails", "a_failed_build_fails_the_apply")

"""`scripts/deploy.sh`: checks, plan, cost, question, apply, first alert, addresses."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from scripts.aws.arguments import StackArguments, deploy_arguments
from scripts.aws.console import CannotStartError, FailedError, ask, bold, ended, say
from scripts.aws.first_alert import FIRST_ALERT, wait_for_first_alert
from scripts.aws.plan import CLUSTERS, Plan, cost, summary
from scripts.aws.preflight import ZONES, account_problems, plan_problems
from scripts.aws.terraform import Terraform, opened_terraform

INTERRUPTED = (
    "what was made stays, and costs; the same command goes on from there, scripts/destroy.sh takes it down"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: see --help."""
    given = deploy_arguments(arguments)
    return ended(lambda: _deploy(given), INTERRUPTED)


def _deploy(given: StackArguments) -> int:
    with opened_terraform(given.options) as terraform:
        plan = planned(terraform, zones=ZONES)
        for line in summary(plan):
            say(bold(line) if any(name.upper() in line for name in CLUSTERS.values()) else line)
        _refuse(plan_problems(plan))
        if plan.changes:
            _apply(terraform, plan, yes=given.yes)
        else:
            say("the stack stands as it should: nothing to apply")
        outputs = terraform.outputs()
    _wait(plan, outputs)
    print("\n".join(_addresses(outputs, plan.region)))
    return 0


def planned(terraform: Terraform, *options: str, zones: int) -> Plan:
    """Check the account, which needs so many zones, then plan. Raises CannotStartError."""
    variables = terraform.variables()
    _refuse(account_problems(str(variables["region"]), zones))
    say("planning (about a minute) ...")
    terraform.initialise()
    plan = terraform.plan(*options)
    others = plan.other_stacks()
    if others:
        raise CannotStartError(
            f"the state holds the stack {', '.join(sorted(others))}, and these values describe {plan.name}: "
            "one would go for the other. Give that stack's PROFILE and --var; for two stacks, `terraform "
            "workspace new` has a state for each"
        )
    return plan


def _refuse(problems: Iterable[str]) -> None:
    found = list(problems)
    if found:
        raise CannotStartError("the account is not ready:\n" + "\n".join(f"  {each}" for each in found))


def _apply(terraform: Terraform, plan: Plan, *, yes: bool) -> None:
    monthly = plan.outputs.get("monthly_cost_usd")
    for line in cost(monthly) if monthly else ["what it costs is known after the apply"]:
        say(line)
    if not yes:
        ask("Apply? [y/N]", ("y", "Y", "yes"))
    if not terraform.apply():
        raise FailedError(
            "apply did not get to its end (above is why). What was made stays, and costs: the same command "
            "goes on from there, scripts/destroy.sh takes it down. See terraform/README.md, When apply fails "
            "in the middle"
        )


def _wait(plan: Plan, outputs: dict[str, Any]) -> None:
    if plan.variables["producer_count"] == 0:
        say("producer_count is 0: alerts come with your own payments")
        return
    bucket = outputs["buckets"]["data"]
    say(f"waiting for the first alert in {bucket} ...")
    key = wait_for_first_alert(
        bucket, outputs["emr_cluster_id"], outputs["log_groups"]["job"], plan.region, FIRST_ALERT
    )
    say(f"there are alerts: s3://{bucket}/{key}")


def _addresses(outputs: dict[str, Any], region: str) -> list[str]:
    return [
        f"  Dashboard     {outputs['dashboard_url']}",
        f"  Kafdrop       {outputs['kafdrop_url']}",
        f"  tunnel        {outputs['tunnel_command']}",
        f"  alerts        {outputs['read_alerts']['pyarrow']}",
        f"  job's log     aws logs tail {outputs['log_groups']['job']} --follow --region {region}",
        "  check         scripts/smoke-aws.sh",
        f"  delete all    {outputs['destroy_command']}",
    ]


if __name__ == "__main__":
    sys.exit(main())

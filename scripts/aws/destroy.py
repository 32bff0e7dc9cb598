"""`scripts/destroy.sh`: shows, asks, empties, destroys, looks for what is left."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.aws.arguments import StackArguments, destroy_arguments
from scripts.aws.console import FailedError, ask, ended, say
from scripts.aws.deploy import planned
from scripts.aws.leftovers import INDEX, Scan, scan
from scripts.aws.plan import Plan
from scripts.aws.terraform import Terraform, opened_terraform

EMPTIED = {"aws_s3_bucket": "force_destroy", "aws_ecr_repository": "force_delete"}
"""What goes with all that is in it only if this argument is true, and that in the state."""

INTERRUPTED = "the rest still stands, and costs; the same command goes on from there"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: see --help."""
    given = destroy_arguments(arguments)
    return ended(lambda: _destroy(given), INTERRUPTED)


def _destroy(given: StackArguments) -> int:
    with opened_terraform(given.options) as terraform:
        plan = planned(terraform, "-destroy", zones=0)
        if plan.changes:
            for line in _shown(plan):
                say(line)
            if not given.yes:
                ask(f"Type the stack's name, {plan.name}, to destroy it with all its data:", (plan.name,))
            _destroy_all(terraform, plan)
        else:
            say(f"Terraform's state holds nothing of {plan.name}")
    say(f"looking for what still carries the tag Stack={plan.name} (AWS's index is some minutes behind) ...")
    return _report(scan(plan.name, plan.region, INDEX))


def _shown(plan: Plan) -> list[str]:
    """What goes, by kind; what holds data, by name."""
    kinds = Counter(each.type.removeprefix("aws_").replace("_", " ") for each in plan.changes)
    holding = ("aws_s3_bucket", "aws_msk_cluster", "aws_ebs_volume", "aws_ecr_repository")
    return [
        f"{plan.name} in {plan.region}: {len(plan.changes)} resources are to be destroyed",
        "  " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())),
        "with all that is in",
        *(f"  {each.address}: {_name(each.before)}" for each in plan.changes if each.type in holding),
    ]


def _name(values: Mapping[str, Any]) -> str:
    return str(values.get("bucket") or values.get("cluster_name") or values.get("name") or values.get("id"))


def _destroy_all(terraform: Terraform, plan: Plan) -> None:
    holding = [each for each in plan.changes if each.type in EMPTIED]
    full = [each.address for each in holding if not each.before.get(EMPTIED[each.type])]
    if full and not terraform.apply_alone(full, "-var=disposable=true"):
        raise FailedError(
            "buckets and repositories cannot be made to go (above is why); nothing was destroyed"
        )
    if not terraform.destroy():
        say("once more: late logs may have filled a bucket again while it was emptied ...")
        if not terraform.destroy():
            rest = terraform.resources()
            raise FailedError(
                f"destroy did not get to its end (above is why). {len(rest)} resources still stand, and may "
                f"cost, such as {', '.join(rest[:3])}; the same command goes on from there"
            )


def _report(found: Scan) -> int:
    for arn, why in found.kept.items():
        say(f"  kept by AWS: {arn}: {why}")
    say("  kept by AWS: service-linked roles (AWSServiceRoleFor...), which other stacks may use")
    if found.left:
        say(f"error: {len(found.left)} things are left, and may cost; delete them by hand:")
        print("\n".join(found.left))
        return 1
    say("nothing else is left")
    return 0


if __name__ == "__main__":
    sys.exit(main())

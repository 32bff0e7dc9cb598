"""The command lines of scripts/deploy.sh, scripts/destroy.sh and scripts/smoke-aws.sh.

Standard library only: --help, and whether the options are right, is asked before anything is installed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ROOT / "terraform" / "profiles"

_STACK = """
PROFILE is demo, standard, private, or a .tfvars file of your own. Values may also stand in
terraform/terraform.tfvars, secrets in TF_VAR_NAME; what there is to set: terraform/variables.tf. Credentials
are those that AWS's own tools find (AWS_PROFILE, `aws sso login`)."""

_DEPLOY = (
    """\
Stands the stack up on AWS, or changes it. It checks what commonly fails (Terraform, credentials, region,
EMR's release, quotas), shows the plan and what it costs, asks, applies, and waits until the first alert lies
in the bucket, for 25 minutes at most. Run it again after a change, or after a failure: it goes on from where
it was. Ctrl-C ends it in order. Without a terminal and without --yes it only checks, plans and shows.
"""
    + _STACK
)
_DEPLOY_END = """\
example:
  scripts/deploy.sh demo --var 'allowed_cidrs=["203.0.113.7/32"]'

exit codes:
  0  the stack stands, and has raised an alert   2    it could not start, or you said no: nothing was changed
  1  apply failed, or no alert came              130  interrupted; what was made stays"""

_DESTROY = (
    """\
Takes the stack down, with all data. It shows what goes and asks for the stack's name. Then buckets and image
repositories are made to go with all that is in them, everything is destroyed, and what still carries the
stack's tag is looked for. Give it what scripts/deploy.sh was given. Ctrl-C ends it in order; run it again to
go on.
"""
    + _STACK
)
_DESTROY_END = """\
example:
  scripts/destroy.sh demo --var 'allowed_cidrs=["203.0.113.7/32"]'

exit codes:
  0  nothing is left, but what AWS keeps     2    it could not start, or you said no: nothing was changed
  1  something is left: it is listed         130  interrupted; the rest still stands"""

_SMOKE = """\
Checks the stack that terraform/ has made, and changes nothing of it: job, alarms, alerts and dashboard; then
the integration tests' check of exactness, through its Kafka and its bucket, with topics and a prefix of the
check's own that are deleted afterwards. What it needs it reads from `terraform output` and Secrets Manager.

Kafka is reached directly where this machine can (inside the network, by VPN), else through Systems Manager:
that needs the AWS CLI with its Session Manager plugin, and a Linux that lets `unshare` give the brokers'
names an address here. What it cannot do from outside: the check's payments are judged by a job on this
machine, not by the one on EMR. So it proves Kafka, users, certificates and bucket; of EMR's Spark it sees
that its job runs and that alerts come."""
_SMOKE_END = """\
exit codes:
  0  all is well     2    it could not start: there is no stack, or no way to its Kafka
  1  a check failed  130  interrupted"""


@dataclass(frozen=True)
class StackArguments:
    """Which stack, as options for terraform, and whether to ask."""

    options: tuple[str, ...]
    yes: bool


def deploy_arguments(arguments: Sequence[str] | None = None) -> StackArguments:
    """The command line of scripts/deploy.sh. A mistake ends the process with exit code 2 and one sentence."""
    return _stack(_parser("deploy.sh", _DEPLOY, _DEPLOY_END), "do not ask before applying", arguments)


def destroy_arguments(arguments: Sequence[str] | None = None) -> StackArguments:
    """The command line of scripts/destroy.sh. A mistake ends the process, as above."""
    return _stack(_parser("destroy.sh", _DESTROY, _DESTROY_END), "do not ask for the stack's name", arguments)


def smoke_arguments(arguments: Sequence[str] | None = None) -> bool:
    """The command line of scripts/smoke-aws.sh: whether to check through Kafka. A mistake: as above."""
    parser = _parser("smoke-aws.sh", _SMOKE, _SMOKE_END)
    parser.add_argument("--no-kafka", action="store_true", help="leave out the check through Kafka")
    return not parser.parse_args(arguments).no_kafka


def _parser(script: str, description: str, end: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"scripts/{script}",
        description=description,
        epilog=end,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _stack(parser: argparse.ArgumentParser, yes: str, arguments: Sequence[str] | None) -> StackArguments:
    parser.add_argument("profile", metavar="PROFILE", help="values of a whole kind of stack")
    parser.add_argument(
        "--var", metavar="NAME=VALUE", action="append", default=[], help="one more value; may be repeated"
    )
    parser.add_argument("--yes", action="store_true", help=yes)
    given = parser.parse_args(arguments)
    known = {path.stem: path for path in sorted(PROFILES.glob("*.tfvars"))}
    file = known.get(given.profile, Path(given.profile).absolute())
    if not file.is_file():
        parser.error(f"there is no profile {given.profile}; there is {', '.join(known)}, or a .tfvars file")
    for value in given.var:
        if "=" not in value:
            parser.error(f"--var {value}: give NAME=VALUE")
    return StackArguments((f"-var-file={file}", *(f"-var={value}" for value in given.var)), given.yes)


PARSERS = {"deploy": deploy_arguments, "destroy": destroy_arguments, "smoke": smoke_arguments}

if __name__ == "__main__":
    PARSERS[sys.argv[1]](sys.argv[2:])

"""What can be said of `terraform/` without applying it, and of the programs that it starts elsewhere."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.terraform.mocked import ROOT, VARIANTS, Stack, copied, terraform
from tests.terraform.promises_clusters import user_data
from tests.terraform.promises_services import containers

CHECKOV = ROOT / ".cache" / "checkov" / "bin" / "checkov"
SKIPPED = {
    "CKV2_AWS_5": "the groups are attached through outputs, which checkov does not follow",
    "CKV2_AWS_7": "the same: EMR's groups are open to no address (see every_flow_is_expected)",
    "CKV2_AWS_11": "flow logs cost more than they tell here: every flow that is allowed is listed",
    "CKV2_AWS_57": "passwords and certificates are renewed by a documented command",
    "CKV2_AWS_62": "nothing listens to objects",
    "CKV_AWS_18": "access logs of S3 would need a third bucket, not encrypted by the key",
    "CKV_AWS_21": "checkpoints must have no versions (data_has_versions_and_checkpoints_have_none)",
    "CKV_AWS_91": "the load balancer's log would need a bucket that is not encrypted by the key",
    "CKV_AWS_124": "Terraform waits for the stack: it needs nobody else to tell",
    "CKV_AWS_126": "the agent measures the brokers' disks; the rest by the minute is not worth its price",
    "CKV_AWS_144": "one region is the promise",
    "CKV_AWS_150": "destroy must be able to",
    "CKV_AWS_316": "docker build needs it",
    "CKV_AWS_338": "how long logs stay is the owner's choice",
    "CKV_AWS_378": "behind the load balancer, in private subnets; the listener speaks HTTPS where it can",
    "CKV_AWS_394": "a subnet stays in its zone whatever the list says (ignore_changes)",
}
"""What checkov finds and we keep, with the reason. Anything else fails; so does a reason that has gone."""


def test_files_are_formatted(environment: Mapping[str, str]) -> None:
    for folder in (ROOT / "terraform", ROOT / "tests" / "terraform"):
        done = terraform(folder, environment, "fmt", "-check", "-recursive", "-diff", "-no-color")
        assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.timeout(900)
def test_the_configuration_is_valid_with_all_sources_and_with_state_in_s3(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    folder = copied(tmp_path, all_sources=True)
    shutil.rmtree(folder / "modules" / "stack" / "tests")
    shutil.copyfile(folder / "backend.tf.example", folder / "backend.tf")
    done = terraform(folder, environment, "init", "-backend=false", "-no-color")
    assert done.returncode == 0, done.stderr
    done = terraform(folder, environment, "validate", "-no-color")
    assert (done.returncode, done.stderr) == (0, "")


def test_checkov_finds_only_what_we_keep_with_a_reason() -> None:
    if not CHECKOV.exists():
        pytest.skip("checkov is not installed: scripts/test.sh terraform brings it")
    done = subprocess.run(
        [
            CHECKOV,
            "--directory",
            ROOT / "terraform",
            "--framework",
            "terraform",
            "--skip-download",
            "--output",
            "json",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    report = json.loads(done.stdout)
    summary = report["summary"]
    assert summary["parsing_errors"] == 0
    assert summary["skipped"] == 0  # reasons stand above, not in comments
    assert summary["resource_count"] > 120
    assert summary["passed"] > 300
    found: dict[str, set[str]] = {}
    for failed in report["results"]["failed_checks"]:
        found.setdefault(failed["check_id"], set()).add(failed["resource"])
    assert {check: sorted(found[check]) for check in found.keys() - SKIPPED.keys()} == {}
    assert SKIPPED.keys() - found.keys() == set()


def test_tflint_finds_nothing() -> None:
    """With the rules for Terraform that it holds itself; those for AWS are a plugin, to be downloaded."""
    if (tflint := shutil.which("tflint")) is None:
        pytest.skip("tflint is not on PATH")
    done = subprocess.run(
        [tflint, "--recursive"],
        cwd=ROOT / "terraform",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def linted(script: str, shell: str, *arguments: str) -> str:
    """What shellcheck says of a script."""
    program = Path(shutil.which("shellcheck") or ROOT / ".venv" / "bin" / "shellcheck")
    done = subprocess.run(
        [program, f"--shell={shell}", *arguments, "-"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


@pytest.mark.timeout(900)
@pytest.mark.parametrize("variant", VARIANTS)
def test_scripts_are_clean_as_rendered(variant: str, stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of(variant)
    assert linted(stack.one("aws_s3_object", "runner", "runner.sh").values["content"], "bash") == ""
    assert linted(containers(stack, "kafdrop")[0]["command"][0], "sh") == ""
    instances = stack.of("aws_instance")
    assert len(instances) == (3 if stack.on_ec2 else 0)
    for instance in instances:
        script = user_data(instance.values)
        assert linted(script, "bash") == ""
        assert len(script.encode()) < 16 * 1024  # EC2 takes no more


@pytest.mark.parametrize("name", ["archives", "build", "certificates", "images", "report"])
def test_scripts_of_the_build_are_clean(name: str) -> None:
    script = ROOT / "terraform" / "modules" / "build" / "files" / f"{name}.sh"
    assert linted(script.read_text("utf-8"), "bash") == ""

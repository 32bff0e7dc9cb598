"""scripts/deploy.sh checks before it makes anything, says what will happen, and goes on after a failure."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.aws import deploy, destroy
from scripts.aws.console import FailedError
from scripts.aws.first_alert import Patience, wait_for_first_alert
from scripts.aws.preflight import VCPU_QUOTA
from tests.terraform.mocked import REGION, ROOT
from tests.terraform.scenario import CLUSTER, NEW, Person, change, plan

SET = ("demo", "--var", 'allowed_cidrs=["203.0.113.7/32"]')


def quota(person: Person, service: str, code: str, value: float) -> None:
    quotas = person.account.client("service-quotas")
    quotas.request_service_quota_increase(ServiceCode=service, QuotaCode=code, DesiredValue=value)


def test_it_plans_asks_applies_waits_and_says_where(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = person.stack("whole")
    person.alert(outputs)
    secret = {"oidc_client_secret": "never-shown"}
    person.finds(plan(*NEW, **secret), outputs=outputs)
    person.types("y\n")
    assert deploy.main(SET) == 0
    said = capsys.readouterr()
    assert (
        f"plan for fraud-demo in {REGION}: 6 to create, 0 to update, 0 to replace, 0 to destroy" in said.err
    )
    assert "US dollars a month, list prices of us-east-1, 2026-11, without traffic:" in said.err
    assert "  emr          313\n  total        391\n" in said.err
    assert "there are alerts: s3://fraud-demo-data-whole/alerts/date=2026-11-29/one.parquet" in said.err
    assert "Dashboard     http://dashboard/" in said.out
    assert "never-shown" not in said.out + said.err
    (planned,) = [
        each for each in person.calls("plan") if "-var-file=" in each[-2] and "rules" not in each[-1]
    ]
    assert planned[-1] == f"-var={SET[2]}"
    (applied,) = person.calls("apply")
    assert [part for part in planned if part.startswith("-out=")] == [f"-out={applied[-1]}"]  # what was shown


def test_a_stack_that_stands_is_left_alone(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = person.stack("stands")
    person.alert(outputs)
    stays = change("module.stack.module.emr.aws_emr_cluster.this", "no-op", before={}, after={})
    person.finds(plan(stays), outputs=outputs)
    assert deploy.main(SET) == 0
    assert person.calls("apply") == []
    assert "nothing to apply" in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_without_a_yes_nothing_is_made(
    answer: str, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person.types(answer)
    assert deploy.main(SET) == 2
    assert person.calls("apply") == []
    assert capsys.readouterr().err.endswith("error: nothing was changed\n")


def test_without_a_terminal_it_plans_only(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main(SET) == 2
    assert person.calls("apply") == []
    assert "there is nobody to ask; say --yes" in capsys.readouterr().err


def test_a_cluster_that_is_replaced_is_said_first_and_loud(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced = change(
        "module.emr.aws_emr_cluster.this",
        *("delete", "create"),
        before=CLUSTER["change"]["after"],
        after=CLUSTER["change"]["after"],
        replace_paths=[["release_label"]],
    )
    person.finds(plan(change("module.stack.aws_eip.a", "delete", before={}), replaced))
    assert deploy.main(SET) == 2
    lines = capsys.readouterr().err.splitlines()
    at = lines.index("plan for fraud-demo in us-east-1: 0 to create, 0 to update, 1 to replace, 1 to destroy")
    assert lines[at + 1 : at + 3] == [
        "  REPLACES THE SPARK CLUSTER: module.emr.aws_emr_cluster.this, because of release_label",
        "  destroys module.stack.aws_eip.a",
    ]


def test_another_stack_in_the_state_is_not_sacrificed(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person.finds(plan(change("a.aws_eip.a", "update", before={"tags_all": {"Stack": "fraud"}}, after={})))
    assert deploy.main((*SET, "--yes")) == 2
    assert person.calls("apply") == []
    assert "the state holds the stack fraud, and these values describe fraud-demo" in capsys.readouterr().err


def test_missing_credentials_are_one_line_before_any_plan(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person.lacks("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    assert deploy.main(SET) == 2
    said = capsys.readouterr().err
    assert "  credentials: Unable to locate credentials; set AWS_PROFILE or run aws configure" in said
    assert person.calls("init", "apply") == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("sts:GetCallerIdentity", "credentials: us-east-1 refuses them (InjectedFault); renew them"),
        ("ec2:DescribeAvailabilityZones", "region: us-east-1 does not answer"),
        (
            "emr:DescribeReleaseLabel",
            "rights: DescribeReleaseLabel is refused (InjectedFault); use credentials of an",
        ),
    ],
)
def test_what_aws_refuses_is_said_with_what_to_do(
    fault: str, words: str, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person.account.fail({fault: 1})
    assert deploy.main((*SET, "--yes")) == 2
    assert words in capsys.readouterr().err
    assert person.account.faults_left() == {}
    assert person.calls("apply") == []


def test_an_unknown_release_and_an_unknown_machine_are_refused(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    group = [{"instance_type": "m0.none", "instance_count": 1}]
    after = {"release_label": "emr-99.0.0", "master_instance_group": group, "core_instance_group": group}
    person.finds(plan(change("a.aws_emr_cluster.this", "create", after=after)))
    assert deploy.main((*SET, "--yes")) == 2
    said = capsys.readouterr().err
    assert (
        "  EMR release: us-east-1 does not have emr-99.0.0 (InvalidRequestException); choose another" in said
    )
    assert "  machine type: us-east-1 does not have m0.none; choose another region, or other values" in said


def test_a_region_with_too_few_zones_takes_no_new_stack(
    person: Person, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    person.finds(plan(*NEW, region="us-west-1"))
    assert deploy.main((*SET, "--yes")) == 2
    assert (
        "  region: us-west-1 has 2 zones; the stack needs 3: choose another region\n"
        in capsys.readouterr().err
    )
    assert person.calls("init") == []
    monkeypatch.setattr(destroy, "INDEX", Patience(0, 0))
    person.finds(plan(region="us-west-1"))
    assert destroy.main((*SET, "--yes")) == 0  # it must go, whatever became of the zones


def test_quotas_that_do_not_suffice_are_said_together(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person.stack("running")  # one machine, of 4
    quota(person, "codebuild", "L-ARM", 0)
    quota(person, "ec2", "L-1216C47A", 13)  # two times 4 and three times 2 are 14
    try:
        assert deploy.main((*SET, "--yes")) == 2
    finally:
        quota(person, "codebuild", "L-ARM", 1)
        quota(person, "ec2", "L-1216C47A", 512)
    said = capsys.readouterr().err
    assert f"  quota: 13 vCPUs ({VCPU_QUOTA}), " in said
    used, wanted = re.findall(r"(\d+) of them used, and this stack takes 14; ask AWS for (\d+)", said)[0]
    assert int(used) >= 4
    assert int(wanted) == int(used) + 14
    assert (
        "  quota: 0 (Concurrently running builds for ARM/Medium environment); ask AWS for 1 or more: " in said
    )
    assert "https://us-east-1.console.aws.amazon.com/servicequotas/home/services/codebuild/quotas" in said
    assert person.calls("apply") == []


def test_a_second_run_needs_no_room_for_machines_that_run(person: Person) -> None:
    outputs = person.stack("room")
    person.alert(outputs)
    cluster = CLUSTER["change"]["after"]
    stays = change("a.aws_emr_cluster.this", "update", before=cluster, after=cluster)
    person.finds(plan(stays), outputs=outputs)
    quota(person, "ec2", "L-1216C47A", 0)
    try:
        assert deploy.main((*SET, "--yes")) == 0
    finally:
        quota(person, "ec2", "L-1216C47A", 512)


def test_wrong_values_are_refused_by_their_own_words(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person.finds(plan(), codes={"plan": [1]})
    assert deploy.main(SET) == 2
    assert "  Invalid value: name must be 3 to 20\n" in capsys.readouterr().err
    assert person.calls("init") == []


def test_a_plan_that_is_refused_changes_nothing(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    person.finds(plan(*NEW), codes={"plan": [0, 1]})
    assert deploy.main((*SET, "--yes")) == 2
    assert "terraform refuses the plan:\n  Invalid value: name must be 3 to 20" in capsys.readouterr().err
    assert person.calls("apply") == []


def test_an_old_terraform_is_refused(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    person.finds(plan(*NEW), version="1.9.8")
    assert deploy.main(SET) == 2
    assert "terraform: 1.9.8 is too old; install 1.11 or newer" in capsys.readouterr().err


def test_after_an_apply_that_failed_the_same_command_goes_on(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = person.stack("middle")
    person.alert(outputs)
    person.finds(plan(*NEW), outputs=outputs, codes={"apply": [1]})
    assert deploy.main((*SET, "--yes")) == 1
    assert "What was made stays, and costs: the same command goes on from there" in capsys.readouterr().err
    assert deploy.main((*SET, "--yes")) == 0
    assert len(person.calls("apply")) == 2


def test_no_alert_and_a_job_that_has_failed_are_told_apart(person: Person) -> None:
    outputs = person.stack("silent")
    place = (outputs["buckets"]["data"], outputs["emr_cluster_id"], "/fraud-demo/job", REGION)
    with pytest.raises(FailedError, match=r"no alert in fraud-demo-data-silent after 0 s; .*aws logs tail"):
        wait_for_first_alert(*place, Patience(0, 0))
    person.account.client("emr").terminate_job_flows(JobFlowIds=[outputs["emr_cluster_id"]])
    with pytest.raises(
        FailedError, match=r"no alert will come: the job on .* is TERMINATED; .*aws logs tail"
    ):
        wait_for_first_alert(*place, Patience(60, 1))
    person.alert(outputs)
    assert wait_for_first_alert(*place, Patience(0, 0)) == "alerts/date=2026-11-29/one.parquet"


def test_without_a_producer_no_alert_is_waited_for(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person.finds(plan(producer_count=0), outputs=person.stack("own"))
    assert deploy.main(SET) == 0
    assert "alerts come with your own payments" in capsys.readouterr().err


def test_ctrl_c_lets_terraform_end_in_order(person: Person, tmp_path: Path) -> None:
    person.finds(plan(*NEW), waits=["apply"])
    running = subprocess.Popen(
        [sys.executable, "-m", "scripts.aws.deploy", *SET, "--yes"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
        # Where the tests run in the background, it would be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # no threads
    )  # fmt: skip
    end = time.monotonic() + 60
    while not (tmp_path / "scenario.json.waits").exists():
        assert running.poll() is None, running.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert (tmp_path / "interruptions").read_text() == "one\n"  # at a second one terraform gives up
    assert "stopped; what was made stays, and costs; the same command goes on from there" in said
    assert "Traceback" not in said


def test_the_scripts_help_needs_nothing_installed_and_wrong_options_end_at_once() -> None:
    for script, words in (
        ("deploy", "quotas"),
        ("destroy", "asks for the stack's name"),
        ("smoke-aws", "unshare"),
    ):
        command = ["bash", str(ROOT / "scripts" / f"{script}.sh")]
        asked = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
        assert asked.stdout.startswith(f"usage: scripts/{script}.sh")
        assert words in asked.stdout
        assert "exit codes:" in asked.stdout
        wrong = subprocess.run([*command, "--nonsense"], capture_output=True, text=True, check=False)
        assert wrong.returncode == 2
        assert wrong.stdout == ""

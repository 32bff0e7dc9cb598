"""scripts/deploy.sh and scripts/destroy.sh themselves, with terraform, on a simulated account."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.terraform.account import Account
from tests.terraform.mocked import LISTED, REGION, ROOT, copied
from tests.terraform.residue import contents, residue

pytestmark = [pytest.mark.whole_matrix, pytest.mark.timeout(1800)]
SET = ("demo", "--var", f'allowed_cidrs=["{LISTED}"]', "--var", "disposable=false", "--yes")


def project(folder: Path) -> Path:
    """A copy of all that the scripts are, with the packages that there are here."""
    copied(folder, all_sources=True)
    for name in (".venv", ".cache"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def run(
    script: str, folder: Path, environment: Mapping[str, str], code: int
) -> subprocess.CompletedProcess[str]:
    """Run a script; it must end with this exit code."""
    done = subprocess.run(
        ["bash", str(folder / "scripts" / script), *SET],  # noqa: S607  # where PATH says
        env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def raise_an_alert(account: Account, end: float) -> None:
    """What the job would do, once its bucket is there."""
    store = account.client("s3")
    while time.monotonic() < end:
        for bucket in store.list_buckets()["Buckets"]:
            if "-data-" in bucket["Name"]:
                store.put_object(Bucket=bucket["Name"], Key="alerts/date=2026-11-29/one.parquet", Body=b"")
                return
        time.sleep(0.5)


def test_a_stack_is_deployed_through_a_fault_and_destroyed_with_its_data(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    folder = project(tmp_path / "project")
    with Account(tmp_path / "account.log") as account:
        before = contents(account.client)
        around = account.environment({**os.environ, **environment})
        account.fail({"emr:RunJobFlow": 1})
        broken = run("deploy.sh", folder, around, 1)
        assert "the same command goes on from there" in broken.stderr
        assert account.faults_left() == {}

        job = threading.Thread(target=raise_an_alert, args=(account, time.monotonic() + 600))
        job.start()
        done = run("deploy.sh", folder, around, 0)
        job.join()
        assert f"plan for fraud-demo in {REGION}: " in done.stderr
        assert "US dollars a month, list prices of us-east-1, 20" in done.stderr
        assert "there are alerts: s3://fraud-demo-data-" in done.stderr
        assert "  Dashboard     http://" in done.stdout
        assert "nothing to apply" in run("deploy.sh", folder, around, 0).stderr

        gone = run("destroy.sh", folder, around, 0)
        assert "  module.stack.module.storage.aws_s3_bucket.data: fraud-demo-data-" in gone.stderr
        assert gone.stderr.endswith("nothing else is left\n")
        left = residue(before, contents(account.client))
    # `disposable` was false: secrets can be had back for some days.
    assert left.keys() == {"key pending deletion", "inactive task definition", "secret"}
    for name in left["secret"]:
        assert any(
            "a secret, which AWS deletes" in line and name in line for line in gone.stderr.splitlines()
        )

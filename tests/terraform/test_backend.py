"""State in S3, as backend.tf.example sets it up: encrypted, and locked."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.terraform.account import Account
from tests.terraform.mocked import REGION, ROOT, terraform

KEY = "fraud-pipeline/terraform.tfstate"
LOCK = {
    "ID": "1",
    "Operation": "apply",
    "Who": "somebody else",
    "Version": "1.11.4",
    "Created": "2026-11-29T00:00:00Z",
}


@pytest.mark.timeout(300)
def test_the_state_is_encrypted_and_nobody_works_on_it_while_another_does(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    folder = tmp_path / "configuration"
    folder.mkdir()
    shutil.copyfile(ROOT / "terraform" / "backend.tf.example", folder / "backend.tf")
    (folder / "main.tf").write_text('resource "terraform_data" "one" {}\n', "utf-8")
    with Account(tmp_path / "account.log") as account:
        store = account.client("s3")
        store.create_bucket(Bucket="states")
        settings = account.environment(environment)
        place = ["-backend-config=bucket=states", f"-backend-config=region={REGION}"]
        for arguments in (["init", *place], ["apply", "-auto-approve"]):
            done = terraform(folder, settings, *arguments, "-no-color", "-input=false")
            assert done.returncode == 0, done.stderr
        assert store.head_object(Bucket="states", Key=KEY)["ServerSideEncryption"] == "AES256"
        assert [each["Key"] for each in store.list_objects_v2(Bucket="states")["Contents"]] == [KEY]
        assert not (folder / "terraform.tfstate").exists()

        store.put_object(Bucket="states", Key=f"{KEY}.tflock", Body=json.dumps(LOCK).encode())
        done = terraform(folder, settings, "apply", "-auto-approve", "-no-color", "-input=false")
        assert done.returncode == 1
        assert "Error acquiring the state lock" in done.stderr
        assert "somebody else" in done.stderr

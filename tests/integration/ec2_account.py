"""What the account holds when the brokers of EC2 start: passwords, certificates, and the broker's program."""

import hashlib
import json
import re
import tarfile
from collections.abc import Iterable
from pathlib import Path

from tests.terraform.account_folder import file_of, make_certificates
from tests.terraform.codebuild import rendered_environment
from tests.terraform.mocked import Stack


def bring_secrets(account: Path, stack: Stack) -> None:
    """Users with passwords, and certificates by the build's script; each by its ARN and its name."""
    for secret in stack.of("aws_secretsmanager_secret"):
        if secret.name == "kafka":
            password = hashlib.sha256(str(secret.index).encode()).hexdigest()
            value = {"username": secret.index, "password": password}
            file_of(account, secret.values["arn"]).write_text(json.dumps(value), "utf-8")
    make_certificates(account, build_environment(stack))
    for secret in stack.of("aws_secretsmanager_secret"):
        file_of(account, secret.values["name"]).symlink_to(file_of(account, secret.values["arn"]))


def build_environment(stack: Stack) -> dict[str, str]:
    """What CodeBuild has in its environment. The brokers' certificates hold `localhost`, too."""
    given = rendered_environment(stack)
    # The script puts this after each broker's name.
    return given | {"KAFKA_DOMAIN": f"{given['KAFKA_DOMAIN']},DNS:localhost"}


def bring_program(account: Path, script: str, files: Iterable[Path]) -> Path:
    """Put the broker's program where a machine's user data looks for it; the archive."""
    found = re.search(r"^PROGRAM=s3://work/(\S+)$", script, re.MULTILINE)
    assert found is not None, "the user data names no program"
    archive = file_of(account, found[1])
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for file in sorted(files):
            tar.add(file, file.name)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    file_of(account, f"{found[1]}.sha256").write_text(f"{digest}  kafka.tar.gz\n", "utf-8")
    return archive

"""An AWS account that is a folder: secrets and objects are files, `aws` is a small program in its place."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.terraform.codebuild import FILES

_AWS = """#!/usr/bin/env bash
# Secrets and objects are files below $FAKE; each call is noted.
echo "$*" >>"$FAKE/calls"
file() { printf '%s/%s' "$FAKE" "${1//\\//_}"; }
service=$1 call=$2 words=() format=text
shift 2
if [[ -e $FAKE/refused && "$service $call" == "$(<"$FAKE/refused")" ]]; then
  printf '\nAn error occurred (AccessDenied) when calling it\n' >&2
  exit 254
fi
while [[ $# -gt 0 ]]; do
  case $1 in
    --secret-id | --key | --repository-name) name=$2 && shift ;;
    --image-ids) value=${2#imageTag=} && shift ;;
    --secret-string) value=${2#file://} && shift ;;
    --output) format=$2 && shift ;;
    --bucket | --query) shift ;;
    --*) ;;
    s3://*) words+=("$(file "${1#s3://work/}")") ;;
    *) words+=("$1") ;;
  esac
  shift
done
case "$service $call" in
  "secretsmanager get-secret-value")
    if [[ $format == json ]]; then
      python3 -c 'import json, sys; print(json.dumps(open(sys.argv[1]).read()))' "$(file "$name")"
    else
      cat "$(file "$name")"
    fi
    ;;
  "secretsmanager get-random-password") openssl rand -hex 16 ;;
  "secretsmanager put-secret-value") cp "$value" "$(file "$name")" ;;
  "s3api head-object") [[ -e $(file "$name") ]] ;;
  "s3 cp") if [[ ${words[1]} == - ]]; then cat "${words[0]}"; else cp "${words[@]}"; fi ;;
  "ecr get-login-password") cat "$FAKE/ecr" ;;
  "ecr describe-images") # asks the registry itself
    curl --fail --silent --head --user "AWS:$(cat "$FAKE/ecr")" --output /dev/null \
      --header "Accept: application/vnd.docker.distribution.manifest.v2+json" \
      --header "Accept: application/vnd.oci.image.index.v1+json" "http://$REGISTRY/v2/$name/manifests/$value"
    ;;
  "cloudwatch put-metric-data") ;;
  *) exit 252 ;;
esac
"""


def opened_account(parent: Path) -> Path:
    """An empty account's folder below `parent`, beside `bin/` with its `aws`."""
    program, account = parent / "bin" / "aws", parent / "account"
    program.parent.mkdir(parents=True)
    account.mkdir()
    program.write_text(_AWS, "utf-8")
    program.chmod(0o755)
    return account


def refuse(account: Path, call: str) -> None:
    """From now on the account refuses this call, such as `s3 cp`."""
    (account / "refused").write_text(call, "utf-8")


def file_of(account: Path, name: str) -> Path:
    """The file of a secret, by ARN or name, or of an object of the work bucket, by key."""
    return account / name.replace("/", "_")


def environment(account: Path) -> dict[str, str]:
    """What makes a script take this account for AWS."""
    return {"PATH": f"{account.parent / 'bin'}:{os.environ['PATH']}", "FAKE": str(account)}


def make_certificates(account: Path, variables: Mapping[str, str]) -> None:
    """Run the build's script; `variables`: what CodeBuild has in its environment."""
    done = subprocess.run(
        ["bash", FILES / "certificates.sh"],  # noqa: S607
        env={**variables, **environment(account)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr

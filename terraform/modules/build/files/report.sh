#!/usr/bin/env bash
# report.sh LOG: tells the CloudFormation stack that started this build how it ended; a failure with the log's last
# lines. A build that a person started has nobody to tell.
set -euo pipefail
[[ -n ${RESPONSE_URL:-} ]] || exit 0
python3 - "${CODEBUILD_BUILD_SUCCEEDING:-0}" "$1" <<'PYTHON'
import json, os, pathlib, sys, urllib.request

succeeded, log = sys.argv[1] == "1", pathlib.Path(sys.argv[2])
lines = log.read_text(errors="replace") if log.exists() else "the build wrote no log"
body = {
    "Status": "SUCCESS" if succeeded else "FAILED",
    "Reason": "built" if succeeded else "the build failed: " + lines[-900:],
    "PhysicalResourceId": os.environ["PHYSICAL_RESOURCE_ID"],
    "StackId": os.environ["STACK_ID"],
    "RequestId": os.environ["REQUEST_ID"],
    "LogicalResourceId": os.environ["LOGICAL_RESOURCE_ID"],
}
request = urllib.request.Request(
    os.environ["RESPONSE_URL"], json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
)
urllib.request.urlopen(request, timeout=30)
PYTHON

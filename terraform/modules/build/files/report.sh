#!/usr/bin/env bash
# report.sh LOG: tells the CloudFormation stack that started this build how it ended; a failure with the log's last
# lines. A build that a person started has nobody to tell.
set -euo pipefail
[[ -n ${RESPONSE_URL:-} ]] || exit 0
python3 - "$1" <<'PYTHON'
import json, os, pathlib, sys, time, urllib.request

log = pathlib.Path(sys.argv[1])
lines = log.read_text(errors="replace").rstrip() if log.exists() else "the build wrote no log"
# Not CODEBUILD_BUILD_SUCCEEDING: nothing says that it is right before the phase that failed has ended.
succeeded = lines.endswith("the build is complete")
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
for pause in (1, 5, None):
    try:
        urllib.request.urlopen(request, timeout=30)
        break
    except OSError as error:
        print(f"CloudFormation did not take the report: {error}", file=sys.stderr)
        if pause is None:
            sys.exit(1)
        time.sleep(pause)
PYTHON

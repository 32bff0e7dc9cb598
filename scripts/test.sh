#!/usr/bin/env bash
# Sets everything up, as scripts/demo.sh does, and runs the tests. The last line counts them.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  cat <<'USAGE'
usage: scripts/test.sh [GROUP ...] [--all] [--skip=GROUP:REASON]

  quick        lint, types, unit tests and laws; under 3 minutes
  integration  a real broker, S3 server, Spark job and producer; with Terraform 1.11, also Kafka on EC2, EMR's runner
               and ECS's containers as it renders them; under 8 minutes
  faults       the same, with kill -9, outages and damage at moments hit on purpose; under 8 minutes
  browser      the dashboard in a real browser over what the real job wrote; under 5 minutes; needs Chromium
  terraform    terraform/ against a mocked and a simulated AWS, and read by checkov; under 6 minutes; needs
               Terraform 1.11
  compose      the whole stack by docker compose, built and killed; under 12 minutes; needs Docker and Compose, and
               for one of its tests Chromium

Without a group: quick and integration. The set-up takes up to 6 minutes the first time, then a second.
CHROMIUM names the browser's program when it is not on PATH under one of its usual names.
TF_PROVIDER_MIRROR names a folder that holds Terraform's AWS provider, where its registry cannot be reached.
Without that folder it is fetched into .cache/terraform, once.
--all: of terraform the whole matrix, under an hour; of compose also the variants with a Spark cluster and with three
brokers, Kafka's disk lost, and the build on AWS (needs Terraform and docker-registry), under 30 minutes.
--skip counts a group that you cannot run as skipped, with your reason, in the last lines.
USAGE
  exit 0
fi

packages=() scanner=true
for word in "$@"; do
  if [[ $word == terraform ]]; then
    if why=$(terraform_lacks); then die "$why"; fi
    scanner=bring_checkov
    packages+=(--group terraform)
  fi
  if [[ $word == browser || $word == compose ]]; then
    base=$(find_python) || exit 2
    if why=$(cd "$ROOT" && "$base" -m scripts.chromium 2>&1); then
      packages+=(--group browser)
    elif [[ $word == browser ]]; then # said before anything is installed; compose has one test less
      say "$why"
      exit 2
    fi
  fi
done

say "=== set-up: at most 6 min"
began=$SECONDS
limit=()
if command -v timeout >/dev/null; then limit=(timeout --foreground 360); fi
# shellcheck disable=SC2016 # the inner shell expands it
${limit[@]+"${limit[@]}"} bash -c 'set -euo pipefail; source "$1"; scanner=$2; shift 2; set_up "$@"; "$scanner"' \
  set-up "$ROOT/scripts/lib.sh" "$scanner" ${packages[@]+"${packages[@]}"} || {
  code=$?
  say "error: the set-up failed or took longer than 6 minutes (exit code $code)"
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}
say "=== set-up: $((SECONDS - began)) s"
cd "$ROOT"
export PYTHONPATH=$ROOT
exec "$PYTHON" -m scripts.check "$@"

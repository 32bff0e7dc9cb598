#!/usr/bin/env bash
# The whole stack on AWS: checks, plans, asks, applies, waits for the first alert. See --help.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/aws.sh
source "$ROOT/scripts/aws.sh"

run_on_stack deploy "$@"

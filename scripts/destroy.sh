#!/usr/bin/env bash
# Takes the stack on AWS down, with all data, and looks for what is left. See --help.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/aws.sh
source "$ROOT/scripts/aws.sh"

run_on_stack destroy "$@"

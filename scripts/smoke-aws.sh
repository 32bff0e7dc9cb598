#!/usr/bin/env bash
# Checks the stack on AWS, from outside, by its outputs alone. See --help.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/aws.sh
source "$ROOT/scripts/aws.sh"

check_arguments smoke "$@"
set_up connector
exec "$PYTHON" -m scripts.aws.smoke "$@"

#!/usr/bin/env bash
# Breaks the pipeline on purpose, for as long as you like. See --help.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

help_if_asked tests.faults.arguments "$@"
HERE=$PWD
set_up broker connector
cd "$HERE"
export PYTHONPATH=$ROOT
exec "$PYTHON" -m tests.faults "$@"

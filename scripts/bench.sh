#!/usr/bin/env bash
# Measures the pipeline on this machine. See --help.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

help_if_asked scripts.bench.arguments "$@"
HERE=$PWD
set_up --group bench broker connector
UV=$(find_uv "$PYTHON") || exit 2 # makes the peers' environments
export UV
cd "$HERE"
export PYTHONPATH=$ROOT
exec "$PYTHON" -m scripts.bench "$@"

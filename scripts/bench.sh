#!/usr/bin/env bash
# Measures the pipeline on this machine. See --help.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$PWD
set_up broker connector
cd "$HERE"
export PYTHONPATH=$ROOT
exec "$PYTHON" -m scripts.bench "$@"

#!/usr/bin/env bash
# Measures the pipeline on this machine. See --help.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case " $* " in
  *" -h "* | *" --help "*)
    base=$(find_python) || exit 2
    cd "$ROOT"
    exec "$base" -m scripts.bench.arguments --help
    ;;
esac

HERE=$PWD
UV=$(find_uv "$(find_python)") || exit 2 # makes the peers' environments
export UV
set_up --group bench broker connector
cd "$HERE"
export PYTHONPATH=$ROOT
exec "$PYTHON" -m scripts.bench "$@"

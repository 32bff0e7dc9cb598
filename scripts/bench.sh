#!/usr/bin/env bash
# Measures the pipeline on this machine. See --help.
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
set_up broker connector
sync_packages "$(find_uv "$PYTHON")" "$PYTHON" --group bench
cd "$HERE"
export PYTHONPATH=$ROOT
exec "$PYTHON" -m scripts.bench "$@"

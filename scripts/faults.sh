#!/usr/bin/env bash
# Breaks the pipeline on purpose, for as long as you like. See --help.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$PWD
base=$(find_python) || exit 2
cd "$ROOT"
case " $* " in
  *" -h "* | *" --help "*) exec "$base" -m tests.faults.arguments --help ;;
esac
set_up broker connector
cd "$HERE"
export PYTHONPATH=$ROOT
exec "$PYTHON" -m tests.faults "$@"

#!/usr/bin/env bash
# The whole pipeline on this machine, without Docker and without an account. See --help.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Paths that the user gave are relative to where the user is: the modules are found by PYTHONPATH.
export PYTHONPATH=$ROOT
base=$(find_python) || exit 2
case " $* " in
  *" -h "* | *" --help "*) exec "$base" -m local.native.arguments demo --help ;;
esac
"$base" -m local.native.readiness demo "$@" || exit 2 # wrong options and a small machine: before any download
HERE=$PWD
set_up --no-group dev broker connector
cd "$HERE"
exec "$PYTHON" -m local.native demo "$@"

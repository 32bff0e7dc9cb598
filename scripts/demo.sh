#!/usr/bin/env bash
# The whole pipeline on this machine, without Docker and without an account. See --help.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case " $* " in
  *" -h "* | *" --help "*)
    base=$(find_python) || exit 2
    cd "$ROOT"
    exec "$base" -m local.native.arguments demo --help
    ;;
esac

# Paths that the user gave are relative to where the user is: the modules are found by PYTHONPATH.
HERE=$PWD
set_up broker connector
cd "$HERE"
export PYTHONPATH=$ROOT
exec "$PYTHON" -m local.native demo "$@"

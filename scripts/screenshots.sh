#!/usr/bin/env bash
# Pictures of a real run, for the README. See --help.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

help_if_asked scripts.screenshots.arguments "$@"
HERE=$PWD
base=$(find_python) || exit 2
cd "$ROOT"
"$base" -m scripts.chromium >/dev/null || exit 2 # said before anything is installed
set_up --group browser broker connector
cd "$HERE"
export PYTHONPATH=$ROOT
exec "$PYTHON" -m scripts.screenshots "$@"

#!/usr/bin/env bash
# Clears what runs of the stack keep: topics, alerts, checkpoints, logs. Asks nothing.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'USAGE'
usage: scripts/reset.sh --native [--state DIR]

Deletes the state of the native stack (default .state/native): topics, objects, checkpoint, logs. What a
killed run left behind is stopped first; a stack that runs is left alone, with a message.
Packages and jars (.venv/, .cache/) stay.
USAGE
}

case ${1:-} in
  --native) shift ;;
  -h | --help)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac
if [[ ! -x $PYTHON ]]; then
  say "nothing to clear: nothing was ever set up here"
  exit 0
fi
export PYTHONPATH=$ROOT
exec "$PYTHON" -m local.native reset "$@"

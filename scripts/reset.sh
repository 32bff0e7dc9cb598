#!/usr/bin/env bash
# Clears what runs of the stack keep: topics, alerts, checkpoints, logs. See --help.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/compose.sh
source "$ROOT/scripts/compose.sh"

usage() {
  cat <<'USAGE'
usage: scripts/reset.sh --native [--state DIR]
       scripts/reset.sh --compose [--yes]

  --native   deletes the state of scripts/demo.sh (default .state/native): topics, objects, checkpoint, logs. What a
             killed run left behind is stopped first; a stack that runs is left alone, with a message. Asks nothing.
  --compose  stops the stack of scripts/setup.sh and deletes its containers and volumes, those of its variants among
             them: topics, objects, checkpoint. Asks first, unless --yes. The images stay.

Packages and jars (.venv/, .cache/) stay.
USAGE
}

reset_compose() {
  local answer
  case ${1:-} in
    --yes) ;;
    '')
      [[ -t 0 ]] || die "there is nobody to ask: say --yes"
      read -r -p "Stop the stack and delete all its topics, alerts and checkpoints? [y/N] " answer
      [[ $answer == [yY] || $answer == [yY][eE][sS] ]] || die "nothing was deleted"
      ;;
    *) die "scripts/reset.sh --compose takes --yes, not $1" ;;
  esac
  check_docker
  local file files=()
  for file in "$ROOT"/local/docker-compose*.yml; do files+=(--file "$file"); done # the variants have volumes, too
  compose "${files[@]}" down --volumes --remove-orphans
}

case ${1:-} in
  --native) shift ;;
  --compose)
    shift
    reset_compose "$@"
    exit
    ;;
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

#!/usr/bin/env bash
# Locks the packages of each contestant anew: requirements.in -> requirements.lock beside it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../lib.sh"

base=$(find_python) || exit 2
uv=$(find_uv "$base") || exit 2
cd "$ROOT"
for wanted in scripts/bench/peers/*/requirements.in; do
  "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
    --custom-compile-command scripts/bench/peers/lock.sh "$wanted" -o "${wanted%.in}.lock"
done

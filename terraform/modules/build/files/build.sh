#!/usr/bin/env bash
# The whole build, in CodeBuild: images, archives for EMR and the brokers, certificates. What is there already, by
# the hash in its name, is not made again; so a second run takes a minute.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null # the project's own, beside this folder in the sources
source "$HERE/../scripts/lib.sh"
cd "$ROOT"

bash "$HERE/certificates.sh"
bash "$HERE/images.sh"
bash "$HERE/archives.sh"
echo "the build is complete"

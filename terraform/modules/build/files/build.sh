#!/usr/bin/env bash
# The whole build, in CodeBuild: images, archives for EMR and the brokers, certificates. What is there already, by
# the hash in its name, is not made again; so a second run takes a minute.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$HERE/.."
trap 'echo "the build took longer than $TIME_LIMIT, and was ended"; exit 124' TERM

bash "$HERE/certificates.sh"
bash "$HERE/images.sh"
bash "$HERE/archives.sh"
echo "the build is complete" # report.sh looks for this line

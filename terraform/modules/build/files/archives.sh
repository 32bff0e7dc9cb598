#!/usr/bin/env bash
# Makes the archives in the work bucket: the job's code, its Python packages for the machines of EMR, the jars of
# Spark's Kafka connector, and the broker's program. Every package and jar is checked against its pinned hash.
set -euo pipefail
: "${ARCHITECTURE:?}" "${WORK_BUCKET:?}" "${KEY_ENVIRONMENT:?}" "${KEY_CODE:?}" "${KEY_JARS:?}"
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null # the project's own, beside this folder in the sources
source "$HERE/../scripts/lib.sh"
cd "$ROOT"
mkdir -p "$CACHE"
OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT

is_there() { aws s3api head-object --bucket "$WORK_BUCKET" --key "$1" >/dev/null 2>&1; }
upload() { aws s3 cp --only-show-errors "$1" "s3://$WORK_BUCKET/$2"; }

# packed FOLDER FILE: the same bytes for the same content.
packed() { tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$1" -cf - . | gzip -n >"$2"; }

code() {
  find fraud jobs -type f ! -path '*/__pycache__/*' ! -name Dockerfile | LC_ALL=C sort | zip -q -X -@ "$OUT/code.zip"
  upload "$OUT/code.zip" "$KEY_CODE"
}

# Without pyspark and py4j: ours would stand in front of EMR's.
environment() {
  local uv
  uv=$(find_uv "$(find_python)")
  "$uv" export --quiet --frozen --no-default-groups --group jobs --no-emit-project \
    --no-emit-package pyspark --no-emit-package py4j --format requirements-txt >"$OUT/requirements.txt"
  "$uv" pip install --quiet --require-hashes --only-binary :all: --python-version 3.11 \
    --python-platform "$ARCHITECTURE-manylinux_2_28" --target "$OUT/environment" -r "$OUT/requirements.txt"
  packed "$OUT/environment" "$OUT/environment.tar.gz"
  upload "$OUT/environment.tar.gz" "$KEY_ENVIRONMENT"
}

# connector/ is what pyspark lacks; hadoop-cloud/ the one jar that EMR's Spark may lack (the runner looks).
jars() {
  set_up --no-group dev connector s3a
  mkdir -p "$OUT/jars/hadoop-cloud"
  cp -R "$CACHE/jars/connector" "$OUT/jars/connector"
  cp "$CACHE"/jars/s3a/spark-hadoop-cloud_*.jar "$OUT/jars/hadoop-cloud/"
  packed "$OUT/jars" "$OUT/jars.tar.gz"
  upload "$OUT/jars.tar.gz" "$KEY_JARS"
}

kafka() {
  set_up --no-group dev broker
  packed "$CACHE/jars/broker" "$OUT/kafka.tar.gz"
  (cd "$OUT" && sha256sum kafka.tar.gz >kafka.tar.gz.sha256)
  upload "$OUT/kafka.tar.gz" "$KEY_KAFKA"
  upload "$OUT/kafka.tar.gz.sha256" "$KEY_KAFKA.sha256" # last: the brokers wait for it
}

is_there "$KEY_CODE" || code
is_there "$KEY_ENVIRONMENT" || environment
is_there "$KEY_JARS" || jars
if [[ -n ${KEY_KAFKA:-} ]]; then
  is_there "$KEY_KAFKA.sha256" || kafka
fi

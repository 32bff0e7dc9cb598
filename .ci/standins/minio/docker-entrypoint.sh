#!/usr/bin/env bash
# [minio] server FOLDER [--console-address ADDRESS]: an S3 server on port 9000 with one identity, MINIO_ROOT_*.
set -euo pipefail
[[ ${1:-} != minio ]] || shift
[[ ${1:-} == server && -n ${2:-} ]] || { echo "usage: server FOLDER" >&2; exit 2; }
data=$2
# As MinIO does: ~/.minio must be writable.
touch ~/.minio/certificates || exit 1
printf '{"identities": [{"name": "root", "credentials": [{"accessKey": "%s", "secretKey": "%s"}], "actions": ["Admin"]}]}' \
  "${MINIO_ROOT_USER:-minioadmin}" "${MINIO_ROOT_PASSWORD:-minioadmin}" >/tmp/identities.json
# The same options as local/native/object_store.py, where their reasons are.
exec weed -logtostderr=true server -filer -s3 -dir="$data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
  -s3.ip.bind=0.0.0.0 -s3.port=9000 -s3.config=/tmp/identities.json -s3.port.iceberg=0 -s3.port.lance=0 -s3.iam=false \
  -filer.disableHttp=true -volume.max=0 -volume.preStopSeconds=0 -master.volumeSizeLimitMB=64 \
  -master.electionTimeout=1s -master.telemetry=false

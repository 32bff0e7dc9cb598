#!/usr/bin/env bash
# The whole stack by docker compose: checks, builds, starts, shows. See --help.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/compose.sh
source "$ROOT/scripts/compose.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  cat <<USAGE
usage: scripts/setup.sh

Starts the whole stack by docker compose (local/docker-compose.yml): Kafka, MinIO, the Spark job, the producer, the
dashboard and Kafdrop, all on 127.0.0.1. Settings are in local/.env; local/.env.example says what there is. Run it
again after a change: what is right stays as it is.

needs: Docker with Compose $COMPOSE_OLDEST or newer, $MEMORY_GB GB of memory for Docker, 6 GB of disk, network for
the first build.
exit codes: 0 all services are healthy; 1 one is not; 2 this machine lacks something.
USAGE
  exit 0
fi
[[ $# == 0 ]] || die "scripts/setup.sh takes no arguments; settings are in local/.env"

check_docker
check_memory
check_ports
say "building the images (the first time 2 to 5 minutes) ..."
compose build
say "starting, and waiting until all is healthy (1 to 2 minutes) ..."
if ! compose up --detach --wait; then
  say "error: a service is not healthy; see: cd local && docker compose logs"
  compose ps --all >&2
  exit 1
fi
kafka=$(port KAFKA_PORT 9092) s3=$(port S3_PORT 9010)
cat <<TABLE
  Dashboard     http://127.0.0.1:$(port DASHBOARD_PORT 8501)
  Kafdrop       http://127.0.0.1:$(port KAFDROP_PORT 9000)
  MinIO         http://127.0.0.1:$(port MINIO_CONSOLE_PORT 9011), user and password as in local/.env, else local/.env.example
  Kafka         127.0.0.1:$kafka, topics transactions, fraud-alerts, transactions-rejected
  S3            http://127.0.0.1:$s3, bucket fraud, alerts below alerts/
  alerts        scripts/alerts.sh
  stop, start   cd local && docker compose stop (or start)
  delete all    scripts/reset.sh --compose
The first alerts (at most a minute):
TABLE
for _ in {1..60}; do
  alerts=$(compose logs --no-log-prefix detect | grep --max-count 5 '^ALERT' || true)
  [[ -z $alerts ]] || break
  sleep 1
done
printf '%s\n' "${alerts:-none yet: scripts/alerts.sh shows them when they come}"

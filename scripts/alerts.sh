#!/usr/bin/env bash
# Shows the alerts of the stack that docker compose runs, from any of the three outputs. See --help.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh scripts/... is as good
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/compose.sh
source "$ROOT/scripts/compose.sh"

usage() {
  cat <<'USAGE'
usage: scripts/alerts.sh [console | topic | parquet]

  console   the job's console, from its last alerts on, until Ctrl-C (this is the default)
  topic     all alerts in the topic fraud-alerts, one JSON object a line, and new ones until Ctrl-C
  parquet   all alerts on the object store, as a table

For the stack of scripts/setup.sh. The same lines of Python read the Parquet of any S3, by FRAUD_S3_* variables.
USAGE
}

case ${1:-console} in
  console)
    compose logs --no-log-prefix --follow --tail 200 detect | grep --line-buffered '^ALERT'
    ;;
  topic)
    compose exec -T detect python - <<'PYTHON'
from confluent_kafka import Consumer, TopicPartition, OFFSET_BEGINNING
from fraud.environment import load

kafka = load().kafka
consumer = Consumer(kafka.librdkafka() | {"group.id": "fraud-alerts-shown", "enable.auto.commit": "false"})
partitions = consumer.list_topics(kafka.alerts_topic, timeout=30).topics[kafka.alerts_topic].partitions
consumer.assign([TopicPartition(kafka.alerts_topic, number, OFFSET_BEGINNING) for number in partitions])
try:
    while True:
        for message in consumer.consume(500, timeout=0.5):
            if message.error() is None:
                print(message.value().decode(), flush=True)
except KeyboardInterrupt:
    pass
PYTHON
    ;;
  parquet)
    compose exec -T dashboard python - <<'PYTHON'
import pyarrow.dataset as ds
import s3fs
from fraud.environment import load

store = load().object_store
files = s3fs.S3FileSystem(**store.s3fs())
alerts = ds.dataset(f"{store.bucket}/{store.prefix}alerts", filesystem=files, partitioning="hive").to_table()
columns = ["detected_at", "rule_id", "user_id", "amount", "currency", "location", "observed", "threshold"]
print(alerts.select(columns).sort_by("detected_at").to_pandas().to_string(index=False))
PYTHON
    ;;
  -h | --help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac

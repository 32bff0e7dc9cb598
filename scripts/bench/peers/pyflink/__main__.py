"""PyFlink SQL: two tables over Kafka and OVER windows of event time; parallelism 2, Flink's defaults else.

A row of a window goes out when the watermark has passed it, 30 s of event time behind the newest one: that
is what it costs to be exact although payments come up to 30 s late. `high_amount` does not wait.
"""

from pathlib import Path

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

from scripts.bench.peers.given import Given, given
from scripts.bench.peers.user_history import HIGH_AMOUNT, LATEST, LOCATIONS_WINDOW, VELOCITY, VELOCITY_WINDOW

_PAYMENTS = """
CREATE TABLE payments (
  transaction_id STRING, user_id STRING, amount DOUBLE, location STRING, `timestamp` BIGINT,
  event_time AS TO_TIMESTAMP_LTZ(`timestamp`, 3),
  WATERMARK FOR event_time AS event_time - INTERVAL '{latest}' SECOND
) WITH (
  'connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{broker}',
  'properties.group.id' = '{group}', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json'
)"""

_ALERTS = """
CREATE TABLE alerts (rule_id STRING, transaction_id STRING, user_id STRING) WITH (
  'connector' = 'kafka', 'topic' = '{alerts}', 'properties.bootstrap.servers' = '{broker}', 'format' = 'json'
)"""

# An id that was sent twice counts once. Windows are open on the left: one millisecond less.
_WINDOWS = """
CREATE TEMPORARY VIEW judged AS
SELECT transaction_id, user_id, payments_in_window,
  MIN(location) OVER places <> MAX(location) OVER places AS has_moved
FROM (
  SELECT *, COUNT(DISTINCT transaction_id) OVER (
    PARTITION BY user_id ORDER BY event_time
    RANGE BETWEEN INTERVAL '{velocity:.3f}' SECOND(3, 3) PRECEDING AND CURRENT ROW
  ) AS payments_in_window
  FROM payments
)
WINDOW places AS (
  PARTITION BY user_id ORDER BY event_time
  RANGE BETWEEN INTERVAL '{locations:.3f}' SECOND(3, 3) PRECEDING AND CURRENT ROW
)"""

_FLAGGED_AT_ONCE = """
INSERT INTO alerts SELECT 'high_amount', transaction_id, user_id FROM payments WHERE amount > {high_amount}"""

_FLAGGED_BY_WINDOWS = """
INSERT INTO alerts SELECT rule_id, transaction_id, user_id FROM judged CROSS JOIN UNNEST(ARRAY[
  CASE WHEN payments_in_window > {most} THEN 'velocity' END,
  CASE WHEN has_moved THEN 'multiple_locations' END
]) AS rules (rule_id) WHERE rule_id IS NOT NULL"""


def table_environment(place: Given) -> TableEnvironment:
    """Flink in this process, with Kafka's connector."""
    configuration = Configuration()
    jars = ";".join(path.as_uri() for path in sorted(Path(place.jars).glob("*.jar")))
    for name, value in {
        "parallelism.default": "2",
        "pipeline.jars": jars,
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "rest.bind-port": "0",
        "restart-strategy.type": "disable",  # a failure ends the run instead of hiding in it
    }.items():
        configuration.set_string(name, value)
    settings = EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration)
    return TableEnvironment.create(settings.build())


def main() -> None:
    """Run until somebody stops it."""
    place = given()
    tables = table_environment(place)
    tables.execute_sql(_PAYMENTS.format(latest=LATEST // 1000, **vars(place)))
    tables.execute_sql(_ALERTS.format(**vars(place)))
    edges = {"velocity": VELOCITY_WINDOW, "locations": LOCATIONS_WINDOW}
    tables.execute_sql(_WINDOWS.format(**{name: (edge - 1) / 1000 for name, edge in edges.items()}))
    statements = tables.create_statement_set()
    statements.add_insert_sql(_FLAGGED_AT_ONCE.format(high_amount=HIGH_AMOUNT))
    statements.add_insert_sql(_FLAGGED_BY_WINDOWS.format(most=VELOCITY))
    statements.execute().wait()


if __name__ == "__main__":
    main()

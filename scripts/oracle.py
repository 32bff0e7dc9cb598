#!/usr/bin/env python3
"""The oracle: what the alerts must be, by one SQL query over the records as sent.

It shares no code with `fraud/` (only the table of currency codes): it reads the records, the rules and
lateness by itself, so that an agreement of both means something. For demo summaries, tests, and anyone
who doubts:

    python -m scripts.oracle .state/native/producer/*.jsonl --alerts 'out/alerts/**/*.parquet'
"""

import argparse
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from scripts.oracle_records import Payment, Sent, read_log, read_payment, read_transactions

DEFAULT_RULES = Path(__file__).resolve().parent.parent / "fraud" / "rules.toml"
UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Pair(NamedTuple):
    """A rule and the transaction that it flags."""

    rule_id: str
    user_id: str
    transaction_id: str
    timestamp: int


@dataclass(frozen=True)
class Expected:
    """What must come out. Records are named by (partition, offset)."""

    alerts: dict[Pair, tuple[int, int]]  # with the record that first brought the transaction
    rejected: dict[tuple[int, int], str]  # with the reason
    duplicate: set[tuple[int, int]]
    evaluated: int

    @property
    def late(self) -> set[tuple[int, int]]:
        return {record for record, reason in self.rejected.items() if reason == "late"}


@dataclass(frozen=True)
class Conditions:
    """What decides: a rule file's content (see `read_rules`) and settings; durations in milliseconds."""

    rules: dict[str, Any]
    allowed_lateness: int = 600_000
    clock_skew: int = 300_000
    buckets: int = 8


_COLUMNS = pa.schema(
    [
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("bucket", pa.int32()),
        ("transaction_id", pa.string()),
        ("user_id", pa.string()),
        ("amount", pa.int64()),
        ("currency", pa.string()),
        ("location", pa.string()),
        ("timestamp", pa.int64()),
    ]
)

JUDGED = """
CREATE TABLE judged AS
SELECT *, coalesce(timestamp < max(timestamp) OVER earlier - $lateness, false) AS late
FROM payments
WINDOW earlier AS (PARTITION BY partition, bucket ORDER BY "offset"
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
"""

ORIGINALS = """
CREATE TABLE originals AS
SELECT * FROM judged WHERE NOT late
QUALIFY row_number() OVER (PARTITION BY user_id, transaction_id, timestamp ORDER BY partition, "offset") = 1
"""

REPEATS = """
SELECT j.partition, j."offset",
       (j.amount, j.currency, j.location) = (o.amount, o.currency, o.location) AS equal
FROM judged j JOIN originals o USING (user_id, transaction_id, timestamp)
WHERE NOT j.late AND (j.partition, j."offset") <> (o.partition, o."offset")
"""

FLAGGED = {
    "high_amount": """
        SELECT user_id, transaction_id, timestamp, partition, "offset"
        FROM originals JOIN rates USING (currency)
        WHERE amount::HUGEINT * rate > $threshold::HUGEINT * 1000000""",
    "velocity": """
        SELECT user_id, transaction_id, timestamp, partition, "offset" FROM originals
        QUALIFY count(*) OVER (PARTITION BY user_id ORDER BY timestamp
                               RANGE BETWEEN $window - 1 PRECEDING AND CURRENT ROW) * 100 > $threshold""",
    "multiple_locations": """
        SELECT user_id, transaction_id, timestamp, partition, "offset" FROM originals
        QUALIFY count(DISTINCT location) OVER (PARTITION BY user_id ORDER BY timestamp
                               RANGE BETWEEN $window - 1 PRECEDING AND CURRENT ROW) * 100 > $threshold""",
}


def expect(sent: Iterable[Sent], conditions: Conditions) -> Expected:
    """Judge all records at once. Users whose records lie in more than one partition are not its business."""
    rules = conditions.rules
    rates = {currency: int(Decimal(rate) * 1_000_000) for currency, rate in rules["rates"].items()}
    payments: list[Payment] = []
    rejected: dict[tuple[int, int], str] = {}
    for record in sent:
        read = read_payment(record, rates, conditions.clock_skew, conditions.buckets)
        if isinstance(read, str):
            rejected[record.partition, record.offset] = read
        else:
            payments.append(read)
    with duckdb.connect() as database:
        _load(database, payments, rates)
        database.execute(JUDGED, {"lateness": conditions.allowed_lateness})
        database.execute(ORIGINALS)
        late = database.execute('SELECT partition, "offset" FROM judged WHERE late').fetchall()
        repeats = database.execute(REPEATS).fetchall()
        (evaluated,) = database.execute("SELECT count(*) FROM originals").fetchone() or (0,)
        alerts = {
            Pair(rule["id"], *row[:3]): (row[3], row[4])
            for rule in rules["rules"]
            if rule.get("enabled", True)
            for row in database.execute(FLAGGED[rule["kind"]], _parameters(rule)).fetchall()
        }
    rejected |= dict.fromkeys(late, "late")
    rejected |= {(p, o): "conflicting_duplicate" for p, o, equal in repeats if not equal}
    return Expected(alerts, rejected, {(p, o) for p, o, equal in repeats if equal}, evaluated)


def read_rules(path: Path) -> dict[str, Any]:
    """The content of a rule file, numbers as written."""
    return tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)


def _load(database: duckdb.DuckDBPyConnection, payments: list[Payment], rates: dict[str, int]) -> None:
    columns = [list(column) for column in zip(*payments, strict=True)] or [[] for _ in _COLUMNS]
    arrow = pa.table(columns, schema=_COLUMNS)
    rate_table = pa.table({"currency": list(rates), "rate": list(rates.values())})
    database.register("arrow_payments", arrow)
    database.register("arrow_rates", rate_table)
    database.execute("CREATE TABLE payments AS FROM arrow_payments")
    database.execute("CREATE TABLE rates AS FROM arrow_rates")


def _parameters(rule: dict[str, Any]) -> dict[str, int]:
    """What FLAGGED[kind] needs; the threshold in hundredths, the window in milliseconds."""
    parameters = {"threshold": int(Decimal(str(rule["threshold"])) * 100)}
    window = rule.get("window")
    if isinstance(window, str):
        digits = window.rstrip("dhms ")
        window = int(digits) * UNITS[window.removeprefix(digits).strip()]
    return parameters if window is None else parameters | {"window": window}


def read_alerts(pattern: str) -> list[Pair]:
    """The pairs of alerts in Parquet, repeats and all."""
    with duckdb.connect() as database:
        rows = database.execute(
            "SELECT rule_id, user_id, transaction_id, epoch_ms(transaction_timestamp) FROM read_parquet(?)",
            [pattern],
        ).fetchall()
    return [Pair(*row) for row in rows]


def main() -> int:
    """Print what is expected, compare it with Parquet when asked; 1 when they differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("log", nargs="*", type=Path, help="the producer's logs (JSON lines)")
    parser.add_argument(
        "--transactions",
        type=Path,
        metavar="FILE",
        help="instead of logs: a file of transactions, one a line, none of them late",
    )
    parser.add_argument("--alerts", metavar="GLOB", help="Parquet files to compare with")
    parser.add_argument(
        "--rules", type=Path, default=DEFAULT_RULES, help="rules file (default: the project's)"
    )
    arguments = parser.parse_args()
    if bool(arguments.log) == bool(arguments.transactions):
        parser.error("give either the producer's logs or --transactions FILE")
    sent = read_transactions(arguments.transactions) if arguments.transactions else read_log(arguments.log)
    expected = expect(sent, Conditions(read_rules(arguments.rules)))
    print(f"evaluated {expected.evaluated}, duplicate {len(expected.duplicate)}")
    for reason, count in sorted(Counter(expected.rejected.values()).items()):
        print(f"rejected {reason} {count}")
    for rule_id, count in sorted(Counter(pair.rule_id for pair in expected.alerts).items()):
        print(f"alerts {rule_id} {count}")
    if not arguments.alerts:
        return 0
    found = read_alerts(arguments.alerts)
    missing, wrong = expected.alerts.keys() - set(found), set(found) - expected.alerts.keys()
    repeated = len(found) - len(set(found))
    for name, pairs in (("missing", missing), ("not expected", wrong)):
        for pair in sorted(pairs)[:10]:
            print(f"{name}: {pair}")
    exact = not (missing or wrong or repeated)
    print(
        f"exact: {'yes' if exact else 'no'} ({len(found)} alerts, {len(missing)} missing, "
        f"{len(wrong)} not expected, {repeated} repeated)"
    )
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())

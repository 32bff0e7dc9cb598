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
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from scripts.oracle_records import Sent, read_log, read_payment, read_transactions

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

    alerts: set[Pair]
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
        ("generation", pa.int32()),
        ("lateness", pa.int64()),
        ("rate", pa.int64()),
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

# Each record lifts the watermark to the newest time so far less its generation's lateness; it never falls.
JUDGED = """
CREATE TABLE judged AS
WITH marked AS (
    SELECT *, max(timestamp) OVER (arrivals ROWS UNBOUNDED PRECEDING) - lateness AS mark,
           max(timestamp) OVER (arrivals ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest
    FROM payments
    WINDOW arrivals AS (PARTITION BY partition, bucket ORDER BY "offset")
)
SELECT *, coalesce(timestamp < greatest(newest - lateness, max(mark) OVER earlier), false) AS late
FROM marked
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

FLAGGED = """
WITH flagged AS (SELECT * FROM originals {condition})
SELECT user_id, transaction_id, timestamp FROM flagged WHERE generation = $generation
"""

CONDITIONS = {
    "high_amount": "WHERE amount::HUGEINT * rate > $threshold::HUGEINT * 1000000",
    "velocity": """QUALIFY count(*) OVER (
        PARTITION BY user_id ORDER BY timestamp RANGE BETWEEN $window - 1 PRECEDING AND CURRENT ROW
    ) * 100 > $threshold""",
    "multiple_locations": """QUALIFY count(DISTINCT location) OVER (
        PARTITION BY user_id ORDER BY timestamp RANGE BETWEEN $window - 1 PRECEDING AND CURRENT ROW
    ) * 100 > $threshold""",
}


def expect(
    sent: Iterable[Sent], *generations: Conditions, read_by: Callable[[Sent], int] = lambda _: 0
) -> Expected:
    """Judge all records at once. Users whose records lie in more than one partition are not its business.

    `read_by` says which of `generations` (0, 1, ...) decided when the job first read a record.
    """
    rates = [_rates(each.rules) for each in generations]
    rows: list[tuple[Any, ...]] = []
    rejected: dict[tuple[int, int], str] = {}
    for record in sent:
        number = read_by(record)
        conditions = generations[number]
        read = read_payment(record, rates[number], conditions.clock_skew, conditions.buckets)
        if isinstance(read, str):
            rejected[record.partition, record.offset] = read
        else:
            rows.append((number, conditions.allowed_lateness, rates[number][read.currency], *read))
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in _COLUMNS]
    with duckdb.connect() as database:
        database.register("payments", pa.table(columns, schema=_COLUMNS))
        database.execute(JUDGED)
        database.execute(ORIGINALS)
        late = database.execute('SELECT partition, "offset" FROM judged WHERE late').fetchall()
        repeats = database.execute(REPEATS).fetchall()
        (evaluated,) = database.execute("SELECT count(*) FROM originals").fetchone() or (0,)
        alerts = {
            Pair(rule["id"], *row)
            for number, conditions in enumerate(generations)
            for rule in conditions.rules["rules"]
            if rule.get("enabled", True)
            for row in database.execute(
                FLAGGED.format(condition=CONDITIONS[rule["kind"]]), _parameters(rule, number)
            ).fetchall()
        }
    rejected |= dict.fromkeys(late, "late")
    rejected |= {(p, o): "conflicting_duplicate" for p, o, equal in repeats if not equal}
    return Expected(alerts, rejected, {(p, o) for p, o, equal in repeats if equal}, evaluated)


def read_rules(path: Path) -> dict[str, Any]:
    """The content of a rule file, numbers as written."""
    return tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)


def _rates(rules: dict[str, Any]) -> dict[str, int]:
    return {currency: int(Decimal(rate) * 1_000_000) for currency, rate in rules["rates"].items()}


def _parameters(rule: dict[str, Any], generation: int) -> dict[str, int]:
    """What FLAGGED needs; the threshold in hundredths, the window in milliseconds."""
    parameters = {"generation": generation, "threshold": int(Decimal(str(rule["threshold"])) * 100)}
    window = rule.get("window")
    if not window:
        return parameters
    digits = window.rstrip("dhms ")
    return parameters | {"window": int(digits) * UNITS[window.removeprefix(digits).strip()]}


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
    parser = argparse.ArgumentParser(
        prog="python -m scripts.oracle", description=(__doc__ or "").split("\n\n")[0]
    )
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
    usual = Conditions({})
    for option, meaning in (
        ("allowed_lateness", "as FRAUD_ALLOWED_LATENESS was, in milliseconds"),
        ("clock_skew", "as FRAUD_CLOCK_SKEW was, in milliseconds"),
        ("buckets", "as FRAUD_BUCKETS was"),
    ):
        name = f"--{option.replace('_', '-')}"
        parser.add_argument(
            name,
            type=int,
            metavar="N",
            default=getattr(usual, option),
            help=f"{meaning} (default: %(default)s)",
        )
    arguments = parser.parse_args()
    if bool(arguments.log) == bool(arguments.transactions):
        parser.error("give either the producer's logs or --transactions FILE")
    sent = read_transactions(arguments.transactions) if arguments.transactions else read_log(arguments.log)
    conditions = Conditions(
        read_rules(arguments.rules), arguments.allowed_lateness, arguments.clock_skew, arguments.buckets
    )
    expected = expect(sent, conditions)
    print(f"evaluated {expected.evaluated}, duplicate {len(expected.duplicate)}")
    for reason, count in sorted(Counter(expected.rejected.values()).items()):
        print(f"rejected {reason} {count}")
    for rule_id, count in sorted(Counter(pair.rule_id for pair in expected.alerts).items()):
        print(f"alerts {rule_id} {count}")
    if not arguments.alerts:
        return 0
    found = read_alerts(arguments.alerts)
    missing, wrong = expected.alerts - set(found), set(found) - expected.alerts
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

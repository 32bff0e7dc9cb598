"""One alert and what it rests on, ready to be shown. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dashboard.words import count, duration, measure, moment, money


@dataclass(frozen=True)
class Evidence:
    """`facts` and `payments` hold strings of anybody; `verdict` and `shown` are of our own making."""

    alert_id: str
    rule_id: str
    severity: str
    verdict: str
    facts: list[tuple[str, str]]
    payments: pd.DataFrame  # time, when, transaction, city, amount, role; the flagged one first
    shown: str
    window: tuple[datetime, datetime] | None  # (open, closed]
    observed: Decimal
    threshold: Decimal


def find(alerts: pa.Table, alert_id: str) -> Evidence | None:
    """The evidence of that alert; None when it is not among them."""
    rows = alerts.filter(pc.equal(alerts["alert_id"], alert_id)).slice(0, 1).to_pylist()
    return _evidence(rows[0]) if rows else None


def _evidence(row: dict[str, Any]) -> Evidence:
    window = (row["window_start"], row["window_end"]) if row["window_start"] and row["window_end"] else None
    payments = row["evidence"] or []
    return Evidence(
        alert_id=row["alert_id"],
        rule_id=row["rule_id"],
        severity=row["severity"] or "",
        verdict=_verdict(row, window),
        facts=_facts(row),
        payments=_payments(payments, row),
        shown=_shown(len(payments), row["evidence_count"] or len(payments)),
        window=window,
        observed=row["observed"] or Decimal(0),
        threshold=row["threshold"] or Decimal(0),
    )


def _verdict(row: dict[str, Any], window: tuple[datetime, datetime] | None) -> str:
    """`4 payments within 60 s: more than the 3 payments that the rule allows.`"""
    if row["observed"] is None or row["threshold"] is None:
        return "The alert does not say what was observed."
    observed, threshold = (
        measure(row[name], row["rule_id"], in_euros=window is None) for name in ("observed", "threshold")
    )
    if window is None:
        return f"{observed}, above the threshold of {threshold}."
    return f"{observed} within {_length(window[1] - window[0])}, more than the allowed {threshold}."


def _length(window: timedelta) -> str:
    whole = window.total_seconds()
    return f"{whole:g} s" if whole < 600 else duration(window)


def _facts(row: dict[str, Any]) -> list[tuple[str, str]]:
    found = "Found afterwards, as a payment came late (UTC)" if row["reconciled_at"] else "Detected (UTC)"
    in_euros = "" if row["currency"] == "EUR" else f" = {money(row['euros'], 'EUR')}, rate {row['rate']}"
    return [
        ("User", row["user_id"]),
        ("Transaction", row["transaction_id"] or ""),
        ("Amount", money(row["amount"], row["currency"]) + in_euros),
        ("City", row["location"] or ""),
        ("Paid (UTC)", moment(row["transaction_timestamp"])),
        (found, moment(row["detected_at"])),
        ("Arrived in Kafka (UTC)", moment(row["ingested_at"])),
        ("Rule", f"{row['rule_id']}, version {count(row['rule_version'])}"),
        ("Alert", row["alert_id"]),
    ]


def _payments(payments: list[dict[str, Any]], row: dict[str, Any]) -> pd.DataFrame:
    flagged = (row["transaction_id"], row["transaction_timestamp"])
    frame = pd.DataFrame(
        {
            "time": [each["timestamp"] for each in payments],
            "when": [moment(each["timestamp"]) for each in payments],
            "transaction": [each["transaction_id"] for each in payments],
            "city": [each["location"] for each in payments],
            "amount": [money(each["amount"], each["currency"]) for each in payments],
            "role": [
                "flagged" if (each["transaction_id"], each["timestamp"]) == flagged else "contributing"
                for each in payments
            ],
        }
    )
    frame["time"] = pd.to_datetime(frame["time"], utc=True)
    return frame


def _shown(listed: int, there_were: int) -> str:
    if there_were > listed:
        return f"The {count(listed)} newest of {count(there_were)} contributing payments"
    return "The payment it rests on" if listed == 1 else f"All {count(listed)} contributing payments"

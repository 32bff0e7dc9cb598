"""Checks an alert by its own evidence, as a sceptical analyst would; shares no code with `fraud/`."""

import hashlib
import json
from decimal import Decimal
from typing import Any

Alert = dict[str, Any]


def faults_of(alert: Alert, rule: dict[str, Any], rates: dict[str, Decimal]) -> list[str]:
    """What is wrong with one row of alerts (as Parquet gives it); nothing when the evidence carries it.

    `rule` is its table in the rules file, with `window` in milliseconds.
    """
    time = _milliseconds(alert["transaction_timestamp"])
    evidence = alert["evidence"]
    times = [_milliseconds(each["timestamp"]) for each in evidence]
    keys = [(each["transaction_id"], at) for each, at in zip(evidence, times, strict=True)]
    own = {name: alert[name] for name in ("transaction_id", "amount", "currency", "location")}
    first = {name: evidence[0][name] for name in own} if evidence else {}
    limit = rule["threshold"]
    checks = {
        "alert_id": alert["alert_id"]
        == id_of(alert["rule_id"], alert["user_id"], alert["transaction_id"], time),
        "rule": (alert["rule_version"], alert["severity"]) == (rule["version"], rule["severity"]),
        "rate": alert["rate"] == rates[alert["currency"]],
        "threshold": alert["threshold"] == limit,
        "observed is above the threshold": alert["observed"] > limit,
        "evidence is listed, at most 10": 1 <= len(evidence) <= 10,
        "evidence_count": alert["evidence_count"] >= len(evidence),
        "evidence begins with the transaction": first == own and times[:1] == [time],
        "evidence holds nothing twice": len(set(keys)) == len(keys),
        "the rest is newest first": times[1:] == sorted(times[1:], reverse=True),
    }
    if rule["kind"] == "high_amount":
        euros = alert["amount"] * rates[alert["currency"]]
        checks |= {
            "no window": alert["window_start"] is None and alert["window_end"] is None,
            "the amount is above the threshold": euros > limit,
            "observed is the amount, rounded up": 0 <= alert["observed"] - euros < Decimal("0.01"),
            "one payment": (alert["evidence_count"], len(evidence)) == (1, 1),
        }
    else:
        start, end = _milliseconds(alert["window_start"]), _milliseconds(alert["window_end"])
        checks |= {
            "window": (start, end) == (time - rule["window"], time),
            "evidence lies in (t - window, t]": all(start < at <= end for at in times),
        }
    if rule["kind"] == "velocity":
        checks |= {
            "more than N payments": len(evidence) == min(limit + 1, 10) <= alert["observed"],
            "evidence_count is what was observed": alert["evidence_count"] == alert["observed"],
        }
    if rule["kind"] == "multiple_locations":
        places = [each["location"] for each in evidence]
        checks |= {
            "one payment a location": len(set(places)) == len(places),
            "more than N locations": len(places) == min(alert["observed"], 10),
        }
    return [name for name, holds in checks.items() if not holds]


def id_of(rule_id: str, user_id: str, transaction_id: str, timestamp: int) -> str:
    """The id that an alert must have; `timestamp` in epoch milliseconds."""
    identity = [rule_id, user_id, transaction_id, timestamp]
    text = json.dumps(identity, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _milliseconds(moment: Any) -> int:
    return round(moment.timestamp() * 1000)

"""The verdict on a lane can fail: each way of being wrong is said."""

import hashlib
import json
from typing import Any

import pyarrow as pa
import pytest

from fraud.alert import ALERTS
from jobs.detect.alerts_sink import to_parquet as alerts_to_parquet
from jobs.detect.metrics import to_parquet
from local.native.findings import Record
from scripts.oracle import Expected, Pair
from scripts.oracle_records import Sent
from tests.evidence import id_of
from tests.faults.accounts import account_differences
from tests.faults.contract import strangers
from tests.faults.judgement import alert_differences, rejection_differences

SENT = [Sent(0, offset, 1_000, b"u", b"value-%d" % offset) for offset in range(6)]
EXPECTED = Expected(set(), {(0, 1): "late", (0, 4): "not_json"}, {(0, 2)}, 3)


def row(batch_id: int, start: int, end: int, **counts: int) -> dict[str, Any]:
    counts = {"evaluated": 0, "duplicate": 0, "rejected": 0, "gaps": 0, "lost": 0, **counts}
    place = {"partition": 0, "start_offset": start, "end_offset": end, "lag": 0}
    return {
        "kind": "batch", "checkpoint_id": "c", "batch_id": batch_id, "batch_time": 0, "read": end - start,
        **dict.fromkeys(("rejected_late", "rejected_not_json"), 0), **counts, "partitions": [place],
    }  # fmt: skip


FIRST = row(0, 0, 3, evaluated=1, duplicate=1, rejected=1, rejected_late=1)
SECOND = row(1, 3, 6, evaluated=2, rejected=1, rejected_not_json=1)


def told(*rows: dict[str, Any], end: int = 6, lost: int = 0) -> list[str]:
    table = pa.Table.from_pylist(list(rows))
    return account_differences(table, SENT, EXPECTED, {0: end}, lost)


def test_exact_accounts_have_no_difference() -> None:
    assert told(FIRST, SECOND) == []
    assert told(FIRST, SECOND, FIRST | {"kind": "heartbeat"}) == []
    assert len(to_parquet([FIRST])) > 0  # it is a row of metrics


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([FIRST], "read up to offset 3, then from offset 6"),
        ([FIRST, row(1, 2, 6, evaluated=3, rejected=1, rejected_not_json=1)], "then from offset 2"),
        ([FIRST, FIRST, SECOND], "has 2 rows"),
        ([FIRST, SECOND | {"evaluated": 3}], "the oracle {'evaluated': 2, 'not_json': 1}"),
        ([FIRST | {"duplicate": 0, "gaps": 1}, SECOND], "has 1 gaps and 0 lost, but 3 offsets and 3 records"),
        ([FIRST, SECOND | {"read": 4}], "says it read 4 offsets"),
        ([FIRST, SECOND | {"rejected": 2}], "says 2 rejected"),
        ([FIRST, SECOND | {"rejected_late": 1, "rejected_not_json": 0}], "'late': 1"),
        ([FIRST, SECOND | {"lost": 1}], "lost is 1 in all, not 0"),
    ],
)
def test_an_account_that_is_wrong_is_said(rows: list[dict[str, Any]], words: str) -> None:
    assert words in "; ".join(told(*rows))


def test_missing_metrics_and_a_topic_that_was_not_read_are_said() -> None:
    assert account_differences(None, SENT, EXPECTED, {0: 6}) == ["there are no metrics"]
    assert told(FIRST, SECOND, end=7) != []


def rejection(sent: Sent, reason: str, **changed: str) -> Record:
    headers = {
        "reason": reason, "detail": "why", "source_topic": "t", "source_partition": str(sent.partition),
        "source_offset": str(sent.offset), "original_size": str(len(sent.value or b"")),
        "sha256": hashlib.sha256(sent.value or b"").hexdigest(), **changed,
    }  # fmt: skip
    own = Sent(0, 0, 0, f"t/{sent.partition}/{sent.offset}".encode(), sent.value)
    return Record(own, [(name, value.encode()) for name, value in headers.items()])


def test_rejected_records_are_compared_with_their_bytes_and_reasons() -> None:
    good = [rejection(SENT[1], "late"), rejection(SENT[4], "not_json"), rejection(SENT[4], "not_json")]

    def said(*rejections: Record) -> str:
        return "; ".join(rejection_differences(rejections, SENT, EXPECTED.rejected, "t"))

    assert said(*good) == ""
    assert "1 missing, such as (0, 4)" in said(good[0])
    assert "1 too many, such as (0, 5)" in said(*good, rejection(SENT[5], "late"))
    assert "wrong ['reason']" in said(*good, rejection(SENT[4], "late"))
    assert "wrong ['sha256']" in said(*good, rejection(SENT[4], "not_json", sha256="0"))
    assert "wrong ['detail']" in said(*good, rejection(SENT[4], "not_json", detail=""))
    other = rejection(SENT[4], "not_json")
    assert "wrong ['value']" in said(*good, other._replace(sent=other.sent._replace(value=b"x")))
    assert "wrong ['key']" in said(*good, other._replace(sent=other.sent._replace(key=b"x")))


PAIR = Pair("high_amount", "u", "t-1", 5_000)


def alert(**changed: Any) -> dict[str, Any]:
    names = ("rule_id", "user_id", "transaction_id", "transaction_timestamp")
    own = dict(zip(names, PAIR, strict=True))
    return {**dict.fromkeys(ALERTS.names), "alert_id": id_of(*PAIR), **own, **changed}


def test_alerts_are_compared_in_both_sinks(tmp_path: Any) -> None:
    def said(parquet: list[dict[str, Any]], topic: list[dict[str, Any]], *wanted: Pair) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir()))) / "alerts"
        if parquet:
            hour = folder / "date=2026-01-01" / "hour=00"
            hour.mkdir(parents=True)
            table = pa.Table.from_pylist(parquet, schema=ALERTS)
            (hour / "batch=0.parquet").write_bytes(alerts_to_parquet([table]))
        records = [Record(Sent(0, 0, 0, a["alert_id"].encode(), json.dumps(a).encode()), []) for a in topic]
        return "; ".join(alert_differences(folder.parent, records, set(wanted)))

    one = alert()
    assert said([one], [one, one], PAIR) == ""
    assert said([], []) == ""
    assert "alerts in Parquet: 1 missing" in said([], [one], PAIR)
    assert "alerts in Parquet: 1 too many" in said([one], [])
    assert "more than once, for DuckDB" in said([one, one], [one], PAIR)
    assert "alerts in fraud-alerts: 1 missing" in said([one], [], PAIR)
    assert "two contents" in said([one], [one, alert(location="Oslo")], PAIR)
    assert "differs between Parquet and fraud-alerts" in said([one], [alert(location="Oslo")], PAIR)
    assert "ids in Parquet: 1 too many" in said([alert(alert_id="0" * 32)], [one], PAIR)
    assert "keys in fraud-alerts: 1 too many" in said([one], [one, alert(alert_id="0" * 32)], PAIR)


def test_only_what_the_contract_names_may_lie_in_the_bucket() -> None:
    alerts = "alerts/date=2026-01-01/hour=23/batch=0123abcd-000000000007.parquet"
    archive = "transactions/date=2026-01-01/hour=00/batch=0123abcd-000000000007-00003.parquet"
    good = [alerts, "metrics/date=2026-01-01/minute=2359.parquet"]
    bad = [f"{alerts}.tmp", alerts.replace("hour=23", "hour=24"), "alerts/_spark_metadata/0", "x/" + alerts]
    assert strangers([*good, *bad, archive], archive=False) == [*bad, archive]
    assert strangers([*good, archive], archive=True) == []

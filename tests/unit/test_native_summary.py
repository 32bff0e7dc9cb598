"""The demo's summary says `exact` only for what is: each kind of tampering is named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import EndpointConnectionError
from confluent_kafka import KafkaError, KafkaException

from fraud.archive import archived
from fraud.detection import detect
from fraud.generations import Generation
from fraud.memory import Memory
from fraud.parsing import parse
from fraud.rules_file import load_rules
from fraud.settings import DEFAULT_RULES, KafkaSettings
from fraud.transaction import RECORDS, Reason
from jobs.detect.metrics import METRICS
from local.native import findings
from local.native.figures import Summary
from local.native.findings import Findings, Record, SentAlert, UnreadableError, explained, rejections_of
from local.native.process import Ending
from local.native.summary import compare
from local.native.summary_report import as_json, as_text
from scripts.oracle_records import Sent, read_log

NOON = 1_750_000_000_000


def sent_records() -> list[Sent]:
    records = []
    for offset in range(8):
        amount, time = (5000, offset) if offset == 3 else (10, offset)
        text = (
            f'{{"transaction_id":"t{offset}","user_id":"ann","amount":{amount},"currency":"EUR",'
            f'"location":"Oslo","timestamp":{NOON + time}}}'
        )
        records.append(Sent(0, offset, NOON + 1000, b"ann", text.encode()))
    return [*records, records[0]._replace(offset=8), Sent(0, 9, NOON + 1000, b"ann", b"{")]


def ending(name: str, exit_code: int) -> Ending:
    return Ending(name, exit_code, Path(f"logs/{name}.log"))


def sound() -> Findings:
    """What a run leaves behind that read the records in one micro-batch of one bucket."""
    records = sent_records()
    generation = Generation(
        number=1,
        first_batch_id=0,
        allowed_lateness=600_000,
        retention=900_000,
        clock_skew=300_000,
        rules=load_rules(DEFAULT_RULES),
    )
    rows = [s._asdict() | {"original_size": len(s.value or b"")} for s in records]
    table = pa.Table.from_pylist(rows, schema=RECORDS)
    outcome = detect(table, Memory.empty(), [generation], 0, NOON + 2000)
    row: dict[str, Any] = {name: 0 for name in METRICS.names if name.startswith("rejected_")}
    row |= {"kind": "batch", "checkpoint_id": "c", "batch_id": 0, "generation": 1, "gaps": 0, "lost": 0}
    row |= {"read": 10, "evaluated": 8, "duplicate": 1, "rejected": 1, "rejected_not_json": 1}
    row["partitions"] = [{"partition": 0, "start_offset": 0, "end_offset": 10, "lag": 0}]
    alerts = outcome.alerts.to_pylist()
    return Findings(
        records=records,
        logged=records,
        producer={"sent": 10, "acknowledged": 10, "expected": [], "near_miss": []},
        endings=[ending("producer", 0), ending("job", 0)],
        generations=[generation],
        metrics=pa.Table.from_pylist([row], schema=METRICS),
        alerts=outcome.alerts,
        archive=archived(pa.Table.to_batches(table.combine_chunks())[0], parse(table)),
        sent_alerts=[SentAlert(a["alert_id"], a["rule_id"], NOON + 1000, NOON + 1700) for a in alerts],
        rejections={(0, 9): Reason.NOT_JSON.value},
    )


def summary_of(findings: Findings) -> Summary:
    return compare(findings, buckets=8, since=NOON, archive=True)


def test_a_sound_run_is_exact_and_adds_up() -> None:
    summary = summary_of(sound())
    assert summary.problems == []
    assert summary.exact
    assert summary.alerts_in_parquet == summary.alerts_in_kafka == {"high_amount": 1, "velocity": 5}
    assert summary.latency_p99 == 700
    assert "read 10 = evaluated 8 + duplicate 1 + rejected 1" in as_text(summary)
    assert "archive     9 valid records, each once" in as_text(summary)
    assert '"ok": true' in as_json(summary)


def test_an_archive_that_is_off_is_not_compared() -> None:
    summary = compare(replace(sound(), archive=None), buckets=8, since=NOON)
    assert summary.ok
    assert summary.archived is None
    assert "archive" not in as_text(summary)


def with_metric(findings: Findings, name: str, value: int) -> Findings:
    assert findings.metrics is not None
    (row,) = findings.metrics.to_pylist()
    return replace(findings, metrics=pa.Table.from_pylist([row | {name: value}], schema=METRICS))


def with_pattern(findings: Findings, kind: str, transaction_id: str) -> Findings:
    pair = {
        "rule_id": "high_amount",
        "user_id": "ann",
        "transaction_id": transaction_id,
        "timestamp": NOON + 3,
    }
    return replace(findings, producer=(findings.producer or {}) | {kind: [pair]})


def alerts_of(findings: Findings) -> pa.Table:
    assert findings.alerts is not None
    return findings.alerts


def archive_of(findings: Findings) -> pa.Table:
    assert findings.archive is not None
    return findings.archive


def with_location(archive: pa.Table, location: str) -> pa.Table:
    index = archive.column_names.index("location")
    return archive.set_column(index, "location", pa.repeat(location, len(archive)))


TAMPERINGS: dict[str, tuple[Callable[[Findings], Findings], str]] = {
    "an alert is gone from Parquet": (
        lambda f: replace(f, alerts=alerts_of(f).slice(1)),
        "1 alerts are missing",
    ),
    "an alert is in Parquet twice": (
        lambda f: replace(f, alerts=pa.concat_tables([alerts_of(f), alerts_of(f).slice(0, 1)])),
        "1 alerts are in Parquet more than once",
    ),
    "an alert is gone from Kafka": (
        lambda f: replace(f, sent_alerts=f.sent_alerts[1:]),
        "Parquet and fraud-alerts differ in 1 alerts",
    ),
    "no alerts at all": (lambda f: replace(f, alerts=None, sent_alerts=[]), "6 alerts are missing"),
    "no metrics": (lambda f: replace(f, metrics=None), "written no metrics"),
    "fewer evaluated than read": (lambda f: with_metric(f, "evaluated", 7), "accounted for 9"),
    "more read than there is": (lambda f: with_metric(f, "read", 11), "the topic holds 10"),
    "a reason is counted wrongly": (
        lambda f: with_metric(with_metric(f, "rejected_not_json", 0), "rejected_late", 1),
        "rejected: the job counted {'late': 1}",
    ),
    "a rejected record is gone": (lambda f: replace(f, rejections={}), "rejected topic and oracle differ"),
    "a record is not what was logged": (
        lambda f: replace(f, records=[f.records[0]._replace(value=b"{}"), *f.records[1:]]),
        "the producer's log and the topic differ",
    ),
    "a record was not acknowledged": (
        lambda f: replace(f, producer=(f.producer or {}) | {"sent": 11}),
        "1 records were sent but not acknowledged",
    ),
    "an injected alert is not there": (lambda f: with_pattern(f, "expected", "t5"), "were not caught"),
    "the producer wrote no summary": (
        lambda f: replace(f, producer=None),
        "the producer left no summary: what it sent, and what the rules must find, is unknown; its log is",
    ),
    "the producer failed": (
        lambda f: replace(f, endings=[ending("producer", 1), ending("job", 0)]),
        "the producer ended with exit code 1; its log is logs/producer.log",
    ),
    "the job was killed": (
        lambda f: replace(f, endings=[ending("producer", 0), ending("job", -9)]),
        "the job was ended by signal 9; its log is logs/job.log",
    ),
    "a record is gone from the archive": (
        lambda f: replace(f, archive=archive_of(f).slice(1)),
        "archive: 1 valid records are missing, 0 are not in the topic like that, such as partition 0, offset",
    ),
    "a record is in the archive twice": (
        lambda f: replace(f, archive=pa.concat_tables([archive_of(f), archive_of(f).slice(0, 1)])),
        "1 records are in the archive more than once",
    ),
    "a record is not archived as it was sent": (
        lambda f: replace(f, archive=with_location(archive_of(f), "Rome")),
        "archive: 9 valid records are missing, 9 are not in the topic like that",
    ),
    "no archive at all": (
        lambda f: replace(f, archive=None),
        "archive: 9 valid records are missing",
    ),
    "no generation at all": (lambda f: replace(f, generations=[]), "the checkpoint holds no generation"),
    "a generation is gone": (
        lambda f: with_metric(f, "generation", 2),
        "the checkpoint lacks generation 2, which read some records",
    ),
    "a near miss is there": (lambda f: with_pattern(f, "near_miss", "t3"), "near misses were flagged"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_each_kind_of_tampering_is_named(name: str) -> None:
    tamper, says = TAMPERINGS[name]
    summary = summary_of(tamper(sound()))
    assert not summary.ok
    assert any(says in problem for problem in summary.problems), summary.problems
    assert "PROBLEM" in as_text(summary)


def test_somebody_elses_records_are_judged_too_and_noted() -> None:
    summary = summary_of(replace(sound(), logged=[], producer=None, endings=[ending("job", 0)]))
    assert summary.ok
    assert summary.unlogged == 10
    assert "10 records came from somebody else's producer" in as_text(summary)


def test_a_state_in_which_nothing_was_ever_read_is_named_not_a_crash() -> None:
    nothing = replace(
        sound(),
        records=[],
        logged=[],
        generations=[],
        metrics=None,
        alerts=None,
        archive=None,
        sent_alerts=[],
        rejections={},
    )
    assert not summary_of(nothing).ok


class ForeignMessage:
    """A record of somebody's producer, with headers that are no text."""

    def headers(self) -> list[tuple[str, bytes | None]]:
        return [("trace", b"\xff\x00"), ("span", None)]

    def partition(self) -> int:
        return 1

    def offset(self) -> int:
        return 7

    def timestamp(self) -> tuple[int, int]:
        return 2, NOON

    def key(self) -> bytes:
        return b"ann"

    def value(self) -> bytes:
        return b"{}"


def test_headers_of_anybody_s_records_may_be_any_bytes() -> None:
    record = findings._record(ForeignMessage())  # type: ignore[arg-type]
    assert record.sent == Sent(1, 7, NOON, b"ann", b"{}")


def test_the_headers_of_rejected_records_are_read_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    headers: list[tuple[str, bytes | None]] = [
        ("reason", b"not_json"), ("source_partition", b"2"), ("source_offset", b"5")
    ]  # fmt: skip
    record = Record(Sent(0, 0, NOON, None, None), headers)
    monkeypatch.setattr(findings, "read_topic", lambda *_: iter([record]))
    assert rejections_of(KafkaSettings(), "transactions-rejected") == {(2, 5): "not_json"}


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (KafkaException(KafkaError(KafkaError._TRANSPORT, "Broker transport failure")), "transport failure"),
        (TimeoutError("topic transactions: no record"), "topic transactions: no record"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "http://127.0.0.1:1"),
        (OSError(28, "No space left on device", "out/a"), "No space left on device: 'out/a'"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(error: Exception, says: str) -> None:
    with pytest.raises(UnreadableError) as told, explained("--export out failed"):
        raise error
    assert str(told.value).startswith("--export out failed: ")
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_log_lines_of_a_killed_producer_end_at_the_last_whole_one(tmp_path: Path) -> None:
    line = '{"partition":0,"offset":%d,"timestamp":1,"key":"a","value":"b"}\n'
    log = tmp_path / "run.jsonl"
    log.write_text(line % 0 + line % 1 + '{"partition":0,"off', "utf-8")
    assert [record.offset for record in read_log([log])] == [0, 1]

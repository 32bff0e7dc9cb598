"""Every record of the table goes through the real job: the expected reason, and nobody else is disturbed."""

import signal
import time

import pytest

from local.native.findings import rejections_of
from tests.bad_records import BAD_RECORDS
from tests.integration.lane import Lane, pairs_in


@pytest.mark.timeout(300)
def test_bad_records_are_rejected_with_their_reason_and_move_no_watermark(lane: Lane) -> None:
    now = time.time_ns() // 1_000_000
    key = b"user-1"
    payment = (
        '{"transaction_id":"%s","user_id":"user-1","amount":2000,"currency":"EUR",'
        '"location":"Oslo","timestamp":%d}'
    )
    before = (payment % ("before", now)).encode()
    # Ten minutes are allowed: had any of the bad ones counted, this would be late.
    after = (payment % ("after", now - 599_000)).encode()
    lane.produce(
        [(0, key, before), *((0, bad.key, bad.value) for bad in BAD_RECORDS), (0, key, after)],
    )
    job = lane.start_job()
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()

    kafka = lane.settings.kafka
    rejected = rejections_of(kafka, kafka.rejected_topic)
    told = {bad.name: rejected.get((0, offset)) for offset, bad in enumerate(BAD_RECORDS, start=1)}
    assert {bad.name: told[bad.name] for bad in BAD_RECORDS if bad.reason} == {
        bad.name: bad.reason for bad in BAD_RECORDS if bad.reason
    }
    expected = lane.expected()
    assert rejected == expected.rejected
    assert (0, 0) not in rejected
    assert (0, len(BAD_RECORDS) + 1) not in rejected
    pairs = pairs_in(lane.bucket())
    assert set(pairs) == expected.alerts
    assert {pair.transaction_id for pair in pairs if pair.rule_id == "high_amount"} >= {"before", "after"}

"""The oracle reads the contract by itself; it must give the reasons that the table of bad records expects."""

import pytest

from scripts.oracle import DEFAULT_RULES, read_rules
from scripts.oracle_records import Sent, bucket_of, read_payment
from tests.bad_records import BAD_RECORDS, BadRecord

RATES = read_rules(DEFAULT_RULES)["rates"]


@pytest.mark.parametrize("bad", BAD_RECORDS, ids=lambda bad: bad.name)
def test_the_oracle_gives_the_expected_reason(bad: BadRecord) -> None:
    later = 86_400_000 if bad.stage == "parsing" else 0  # its event time is its own business then
    record = Sent(0, 0, 1_735_689_600_000 + later, bad.key, bad.value)
    read = read_payment(record, RATES, 300_000, 8)
    assert (read if isinstance(read, str) else None) == bad.reason


def test_buckets_are_those_of_sparks_xxhash64() -> None:
    # Values of Spark 4.1: pmod(xxhash64(cast(key as binary)), 8)
    assert [bucket_of(key, 8) for key in (b"", b"a", b"user-1", "Zürich".encode(), b"x" * 100)] == [
        4,
        4,
        3,
        6,
        7,
    ]

"""Generated histories and rules for property tests: small time ranges, so that ties and edges are common."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from fraud.transaction import RECORDS
from scripts.oracle_records import Sent

START = 1_700_000_000_000
BUCKETS = 2
RATES = "[rates]\nEUR = 1\nUSD = 0.862\nISK = 0.0069\n"

WINDOWED = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["velocity", "multiple_locations"]),
        "threshold": st.integers(1, 4),
        "window": st.sampled_from([1, 10, 30]),
    }
)
HIGH = st.fixed_dictionaries(
    {"kind": st.just("high_amount"), "threshold": st.sampled_from(["0.00", "10.00", "999.99", "1000.00"])}
)
RULES = st.lists(st.one_of(WINDOWED, WINDOWED, HIGH), min_size=1, max_size=5)

PAYMENT = st.fixed_dictionaries(
    {
        "transaction_id": st.sampled_from(["a", "b", "c", "d", "ä", '"', "=1"]),
        "user_id": st.sampled_from(["u0", "u1", "u2"]),
        "amount": st.sampled_from(
            ["0.01", "10", "10.00", "10.01", "999.99", "1000.00", "1000.01", "1160.10"]
        ),
        "currency": st.sampled_from(["EUR", "EUR", "EUR", "USD", "ISK", "JPY"]),
        "location": st.sampled_from(["Paris", "Paris", "Oslo", " Oslo ", "Zürich", "Zu\u0308rich"]),
        "timestamp": st.integers(0, 100).map(lambda at: START + at),
    }
)


def as_json(payment: dict[str, Any]) -> bytes:
    fields = [
        f'"{name}":{value if name in ("amount", "timestamp") else json.dumps(value, ensure_ascii=False)}'
        for name, value in payment.items()
    ]
    return ("{" + ",".join(fields) + "}").encode()


@st.composite
def histories(draw: st.DrawFn) -> list[Sent]:
    """A topic: mostly good payments, some sent again (the same, or with other content), some broken."""
    fewest = draw(st.sampled_from([1, 20]))  # without it most histories have fewer than ten payments
    payments = draw(st.lists(PAYMENT, min_size=fewest, max_size=40))
    sent: list[Sent] = []
    offsets: Counter[int] = Counter()
    for payment in payments:
        again = draw(st.integers(0, 9))
        copies = [payment]
        if again == 0:
            copies.append(payment)
        elif again == 1:
            copies.append(payment | {"amount": "77.77"})
        elif again == 2:
            copies.append(payment | {"timestamp": START + 10_000})  # from the future: moves no watermark
        for copy in copies:
            partition = int(copy["user_id"][1:]) % 2  # a keyed user lives in one partition
            value = as_json(copy) if again != 3 else as_json(copy)[:-1]
            offset = offsets[partition]
            offsets[partition] += draw(st.sampled_from([1, 1, 1, 3]))  # compaction leaves gaps
            sent.append(Sent(partition, offset, START + 200, copy["user_id"].encode(), value))
    return sent


def rules_file(path: Path, rules: list[dict[str, Any]], rates: str = RATES) -> Path:
    tables = []
    for number, rule in enumerate(rules):
        window = f'window = "{rule["window"]}ms"\n' if "window" in rule else ""
        tables.append(
            f'[[rules]]\nid = "r{number}"\nkind = "{rule["kind"]}"\nversion = {number + 1}\n'
            f'severity = "low"\ndescription = "d"\nthreshold = {rule["threshold"]}\n{window}'
        )
    path.write_text("\n".join([*tables, rates]), "utf-8")
    return path


def as_records(sent: list[Sent]) -> pa.Table:
    rows = [
        {
            "key": s.key,
            "value": s.value,
            "partition": s.partition,
            "offset": s.offset,
            "timestamp": s.timestamp,
        }
        | {"original_size": len(s.value or b"")}
        for s in sent
    ]
    return pa.Table.from_pylist(rows, schema=RECORDS)

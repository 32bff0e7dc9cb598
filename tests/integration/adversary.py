"""A topic as an adversary would fill it: ties, exact edges, repeats, contradictions, broken records.

The user decides the partition, so a user's payments lie in one. Everything follows from the seed.
"""

from collections.abc import Iterator

import numpy as np

from tests.bad_records import BAD_RECORDS

CITIES = ["Paris", "Oslo", "Zürich", "Łódź", "Αθήνα", "São Paulo"]
AMOUNTS = [
    "0.01",
    "12.5",
    "999.99",
    "1000.00",
    "1000.01",
    "1160.09",
    "1160.10",
    "144927.53",
    "144927.54",
    "77",
]
CURRENCIES = ["EUR", "EUR", "EUR", "EUR", "USD", "ISK", "GBP", "JPY"]
PARTITIONS = 4


def records(size: int, seed: int, now: int) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    """(partition, key, value) of `size` records. Event times end at `now` (epoch milliseconds).

    Most come up to 9 minutes late, which is in time; few come far too late.
    """
    random = np.random.default_rng(seed)
    users = size // 60
    span = 3_000_000
    when = random.integers(0, span, size)
    ties = random.random(size) < 0.4
    when[ties] -= when[ties] % 20_000  # whole 20 s: ties, and exactly 60 s and 300 s apart
    delay = np.where(random.random(size) < 0.5, random.integers(0, 540_000, size), 0)
    delay = np.where(random.random(size) < 0.005, random.integers(700_000, 1_500_000, size), delay)
    user = random.integers(0, users, size)
    home = random.integers(0, len(CITIES), users)
    abroad = random.random(size) < 0.03
    city = np.where(abroad, random.integers(0, len(CITIES), size), home[user])
    amount = random.integers(0, len(AMOUNTS), size)
    currency = random.integers(0, len(CURRENCIES), size)
    fate = random.random(size)
    iso = random.random(size) < 0.2
    bad = [record for record in BAD_RECORDS if len(record.value or b"") < 100_000]

    def payment(row: int, changed: bool) -> bytes:
        at = now - span + int(when[row])
        time = f'"{np.datetime64(at, "ms")}Z"' if iso[row] else str(at)
        cents = "55.55" if changed else AMOUNTS[amount[row]]
        return (
            f'{{"transaction_id":"tx-{seed}-{row}","user_id":"u{user[row]}","amount":{cents},"currency":'
            f'"{CURRENCIES[currency[row]]}","location":"{CITIES[city[row]]}","timestamp":{time}}}'
        ).encode()

    arrival = np.argsort(when + delay, kind="stable")
    for place, row in enumerate(arrival.tolist()):
        partition, key = int(user[row]) % PARTITIONS, f"u{user[row]}".encode()
        if fate[row] < 0.01:
            broken = bad[row % len(bad)]
            # Its own user, never one of ours: a good one among them must not disturb anybody.
            yield PARTITIONS - 1, broken.key, broken.value
        yield partition, key, payment(row, changed=False)
        if 0.01 <= fate[row] < 0.04:  # sent again, now or a little later
            yield partition, key, payment(row, changed=False)
        if 0.04 <= fate[row] < 0.045 and place > 50:
            earlier = int(arrival[place - 50])
            yield (
                int(user[earlier]) % PARTITIONS,
                f"u{user[earlier]}".encode(),
                payment(earlier, changed=True),
            )

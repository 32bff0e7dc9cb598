"""Writes a file of payments of months ago, up to 9 minutes out of order, 3% of them there twice.

python -m tests.integration.payments_file 100000 > payments.jsonl
"""

import json
import sys
from collections.abc import Iterator

import numpy as np

START = 1_767_225_600_000  # 2026-01-01
CITIES = ["Paris", "Oslo", "Zürich", "Łódź", "Madrid", "Vienna"]


def lines(size: int, seed: int = 1) -> Iterator[str]:
    """JSON lines; event times 20 a second, so that a user pays every few minutes."""
    random = np.random.default_rng(seed)
    copies = np.flatnonzero(random.random(size) < 0.03)
    rows = np.concatenate([np.arange(size), copies])
    when = START + np.arange(size) * 50
    arrival = when[rows] + random.integers(0, 540_000, len(rows))
    users = max(1, size // 40)
    user, home = random.integers(0, users, size), random.integers(0, len(CITIES), users)
    city = np.where(random.random(size) < 0.02, random.integers(0, len(CITIES), size), home[user])
    cents = random.integers(100, 105_000, size)
    for row in rows[np.argsort(arrival, kind="stable")].tolist():
        payment = {
            "transaction_id": f"p-{row}",
            "user_id": f"user-{user[row]}",
            "amount": int(cents[row]) / 100,
            "currency": "EUR",
            "location": CITIES[city[row]],
            "timestamp": int(when[row]),
        }
        yield json.dumps(payment, ensure_ascii=False)


if __name__ == "__main__":
    for line in lines(int(sys.argv[1])):
        print(line)

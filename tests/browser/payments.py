"""What is sent for the browser tests: an adversary's payments, and alerts with hostile text in each field."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tests.integration.adversary import PARTITIONS, records

SIZE = 4_000

AMOUNT = "4321.09"
"""Euros of each payment with hostile text, and of no other."""


@dataclass(frozen=True)
class Hostile:
    """Text that a page, a spreadsheet or Markdown could take for more than text."""

    user: str
    city: str


HOSTILE = (
    Hostile("<img src=x onerror=window.pwned=1>", "<script>window.pwned=1</script>"),
    Hostile("</div><svg onload=window.pwned=1>", "<iframe src=javascript:window.pwned=1></iframe>"),
    Hostile("**bold** [click](javascript:window.pwned=1)", "![x](http://198.51.100.7/x.png)"),
    Hostile("$x^2$ `code` :red[red]", ":material/home: # Heading"),
    Hostile("{{7*7}} ${7*7} <%= 7*7 %>", "{{7*7}}"),
    Hostile("\u202egnp.resu", "\u202esiraP\u2066"),
    Hostile('=HYPERLINK("http://198.51.100.7/","x")', "=1+1"),
    Hostile("+1+1", "@SUM(A1)"),
    Hostile("-1+1", '"; DROP TABLE alerts; --'),
    Hostile("a/../b?c=d&e=f#g", "%3Cscript%3E"),
)


def sent(now: int) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    """(partition, key, value) in the order they are sent; event times end at `now` (epoch milliseconds)."""
    yield from records(SIZE, seed=5, now=now)
    for number, hostile in enumerate(HOSTILE):
        yield number % PARTITIONS, *payment(hostile.user, f"{hostile.city}-{number}"[:64], hostile.city, now)


def payment(user: str, transaction: str, city: str, now: int) -> tuple[bytes, bytes]:
    """Key and value of a payment that `high_amount` flags."""
    value = {
        "transaction_id": transaction,
        "user_id": user,
        "amount": float(AMOUNT),
        "currency": "EUR",
        "location": city,
        "timestamp": now,
    }
    return user.encode(), json.dumps(value, ensure_ascii=False).encode()

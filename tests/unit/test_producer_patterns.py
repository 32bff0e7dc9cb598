"""Patterns and near misses, judged again from the bytes by the rules as they are written down."""

import json
import unicodedata
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from itertools import islice

import pytest

from fraud.transaction import Reason
from producer.block import Block
from producer.injections import Shares
from producer.patterns import FRAUD, MAX_AGE, NEAR_MISSES
from producer.simulation import Options, Simulation

START = 1_772_366_400_000
RATES = {"EUR": Decimal(1), "GBP": Decimal("1.1"), "CHF": Decimal("1.06"), "DKK": Decimal("0.134")}
RATES |= {"SEK": Decimal("0.091"), "NOK": Decimal("0.085"), "PLN": Decimal("0.235")}
RATES |= {"CZK": Decimal("0.041"), "HUF": Decimal("0.0026")}

Payment = tuple[str, int, Decimal, str]  # transaction_id, timestamp, euros, location


def payments_by_user(blocks: list[Block]) -> dict[str, set[Payment]]:
    """Every valid payment that is not late, once."""
    found: dict[str, set[Payment]] = defaultdict(set)
    for block in blocks:
        for row, value in enumerate(block.values):
            note = block.notes.get(block.first + row)
            if value is None or (note and note.reason):
                continue
            content = json.loads(value, parse_float=Decimal)
            euros = content["amount"] * RATES[content["currency"]]
            place = unicodedata.normalize("NFC", content["location"]).strip()
            payment = (content["transaction_id"], content["timestamp"], euros, place)
            found[content["user_id"]].add(payment)
    return found


def flagged(payments: set[Payment]) -> set[tuple[str, str]]:
    """(rule, transaction) pairs of one user, by trying every payment against every other."""
    pairs = set()
    for transaction_id, time, euros, _ in payments:
        minute = [other for other in payments if time - 60_000 < other[1] <= time]
        places = {other[3] for other in payments if time - 300_000 < other[1] <= time}
        if euros > 1000:
            pairs.add(("high_amount", transaction_id))
        if len(minute) > 3:
            pairs.add(("velocity", transaction_id))
        if len(places) > 1:
            pairs.add(("multiple_locations", transaction_id))
    return pairs


@pytest.mark.parametrize("rate", [None, Fraction(2), Fraction(50_000)])
def test_every_pattern_is_flagged_exactly_where_it_says_so(rate: Fraction | None) -> None:
    options = Options(7, START, rate, 3_000_000 if rate == 50_000 else 10_000, Shares(fraud=0.1))
    blocks = list(islice(Simulation(options).blocks(0), 5))
    payments = payments_by_user(blocks)
    injections = [injection for block in blocks for injection in block.injections]
    assert {i.pattern for i in injections} == {pattern.name for pattern in (*FRAUD, *NEAR_MISSES)}
    for injection in injections:
        pairs = [*injection.expected, *injection.near_miss]
        (user,) = {pair.user_id for pair in pairs}
        assert len(payments[user]) == len(injection.numbers) == len(pairs)
        assert flagged(payments[user]) == {(e.rule_id, e.transaction_id) for e in injection.expected}
        times = {payment[0]: payment[1] for payment in payments[user]}
        assert times == {pair.transaction_id: pair.timestamp for pair in pairs}


def test_fraud_is_flagged_and_a_near_miss_is_not() -> None:
    assert all(pattern.flagged for pattern in FRAUD)
    assert not any(pattern.flagged for pattern in NEAR_MISSES)


def test_no_pattern_reaches_back_further_than_the_allowed_lateness() -> None:
    assert max(payment.age for pattern in (*FRAUD, *NEAR_MISSES) for payment in pattern.payments) == MAX_AGE
    assert MAX_AGE < 600_000


@pytest.mark.parametrize("rate", [None, Fraction(100), Fraction(100_000)])
def test_ordinary_people_rarely_break_a_rule(rate: Fraction | None) -> None:
    users = 10_000 if rate is None else max(10_000, int(60 * rate))
    blocks = list(islice(Simulation(Options(7, START, rate, users, Shares(0, 0, 0, 0))).blocks(0), 20))
    pairs = [pair for payments in payments_by_user(blocks).values() for pair in flagged(payments)]
    assert len(pairs) < 20 * 1_000 / 1_000
    assert not [pair for pair in pairs if pair[0] in ("high_amount", "velocity")]


def test_a_usual_minute_shows_every_rule_and_most_limits() -> None:
    blocks = list(islice(Simulation(Options(7, START, None, 10_000)).blocks(0), 3))
    injections = [injection for block in blocks for injection in block.injections]
    assert {e.rule_id for i in injections for e in i.expected} == {
        "high_amount",
        "velocity",
        "multiple_locations",
    }
    limits = {"high-amount-1000.01", "near-amount-1000.00", "near-amount-999.99", "velocity-4-in-59.999s"}
    limits |= {"near-velocity-4-in-60.000s", "cities-299.999s-apart", "near-cities-300.000s-apart"}
    assert limits <= {injection.pattern for injection in injections}
    reasons = {note.reason for block in blocks for note in block.notes.values()}
    assert {Reason.LATE, Reason.CONFLICTING_DUPLICATE, Reason.NOT_JSON, Reason.OUT_OF_RANGE} <= reasons

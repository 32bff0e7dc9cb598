"""Words of the command line as rates, shares, times and counts; argparse shows what was wrong with one."""

import math
import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from fractions import Fraction

from producer.schedule import MAX_RATE

_EARLIEST = datetime(2000, 1, 2, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def rate(text: str) -> Fraction:
    """Events a second, exactly as written."""
    if text in ("max", "0"):
        return Fraction(MAX_RATE)
    value = _number(text)
    if not Fraction(1, 100) <= value <= MAX_RATE:
        raise ArgumentTypeError(f"{text!r} is not max or a number from 0.01 to {MAX_RATE:,}")
    return value


def speed(text: str) -> float:
    """Times real time; infinite means not to wait."""
    if text == "max":
        return math.inf
    value = float(_number(text))
    if value <= 0:
        raise ArgumentTypeError(f"{text!r} is not max or a number above 0")
    return value


def seconds(text: str) -> float:
    """A span of time."""
    value = float(_number(text))
    if value <= 0:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def count(text: str) -> int:
    """A whole number, at least 1."""
    value = _number(text)
    if value.denominator != 1 or value < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(value)


def seed(text: str) -> int:
    """Any whole number of 63 bits."""
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) >= 2**63:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2^63 - 1")
    return int(text)


def share(text: str) -> float:
    """A part of the whole, not all of it."""
    value = float(_number(text))
    if value >= 1:
        raise ArgumentTypeError(f"{text!r} is not a share: a number from 0 to below 1")
    return value


def moment(text: str) -> int:
    """A point in time, in epoch milliseconds."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not an ISO 8601 time") from error
    if time.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} has no offset from UTC: append Z or such as +02:00")
    if not _EARLIEST <= time < _LATEST:
        raise ArgumentTypeError(f"{text!r} is not between 2000 and 2100")
    return round(time.timestamp() * 1000)


def _number(text: str) -> Fraction:
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?|\.[0-9]{1,9}", text):
        raise ArgumentTypeError(f"{text!r} is not a number such as 20 or 0.5")
    return Fraction(text)
